// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's page tables, read from its RAM while it runs.
 *
 * Descriptors are decoded by libmm, as for /proc/kcore. A descriptor is one aligned load, so it is
 * never seen half written; a walk that the guest changes meanwhile may be, as on hardware.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest.h"

#define GIB			(UINT64_C(1) << 30)
/* QEMU's hw/arm/virt.c: where RAM begins. */
#define VIRT_RAM_BASE		(1 * GIB)
/* QEMU's hw/i386/pc_q35.c: what lies below 4 GiB, of more RAM than fits there. */
#define Q35_FITS_BELOW		UINT64_C(0xb0000000)
#define Q35_LOW_SIZE		(2 * GIB)
#define Q35_HIGH_BASE		(4 * GIB)
/* arm64: hardware may make a page writable at the first write, and owes nobody an invalidation. */
#define ARM64_RDONLY		(UINT64_C(1) << 7)
#define ARM64_DBM		(UINT64_C(1) << 51)

static void layout_set(struct guest *guest, const char *arch)
{
	if (!strcmp(arch, "aarch64")) {
		guest->low_base = VIRT_RAM_BASE;
		guest->low_size = guest->size;
		return;
	}
	guest->low_base = 0;
	guest->low_size = guest->size < Q35_FITS_BELOW ? guest->size : Q35_LOW_SIZE;
	guest->high_base = Q35_HIGH_BASE;
}

int __guest_open(struct guest *guest, const char *arch, const char *path, char *reason, size_t len)
{
	struct stat status;
	int err;

	memset(guest, 0, sizeof(*guest));
	guest->fd = open(path, O_RDWR | O_CLOEXEC);
	if (guest->fd < 0 || fstat(guest->fd, &status)) {
		err = -errno;
		snprintf(reason, len, "cannot open the guest's RAM, %s: %s", path, strerror(-err));
		return err;
	}
	guest->size = (uint64_t)status.st_size;
	guest->ram = mmap(NULL, guest->size, PROT_READ | PROT_WRITE, MAP_SHARED, guest->fd, 0);
	if (guest->ram == MAP_FAILED) {
		err = -errno;
		snprintf(reason, len, "cannot map the guest's RAM, %s: %s", path, strerror(-err));
		close(guest->fd);
		return err;
	}
	layout_set(guest, arch);
	return 0;
}

void guest_close(struct guest *guest)
{
	munmap(guest->ram, guest->size);
	close(guest->fd);
}

bool guest_offset(const struct guest *guest, uint64_t pa, uint64_t *offset)
{
	if (pa >= guest->low_base && pa - guest->low_base < guest->low_size)
		*offset = pa - guest->low_base;
	else if (guest->low_size < guest->size && pa >= guest->high_base)
		*offset = pa - guest->high_base + guest->low_size;
	else
		return false;
	return *offset <= guest->size - sizeof(uint64_t);
}

uint64_t guest_pa(const struct guest *guest, uint64_t offset)
{
	if (offset < guest->low_size)
		return guest->low_base + offset;
	return guest->high_base + offset - guest->low_size;
}

static bool desc_read(const struct guest *guest, uint64_t pa, uint64_t *desc)
{
	uint64_t offset;

	if (!guest_offset(guest, pa, &offset) || offset % sizeof(*desc))
		return false;
	*desc = __atomic_load_n((const uint64_t *)(guest->ram + offset), __ATOMIC_RELAXED);
	return true;
}

/* Without what hardware changes by itself. */
static uint64_t desc_stable(const struct guest *guest, uint64_t desc)
{
	desc &= ~guest->geo.ignore;
	if (guest->geo.contiguous[KPG_PTE] && (desc & ARM64_DBM))
		desc |= ARM64_RDONLY;
	return desc;
}

/* Whether the aligned 2^@order entries around @table[@index] map one aligned piece of memory. */
static bool pages_join(const struct guest *guest, uint64_t table, unsigned int index,
		       const struct kpg_entry *entry, unsigned int order)
{
	unsigned int first = index >> order << order, i;
	uint64_t page = UINT64_C(1) << guest->geo.page_shift, desc;
	uint64_t pa = entry->pa - (index - first) * page;

	if (pa & ((page << order) - 1))
		return false;
	for (i = 0; i < 1u << order; i++) {
		struct kpg_entry other;

		if (!desc_read(guest, table + (first + i) * sizeof(desc), &desc))
			return false;
		other = guest->geo.decode(&guest->geo, KPG_PTE, desc);
		if (other.kind != KPG_LEAF || other.flags != entry->flags ||
		    other.pa != pa + i * page)
			return false;
	}
	return true;
}

static unsigned int leaf_span(const struct guest *guest, enum kpg_level level, uint64_t table,
			      unsigned int index, const struct kpg_entry *entry)
{
	unsigned int shift = kpg_level_shift(&guest->geo, level);
	unsigned int group = guest->geo.contiguous[level], order;

	if (guest->contiguous && group && (entry->flags & KPG_CONTIGUOUS))
		return shift + (unsigned int)__builtin_ctz(group);
	for (order = guest->coalesce; level == KPG_PTE && order; order--)
		if (pages_join(guest, table, index, entry, order))
			return shift + order;
	return shift;
}

bool guest_translate(const struct guest *guest, uint64_t root, enum kpg_level level, uint64_t va,
		     struct tlb_translation *t, uint64_t *pa)
{
	const struct kpg_geometry *geo = &guest->geo;
	uint64_t table = root, desc;

	t->root = geo->levels - 1;
	/* Of a table below the root, the root's descriptor has one way to be. */
	if (level < t->root)
		t->table[t->root] = root;
	for (;;) {
		unsigned int index = kpg_level_index(geo, level, va);
		struct kpg_entry entry;

		if (!desc_read(guest, table + index * sizeof(desc), &desc))
			return false;
		entry = geo->decode(geo, level, desc);
		if (entry.kind == KPG_LEAF && (entry.flags & KPG_PRESENT)) {
			t->desc = desc_stable(guest, desc);
			t->span = leaf_span(guest, level, table, index, &entry);
			t->leaf = level;
			*pa = entry.pa | (va & (kpg_level_size(geo, level) - 1));
			return true;
		}
		if (entry.kind != KPG_TABLE || level == KPG_PTE)
			return false;
		t->table[level] = desc_stable(guest, desc);
		table = entry.pa;
		level--;
	}
}

enum kpg_level guest_user_level(const struct guest *guest)
{
	enum kpg_level root = (enum kpg_level)(guest->geo.levels - 1);
	unsigned int full = 1u << (guest->geo.page_shift - 3);

	return root > KPG_PTE && kpg_level_entries(&guest->geo, root) < full ?
		       (enum kpg_level)(root - 1) : root;
}

/* What a search looks for: at @level, a leaf that maps @pa or a descriptor of the table at @pa. */
struct search {
	const struct guest *guest;
	uint64_t va;
	uint64_t pa;
	enum kpg_level level;
	bool leaf;
};

static bool desc_leads(const struct search *s, uint64_t desc)
{
	const struct kpg_geometry *geo = &s->guest->geo;
	struct kpg_entry entry = geo->decode(geo, s->level, desc);

	if (s->leaf)
		return entry.kind == KPG_LEAF && (entry.flags & KPG_PRESENT) &&
		       entry.pa == (s->pa & ~(kpg_level_size(geo, s->level) - 1));
	return entry.kind == KPG_TABLE && entry.pa == s->pa;
}

static bool table_climb(const struct search *s, uint64_t table, uint64_t *root);

/* Holes of the file are RAM that the guest has never touched; to read them would fill them. */
static bool extent_search(const struct search *s, uint64_t start, uint64_t end, uint64_t *root)
{
	const struct kpg_geometry *geo = &s->guest->geo;
	uint64_t page = UINT64_C(1) << geo->page_shift, offset;
	unsigned int index = kpg_level_index(geo, s->level, s->va);

	for (offset = start & ~(page - 1); offset < end; offset += page) {
		uint64_t desc = __atomic_load_n((const uint64_t *)(s->guest->ram + offset) + index,
						__ATOMIC_RELAXED);

		if (desc && desc_leads(s, desc) &&
		    table_climb(s, guest_pa(s->guest, offset), root))
			return true;
	}
	return false;
}

static bool ram_search(const struct search *s, uint64_t *root)
{
	off_t start = 0, end;

	while ((start = lseek(s->guest->fd, start, SEEK_DATA)) >= 0) {
		end = lseek(s->guest->fd, start, SEEK_HOLE);
		if (end < 0)
			return false;
		if (extent_search(s, (uint64_t)start, (uint64_t)end, root))
			return true;
		start = end;
	}
	return false;
}

/* @table, found by @s, is the root, or one that leads to it is looked for. */
static bool table_climb(const struct search *s, uint64_t table, uint64_t *root)
{
	struct search above = {
		.guest = s->guest, .va = s->va, .pa = table,
		.level = (enum kpg_level)(s->level + 1),
	};

	if (s->level == guest_user_level(s->guest)) {
		*root = table;
		return true;
	}
	return ram_search(&above, root);
}

bool guest_root_find(const struct guest *guest, uint64_t va, uint64_t pa, uint64_t *root)
{
	struct search s = { .guest = guest, .va = va, .pa = pa, .leaf = true };
	unsigned int level;

	for (level = KPG_PTE; level <= KPG_PUD && level <= guest->geo.max_leaf; level++) {
		s.level = (enum kpg_level)level;
		if (ram_search(&s, root))
			return true;
	}
	return false;
}
