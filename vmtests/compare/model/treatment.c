// SPDX-License-Identifier: GPL-2.0
/*
 * What the treatment did to the kernel's page tables: how its ranges are mapped, what the tables
 * take, and whether that explains how much more memory there is.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/census.h"
#include "model/treatment.h"

/* "4GiB with 1020 PMD and 2048 PTE leaves"; NULL without a census. */
static char *maps_words(const struct label *label, const char *range)
{
	char *leaves = census_words(label, range), *words = NULL;
	char size[24];
	double bytes = 0;

	for (size_t l = 0; l < CENSUS_LEVELS; l++)
		bytes += census_bytes(label, range, census_levels[l]);
	value_format(size, bytes, "bytes");
	if (leaves)
		words = xasprintf("%sB with %s", size, leaves);
	free(leaves);
	return words;
}

static char *maps_sentence(const struct label *base, const char *a, const struct label *new,
			   const char *b)
{
	if (a && b && !strcmp(a, b))
		return xasprintf("both map %s", a);
	return xasprintf("%s %s%s; %s %s%s", new->name, b ? "maps " : "has no census", b ? b : "",
			 base->name, a ? "maps " : "has no census", a ? a : "");
}

static void audit_range(struct audit *audit, const char *range, const char *what,
			const struct label *base, const struct label *new)
{
	char *a = maps_words(base, range), *b = maps_words(new, range), *sentence;

	if (!a && !b)
		return;
	sentence = maps_sentence(base, a, new, b);
	audit_add(audit, AUDIT_TREATMENT, NULL, xstrdup(what), a ? a : xstrdup("no census"),
		  b ? b : xstrdup("no census"))->sentence = sentence;
}

/* "12GiB by 1G, 13GiB by 2M, 560MiB by 4k" of the first boot; NULL where x86 does not say. */
static char *directmap_words(const struct label *label)
{
	static const char *const pages[] = { "1G", "2M", "4M", "4k" };
	const json_t *map = label->n ? boot_value(label->boots, "directmap") : NULL;
	char *words = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		double bytes = json_number_value(json_object_get(map, pages[i]));
		char size[24], *joined;

		if (!(bytes > 0))
			continue;
		value_format(size, bytes, "bytes");
		joined = xasprintf("%s%s%sB by %s", words ? words : "", words ? ", " : "", size,
				   pages[i]);
		free(words);
		words = joined;
	}
	return words;
}

static void audit_directmap(struct audit *audit, const struct label *base,
			    const struct label *new)
{
	char *a = directmap_words(base), *b = directmap_words(new);

	if (a || b)
		audit_add(audit, AUDIT_TREATMENT, NULL, xstrdup("direct map"),
			  a ? a : xstrdup("unknown"), b ? b : xstrdup("unknown"));
}

/*
 * "; page tables explain +8176 to +8192", and what they do not explain of a gain of MemTotal in kB;
 * NULL where that is unknown. *due: MemTotal should have changed.
 */
static char *gain_words(const struct label *base, const struct label *new, double gain, bool *due)
{
	double lo, hi, rest;
	char *range, *words;

	*due = false;
	/* Within one boot, a split's tables come out of free memory. */
	if (!base->n || !new->n || !strcmp(base->boots->id, new->boots->id) ||
	    !census_memory_gain(base->boots, new->boots, &lo, &hi))
		return NULL;
	lo = floor(lo / 1024);
	hi = ceil(hi / 1024);
	*due = lo > 0 || hi < 0;
	rest = gain < lo ? gain - lo : gain > hi ? gain - hi : 0;
	range = lo == hi ? xasprintf("%+.0f", lo) : xasprintf("%+.0f to %+.0f", lo, hi);
	words = rest != 0 ? xasprintf("; page tables explain %s, not %+.0f", range, rest) :
			    xasprintf("; page tables explain %s", range);
	free(range);
	return words;
}

/* MemTotal, and how much of its difference the page tables of the linear map explain. */
static void audit_memory(struct audit *audit, const struct label *base, const struct label *new)
{
	double before = label_number(base, "memory.total"), now = label_number(new, "memory.total");
	double gain = (now - before) / 1024;
	char *explained;
	bool due;

	if (!(before > 0 && now > 0))
		return;
	explained = gain_words(base, new, gain, &due);
	if (gain != 0 || due) {
		const char *why = explained ? explained : "";

		audit_add(audit, AUDIT_TREATMENT, NULL, xstrdup("MemTotal"),
			  xasprintf("%.0f kB", before / 1024),
			  xasprintf("%.0f kB (%+.0f%s)", now / 1024, gain, why))->sentence =
			xasprintf("%.0f -> %.0f kB: %+.0f%s", before / 1024, now / 1024, gain, why);
	}
	free(explained);
}

static void audit_tables(struct audit *audit, const struct label *base, const struct label *new)
{
	double before = label_number(base, "census.pgtable_bytes");
	double now = label_number(new, "census.pgtable_bytes");

	if (before > 0 && now > 0 && before != now)
		audit_add(audit, AUDIT_TREATMENT, NULL, xstrdup("page tables"),
			  xasprintf("%.0f kB", before / 1024),
			  xasprintf("%.0f kB (%+.0f)", now / 1024, (now - before) / 1024));
}

void audit_treatment(struct audit *audit, const struct label *base, const struct label *new)
{
	audit_range(audit, "linear", "linear map", base, new);
	audit_range(audit, "vmemmap", "vmemmap", base, new);
	audit_directmap(audit, base, new);
	audit_memory(audit, base, new);
	audit_tables(audit, base, new);
}
