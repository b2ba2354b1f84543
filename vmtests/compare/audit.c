// SPDX-License-Identifier: GPL-2.0
/*
 * Were the two labels the same but for the treatment?
 *
 * A table names what is looked at and how a difference counts: the treatment is shown first, an
 * unfair difference voids every verdict unless it is allowed by name, a note is printed. The boots
 * of one label must agree too, or the label would not name one thing.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "compare.h"

struct field {
	const char *path, *what, *allow;	/* allow: NULL unless unfair */
	bool treatment;
};

static const struct field fields[] = {
	{ "rodata", "rodata", NULL, true },
	{ "cpu.bbml2", "BBML2", NULL, true },
	{ "directmap", "direct map", NULL, true },
	{ "cpu.arch", "architecture", "arch", false },
	{ "cpu.model", "CPU model", "cpu", false },
	{ "cpu.midr", "MIDR", "cpu", false },
	{ "cpu.online", "CPUs online", "cpu", false },
	{ "cpu.smt", "SMT", "smt", false },
	{ "cpu.microcode", "microcode", "microcode", false },
	{ "cpu.governor", "governor", "governor", false },
	{ "cpu.hypervisor", "hypervisor", "hypervisor", false },
	{ "cpu.emulated", "emulation", "emulated", false },
	{ "memory.page_size", "page size", "page_size", false },
	{ "vmtests", "vmtests version", "vmtests", false },
	{ "kernel.release", "kernel", NULL, false },
	{ "kernel.version", "kernel version", NULL, false },
	{ "kernel.build_id", "build id", NULL, false },
	{ "kernel.cmdline", "command line", NULL, false },
	{ "kernel.config_sha256", "config", NULL, false },
	{ "memory.hugepage_sizes", "huge page sizes", NULL, false },
	{ "memory.thp", "THP", NULL, false },
	{ "memory.swap", "swap", NULL, false },
};

/* Objects of which every key is compared. */
static const struct field objects[] = {
	{ "binaries", "binary", "binaries", false },
	{ "tools", "tool", "tools", false },
	{ "cpu.mitigations", "mitigation", NULL, false },
	{ "settings", "setting", NULL, false },
};

static char *value_words(const json_t *v)
{
	char *raw, *clean;

	if (!v || json_is_null(v))
		return xstrdup("unknown");
	if (json_is_string(v))
		return text_clean(json_string_value(v));
	if (json_is_boolean(v))
		return xstrdup(json_is_true(v) ? "yes" : "no");
	raw = json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);
	clean = text_clean(raw ? raw : "?");
	free(raw);
	return clean;
}

static bool values_differ(const json_t *a, const json_t *b)
{
	bool none_a = !a || json_is_null(a), none_b = !b || json_is_null(b);

	return none_a || none_b ? none_a != none_b : !json_equal(a, b);
}

static bool allowed(const struct options *opt, const char *name)
{
	for (size_t i = 0; i < opt->nallow; i++)
		if (!strcmp(opt->allow[i], name))
			return true;
	return false;
}

/* Takes over the strings. */
static void audit_add(struct audit *audit, const struct options *opt, const struct field *f,
		      char *what, char *base, char *new)
{
	struct audit_line *line;

	array_grow(audit->v, audit->n, audit->cap);
	line = &audit->v[audit->n++];
	*line = (struct audit_line){ .class = AUDIT_NOTE, .allow = f->allow, .what = what,
				     .base = base, .new = new };
	if (f->treatment)
		line->class = AUDIT_TREATMENT;
	else if (f->allow)
		line->class = allowed(opt, f->allow) ? AUDIT_ALLOWED : AUDIT_UNFAIR;
	audit->unfair += line->class == AUDIT_UNFAIR;
}

static void audit_field(struct audit *audit, const struct options *opt, const struct field *f,
			const struct boot *base, const struct boot *new, const char *within)
{
	const json_t *a = boot_value(base, f->path), *b = boot_value(new, f->path);

	if (values_differ(a, b))
		audit_add(audit, opt, f, xasprintf("%s%s", within, f->what), value_words(a),
			  value_words(b));
}

static void audit_object(struct audit *audit, const struct options *opt, const struct field *f,
			 const struct boot *base, const struct boot *new, const char *within)
{
	const json_t *a = boot_value(base, f->path), *b = boot_value(new, f->path), *v;
	json_t *keys = json_object();
	const char *key;

	json_object_update(keys, (json_t *)a);
	json_object_update(keys, (json_t *)b);
	json_object_foreach(keys, key, v) {
		const json_t *left = json_object_get(a, key), *right = json_object_get(b, key);

		/* A program that only one side ran compares nothing, so it cannot deceive. */
		if (!strcmp(f->path, "binaries") && (!left || !right))
			continue;
		if (values_differ(left, right)) {
			char *clean = text_clean(key);

			audit_add(audit, opt, f, xasprintf("%s%s %s", within, f->what, clean),
				  value_words(left), value_words(right));
			free(clean);
		}
	}
	json_decref(keys);
}

static void audit_pair(struct audit *audit, const struct options *opt, const struct boot *base,
		       const struct boot *new, const char *within)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		if (!*within || fields[i].allow || !strncmp(fields[i].path, "kernel.", 7))
			audit_field(audit, opt, &fields[i], base, new, within);
	for (size_t i = 0; i < sizeof(objects) / sizeof(*objects); i++)
		if (!*within || objects[i].allow)
			audit_object(audit, opt, &objects[i], base, new, within);
}

static void audit_label(struct audit *audit, const struct label *label, const struct options *opt)
{
	static const struct field tainted = { NULL, NULL, "tainted", false };
	static const struct field mixed = { NULL, NULL, "mixed", false };
	char *within = xasprintf("within %s: ", label->name);

	for (size_t b = 0; b < label->n; b++) {
		json_int_t taint = json_integer_value(boot_value(&label->boots[b],
								 "kernel.tainted"));

		if (taint)
			audit_add(audit, opt, &tainted,
				  xasprintf("%s taint at the start of %.8s", label->name,
					    label->boots[b].id),
				  xasprintf("%" JSON_INTEGER_FORMAT, taint), xstrdup("0 wanted"));
	}
	for (size_t b = 1; b < label->n; b++) {
		if (values_differ(boot_value(label->boots, "kernel.build_id"),
				  boot_value(&label->boots[b], "kernel.build_id")))
			audit_add(audit, opt, &mixed, xasprintf("%sbuild id", within),
				  value_words(boot_value(label->boots, "kernel.build_id")),
				  value_words(boot_value(&label->boots[b], "kernel.build_id")));
		audit_pair(audit, opt, label->boots, &label->boots[b], within);
	}
	free(within);
}

static double memory_total(const struct label *label)
{
	return label->n ? json_number_value(boot_value(label->boots, "memory.total")) : 0;
}

static double pgtable_total(const struct label *label)
{
	return label->n ? json_number_value(boot_value(label->boots, "census.pgtable_bytes")) : 0;
}

static char *leaf_words(const json_t *leaf)
{
	json_int_t count = json_integer_value(json_object_get(leaf, "count"));
	json_int_t cont = json_integer_value(json_object_get(leaf, "contiguous"));
	const char *level = json_string_value(json_object_get(leaf, "level"));
	char *clean, *words;

	if (!level || count <= 0)
		return NULL;
	clean = text_clean(level);
	clean[strnlen(clean, 4)] = '\0';
	words = cont > 0 ? xasprintf("%" JSON_INTEGER_FORMAT " %s (%" JSON_INTEGER_FORMAT
				     " contiguous)", count, clean, cont) :
			   xasprintf("%" JSON_INTEGER_FORMAT " %s", count, clean);
	free(clean);
	return words;
}

/* Leaf classes are printed from the largest level down, whatever their order in the file. */
static char *boot_census(const struct boot *boot, const char *range)
{
	static const char *const levels[] = { "p4d", "pud", "pmd", "pte" };
	const json_t *leaves, *leaf;
	char *path = xasprintf("census.ranges.%s.leaves", range), *words = NULL;
	size_t i;

	leaves = boot_value(boot, path);
	free(path);
	for (size_t l = 0; l < 4; l++) {
		json_array_foreach(leaves, i, leaf) {
			const char *level = json_string_value(json_object_get(leaf, "level"));
			char *one, *joined;

			if (!level || strcmp(level, levels[l]) || i > 64)
				continue;
			one = leaf_words(leaf);
			if (!one)
				continue;
			joined = xasprintf("%s%s%s", words ? words : "", words ? ", " : "", one);
			free(one);
			free(words);
			words = joined;
		}
	}
	return words;
}

char *census_words(const struct label *label, const char *range)
{
	char *words = label->n ? boot_census(label->boots, range) : NULL;

	for (size_t b = 1; words && b < label->n; b++) {
		char *other = boot_census(&label->boots[b], range);
		bool differs = !other || strcmp(words, other);

		free(other);
		if (differs) {
			char *joined = xasprintf("%s; other boots differ", words);

			free(words);
			return joined;
		}
	}
	return words;
}

static void audit_census(struct audit *audit, const struct label *base, const struct label *new,
			 const struct options *opt)
{
	static const struct field treatment = { NULL, NULL, NULL, true };
	static const struct field memory = { NULL, NULL, "memory", false };
	static const char *const ranges[][2] = { { "linear", "linear map" },
						 { "vmemmap", "vmemmap" } };
	double total[2] = { memory_total(base), memory_total(new) };
	double tables[2] = { pgtable_total(base), pgtable_total(new) };

	for (size_t i = 0; i < 2; i++) {
		char *a = census_words(base, ranges[i][0]), *b = census_words(new, ranges[i][0]);

		if (a || b)
			audit_add(audit, opt, &treatment, xstrdup(ranges[i][1]),
				  a ? a : xstrdup("no census"), b ? b : xstrdup("no census"));
	}
	if (total[0] > 0 && total[1] > 0 && total[0] != total[1])
		audit_add(audit, opt, &treatment, xstrdup("MemTotal"),
			  xasprintf("%.0f kB", total[0] / 1024),
			  xasprintf("%.0f kB (%+.0f)", total[1] / 1024,
				    (total[1] - total[0]) / 1024));
	if (tables[0] > 0 && tables[1] > 0 && tables[0] != tables[1])
		audit_add(audit, opt, &treatment, xstrdup("page tables"),
			  xasprintf("%.0f kB", tables[0] / 1024),
			  xasprintf("%.0f kB (%+.0f)", tables[1] / 1024,
				    (tables[1] - tables[0]) / 1024));
	/* The linear map's tables take 1/512 of memory at most: more is another machine. */
	if (total[0] > 0 && total[1] > 0 &&
	    (total[1] > total[0] * 1.02 || total[0] > total[1] * 1.02))
		audit_add(audit, opt, &memory, xstrdup("memory size"),
			  xasprintf("%.0f kB", total[0] / 1024),
			  xasprintf("%.0f kB", total[1] / 1024));
}

void audit_make(struct audit *audit, const struct label *base, const struct label *new,
		const struct options *opt)
{
	audit_census(audit, base, new, opt);
	if (base->n && new->n)
		audit_pair(audit, opt, base->boots, new->boots, "");
	audit_label(audit, base, opt);
	audit_label(audit, new, opt);
}

void audit_free(struct audit *audit)
{
	for (size_t i = 0; i < audit->n; i++) {
		free(audit->v[i].what);
		free(audit->v[i].base);
		free(audit->v[i].new);
	}
	free(audit->v);
	*audit = (struct audit){ 0 };
}

bool label_emulated(const struct label *label)
{
	for (size_t b = 0; b < label->n; b++)
		if (json_is_true(boot_value(&label->boots[b], "cpu.emulated")))
			return true;
	return false;
}
