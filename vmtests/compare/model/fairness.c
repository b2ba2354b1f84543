// SPDX-License-Identifier: GPL-2.0
/*
 * Were the two labels the same but for the treatment?
 *
 * A table says what is compared and how a difference counts: the treatment is shown first, an
 * unfair difference voids every verdict unless it is allowed by name, a note is only printed. The
 * boots of one label must agree as well, or the label would not name one thing.
 */
#include <stdlib.h>
#include <string.h>

#include "model/config.h"
#include "model/fairness.h"

#define HASH_SHOWN 12
#define SAME_MEMORY 1.02

struct field {
	const char *path, *what;
	enum audit_class class;
	const char *allow;	/* NULL unless unfair */
};

static const struct field fields[] = {
	{ "rodata", "rodata", AUDIT_TREATMENT, NULL },
	{ "cpu.bbml2", "BBML2", AUDIT_TREATMENT, NULL },
	{ "cpu.arch", "architecture", AUDIT_UNFAIR, "arch" },
	{ "cpu.model", "CPU model", AUDIT_UNFAIR, "cpu" },
	{ "cpu.midr", "MIDR", AUDIT_UNFAIR, "cpu" },
	{ "cpu.online", "CPUs online", AUDIT_UNFAIR, "cpu" },
	{ "cpu.smt", "SMT", AUDIT_UNFAIR, "smt" },
	{ "cpu.microcode", "microcode", AUDIT_UNFAIR, "microcode" },
	{ "cpu.governor", "governor", AUDIT_UNFAIR, "governor" },
	{ "cpu.hypervisor", "hypervisor", AUDIT_UNFAIR, "hypervisor" },
	{ "cpu.emulated", "emulation", AUDIT_UNFAIR, "emulated" },
	{ "memory.page_size", "page size", AUDIT_UNFAIR, "page_size" },
	{ "vmtests", "vmtests version", AUDIT_UNFAIR, "vmtests" },
	{ "kernel.release", "kernel", AUDIT_NOTE, NULL },
	{ "kernel.version", "kernel version", AUDIT_NOTE, NULL },
	{ "kernel.build_id", "build id", AUDIT_NOTE, NULL },
	{ "kernel.cmdline", "command line", AUDIT_NOTE, NULL },
	{ "memory.hugepage_sizes", "huge page sizes", AUDIT_NOTE, NULL },
	{ "memory.thp", "THP", AUDIT_NOTE, NULL },
	{ "memory.swap", "swap", AUDIT_NOTE, NULL },
};

static const struct field config_hash = {
	"kernel.config_sha256", "config", AUDIT_NOTE, NULL
};

/* Objects whose keys are all compared. */
static const struct field objects[] = {
	{ "binaries", "binary", AUDIT_UNFAIR, "binaries" },
	{ "tools", "tool", AUDIT_UNFAIR, "tools" },
	{ "cpu.mitigations", "mitigation", AUDIT_NOTE, NULL },
	{ "settings", "setting", AUDIT_NOTE, NULL },
};

/* Names that are in neither table. */
static const char *const other_names[] = { "memory", "tainted", "mixed" };

#define NAMES_MAX (ARRAY_SIZE(fields) + ARRAY_SIZE(objects) + ARRAY_SIZE(other_names))

static size_t name_put(const char **names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(names[i], name))
			return n;
	names[n] = name;
	return n + 1;
}

static size_t names_collect(const char *names[NAMES_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (fields[i].allow)
			n = name_put(names, n, fields[i].allow);
	for (size_t i = 0; i < ARRAY_SIZE(objects); i++)
		if (objects[i].allow)
			n = name_put(names, n, objects[i].allow);
	for (size_t i = 0; i < ARRAY_SIZE(other_names); i++)
		n = name_put(names, n, other_names[i]);
	return n;
}

bool fairness_name(const char *name)
{
	const char *names[NAMES_MAX];
	size_t n = names_collect(names);

	for (size_t i = 0; i < n; i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

char *fairness_names(void)
{
	const char *names[NAMES_MAX];
	size_t n = names_collect(names);
	char *list = xstrdup(names[0]);

	for (size_t i = 1; i < n; i++) {
		char *longer = xasprintf("%s, %s", list, names[i]);

		free(list);
		list = longer;
	}
	return list;
}

/* A build id or a checksum: its first digits identify it, and a person can read them. */
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

static void audit_field(struct audit *audit, const struct field *f, const struct boot *base,
			const struct boot *new, const char *within)
{
	const json_t *a = boot_value(base, f->path), *b = boot_value(new, f->path);

	if (values_differ(a, b))
		audit_add(audit, f->class, f->allow, xasprintf("%s%s", within, f->what),
			  value_words(a), value_words(b));
}

/* A program that only one side ran compares nothing, and vmcompare itself measures nothing. */
static bool binary_counts(const char *name, const json_t *base, const json_t *new)
{
	return base && new && strcmp(name, "vmcompare");
}

static void audit_object(struct audit *audit, const struct field *f, const struct boot *base,
			 const struct boot *new, const char *within)
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

			audit_add(audit, f->class, f->allow,
				  xasprintf("%s%s %s", within, f->what, clean), value_words(left),
				  value_words(right));
			free(clean);
		}
	}
	json_decref(keys);
}

static void audit_pair(struct audit *audit, const struct boot *base, const struct boot *new,
		       const char *within)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (!*within || fields[i].allow || !strncmp(fields[i].path, "kernel.", 7))
			audit_field(audit, &fields[i], base, new, within);
	for (size_t i = 0; i < ARRAY_SIZE(objects); i++)
		if (!*within || objects[i].allow)
			audit_object(audit, &objects[i], base, new, within);
}

static void audit_label(struct audit *audit, const struct label *label)
{
	char *within = xasprintf("within %s: ", label->name);

	for (size_t b = 0; b < label->n; b++) {
		json_int_t taint = json_integer_value(boot_value(&label->boots[b],
								 "kernel.tainted"));

		if (taint)
			audit_add(audit, AUDIT_UNFAIR, "tainted",
				  xasprintf("%s taint at the start of %.8s", label->name,
					    label->boots[b].id),
				  xasprintf("%" JSON_INTEGER_FORMAT, taint), xstrdup("0 wanted"));
	}
	for (size_t b = 1; b < label->n; b++) {
		if (values_differ(boot_value(label->boots, "kernel.build_id"),
				  boot_value(&label->boots[b], "kernel.build_id")))
			audit_add(audit, AUDIT_UNFAIR, "mixed", xasprintf("%sbuild id", within),
				  value_words(boot_value(label->boots, "kernel.build_id")),
				  value_words(boot_value(&label->boots[b], "kernel.build_id")));
		audit_pair(audit, label->boots, &label->boots[b], within);
		audit_field(audit, &config_hash, label->boots, &label->boots[b], within);
	}
	free(within);
}

static void option_add(void *arg, const char *name, const char *base, const char *new)
{
	struct audit *audit = arg;

	audit_add(audit, AUDIT_NOTE, NULL, xasprintf("config %s", name), xstrdup(base),
		  xstrdup(new))->option = true;
	audit->options++;
}

/* Option by option where both texts are known, else by their hashes. */
static void audit_config(struct audit *audit, const struct boot *base, const struct boot *new)
{
	const char *a = json_string_value(boot_value(base, "kernel.config"));
	const char *b = json_string_value(boot_value(new, "kernel.config"));

	if (!a || !b || config_compare(a, b, option_add, audit) < 0)
		audit_field(audit, &config_hash, base, new, "");
}

/* The linear map's tables take 1/512 of memory at most: more is another machine. */
static void audit_memory_size(struct audit *audit, const struct label *base,
			      const struct label *new)
{
	double a = label_number(base, "memory.total"), b = label_number(new, "memory.total");

	if (a > 0 && b > 0 && (b > a * SAME_MEMORY || a > b * SAME_MEMORY))
		audit_add(audit, AUDIT_UNFAIR, "memory", xstrdup("memory size"),
			  xasprintf("%.0f kB", a / 1024), xasprintf("%.0f kB", b / 1024));
}

void audit_fairness(struct audit *audit, const struct label *base, const struct label *new)
{
	audit_memory_size(audit, base, new);
	if (base->n && new->n) {
		audit_pair(audit, base->boots, new->boots, "");
		audit_config(audit, base->boots, new->boots);
	}
	audit_label(audit, base);
	audit_label(audit, new);
}
