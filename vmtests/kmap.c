// SPDX-License-Identifier: GPL-2.0
/*
 * kmap: how the running kernel maps memory for itself.
 *
 * Reads the kernel's page tables through /proc/kcore and prints a census of named ranges, the way
 * to one address, or what changed since an earlier census. docs/kmap.md explains the output.
 *
 * Limits: root; arm64 and x86-64; what libmm's kcore, kpgtable and census say of theirs.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libmm/fail.h>
#include <libmm/kcore.h>
#include <libmm/kpgtable.h>
#include <vmtests/census_compare.h>
#include <vmtests/census_json.h>
#include <vmtests/census_kernel.h>

enum {
	EXIT_OK = 0,
	EXIT_CHANGED = 1,
	EXIT_USAGE = 2,
	EXIT_CANNOT = 4,
};

#define SCHEMA		1
#define RANGES_MAX	64

struct options {
	bool json;
	bool help;
	const char *address;
	const char *since;
	char *const *ranges;	/* empty: all of them */
	int nr_ranges;
};

struct kernel {
	struct kcore *kc;
	struct kpgtable *pgt;
};

/* The censuses of one run, or of one file. */
struct report {
	struct census census[RANGES_MAX];
	size_t nr;
};

static const char usage_text[] =
	"usage: kmap [-j] [RANGE...]           how the kernel maps its memory\n"
	"       kmap [-j] -d OLD.json          what changed since \"kmap -j > OLD.json\"\n"
	"       kmap -a ADDRESS                the way to one address\n"
	"       kmap -h\n"
	"\n"
	"RANGE is linear, vmemmap, vmalloc, modules, image, or START-END in hex.\n"
	"exit: 0 ok, 1 changed (-d), 2 usage or unreadable OLD.json, 4 cannot\n";

__printf(2, 3)
static int fail(int status, const char *fmt, ...)
{
	va_list ap;

	fputs("kmap: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return status;
}

static bool hex_parse(const char *text, const char *end, uint64_t *value)
{
	char *stop;

	errno = 0;
	*value = strtoull(text, &stop, 16);
	return !errno && stop == end && stop != text && *text != '-' && *text != '+';
}

/* Not longer than a census can be named: it is found again by its name. */
static bool pair_parse(const char *text, uint64_t *start, uint64_t *end)
{
	const char *dash = strchr(text, '-');

	return dash && strlen(text) < CENSUS_NAME_MAX && hex_parse(text, dash, start) &&
	       hex_parse(dash + 1, text + strlen(text), end) && *start < *end;
}

static bool range_is_name(const char *text)
{
	size_t i;

	for (i = 0; census_range_name(i); i++)
		if (!strcmp(text, census_range_name(i)))
			return true;
	return false;
}

static int kernel_open(struct kernel *kernel)
{
	char reason[KCORE_REASON_MAX];

	if (kcore_open(&kernel->kc, reason, sizeof(reason)))
		return fail(EXIT_CANNOT, "%s", reason);
	if (kpgtable_open(&kernel->pgt, kernel->kc, reason, sizeof(reason))) {
		kcore_close(kernel->kc);
		return fail(EXIT_CANNOT, "%s", reason);
	}
	return EXIT_OK;
}

static void kernel_close(struct kernel *kernel)
{
	kpgtable_close(kernel->pgt);
	kcore_close(kernel->kc);
}

/* A range of the default list that this kernel lacks is left out; one that @must be is an error. */
static int census_add(const struct kernel *kernel, const char *name, bool must,
		      struct report *report)
{
	char reason[KCORE_REASON_MAX];
	uint64_t start, end;
	int ret;

	if (!pair_parse(name, &start, &end) &&
	    census_kernel_range(kernel->kc, name, &start, &end, reason, sizeof(reason)))
		return must ? fail(EXIT_CANNOT, "%s: %s", name, reason) : EXIT_OK;
	ret = census_count(kernel->pgt, name, start, end, &report->census[report->nr], reason,
			   sizeof(reason));
	if (ret)
		return fail(ret == -EINVAL ? EXIT_USAGE : EXIT_CANNOT, "%s: %s", name, reason);
	report->nr++;
	return EXIT_OK;
}

static int report_take(const struct kernel *kernel, const struct options *options,
		       struct report *report)
{
	int i, status = EXIT_OK;

	report->nr = 0;
	for (i = 0; !status && i < options->nr_ranges; i++)
		status = census_add(kernel, options->ranges[i], true, report);
	if (options->nr_ranges)
		return status;
	for (i = 0; !status && census_range_name(i); i++)
		status = census_add(kernel, census_range_name(i), false, report);
	return status;
}

static const char *size_text(uint64_t bytes, char *buf, size_t len)
{
	static const char units[] = "KMGTP";
	unsigned int unit = 0;
	double size = (double)bytes / 1024;

	while (size >= 1024 && units[unit + 1]) {
		size /= 1024;
		unit++;
	}
	/* One decimal where it tells something: 1.5G and 8.0M of 8.04, but 4G of exactly 4. */
	snprintf(buf, len, size < 10 && size != (double)(uint64_t)size ? "%.1f%c" : "%.0f%c", size,
		 units[unit]);
	return buf;
}

static void level_print(const struct census *census, enum kpg_level level)
{
	const uint64_t size = census_leaf_size(census, level);
	char leaf[16], all[16];
	unsigned int attr;

	printf("  %s %4s %10" PRIu64 " %5s", kpg_level_name(level),
	       size_text(size, leaf, sizeof(leaf)), census->leaves[CENSUS_MAPPED][level],
	       size_text(census->leaves[CENSUS_MAPPED][level] * size, all, sizeof(all)));
	for (attr = CENSUS_CONTIGUOUS; attr < CENSUS_ATTRS; attr++)
		printf(" %9" PRIu64, census->leaves[attr][level]);
	putchar('\n');
}

static bool level_empty(const struct census *census, enum kpg_level level)
{
	return !census->leaves[CENSUS_MAPPED][level] && !census->leaves[CENSUS_INVALID][level];
}

static void census_print(const struct census *census)
{
	unsigned int level = census->levels;
	char tables[16], mapped[16];

	printf("\n%s  %#" PRIx64 "-%#" PRIx64 "\n", census->name, census->start, census->end);
	printf("  %s mapped, %s of page tables%s\n",
	       size_text(census_bytes(census, CENSUS_MAPPED), mapped, sizeof(mapped)),
	       size_text(census_pgtable_bytes(census), tables, sizeof(tables)),
	       census->stable ? "" : ", UNSTABLE: it changed at every look");
	while (level--)
		if (!level_empty(census, level))
			level_print(census, level);
}

static void report_print(const struct report *report)
{
	const struct census *first = &report->census[0];
	size_t i;

	if (!report->nr)
		return;
	printf("%s, %" PRIu64 "K pages, %u-bit addresses, %u levels\n", first->arch,
	       first->page_size / 1024, first->va_bits, first->levels);
	/* 77 columns: it is pasted into cover letters. */
	printf("\n%10s %10s %5s", "size", "leaves", "bytes");
	printf(" %9s %9s %9s %9s %9s\n", "contig", "read-only", "exec", "w+x", "invalid");
	for (i = 0; i < report->nr; i++)
		census_print(&report->census[i]);
}

static json_t *report_to_json(const struct report *report)
{
	json_t *ranges = json_array();
	size_t i;

	for (i = 0; i < report->nr; i++) {
		if (json_array_append_new(ranges, census_to_json(&report->census[i]))) {
			json_decref(ranges);
			return NULL;
		}
	}
	return json_pack("{s:i, s:o}", "schema", SCHEMA, "ranges", ranges);
}

/* Takes over @json. */
static int json_print(json_t *json)
{
	int ret = json ? json_dumpf(json, stdout, JSON_INDENT(1)) : -1;

	json_decref(json);
	putchar('\n');
	return ret ? fail(EXIT_CANNOT, "writing JSON: %s", json ? strerror(errno) : "no memory") :
		     EXIT_OK;
}

static int report_load(const char *path, struct report *report)
{
	char reason[KCORE_REASON_MAX];
	json_t *json, *ranges, *range;
	json_error_t error;
	size_t i;
	int ret = 0;

	json = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	if (!json)
		return fail(EXIT_USAGE, "%s: %s", path, error.text);
	ranges = json_object_get(json, "ranges");
	if (json_integer_value(json_object_get(json, "schema")) != SCHEMA ||
	    !json_is_array(ranges) || json_array_size(ranges) > RANGES_MAX) {
		json_decref(json);
		return fail(EXIT_USAGE, "%s: not a report of \"kmap -j\", schema %d", path, SCHEMA);
	}
	report->nr = json_array_size(ranges);
	json_array_foreach(ranges, i, range)
		if (!ret)
			ret = __census_from_json(range, &report->census[i], reason, sizeof(reason));
	json_decref(json);
	return ret ? fail(EXIT_USAGE, "%s: %s", path, reason) : EXIT_OK;
}

static void changes_print(const struct census *census, const struct census_change *changes, int nr)
{
	int i;

	printf("%s\n", census->name);
	for (i = 0; i < nr; i++) {
		const struct census_change *change = &changes[i];
		bool tables = change->attr == CENSUS_ATTRS;

		printf("  %s %-10s %12" PRIu64 " -> %12" PRIu64 " %+13" PRId64 "\n",
		       kpg_level_name(change->level),
		       tables ? "tables" : census_attr_name(change->attr), change->before,
		       change->after, (int64_t)(change->after - change->before));
	}
}

static json_t *changes_to_json(const struct census *census, const struct census_change *changes,
			       int nr)
{
	json_t *list = json_array();
	int i;

	for (i = 0; i < nr; i++) {
		const struct census_change *change = &changes[i];
		bool tables = change->attr == CENSUS_ATTRS;
		json_t *item = json_pack("{s:s, s:s, s:I, s:I}",
					 "level", kpg_level_name(change->level), "what",
					 tables ? "tables" : census_attr_name(change->attr),
					 "before", (json_int_t)change->before,
					 "after", (json_int_t)change->after);

		if (json_array_append_new(list, item)) {
			json_decref(list);
			return NULL;
		}
	}
	return json_pack("{s:s, s:b, s:o}", "name", census->name, "stable", census->stable,
			 "changes", list);
}

/* The range of @old anew: a named one where it is now, a pair of addresses where it was. */
static int census_retake(const struct kernel *kernel, const struct census *old,
			 struct report *report)
{
	if (!range_is_name(old->name) && !strchr(old->name, '-'))
		return fail(EXIT_USAGE, "%s is no range of this kmap", old->name);
	return census_add(kernel, old->name, true, report);
}

static bool wanted(const struct options *options, const char *name)
{
	int i;

	for (i = 0; i < options->nr_ranges; i++)
		if (!strcmp(options->ranges[i], name))
			return true;
	return !options->nr_ranges;
}

/* Adds to @json when there is one, prints when not; *@changed says whether anything did. */
static int census_diff(const struct kernel *kernel, const struct census *old, json_t *json,
		       bool *changed)
{
	struct census_change changes[CENSUS_CHANGES_MAX];
	static struct report now;
	int nr, status;

	now.nr = 0;
	status = census_retake(kernel, old, &now);
	if (status)
		return status;
	nr = census_compare(old, &now.census[0], changes);
	if (nr < 0)
		return fail(EXIT_USAGE, "%s: the old census is of another kind of kernel",
			    old->name);
	if (!now.census[0].stable)
		fail(EXIT_OK, "%s changed at every look: its figures are of no one moment",
		     old->name);
	*changed |= nr > 0;
	if (json && json_array_append_new(json, changes_to_json(old, changes, nr)))
		return fail(EXIT_CANNOT, "no memory");
	if (!json && nr)
		changes_print(old, changes, nr);
	return EXIT_OK;
}

static int wanted_check(const struct options *options, const struct report *old)
{
	int i;

	for (i = 0; i < options->nr_ranges; i++) {
		size_t n = 0;

		while (n < old->nr && strcmp(options->ranges[i], old->census[n].name))
			n++;
		if (n == old->nr)
			return fail(EXIT_USAGE, "%s: has no census of %s", options->since,
				    options->ranges[i]);
	}
	return EXIT_OK;
}

static int diff_run(const struct kernel *kernel, const struct options *options)
{
	static struct report old;
	json_t *json = options->json ? json_array() : NULL;
	bool changed = false;
	int status;
	size_t i;

	status = report_load(options->since, &old);
	if (!status)
		status = wanted_check(options, &old);
	for (i = 0; !status && i < old.nr; i++)
		if (wanted(options, old.census[i].name))
			status = census_diff(kernel, &old.census[i], json, &changed);
	if (status) {
		json_decref(json);
		return status;
	}
	if (options->json)
		status = json_print(json_pack("{s:i, s:o}", "schema", SCHEMA, "ranges", json));
	if (status)
		return status;
	return changed ? EXIT_CHANGED : EXIT_OK;
}

static void flags_print(unsigned int flags)
{
	printf("%s, %s, %s%s%s\n",
	       flags & KPG_PRESENT ? "valid" : "INVALID",
	       flags & KPG_READONLY ? "read-only" : "writable",
	       flags & KPG_NOEXEC ? "no-exec" : "executable",
	       flags & KPG_USER ? ", user" : "",
	       flags & KPG_CONTIGUOUS ? ", contiguous" : "");
}

static const char *kind_text(enum kpg_kind kind)
{
	switch (kind) {
	case KPG_TABLE:
		return "table";
	case KPG_LEAF:
		return "leaf";
	case KPG_EMPTY:
		return "empty";
	default:
		return "bad";
	}
}

static void path_print(const struct kpg_path *path)
{
	enum kpg_kind end = path->step[path->nr - 1].entry.kind;
	char size[16];
	unsigned int i;

	printf("level index  descriptor at       descriptor          what\n");
	for (i = 0; i < path->nr; i++) {
		const struct kpg_step *step = &path->step[i];

		printf("%s   %5u  0x%016" PRIx64 "  0x%016" PRIx64 "  %s",
		       kpg_level_name(step->level), step->index, step->pa, step->desc,
		       kind_text(step->entry.kind));
		if (step->entry.kind == KPG_TABLE)
			printf(" %#" PRIx64, step->entry.pa);
		putchar('\n');
	}
	if (end != KPG_LEAF)
		return;
	printf("%#" PRIx64 " -> physical %#" PRIx64 ", %s\n", path->leaf.va, path->leaf.pa,
	       size_text(path->leaf.size, size, sizeof(size)));
	flags_print(path->leaf.flags);
}

static int address_run(const struct kernel *kernel, const struct options *options)
{
	const char *text = options->address;
	struct kpg_path path;
	uint64_t va;
	int ret;

	if (!hex_parse(text, text + strlen(text), &va))
		return fail(EXIT_USAGE, "-a %s: not a hexadecimal address", text);
	ret = __kpgtable_lookup(kernel->pgt, va, &path);
	if (ret == -EINVAL)
		return fail(EXIT_USAGE, "-a %s: kernel addresses begin at %#" PRIx64, text,
			    kpgtable_geometry(kernel->pgt)->kernel_start);
	if (ret == -EAGAIN)
		return fail(EXIT_CANNOT, "-a %s: the way there changed at every look", text);
	if (ret)
		return fail(EXIT_CANNOT, "-a %s: reading its page tables: %s", text,
			    strerror(-ret));
	path_print(&path);
	return EXIT_OK;
}

static int census_run(const struct kernel *kernel, const struct options *options)
{
	static struct report report;
	int status = report_take(kernel, options, &report);

	if (status)
		return status;
	if (options->json)
		return json_print(report_to_json(&report));
	report_print(&report);
	return EXIT_OK;
}

static int options_check(const struct options *options)
{
	uint64_t start, end;
	int i;

	if (options->address && (options->since || options->json || options->nr_ranges))
		return fail(EXIT_USAGE, "-a goes with no other option and no range");
	if (options->nr_ranges > RANGES_MAX)
		return fail(EXIT_USAGE, "more than %d ranges", RANGES_MAX);
	for (i = 0; i < options->nr_ranges; i++)
		if (!range_is_name(options->ranges[i]) &&
		    !pair_parse(options->ranges[i], &start, &end))
			return fail(EXIT_USAGE, "%s: not a range; try kmap -h", options->ranges[i]);
	return EXIT_OK;
}

static int options_parse(int argc, char **argv, struct options *options)
{
	int opt;

	while ((opt = getopt(argc, argv, "a:d:hj")) != -1) {
		switch (opt) {
		case 'a':
			options->address = optarg;
			break;
		case 'd':
			options->since = optarg;
			break;
		case 'h':
			options->help = true;
			break;
		case 'j':
			options->json = true;
			break;
		default:
			return EXIT_USAGE;
		}
	}
	options->ranges = argv + optind;
	options->nr_ranges = argc - optind;
	return options_check(options);
}

static int kernel_run(const struct options *options)
{
	struct kernel kernel = { 0 };
	int status = kernel_open(&kernel);

	if (status)
		return status;
	if (options->address)
		status = address_run(&kernel, options);
	else if (options->since)
		status = diff_run(&kernel, options);
	else
		status = census_run(&kernel, options);
	kernel_close(&kernel);
	return status;
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	int status = options_parse(argc, argv, &options);

	if (status)
		return status;
	if (options.help)
		fputs(usage_text, stdout);
	else
		status = kernel_run(&options);
	if (fflush(stdout) || ferror(stdout))
		return fail(EXIT_CANNOT, "writing the output: %s", strerror(errno));
	return status;
}
