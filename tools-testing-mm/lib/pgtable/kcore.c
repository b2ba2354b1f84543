// SPDX-License-Identifier: GPL-2.0
/*
 * Kernel memory through /proc/kcore.
 *
 * /proc/kcore is an ELF core file of the running kernel: a PT_LOAD for each stretch of RAM (the
 * linear map), one for the kernel image, and one each for vmalloc, modules and vmemmap; its
 * PT_NOTE carries VMCOREINFO, the lines that crash dump tools live on. p_paddr is -1 for whatever
 * has no single physical address (read_kcore_iter() of the kernel's proc/kcore.c).
 *
 * Limits: 64-bit little-endian kernels that fill in p_paddr. The segments are those of the moment
 * of opening. Pages that the kernel withholds read as zeros (see kcore.h).
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
#define NOTE_ALIGN	4
#define NO_PADDR	UINT64_MAX

struct kcore {
	int fd;
	unsigned int machine;
	struct kcore_segment *segments;
	size_t nr_segments;
	char *info;		/* the text of VMCOREINFO, NUL-terminated */
};

static int file_read(int fd, uint64_t offset, void *buf, size_t len)
{
	char *to = buf;

	if (offset > INT64_MAX || len > INT64_MAX - offset)
		return -EIO;
	while (len) {
		ssize_t n = pread(fd, to, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return -EIO;
		to += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

/* The active mode is the bracketed word of "none integrity [confidentiality]". */
static bool lockdown_hides_kcore(void)
{
	char modes[80];

	return __sysfile_read("/sys/kernel/security/lockdown", modes, sizeof(modes)) > 0 &&
	       strstr(modes, "[confidentiality]");
}

static int open_refuse(int err, char *reason, size_t len)
{
	switch (err) {
	case ENOENT:
		return libmm_refuse(-err, reason, len,
				    "/proc/kcore is absent: the kernel needs CONFIG_PROC_KCORE");
	case EACCES:
		return libmm_refuse(-err, reason, len, "/proc/kcore is for root only: run as root");
	case EPERM:
		if (lockdown_hides_kcore())
			return libmm_refuse(-err, reason, len,
					    "kernel lockdown (confidentiality) closes /proc/kcore");
		return libmm_refuse(-err, reason, len,
				    "/proc/kcore needs CAP_SYS_RAWIO: run as real root");
	default:
		return libmm_refuse(-err, reason, len, "opening /proc/kcore: %s", strerror(err));
	}
}

static bool header_valid(const Elf64_Ehdr *ehdr)
{
	return !memcmp(ehdr->e_ident, ELFMAG, SELFMAG) &&
	       ehdr->e_ident[EI_CLASS] == ELFCLASS64 && ehdr->e_ident[EI_DATA] == ELFDATA2LSB &&
	       ehdr->e_type == ET_CORE && ehdr->e_phentsize == sizeof(Elf64_Phdr);
}

static int header_read(struct kcore *kc, Elf64_Ehdr *ehdr, char *reason, size_t len)
{
	int ret = file_read(kc->fd, 0, ehdr, sizeof(*ehdr));

	/* A container that masks the file leaves an empty one behind. */
	if (ret == -EIO)
		return libmm_refuse(ret, reason, len,
				    "/proc/kcore is empty: is it masked by a container?");
	if (ret)
		return libmm_refuse(ret, reason, len, "reading /proc/kcore: %s", strerror(-ret));
	if (!header_valid(ehdr))
		return libmm_refuse(-ENOEXEC, reason, len,
				    "/proc/kcore is not a 64-bit little-endian ELF core file");
	kc->machine = ehdr->e_machine;
	return 0;
}

static Elf64_Phdr *phdrs_read(struct kcore *kc, const Elf64_Ehdr *ehdr, char *reason, size_t len,
			      int *err)
{
	Elf64_Phdr *phdrs = calloc(ehdr->e_phnum ? ehdr->e_phnum : 1, sizeof(*phdrs));

	if (!phdrs) {
		*err = libmm_refuse(-ENOMEM, reason, len, "no memory for /proc/kcore's headers");
		return NULL;
	}
	*err = file_read(kc->fd, ehdr->e_phoff, phdrs, ehdr->e_phnum * sizeof(*phdrs));
	if (*err) {
		libmm_refuse(*err, reason, len, "reading %u program headers of /proc/kcore: %s",
			     (unsigned int)ehdr->e_phnum, strerror(-*err));
		free(phdrs);
		return NULL;
	}
	return phdrs;
}

static size_t note_padded(size_t len)
{
	return (len + NOTE_ALIGN - 1) & ~(size_t)(NOTE_ALIGN - 1);
}

/* The description of the note called VMCOREINFO, NUL-terminated, in memory of its own. */
static char *vmcoreinfo_dup(const char *notes, size_t size)
{
	Elf64_Nhdr nhdr;

	while (size >= sizeof(nhdr)) {
		size_t name_len, desc_len;

		memcpy(&nhdr, notes, sizeof(nhdr));
		notes += sizeof(nhdr);
		size -= sizeof(nhdr);
		name_len = note_padded(nhdr.n_namesz);
		desc_len = nhdr.n_descsz;
		if (name_len > size || desc_len > size - name_len)
			return NULL;
		if (nhdr.n_namesz == sizeof(NOTE_NAME) &&
		    !memcmp(notes, NOTE_NAME, sizeof(NOTE_NAME)))
			return strndup(notes + name_len, desc_len);
		desc_len = note_padded(desc_len);
		if (desc_len > size - name_len)
			return NULL;
		notes += name_len + desc_len;
		size -= name_len + desc_len;
	}
	return NULL;
}

static int notes_read(struct kcore *kc, const Elf64_Phdr *phdr, char *reason, size_t len)
{
	char *notes;
	int ret;

	if (phdr->p_filesz > NOTES_MAX)
		return libmm_refuse(-ENOEXEC, reason, len,
				    "/proc/kcore is damaged: %" PRIu64 " bytes of notes",
				    phdr->p_filesz);
	notes = malloc(phdr->p_filesz ? phdr->p_filesz : 1);
	if (!notes)
		return libmm_refuse(-ENOMEM, reason, len, "no memory for the notes of /proc/kcore");
	ret = file_read(kc->fd, phdr->p_offset, notes, phdr->p_filesz);
	if (ret)
		libmm_refuse(ret, reason, len, "reading the notes of /proc/kcore: %s",
			     strerror(-ret));
	else if (!kc->info)
		kc->info = vmcoreinfo_dup(notes, phdr->p_filesz);
	free(notes);
	return ret;
}

static int segment_add(struct kcore *kc, const Elf64_Phdr *phdr, char *reason, size_t len)
{
	struct kcore_segment *seg = &kc->segments[kc->nr_segments];

	if (!phdr->p_filesz)
		return 0;
	if (phdr->p_filesz > UINT64_MAX - phdr->p_vaddr ||
	    phdr->p_offset > INT64_MAX || phdr->p_filesz > INT64_MAX - phdr->p_offset ||
	    (phdr->p_paddr != NO_PADDR && phdr->p_filesz > UINT64_MAX - phdr->p_paddr))
		return libmm_refuse(-ENOEXEC, reason, len,
				    "/proc/kcore is damaged: %#" PRIx64 " bytes at %#" PRIx64,
				    phdr->p_filesz, phdr->p_vaddr);
	seg->kind = phdr->p_paddr == NO_PADDR ? KCORE_VIRTUAL : KCORE_RAM;
	seg->va = phdr->p_vaddr;
	seg->pa = phdr->p_paddr;
	seg->size = phdr->p_filesz;
	seg->offset = phdr->p_offset;
	kc->nr_segments++;
	return 0;
}

/* Both the linear map and the image have physical addresses: _stext lies in the image. */
static void image_mark(struct kcore *kc)
{
	uint64_t stext;
	size_t i;

	if (kcore_symbol(kc, "_stext", &stext))
		return;
	for (i = 0; i < kc->nr_segments; i++) {
		struct kcore_segment *seg = &kc->segments[i];

		if (seg->kind == KCORE_RAM && stext - seg->va < seg->size)
			seg->kind = KCORE_IMAGE;
	}
}

/* Only one stretch of memory can start at physical 0: more means that nothing was filled in. */
static bool segments_lack_paddr(const struct kcore *kc)
{
	size_t i, zeros = 0;

	for (i = 0; i < kc->nr_segments; i++)
		zeros += !kc->segments[i].pa;
	return zeros > 1;
}

static int segments_read(struct kcore *kc, const Elf64_Ehdr *ehdr, char *reason, size_t len)
{
	Elf64_Phdr *phdrs;
	size_t i;
	int ret;

	phdrs = phdrs_read(kc, ehdr, reason, len, &ret);
	if (!phdrs)
		return ret;
	kc->segments = calloc(ehdr->e_phnum ? ehdr->e_phnum : 1, sizeof(*kc->segments));
	if (!kc->segments) {
		free(phdrs);
		return libmm_refuse(-ENOMEM, reason, len,
				    "no memory for the segments of /proc/kcore");
	}
	for (i = 0; !ret && i < ehdr->e_phnum; i++) {
		if (phdrs[i].p_type == PT_NOTE)
			ret = notes_read(kc, &phdrs[i], reason, len);
		else if (phdrs[i].p_type == PT_LOAD)
			ret = segment_add(kc, &phdrs[i], reason, len);
	}
	free(phdrs);
	return ret;
}

static int core_load(struct kcore *kc, char *reason, size_t len)
{
	Elf64_Ehdr ehdr;
	int ret = header_read(kc, &ehdr, reason, len);

	if (!ret)
		ret = segments_read(kc, &ehdr, reason, len);
	if (ret)
		return ret;
	if (!kc->info)
		return libmm_refuse(-ENODATA, reason, len,
				    "/proc/kcore has no VMCOREINFO: it needs CONFIG_VMCORE_INFO");
	if (segments_lack_paddr(kc))
		return libmm_refuse(-ENODATA, reason, len,
				    "/proc/kcore has no physical addresses: too old a kernel");
	image_mark(kc);
	return 0;
}

int kcore_open(struct kcore **out, char *reason, size_t len)
{
	char path[SYSFILE_PATH_MAX];
	struct kcore *kc;
	int ret;

	ret = __sysfile_path(path, sizeof(path), "/proc/kcore");
	if (ret)
		return libmm_refuse(ret, reason, len, "LIBMM_ROOT is too long");
	kc = calloc(1, sizeof(*kc));
	if (!kc)
		return libmm_refuse(-ENOMEM, reason, len, "no memory to open /proc/kcore");
	kc->fd = open(path, O_RDONLY | O_CLOEXEC);
	ret = kc->fd < 0 ? open_refuse(errno, reason, len) : core_load(kc, reason, len);
	if (ret) {
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

const struct kcore_segment *kcore_segments(const struct kcore *kc, size_t *nr)
{
	*nr = kc->nr_segments;
	return kc->segments;
}

const struct kcore_segment *kcore_segment_find(const struct kcore *kc, uint64_t va)
{
	size_t i;

	for (i = 0; i < kc->nr_segments; i++) {
		const struct kcore_segment *seg = &kc->segments[i];

		if (va >= seg->va && va - seg->va < seg->size)
			return seg;
	}
	return NULL;
}

static const struct kcore_segment *kind_find(const struct kcore *kc, enum kcore_kind kind,
					     uint64_t pa)
{
	size_t i;

	for (i = 0; i < kc->nr_segments; i++) {
		const struct kcore_segment *seg = &kc->segments[i];

		if (seg->kind == kind && pa >= seg->pa && pa - seg->pa < seg->size)
			return seg;
	}
	return NULL;
}

bool kcore_pa_to_va(const struct kcore *kc, uint64_t pa, uint64_t *va)
{
	const struct kcore_segment *seg = kind_find(kc, KCORE_RAM, pa);

	if (!seg)
		return false;
	*va = seg->va + (pa - seg->pa);
	return true;
}

bool kcore_va_to_pa(const struct kcore *kc, uint64_t va, uint64_t *pa)
{
	const struct kcore_segment *seg = kcore_segment_find(kc, va);

	if (!seg || seg->kind == KCORE_VIRTUAL)
		return false;
	*pa = seg->pa + (va - seg->va);
	return true;
}

uint64_t kcore_ram_bytes(const struct kcore *kc)
{
	uint64_t bytes = 0;
	size_t i;

	for (i = 0; i < kc->nr_segments; i++)
		if (kc->segments[i].kind == KCORE_RAM)
			bytes += kc->segments[i].size;
	return bytes;
}

unsigned int kcore_machine(const struct kcore *kc)
{
	return kc->machine;
}

int __kcore_read(const struct kcore *kc, uint64_t va, void *buf, size_t len)
{
	char *to = buf;

	while (len) {
		const struct kcore_segment *seg = kcore_segment_find(kc, va);
		uint64_t skip, piece;
		int ret;

		if (!seg)
			return -EFAULT;
		skip = va - seg->va;
		piece = seg->size - skip < len ? seg->size - skip : len;
		ret = file_read(kc->fd, seg->offset + skip, to, piece);
		if (ret)
			return ret;
		to += piece;
		va += piece;
		len -= piece;
	}
	return 0;
}

void kcore_read(const struct kcore *kc, uint64_t va, void *buf, size_t len)
{
	int ret = __kcore_read(kc, va, buf, len);

	if (ret)
		libmm_fail("kcore: reading %zu bytes at %#" PRIx64 ": %s", len, va, strerror(-ret));
}

int __kcore_read_pa(const struct kcore *kc, uint64_t pa, void *buf, size_t len)
{
	const struct kcore_segment *seg = kind_find(kc, KCORE_RAM, pa);

	if (!seg)
		seg = kind_find(kc, KCORE_IMAGE, pa);
	if (!seg || len > seg->size - (pa - seg->pa))
		return -EFAULT;
	return file_read(kc->fd, seg->offset + (pa - seg->pa), buf, len);
}

void kcore_read_pa(const struct kcore *kc, uint64_t pa, void *buf, size_t len)
{
	int ret = __kcore_read_pa(kc, pa, buf, len);

	if (ret)
		libmm_fail("kcore: reading %zu bytes at physical %#" PRIx64 ": %s", len, pa,
			   strerror(-ret));
}

/* The text after "key=" or, with a @name, "key(name)=", and its length up to the line's end. */
static const char *info_find(const struct kcore *kc, const char *key, const char *name, size_t *len)
{
	char want[128];
	const char *line;
	int n;

	n = name ? snprintf(want, sizeof(want), "%s(%s)=", key, name) :
		   snprintf(want, sizeof(want), "%s=", key);
	if (n < 0 || (size_t)n >= sizeof(want))
		return NULL;
	for (line = kc->info; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, want, (size_t)n)) {
			*len = strcspn(line + n, "\n");
			return line + n;
		}
	}
	return NULL;
}

static int info_number(const struct kcore *kc, const char *key, const char *name, int base,
		       uint64_t *value)
{
	size_t len;
	const char *text = info_find(kc, key, name, &len);
	char *end;

	if (!text)
		return -ENOENT;
	errno = 0;
	*value = strtoull(text, &end, base);
	return errno || !len || end != text + len ? -EINVAL : 0;
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

int kcore_offset(const struct kcore *kc, const char *name, uint64_t *value)
{
	return info_number(kc, "OFFSET", name, 10, value);
}

int kcore_string(const struct kcore *kc, const char *key, char *buf, size_t len)
{
	size_t size;
	const char *text = info_find(kc, key, NULL, &size);

	if (!text)
		return -ENOENT;
	if (size >= len)
		return -ENAMETOOLONG;
	memcpy(buf, text, size);
	buf[size] = '\0';
	return 0;
}
