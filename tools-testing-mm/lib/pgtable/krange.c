// SPDX-License-Identifier: GPL-2.0
/* krange: see libmm/krange.h. */
#include <errno.h>
#include <string.h>

#include <libmm/fail.h>
#include <libmm/krange.h>

/* __START_KERNEL_map: the last 2 GB, whatever the randomized place of the image in it. */
#define X86_IMAGE_BASE	UINT64_C(0xffffffff80000000)

/* MIN_KIMG_ALIGN: below it, the offset is the boot loader's alignment (arm64's kaslr_init()). */
#define ARM64_KASLR_MIN	(2 * 1024 * 1024)

/* From the lowest to the highest address of all segments of @kind. */
static bool kind_find(const struct kcore *kc, enum kcore_kind kind, uint64_t *start, uint64_t *end)
{
	const struct kcore_segment *seg;

	*start = UINT64_MAX;
	*end = 0;
	for (seg = kc->segments; seg < kc->segments + kc->nr_segments; seg++) {
		if (seg->kind != kind)
			continue;
		if (seg->va < *start)
			*start = seg->va;
		if (seg->va + seg->size > *end)
			*end = seg->va + seg->size;
	}
	return *end;
}

/* The whole segment that begins at @va, for ranges that are a segment of their own. */
static bool segment_find(const struct kcore *kc, uint64_t va, uint64_t *start, uint64_t *end)
{
	const struct kcore_segment *seg;

	for (seg = kc->segments; seg < kc->segments + kc->nr_segments; seg++) {
		if (seg->kind != KCORE_VIRTUAL || seg->va != va)
			continue;
		*start = va;
		*end = va + seg->size;
		return true;
	}
	return false;
}

static bool modules_find(const struct kcore *kc, uint64_t *start, uint64_t *end)
{
	uint64_t offset, size;

	/* With KASLR that range stays empty (module_init_limits()). */
	if (!kcore_number(kc, "MODULES_VADDR", start) && !kcore_number(kc, "MODULES_END", end))
		return kcore_line(kc, "KERNELOFFSET", 16, &offset) || offset < ARM64_KASLR_MIN;
	return !kcore_number(kc, "KERNEL_IMAGE_SIZE", &size) &&
	       segment_find(kc, X86_IMAGE_BASE + size, start, end);
}

static bool range_find(const struct kcore *kc, const char *name, uint64_t *start, uint64_t *end)
{
	uint64_t va;

	if (!strcmp(name, "linear"))
		return kind_find(kc, KCORE_RAM, start, end);
	if (!strcmp(name, "image"))
		return kind_find(kc, KCORE_IMAGE, start, end);
	if (!strcmp(name, "vmalloc"))
		return !kcore_number(kc, "VMALLOC_START", &va) && segment_find(kc, va, start, end);
	return !strcmp(name, "modules") && modules_find(kc, start, end);
}

int krange_find(const struct kcore *kc, const char *name, uint64_t *start, uint64_t *end,
		char *reason, size_t len)
{
	bool modules = !strcmp(name, "modules");

	if (range_find(kc, name, start, end))
		return 0;
	return libmm_refuse(-ENOENT, reason, len, "/proc/kcore does not say where the range %s is%s",
			    name, modules ? "; with KASLR, near the image in vmalloc" : "");
}
