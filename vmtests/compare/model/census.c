// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's page tables in words, from the census in run.json.
 *
 * Counts that vary over the boots of a label are printed as ranges. Limits: the numbers come from
 * an untrusted file. They are added as floating point and only make words and a picture.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/census.h"

#define LEAVES_MAX 64	/* classes of one range */
#define ENTRY_BYTES 8	/* of a page table, on every architecture here */

const char *const census_levels[CENSUS_LEVELS] = { "p4d", "pud", "pmd", "pte" };
static const char *const level_words[CENSUS_LEVELS] = { "P4D", "PUD", "PMD", "PTE" };

struct span {
	double lo, hi;
};

static const json_t *leaves_of(const struct boot *boot, const char *range)
{
	char *path = xasprintf("census.ranges.%s.leaves", range);
	const json_t *leaves = boot_value(boot, path);

	free(path);
	return leaves;
}

/* Sum of a key over the leaf classes of a level. */
static double leaves_sum(const struct boot *boot, const char *range, const char *level,
			 const char *key)
{
	const json_t *leaves = leaves_of(boot, range), *leaf;
	double sum = 0;
	size_t i;

	json_array_foreach(leaves, i, leaf) {
		const char *name = json_string_value(json_object_get(leaf, "level"));

		if (name && !strcmp(name, level) && i < LEAVES_MAX)
			sum += fmax(0, json_number_value(json_object_get(leaf, key)));
	}
	return sum;
}

static struct span span_of(const struct label *label, const char *range, const char *level,
			   const char *key)
{
	struct span span = { INFINITY, 0 };

	for (size_t b = 0; b < label->n; b++) {
		double sum = leaves_sum(&label->boots[b], range, level, key);

		if (!leaves_of(&label->boots[b], range))
			continue;
		span.lo = fmin(span.lo, sum);
		span.hi = fmax(span.hi, sum);
	}
	return span;
}

static char *span_words(const struct span *span)
{
	return span->lo < span->hi ? xasprintf("%.0f-%.0f", span->lo, span->hi) :
				     xasprintf("%.0f", span->hi);
}

/* "1020 PMD (976 contiguous)", or NULL when no boot has any. */
static char *level_sentence(const struct label *label, const char *range, size_t level)
{
	struct span count = span_of(label, range, census_levels[level], "count");
	struct span cont = span_of(label, range, census_levels[level], "contiguous");
	char *number, *contiguous, *words;

	if (!(count.hi > 0))
		return NULL;
	number = span_words(&count);
	contiguous = span_words(&cont);
	words = cont.hi > 0 ? xasprintf("%s %s (%s contiguous)", number, level_words[level],
					contiguous) :
			      xasprintf("%s %s", number, level_words[level]);
	free(number);
	free(contiguous);
	return words;
}

char *census_words(const struct label *label, const char *range)
{
	char *parts[CENSUS_LEVELS], *words = NULL;
	size_t n = 0;

	for (size_t l = 0; l < CENSUS_LEVELS; l++) {
		parts[n] = level_sentence(label, range, l);
		if (parts[n])
			n++;
	}
	for (size_t i = 0; i < n; i++) {
		char *joined = xasprintf("%s%s%s%s", words ? words : "",
					 !i ? "" : i + 1 < n ? ", " : " and ", parts[i],
					 i + 1 < n ? "" : " leaves");

		free(parts[i]);
		free(words);
		words = joined;
	}
	return words;
}

double census_bytes(const struct label *label, const char *range, const char *level)
{
	return label->n ? leaves_sum(label->boots, range, level, "bytes") : 0;
}

/*
 * Bytes of the entries that map the linear map, from the leaf entry up to PUD: an entry of a level
 * that is not a leaf stands for one whole table of the next.
 */
static double entry_bytes(const struct boot *boot, double entries_per_table)
{
	double entries = 0, sum = 0;

	for (size_t l = CENSUS_LEVELS; l-- > 1;) {
		entries = entries / entries_per_table +
			  leaves_sum(boot, "linear", census_levels[l], "count");
		sum += entries * ENTRY_BYTES;
	}
	return sum;
}

/*
 * What the tables took of MemTotal at boot. A linear map of PTEs alone was made at boot. Where
 * there are blocks as well, PTEs may have been split off later and taken from free memory.
 */
static struct span boot_bytes(const struct boot *boot, double entries_per_table)
{
	struct span span;
	double blocks = 0;

	span.hi = entry_bytes(boot, entries_per_table);
	span.lo = span.hi;
	for (size_t l = 0; l + 1 < CENSUS_LEVELS; l++)
		blocks += leaves_sum(boot, "linear", census_levels[l], "count");
	if (blocks > 0)
		span.lo -= leaves_sum(boot, "linear", "pte", "count") * ENTRY_BYTES;
	return span;
}

bool census_memory_gain(const struct boot *base, const struct boot *new, double *lo, double *hi)
{
	double page = json_number_value(boot_value(base, "memory.page_size"));
	struct span a, b;

	if (!leaves_of(base, "linear") || !leaves_of(new, "linear") || !(page >= 4096) ||
	    json_number_value(boot_value(new, "memory.page_size")) != page)
		return false;
	a = boot_bytes(base, page / ENTRY_BYTES);
	b = boot_bytes(new, page / ENTRY_BYTES);
	*lo = a.lo - b.hi;
	*hi = a.hi - b.lo;
	return true;
}
