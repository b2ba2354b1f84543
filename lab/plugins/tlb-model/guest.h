/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guest's page tables, read from its RAM while it runs.
 */
#ifndef TLB_MODEL_GUEST_H
#define TLB_MODEL_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libmm/kpgtable.h>

#include "tlb.h"

/*
 * @ram: all of it, mapped from the file that the emulator has it in (@fd), in the file's order.
 * Physical addresses from @low_base on are the file's first @low_size bytes; the rest of the file
 * begins at @high_base.
 */
struct guest {
	int fd;
	uint8_t *ram;
	uint64_t size;
	uint64_t low_base;
	uint64_t low_size;
	uint64_t high_base;
	struct kpg_geometry geo;
	uint64_t kernel_root;
	bool contiguous;	/* as struct tlb_config has them */
	unsigned int coalesce;
};

/*
 * Map the file @path, which is all of RAM. @arch: "aarch64" for the virt machine, "x86_64" for q35.
 * Returns 0, or -errno with a sentence in @reason.
 */
int __guest_open(struct guest *guest, const char *arch, const char *path, char *reason, size_t len);
void guest_close(struct guest *guest);

/* @pa as an offset into the file; false when it is no RAM. The other way round always works. */
bool guest_offset(const struct guest *guest, uint64_t pa, uint64_t *offset);
uint64_t guest_pa(const struct guest *guest, uint64_t offset);

/*
 * Translate @va, beginning with the table at physical address @root. Returns false when nothing
 * present is there. @pa: where @va leads. User tables begin at guest_user_level().
 */
bool guest_translate(const struct guest *guest, uint64_t root, enum kpg_level level, uint64_t va,
		     struct tlb_translation *t, uint64_t *pa);

/*
 * The level of the tables that guest_root_find() finds: the root's, or, where the root has fewer
 * entries than a page has room for, the one below. Programs that do not ask for addresses beyond
 * 48 bits live in one such table.
 */
enum kpg_level guest_user_level(const struct guest *guest);

/*
 * Find a table from which @va leads to @pa, by looking through all of RAM for the descriptors that
 * must be on the way, from the last to the first. There is no register to read. False when there is
 * none. Milliseconds a level and GiB.
 */
bool guest_root_find(const struct guest *guest, uint64_t va, uint64_t pa, uint64_t *root);

#endif
