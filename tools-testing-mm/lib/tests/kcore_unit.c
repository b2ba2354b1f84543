// SPDX-License-Identifier: GPL-2.0
/*
 * kcore reads what lies in a core file and nothing that does not, and says why when it cannot.
 *
 * Method: synthetic core files, whole and damaged. Refusals that need a locked-down kernel are had
 * by standing in for open().
 */
#include <stdarg.h>
#include <sys/syscall.h>

#include <libmm/kcore.h>

#include "synthetic_core.h"
#include "kselftest_harness.h"

/* What open() of the core file fails with, when not 0. */
static int open_errno;

/* Takes the place of libc's in libmm too, for a static library is linked after the test. */
int open(const char *path, int flags, ...)
{
	mode_t mode;
	va_list ap;

	va_start(ap, flags);
	mode = flags & O_CREAT ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	if (open_errno && strstr(path, "/proc/kcore")) {
		errno = open_errno;
		return -1;
	}
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

FIXTURE(core)
{
	struct synth synth;
	struct kcore *kc;
	char why[KCORE_REASON_MAX];
};

FIXTURE_SETUP(core)
{
	synth_init(&self->synth, &synth_arm64_4k_48);
	memset(self->why, 0, sizeof(self->why));
}

FIXTURE_TEARDOWN(core)
{
	open_errno = 0;
	kcore_close(self->kc);
	synth_destroy(&self->synth);
}

static int core_open(FIXTURE_DATA(core) * self)
{
	synth_finish(&self->synth);
	return kcore_open(&self->kc, self->why, sizeof(self->why));
}

/* The reason is for a user: a sentence about the file, without a newline. */
static bool says(FIXTURE_DATA(core) * self, const char *what)
{
	if (strstr(self->why, what) && !strchr(self->why, '\n'))
		return true;
	fprintf(stderr, "# the reason is: %s\n", self->why);
	return false;
}

TEST_F(core, segments)
{
	const struct kcore_segment *segs;

	synth_segment(&self->synth, 0xffff800080000000, UINT64_MAX, 0x1000, SYNTH_RAM_OFFSET);
	ASSERT_EQ(0, core_open(self));
	segs = self->kc->segments;
	ASSERT_EQ(3, self->kc->nr_segments);
	ASSERT_EQ(KCORE_IMAGE, segs[0].kind);
	ASSERT_EQ(SYNTH_IMAGE_VA, segs[0].va);
	ASSERT_EQ(KCORE_RAM, segs[1].kind);
	ASSERT_EQ(self->synth.linear_va, segs[1].va);
	ASSERT_EQ(SYNTH_RAM_PA, segs[1].pa);
	ASSERT_EQ(SYNTH_RAM_SIZE, segs[1].size);
	ASSERT_EQ(KCORE_VIRTUAL, segs[2].kind);
	ASSERT_EQ(EM_AARCH64, self->kc->machine);
}

TEST_F(core, find_at_the_edges)
{
	uint64_t start = self->synth.linear_va, last = start + SYNTH_RAM_SIZE - 1, pa;

	ASSERT_EQ(0, core_open(self));
	ASSERT_FALSE(kcore_va_to_pa(self->kc, start - 1, &pa));
	ASSERT_TRUE(kcore_va_to_pa(self->kc, start, &pa));
	ASSERT_TRUE(kcore_va_to_pa(self->kc, last, &pa));
	ASSERT_FALSE(kcore_va_to_pa(self->kc, last + 1, &pa));
}

TEST_F(core, addresses_both_ways)
{
	uint64_t pa = 0, va = 0;

	synth_segment(&self->synth, 0xffff800080000000, UINT64_MAX, 0x1000, SYNTH_RAM_OFFSET);
	ASSERT_EQ(0, core_open(self));
	ASSERT_TRUE(kcore_va_to_pa(self->kc, self->synth.linear_va + 0x1234, &pa));
	ASSERT_EQ(SYNTH_RAM_PA + 0x1234, pa);
	ASSERT_TRUE(kcore_va_to_pa(self->kc, SYNTH_IMAGE_VA + 0x10, &pa));
	ASSERT_EQ(SYNTH_RAM_PA + 0x10, pa);
	/* vmalloc has no one physical address. */
	ASSERT_FALSE(kcore_va_to_pa(self->kc, 0xffff800080000000, &pa));
	ASSERT_FALSE(kcore_va_to_pa(self->kc, 0, &pa));
	/* The linear map's address, not the image's. */
	ASSERT_TRUE(kcore_pa_to_va(self->kc, SYNTH_RAM_PA + 0x10, &va));
	ASSERT_EQ(self->synth.linear_va + 0x10, va);
	ASSERT_FALSE(kcore_pa_to_va(self->kc, SYNTH_RAM_PA - 1, &va));
	ASSERT_FALSE(kcore_pa_to_va(self->kc, SYNTH_RAM_PA + SYNTH_RAM_SIZE, &va));
}

TEST_F(core, reads)
{
	uint64_t pa = SYNTH_RAM_PA + 0x234567;
	char buf[8];

	synth_write(&self->synth, synth_offset(pa), "contents", 8);
	ASSERT_EQ(0, core_open(self));
	ASSERT_EQ(0, kcore_read_pa(self->kc, pa, buf, 8));
	ASSERT_EQ(0, memcmp(buf, "contents", 8));
	memset(buf, 0, sizeof(buf));
	ASSERT_EQ(0, __kcore_read(self->kc, self->synth.linear_va + 0x234567, buf, 8));
	ASSERT_EQ(0, memcmp(buf, "contents", 8));
}

/* The kernel gives zeros and success for these. */
TEST_F(core, reads_outside_are_errors)
{
	uint64_t end = self->synth.linear_va + SYNTH_RAM_SIZE;
	char buf[8];

	ASSERT_EQ(0, core_open(self));
	ASSERT_EQ(-EFAULT, __kcore_read(self->kc, self->synth.linear_va - 1, buf, 1));
	ASSERT_EQ(-EFAULT, __kcore_read(self->kc, end, buf, 1));
	ASSERT_EQ(-EFAULT, __kcore_read(self->kc, end - 4, buf, 8));
	ASSERT_EQ(0, __kcore_read(self->kc, end - 8, buf, 8));
	ASSERT_EQ(-EFAULT, __kcore_read(self->kc, UINT64_MAX, buf, 8));
	ASSERT_EQ(-EFAULT, kcore_read_pa(self->kc, SYNTH_RAM_PA - 1, buf, 1));
	ASSERT_EQ(-EFAULT, kcore_read_pa(self->kc, SYNTH_RAM_PA + SYNTH_RAM_SIZE - 4, buf, 8));
	ASSERT_EQ(-EFAULT, kcore_read_pa(self->kc, UINT64_MAX, buf, 8));
}

/* Neighbours in the linear map need not be neighbours in the file. */
TEST_F(core, no_read_across_two_segments)
{
	uint64_t end = self->synth.linear_va + SYNTH_RAM_SIZE;
	char buf[8];

	synth_segment(&self->synth, end, SYNTH_RAM_PA + SYNTH_RAM_SIZE, 0x1000,
		      SYNTH_RAM_OFFSET + 0x5000);
	ASSERT_EQ(0, core_open(self));
	ASSERT_EQ(0, __kcore_read(self->kc, end - 8, buf, 8));
	ASSERT_EQ(0, __kcore_read(self->kc, end, buf, 8));
	ASSERT_EQ(-EFAULT, __kcore_read(self->kc, end - 4, buf, 8));
}

/*
 * The image's memory need not be among the RAM that the kernel lists: the root table is read there.
 */
TEST_F(core, physical_read_of_the_image)
{
	uint64_t pa = SYNTH_RAM_PA + SYNTH_RAM_SIZE + 0x100000, va;
	char buf[8];

	self->synth.phdr[1].p_paddr = pa;
	synth_write(&self->synth, SYNTH_RAM_OFFSET + 8, "contents", 8);
	ASSERT_EQ(0, core_open(self));
	ASSERT_EQ(0, kcore_read_pa(self->kc, pa + 8, buf, 8));
	ASSERT_EQ(0, memcmp(buf, "contents", 8));
	ASSERT_FALSE(kcore_pa_to_va(self->kc, pa + 8, &va));
}

TEST_F(core, truncated_memory)
{
	char buf[8];

	ASSERT_EQ(0, core_open(self));
	ASSERT_EQ(0, ftruncate(self->synth.fd, SYNTH_RAM_OFFSET + 4));
	ASSERT_EQ(-EIO, kcore_read_pa(self->kc, SYNTH_RAM_PA, buf, 8));
}

TEST_F(core, vmcoreinfo)
{
	uint64_t value = 0;

	synth_info(&self->synth, "%s\n", "NUMBER(hex)=0xffff800000000000");
	synth_info(&self->synth, "%s\n", "NUMBER(decimal)=48");
	synth_info(&self->synth, "%s\n", "NUMBER(negative)=-4096");
	synth_info(&self->synth, "%s\n", "NUMBER(zero)=0");
	synth_info(&self->synth, "%s\n", "NUMBER(word)=many");
	synth_info(&self->synth, "%s\n", "NUMBER(void)=");
	synth_info(&self->synth, "%s\n", "SYMBOL(init_uts_ns)=ffffffff82a1b2c0");
	synth_info(&self->synth, "%s\n", "SIZE(page)=64");
	/* The last line may lack its newline. */
	synth_info(&self->synth, "%s", "NUMBER(last)=7");
	ASSERT_EQ(0, core_open(self));
	ASSERT_EQ(0, kcore_number(self->kc, "hex", &value));
	ASSERT_EQ(0xffff800000000000, value);
	ASSERT_EQ(0, kcore_number(self->kc, "decimal", &value));
	ASSERT_EQ(48, value);
	ASSERT_EQ(0, kcore_number(self->kc, "negative", &value));
	ASSERT_EQ(-4096, (int64_t)value);
	ASSERT_EQ(0, kcore_number(self->kc, "zero", &value));
	ASSERT_EQ(0, value);
	ASSERT_EQ(0, kcore_number(self->kc, "last", &value));
	ASSERT_EQ(7, value);
	ASSERT_EQ(0, kcore_symbol(self->kc, "init_uts_ns", &value));
	ASSERT_EQ(0xffffffff82a1b2c0, value);
	ASSERT_EQ(0, kcore_size(self->kc, "page", &value));
	ASSERT_EQ(64, value);
	ASSERT_EQ(0, kcore_line(self->kc, "PAGESIZE", 10, &value));
	ASSERT_EQ(4096, value);

	ASSERT_EQ(-ENOENT, kcore_line(self->kc, "PAGE", 10, &value));
	ASSERT_EQ(-ENOENT, kcore_line(self->kc, "SIZE", 10, &value));
	ASSERT_EQ(-EINVAL, kcore_line(self->kc, "OSRELEASE", 10, &value));
	ASSERT_EQ(-EINVAL, kcore_number(self->kc, "word", &value));
	ASSERT_EQ(-EINVAL, kcore_number(self->kc, "void", &value));
	/* A name must match whole, and its kind too. */
	ASSERT_EQ(-ENOENT, kcore_number(self->kc, "hexa", &value));
	ASSERT_EQ(-ENOENT, kcore_number(self->kc, "he", &value));
	ASSERT_EQ(-ENOENT, kcore_symbol(self->kc, "hex", &value));
}

TEST_F(core, absent)
{
	ASSERT_EQ(0, unlink(self->synth.path));
	ASSERT_EQ(-ENOENT, kcore_open(&self->kc, self->why, sizeof(self->why)));
	ASSERT_TRUE(says(self, "CONFIG_PROC_KCORE"));
}

TEST_F(core, not_root)
{
	open_errno = EACCES;
	ASSERT_EQ(-EACCES, core_open(self));
	ASSERT_TRUE(says(self, "run as root"));
}

TEST_F(core, forbidden_to_root)
{
	open_errno = EPERM;
	ASSERT_EQ(-EPERM, core_open(self));
	ASSERT_TRUE(says(self, "CAP_SYS_RAWIO"));
	ASSERT_TRUE(says(self, "lockdown"));
}

TEST_F(core, masked_by_a_container)
{
	synth_finish(&self->synth);
	ASSERT_EQ(0, ftruncate(self->synth.fd, 0));
	ASSERT_EQ(-EIO, kcore_open(&self->kc, self->why, sizeof(self->why)));
	ASSERT_TRUE(says(self, "container"));
}

TEST_F(core, not_an_elf_file)
{
	self->synth.ehdr.e_ident[0] = 'E';
	ASSERT_EQ(-ENOEXEC, core_open(self));
	ASSERT_TRUE(says(self, "not a 64-bit"));
}

TEST_F(core, of_another_class)
{
	self->synth.ehdr.e_ident[EI_CLASS] = ELFCLASS32;
	ASSERT_EQ(-ENOEXEC, core_open(self));
}

TEST_F(core, big_endian)
{
	self->synth.ehdr.e_ident[EI_DATA] = ELFDATA2MSB;
	ASSERT_EQ(-ENOEXEC, core_open(self));
}

TEST_F(core, no_core_file)
{
	self->synth.ehdr.e_type = ET_EXEC;
	ASSERT_EQ(-ENOEXEC, core_open(self));
}

TEST_F(core, headers_of_another_size)
{
	self->synth.ehdr.e_phentsize = sizeof(Elf64_Phdr) - 8;
	ASSERT_EQ(-ENOEXEC, core_open(self));
}

TEST_F(core, headers_beyond_the_end)
{
	self->synth.ehdr.e_phoff = SYNTH_RAM_OFFSET + SYNTH_RAM_SIZE - 8;
	ASSERT_EQ(-EIO, core_open(self));
	ASSERT_TRUE(says(self, "damaged"));
}

TEST_F(core, headers_nowhere)
{
	self->synth.ehdr.e_phoff = UINT64_MAX;
	ASSERT_EQ(-EINVAL, core_open(self));
	ASSERT_TRUE(says(self, "damaged"));
}

TEST_F(core, more_headers_than_the_file_holds)
{
	self->synth.ehdr.e_phnum = UINT16_MAX;
	ASSERT_EQ(0, ftruncate(self->synth.fd, (off_t)SYNTH_RAM_OFFSET));
	ASSERT_EQ(-EIO, core_open(self));
	ASSERT_TRUE(says(self, "damaged"));
}

TEST_F(core, huge_notes)
{
	self->synth.phdr[0].p_filesz = UINT64_MAX;
	ASSERT_EQ(-ENOEXEC, core_open(self));
	ASSERT_TRUE(says(self, "damaged"));
}

TEST_F(core, notes_cut_short)
{
	self->synth.phdr[0].p_filesz = 30;
	ASSERT_EQ(-ENODATA, core_open(self));
	ASSERT_TRUE(says(self, "VMCOREINFO"));
}

/* A note that claims to be larger than all notes are. */
TEST_F(core, note_with_a_huge_size)
{
	Elf64_Nhdr nhdr = { .n_namesz = UINT32_MAX, .n_descsz = UINT32_MAX };

	synth_finish(&self->synth);
	synth_write(&self->synth, self->synth.phdr[0].p_offset, &nhdr, sizeof(nhdr));
	ASSERT_EQ(-ENODATA, kcore_open(&self->kc, self->why, sizeof(self->why)));
}

TEST_F(core, no_vmcoreinfo)
{
	synth_finish(&self->synth);
	synth_write(&self->synth, self->synth.phdr[0].p_offset + 24 + 12, "VMCOREINFX", 10);
	ASSERT_EQ(-ENODATA, kcore_open(&self->kc, self->why, sizeof(self->why)));
	ASSERT_TRUE(says(self, "CONFIG_VMCORE_INFO"));
}

TEST_F(core, segment_that_wraps)
{
	synth_segment(&self->synth, UINT64_MAX - 0xfff, 0, 0x2000, SYNTH_RAM_OFFSET);
	ASSERT_EQ(-ENOEXEC, core_open(self));
	ASSERT_TRUE(says(self, "damaged"));
}

TEST_F(core, segment_with_a_huge_offset)
{
	synth_segment(&self->synth, 0xffff800000000000, 0, 0x2000, UINT64_MAX - 0xfff);
	ASSERT_EQ(-ENOEXEC, core_open(self));
}

TEST_F(core, physical_address_that_wraps)
{
	synth_segment(&self->synth, 0xffff800000000000, UINT64_MAX - 0xfff, 0x2000,
		      SYNTH_RAM_OFFSET);
	ASSERT_EQ(-ENOEXEC, core_open(self));
}

TEST_F(core, kernel_without_physical_addresses)
{
	self->synth.phdr[1].p_paddr = 0;
	self->synth.phdr[2].p_paddr = 0;
	ASSERT_EQ(-ENODATA, core_open(self));
	ASSERT_TRUE(says(self, "physical addresses"));
}

TEST_HARNESS_MAIN
