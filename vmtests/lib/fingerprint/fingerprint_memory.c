// SPDX-License-Identifier: GPL-2.0
/*
 * fingerprint_memory: pages, nodes and huge page sizes.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libmm/sysfile.h>

#include "fingerprint_parts.h"

#define KB 1024ull
#define MAX_NUMBERS 1024

struct numbers {
	const char *pattern;	/* of the names to take, with one %lu and a last %n */
	unsigned long number[MAX_NUMBERS];
	size_t count;
};

static json_t *bytes_of_kb_key(const char *path, const char *key)
{
	uint64_t kb;

	return __sysfile_read_key(path, key, &kb) ? json_null() : json_integer(kb * KB);
}

static int number_take(const char *name, void *arg)
{
	struct numbers *n = arg;
	unsigned long number;
	int end = 0;

	if (sscanf(name, n->pattern, &number, &end) != 1 || name[end])
		return 0;
	if (n->count < MAX_NUMBERS)
		n->number[n->count++] = number;
	return 0;
}

static int number_compare(const void *a, const void *b)
{
	const unsigned long *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* The numbers in the names below @path, rising. Returns false when the folder cannot be read. */
static bool numbers_read(const char *path, struct numbers *n)
{
	if (fp_dir_each(path, number_take, n))
		return false;
	qsort(n->number, n->count, sizeof(*n->number), number_compare);
	return true;
}

static json_t *hugepage_sizes(void)
{
	struct numbers kb = { .pattern = "hugepages-%lukB%n" };
	json_t *sizes;

	if (!numbers_read("/sys/kernel/mm/hugepages", &kb))
		return json_array();
	sizes = json_array();
	for (size_t i = 0; sizes && i < kb.count; i++)
		json_array_append_new(sizes, json_integer(kb.number[i] * KB));
	return sizes;
}

/* The lines of a node's meminfo begin with "Node N ". */
static json_t *node_total(unsigned long node)
{
	char path[SYSFILE_PATH_MAX], text[FP_TEXT_MAX];
	const char *total;
	uint64_t kb;

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%lu/meminfo", node);
	if (__sysfile_read(path, text, sizeof(text)) < 0)
		return json_null();
	total = strstr(text, "MemTotal:");
	if (!total || sscanf(total, "MemTotal: %lu", &kb) != 1)
		return json_null();
	return json_integer(kb * KB);
}

static json_t *nodes(void)
{
	struct numbers node = { .pattern = "node%lu%n" };
	json_t *array;

	if (!numbers_read("/sys/devices/system/node", &node))
		return json_null();
	array = json_array();
	for (size_t i = 0; array && i < node.count; i++)
		json_array_append_new(array, json_pack("{s:I, s:o}",
						       "node", (json_int_t)node.number[i],
						       "total", node_total(node.number[i])));
	return array;
}

json_t *fp_memory(void)
{
	return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o}",
			 "page_size", (json_int_t)sysconf(_SC_PAGESIZE),
			 "total", bytes_of_kb_key("/proc/meminfo", "MemTotal"),
			 "free_at_start", bytes_of_kb_key("/proc/meminfo", "MemFree"),
			 "nodes", nodes(), "hugepage_sizes", hugepage_sizes(),
			 "thp", fp_file_choice("/sys/kernel/mm/transparent_hugepage/enabled"),
			 "swap", bytes_of_kb_key("/proc/meminfo", "SwapTotal"));
}
