// SPDX-License-Identifier: GPL-2.0
/* pagemap: what is the same wherever the entries come from. */
#include <libmm/fail.h>
#include <libmm/pagemap.h>

struct probe pagemap_pfns_probe(void)
{
	uint64_t entry = 0;

	pagemap_entries(&entry, 1, &entry);
	return entry & PAGEMAP_PFN ? probe_yes() :
	       probe_no("/proc/self/pagemap hides frame numbers: CAP_SYS_ADMIN is missing, in a container --cap-add SYS_ADMIN");
}

void pagemap_pfns(const void *addr, size_t nr, uint64_t *pfns)
{
	size_t i;

	pagemap_entries(addr, nr, pfns);
	for (i = 0; i < nr; i++) {
		if (!(pfns[i] & PAGEMAP_PRESENT) || !(pfns[i] & PAGEMAP_PFN))
			libmm_fail("pagemap: page %zu from %p has no frame, or the kernel hides it",
				   i, addr);
		pfns[i] &= PAGEMAP_PFN;
	}
}
