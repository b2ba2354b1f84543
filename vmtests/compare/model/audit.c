// SPDX-License-Identifier: GPL-2.0
/*
 * Were the two labels the same but for the treatment?
 *
 * A table names what is looked at and how a difference counts: the treatment is shown first, an
 * unfair difference voids every verdict unless it is allowed by name, a note is printed. The boots
 * of one label must agree too, or the label would not name one thing.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/census.h"
#include "model/comparison.h"
#include "model/config.h"

#define HASH_SHOWN 12

struct field {
	const char *path, *what, *allow;	/* allow: NULL unless unfair */
	bool treatment;
};

static const struct field fields[] = {
	{ "rodata", "rodata", NULL, true },
	{ "cpu.bbml2", "BBML2", NULL, true },
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

/* A build id or a checksum: its head is as good as the whole, and a person can read it. */
static bool hash_text(const char *s)
{
	size_t len = strspn(s, "0123456789abcdef");

	return !s[len] && (len == 40 || len == 64);
}

static char *value_words(const json_t *v)
{
	char *raw, *clean;

	if (!v || json_is_null(v))
		return xstrdup("unknown");
	if (json_is_string(v) && hash_text(json_string_value(v)))
		return xasprintf("%.*s...", HASH_SHOWN, json_string_value(v));
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

/* A program that only one side ran compares nothing, and vmcompare itself measures nothing. */
static bool binary_counts(const char *name, const json_t *base, const json_t *new)
{
	return base && new && strcmp(name, "vmcompare");
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

		if (!strcmp(f->path, "binaries") && !binary_counts(key, left, right))
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
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (!*within || fields[i].allow || !strncmp(fields[i].path, "kernel.", 7))
			audit_field(audit, opt, &fields[i], base, new, within);
	for (size_t i = 0; i < ARRAY_SIZE(objects); i++)
		if (!*within || objects[i].allow)
			audit_object(audit, opt, &objects[i], base, new, within);
}

static void audit_label(struct audit *audit, const struct label *label, const struct options *opt)
{
	static const struct field tainted = { NULL, NULL, "tainted", false };
	static const struct field mixed = { NULL, NULL, "mixed", false };
	static const struct field config = { "kernel.config_sha256", "config", NULL, false };
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
		audit_field(audit, opt, &config, label->boots, &label->boots[b], within);
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

static void audit_range(struct audit *audit, const struct options *opt, const char *range,
			const char *what, const struct label *base, const struct label *new)
{
	static const struct field treatment = { NULL, NULL, NULL, true };
	char *a = maps_words(base, range), *b = maps_words(new, range), *sentence;

	if (!a && !b)
		return;
	sentence = maps_sentence(base, a, new, b);
	audit_add(audit, opt, &treatment, xstrdup(what), a ? a : xstrdup("no census"),
		  b ? b : xstrdup("no census"));
	audit->v[audit->n - 1].sentence = sentence;
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

static void audit_directmap(struct audit *audit, const struct options *opt,
			    const struct label *base, const struct label *new)
{
	static const struct field treatment = { NULL, NULL, NULL, true };
	char *a = directmap_words(base), *b = directmap_words(new);

	if (a || b)
		audit_add(audit, opt, &treatment, xstrdup("direct map"),
			  a ? a : xstrdup("unknown"), b ? b : xstrdup("unknown"));
}

/* MemTotal, and how much of its difference the page tables of the linear map explain. */
static void audit_memory(struct audit *audit, const struct options *opt, const struct label *base,
			 const struct label *new)
{
	static const struct field treatment = { NULL, NULL, NULL, true };
	double total[2] = { memory_total(base), memory_total(new) };
	double gain = (total[1] - total[0]) / 1024, lo, hi, rest;
	bool known = base->n && new->n &&
		     census_memory_gain(base->boots, new->boots, &lo, &hi);
	char *explained = NULL;

	if (!(total[0] > 0 && total[1] > 0))
		return;
	/* Within one boot, a split's tables come out of free memory. */
	if (known && !strcmp(base->boots->id, new->boots->id))
		known = false;
	if (known) {
		lo = floor(lo / 1024);
		hi = ceil(hi / 1024);
		rest = gain < lo ? gain - lo : gain > hi ? gain - hi : 0;
		explained = lo == hi ? xasprintf("; page tables explain %+.0f", lo) :
				       xasprintf("; page tables explain %+.0f to %+.0f", lo, hi);
		if (rest != 0) {
			char *more = xasprintf("%s, not %+.0f", explained, rest);

			free(explained);
			explained = more;
		}
	}
	if (gain != 0 || (known && (lo > 0 || hi < 0))) {
		audit_add(audit, opt, &treatment, xstrdup("MemTotal"),
			  xasprintf("%.0f kB", total[0] / 1024),
			  xasprintf("%.0f kB (%+.0f%s)", total[1] / 1024, gain,
				    explained ? explained : ""));
		audit->v[audit->n - 1].sentence =
			xasprintf("%.0f -> %.0f kB: %+.0f%s", total[0] / 1024, total[1] / 1024,
				  gain, explained ? explained : "");
	}
	free(explained);
}

static void audit_census(struct audit *audit, const struct label *base, const struct label *new,
			 const struct options *opt)
{
	static const struct field treatment = { NULL, NULL, NULL, true };
	static const struct field memory = { NULL, NULL, "memory", false };
	double total[2] = { memory_total(base), memory_total(new) };
	double tables[2] = { pgtable_total(base), pgtable_total(new) };

	audit_range(audit, opt, "linear", "linear map", base, new);
	audit_range(audit, opt, "vmemmap", "vmemmap", base, new);
	audit_directmap(audit, opt, base, new);
	audit_memory(audit, opt, base, new);
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

struct option_differs {
	struct audit *audit;
	const struct options *opt;
};

static void option_add(void *arg, const char *name, const char *base, const char *new)
{
	static const struct field option = { NULL, NULL, NULL, false };
	struct option_differs *d = arg;

	audit_add(d->audit, d->opt, &option, xasprintf("config %s", name), xstrdup(base),
		  xstrdup(new));
	d->audit->v[d->audit->n - 1].option = true;
	d->audit->options++;
}

/* Option by option where both texts are known, else by their hashes. */
static void audit_config(struct audit *audit, const struct options *opt, const struct boot *base,
			 const struct boot *new)
{
	static const struct field config = { "kernel.config_sha256", "config", NULL, false };
	const char *a = json_string_value(boot_value(base, "kernel.config"));
	const char *b = json_string_value(boot_value(new, "kernel.config"));
	struct option_differs d = { audit, opt };

	if (!a || !b || config_compare(a, b, option_add, &d) < 0)
		audit_field(audit, opt, &config, base, new, "");
}

void audit_make(struct audit *audit, const struct label *base, const struct label *new,
		const struct options *opt)
{
	audit_census(audit, base, new, opt);
	if (base->n && new->n) {
		audit_pair(audit, opt, base->boots, new->boots, "");
		audit_config(audit, opt, base->boots, new->boots);
	}
	audit_label(audit, base, opt);
	audit_label(audit, new, opt);
}

void audit_free(struct audit *audit)
{
	for (size_t i = 0; i < audit->n; i++) {
		free(audit->v[i].what);
		free(audit->v[i].base);
		free(audit->v[i].new);
		free(audit->v[i].sentence);
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
