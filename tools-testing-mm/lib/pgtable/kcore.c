// SPDX-License-Identifier: GPL-2.0
/*
 * Kernel memory through /proc/kcore.
 *
 * It is an ELF core file of the running kernel: a PT_LOAD for each stretch of RAM (the linear map),
 * one for the kernel image, and one each for vmalloc, modules and vmemmap. Its PT_NOTE carries
 * VMCOREINFO. p_paddr is -1 for what has no single physical address (fs/proc/kcore.c).
 *
 * Limits: 64-bit little-endian kernels that fill in p_paddr.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libmm/fail.h>
#include <libmm/kcore.h>
#include <libmm/sysfile.h>

/* The kernel's notes are some 20 KB: one task_struct and a page or two of VMCOREINFO. */
#define NOTES_MAX	(1024 * 1024)
#define NOTE_NAME	"VMCOREINFO"
#define NOTE_ALIGN(len)	(((uint64_t)(len) + 3) & ~UINT64_C(3))
#define NO_PADDR	UINT64_MAX

static int file_read(const struct kcore *kc, uint64_t offset, void *buf, size_t len)
{
	ssize_t n = pread(kc->fd, buf, len, (off_t)offset);

	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

static const char *open_problem(int err)
{
	switch (err) {
	case ENOENT:
		return "is absent: the kernel needs CONFIG_PROC_KCORE";
	case EACCES:
		return "is for root only: run as root";
	case EPERM:
		return "needs CAP_SYS_RAWIO and no kernel lockdown to confidentiality";
	default:
		return "cannot be opened";
	}
}

static bool header_valid(const Elf64_Ehdr *ehdr)
{
	return !memcmp(ehdr->e_ident, ELFMAG, SELFMAG) && ehdr->e_ident[EI_CLASS] == ELFCLASS64 &&
	       ehdr->e_ident[EI_DATA] == ELFDATA2LSB && ehdr->e_type == ET_CORE &&
	       ehdr->e_phentsize == sizeof(Elf64_Phdr);
}

/* The description of the note called VMCOREINFO, NUL-terminated, in memory of its own. */
static char *vmcoreinfo_dup(const char *notes, uint64_t size)
{
	Elf64_Nhdr nhdr;

	while (size >= sizeof(nhdr)) {
		uint64_t desc, next;

		memcpy(&nhdr, notes, sizeof(nhdr));
		desc = sizeof(nhdr) + NOTE_ALIGN(nhdr.n_namesz);
		next = desc + NOTE_ALIGN(nhdr.n_descsz);
		if (next > size)
			return NULL;
		if (nhdr.n_namesz == sizeof(NOTE_NAME) &&
		    !memcmp(notes + sizeof(nhdr), NOTE_NAME, sizeof(NOTE_NAME)))
			return strndup(notes + desc, nhdr.n_descsz);
		notes += next;
		size -= next;
	}
	return NULL;
}

static int notes_read(struct kcore *kc, const Elf64_Phdr *phdr)
{
	char *notes;
	int ret;

	if (phdr->p_filesz > NOTES_MAX)
		return -ENOEXEC;
	notes = calloc(1, phdr->p_filesz + 1);
	if (!notes)
		return -ENOMEM;
	ret = file_read(kc, phdr->p_offset, notes, phdr->p_filesz);
	if (!ret && !kc->info)
		kc->info = vmcoreinfo_dup(notes, phdr->p_filesz);
	free(notes);
	return ret;
}

static int segment_add(struct kcore *kc, const Elf64_Phdr *phdr)
{
	uint64_t size = phdr->p_filesz;
	bool physical = phdr->p_paddr != NO_PADDR;

	if (!size)
		return 0;
	if (size > UINT64_MAX - phdr->p_vaddr || (physical && size > UINT64_MAX - phdr->p_paddr) ||
	    phdr->p_offset > INT64_MAX || size > INT64_MAX - phdr->p_offset)
		return -ENOEXEC;
	kc->segments[kc->nr_segments++] = (struct kcore_segment) {
		.kind = physical ? KCORE_RAM : KCORE_VIRTUAL,
		.va = phdr->p_vaddr, .pa = phdr->p_paddr,
		.size = size, .offset = phdr->p_offset,
	};
	return 0;
}

static int phdrs_read(struct kcore *kc, const Elf64_Ehdr *ehdr)
{
	size_t i, nr = ehdr->e_phnum;
	Elf64_Phdr phdr;
	int ret = 0;

	kc->segments = calloc(nr + 1, sizeof(*kc->segments));
	if (!kc->segments)
		return -ENOMEM;
	for (i = 0; !ret && i < nr; i++) {
		ret = file_read(kc, ehdr->e_phoff + i * sizeof(phdr), &phdr, sizeof(phdr));
		if (!ret && phdr.p_type == PT_NOTE)
			ret = notes_read(kc, &phdr);
		else if (!ret && phdr.p_type == PT_LOAD)
			ret = segment_add(kc, &phdr);
	}
	return ret;
}

/* On failure, @problem says what is the matter with the file. */
static int core_load(struct kcore *kc, const char **problem)
{
	size_t i, zeros = 0;
	uint64_t stext = 0;
	Elf64_Ehdr ehdr;
	int ret;

	*problem = "is empty: is it masked by a container?";
	ret = file_read(kc, 0, &ehdr, sizeof(ehdr));
	if (ret)
		return ret;
	*problem = "is not a 64-bit little-endian ELF core file";
	if (!header_valid(&ehdr))
		return -ENOEXEC;
	kc->machine = ehdr.e_machine;
	*problem = "is damaged";
	ret = phdrs_read(kc, &ehdr);
	if (ret)
		return ret;
	*problem = "has no VMCOREINFO: it needs CONFIG_VMCORE_INFO";
	if (!kc->info)
		return -ENODATA;
	kcore_symbol(kc, "_stext", &stext);
	for (i = 0; i < kc->nr_segments; i++) {
		struct kcore_segment *seg = &kc->segments[i];

		zeros += !seg->pa;
		/* Both the linear map and the image have physical addresses. */
		if (seg->kind == KCORE_RAM && stext - seg->va < seg->size)
			seg->kind = KCORE_IMAGE;
	}
	/* Only one stretch of memory can start at physical 0: more means that none is filled in. */
	*problem = "has no physical addresses: the kernel is too old";
	return zeros > 1 ? -ENODATA : 0;
}

int kcore_open(struct kcore **out, char *reason, size_t len)
{
	char path[SYSFILE_PATH_MAX];
	const char *problem = "";
	struct kcore *kc;
	int ret;

	ret = __sysfile_path(path, sizeof(path), "/proc/kcore");
	if (ret)
		return libmm_refuse(ret, reason, len, "LIBMM_ROOT is too long");
	kc = calloc(1, sizeof(*kc));
	if (!kc)
		return libmm_refuse(-ENOMEM, reason, len, "no memory to open /proc/kcore");
	kc->fd = open(path, O_RDONLY | O_CLOEXEC);
	ret = kc->fd < 0 ? -errno : core_load(kc, &problem);
	if (ret) {
		libmm_refuse(ret, reason, len, "/proc/kcore %s (%s)",
			     kc->fd < 0 ? open_problem(-ret) : problem, strerror(-ret));
		kcore_close(kc);
		return ret;
	}
	*out = kc;
	return 0;
}

void kcore_close(struct kcore *kc)
{
	if (!kc)
		return;
	if (kc->fd >= 0)
		close(kc->fd);
	free(kc->segments);
	free(kc->info);
	free(kc);
}

static const struct kcore_segment *va_find(const struct kcore *kc, uint64_t va)
{
	size_t i;

	for (i = 0; i < kc->nr_segments; i++)
		if (va - kc->segments[i].va < kc->segments[i].size)
			return &kc->segments[i];
	return NULL;
}

static const struct kcore_segment *pa_find(const struct kcore *kc, enum kcore_kind kind,
					   uint64_t pa)
{
	size_t i;

	for (i = 0; i < kc->nr_segments; i++)
		if (kc->segments[i].kind == kind && pa - kc->segments[i].pa < kc->segments[i].size)
			return &kc->segments[i];
	return NULL;
}

bool kcore_pa_to_va(const struct kcore *kc, uint64_t pa, uint64_t *va)
{
	const struct kcore_segment *seg = pa_find(kc, KCORE_RAM, pa);

	if (seg)
		*va = seg->va + (pa - seg->pa);
	return seg;
}

bool kcore_va_to_pa(const struct kcore *kc, uint64_t va, uint64_t *pa)
{
	const struct kcore_segment *seg = va_find(kc, va);

	if (!seg || seg->kind == KCORE_VIRTUAL)
		return false;
	*pa = seg->pa + (va - seg->va);
	return true;
}

static int segment_read(const struct kcore *kc, const struct kcore_segment *seg, uint64_t skip,
			void *buf, size_t len)
{
	if (len > seg->size - skip)
		return -EFAULT;
	return file_read(kc, seg->offset + skip, buf, len);
}

int __kcore_read(const struct kcore *kc, uint64_t va, void *buf, size_t len)
{
	const struct kcore_segment *seg = va_find(kc, va);

	return seg ? segment_read(kc, seg, va - seg->va, buf, len) : -EFAULT;
}

void kcore_read(const struct kcore *kc, uint64_t va, void *buf, size_t len)
{
	int ret = __kcore_read(kc, va, buf, len);

	if (ret)
		libmm_fail("kcore: reading %zu bytes at %#" PRIx64 ": %s", len, va, strerror(-ret));
}

int kcore_read_pa(const struct kcore *kc, uint64_t pa, void *buf, size_t len)
{
	const struct kcore_segment *seg = pa_find(kc, KCORE_RAM, pa);

	if (!seg)
		seg = pa_find(kc, KCORE_IMAGE, pa);
	return seg ? segment_read(kc, seg, pa - seg->pa, buf, len) : -EFAULT;
}

/* Read the number of the line "key=" or, with a @name, "key(name)=". */
static int info_number(const struct kcore *kc, const char *key, const char *name, int base,
		       uint64_t *value)
{
	char want[128], *end;
	const char *line;
	size_t n;

	n = (size_t)snprintf(want, sizeof(want), name ? "%s(%s)=" : "%s%s=", key, name ?: "");
	if (n >= sizeof(want))
		return -ENOENT;
	for (line = kc->info; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, want, n))
			continue;
		errno = 0;
		*value = strtoull(line + n, &end, base);
		return errno || end == line + n || (*end && *end != '\n') ? -EINVAL : 0;
	}
	return -ENOENT;
}

int kcore_symbol(const struct kcore *kc, const char *name, uint64_t *value)
{
	return info_number(kc, "SYMBOL", name, 16, value);
}

/* Printed with %ld or 0x%lx, as each line's author chose; never with a leading zero alone. */
int kcore_number(const struct kcore *kc, const char *name, uint64_t *value)
{
	return info_number(kc, "NUMBER", name, 0, value);
}

int kcore_size(const struct kcore *kc, const char *name, uint64_t *value)
{
	return info_number(kc, "SIZE", name, 10, value);
}

int kcore_line(const struct kcore *kc, const char *key, int base, uint64_t *value)
{
	return info_number(kc, key, NULL, base, value);
}
