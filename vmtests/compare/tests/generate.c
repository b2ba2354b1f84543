// SPDX-License-Identifier: GPL-2.0
/*
 * generate DIR LABEL BOOTS REPEATS METRICS SEED [SHIFT [KEY=VALUE...]]: a label with known truth.
 *
 * Timing metrics carry 0.5 % between and 1 % within boots around a mean of 100; the first is
 * SHIFT times slower (1.0). Boots of different seeds alternate in time. KEY=VALUE overrides:
 * pte=N, memtotal=KB, fio=VERSION, emulated=1, midr=X, tainted=N, config=TEXT, boot=ID (for one
 * boot), split=MB (x86: no census, of 8 GiB so much by 4k pages, the rest by 2M), outlier=N (the
 * N-th repeat of the first metric, from 0, takes five times as long).
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jansson.h>

#include "stats/random.h"
#include "util.h"

struct spec {
	const char *dir, *label, *fio, *midr, *boot, *config;
	long boots, repeats, metrics, seed, pte, memtotal, emulated, tainted, split, outlier;
	double shift;
};

#define OUTLIER 5	/* times as long: what a host's other guest was seen to cost */

static FILE *create(const char *dir, const char *name)
{
	char *path = xasprintf("%s/%s", dir, name);
	FILE *f = fopen(path, "we");

	if (!f) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(1);
	}
	free(path);
	return f;
}

static json_t *run_json(const struct spec *s, const char *id, long boot)
{
	static const char format[] =
		"{s:i,s:s,s:s,s:s,s:[{s:i,s:s}],s:{s:s,s:s,s:s,s:s,s:s?,s:i},\n"
		"s:{s:s,s:s,s:i,s:b,s:b},s:{s:i,s:I},\n"
		"s:{s:I,s:{s:{s:[{s:s,s:I,s:I,s:I},{s:s,s:I,s:I,s:I}]}}},s:s,s:{s:s},s:{s:s}}";
	char *started = xasprintf("2026-03-%02ldT%02ld:00:00Z", 1 + boot, s->seed % 24);
	/* What 4 GiB leave for 2M blocks. */
	json_int_t pmds = 2048 - s->pte / 512;
	json_t *run = json_pack(format, "schema", 1, "vmtests", "1.0", "label", s->label,
		"boot_id", id,
		"runs", "run", 0, "started", started,
		"kernel", "release", "7.2.13-arm64", "build_id", "c0ffee", "cmdline", "root=/dev/vda",
		"config_sha256", "11aa", "config", s->config, "tainted", (int)s->tainted,
		"cpu", "arch", "arm64", "midr", s->midr, "online", 2, "emulated", (int)s->emulated,
		"bbml2", (int)(s->pte < 100000),
		"memory", "page_size", 4096, "total", (json_int_t)s->memtotal * 1024,
		"census", "pgtable_bytes", (json_int_t)s->pte * 8, "ranges", "linear", "leaves",
		"level", "pte", "count", (json_int_t)s->pte, "bytes", (json_int_t)s->pte * 4096,
		"contiguous", (json_int_t)0, "level", "pmd", "count", pmds, "bytes", pmds << 21,
		"contiguous", pmds / 64 * 64, "rodata", "on", "binaries", "hvo_bench", "ab12",
		"tools", "fio", s->fio);

	if (s->split) {
		json_object_set_new(run, "census", json_null());
		json_object_set_new(run, "directmap",
				    json_pack("{s:I,s:I}", "4k", (json_int_t)s->split << 20,
					      "2M", (json_int_t)(8192 - s->split) << 20));
	}
	free(started);
	return run;
}

static void sample(FILE *out, const char *bench, long variant, const char *metric,
		   const char *unit, double value, long rep)
{
	json_t *o = json_pack("{s:s,s:o,s:s,s:s,s:s,s:f,s:I,s:i,s:f}", "bench", bench,
			      "case", json_sprintf("n%ld", variant), "metric", metric,
			      "unit", unit, "better", "lower", "value", value,
			      "rep", (json_int_t)rep, "run", 0, "t", 10.0 + rep);

	json_dumpf(o, out, JSON_COMPACT);
	fputc('\n', out);
	json_decref(o);
}

/* What the machine adds to one repeat. */
static double disturbed(const struct spec *s, long metric, long rep, double value)
{
	return !metric && rep == s->outlier ? OUTLIER * value : value;
}

static void boot_write(const struct spec *s, long boot)
{
	uint64_t rng = s->seed * 1000 + boot;
	char *id = s->boot ? xstrdup(s->boot) : xasprintf("b%03ld-%ld", boot, s->seed);
	char *dir = xasprintf("%s/%s", s->dir, id);
	json_t *run = run_json(s, id, boot);
	FILE *out;

	if (mkdir(dir, 0755) && errno != EEXIST) {
		fprintf(stderr, "%s: %s\n", dir, strerror(errno));
		exit(1);
	}
	out = create(dir, "run.json");
	json_dumpf(run, out, JSON_INDENT(1));
	fclose(out);
	json_decref(run);
	out = create(dir, "samples.jsonl");
	for (long m = 0; m < s->metrics; m++) {
		double mean = 100 * (m ? 1 : s->shift) * exp(0.005 * rng_normal(&rng));

		for (long r = 0; r < s->repeats; r++)
			sample(out, "linear/churn", m, "ns_per_page", "ns/page",
			       disturbed(s, m, r, mean * exp(0.01 * rng_normal(&rng))), r);
	}
	if (s->metrics)
		sample(out, "boot/memory", 0, "kernel_pgtable_bytes", "bytes", s->pte * 8.0, 0);
	fclose(out);
	free(dir);
	free(id);
}

static void key_set(struct spec *s, const char *arg)
{
	const struct {
		const char *key;
		const char **text;
		long *number;
	} keys[] = {
		{ "pte=", NULL, &s->pte },	     { "memtotal=", NULL, &s->memtotal },
		{ "fio=", &s->fio, NULL },	     { "emulated=", NULL, &s->emulated },
		{ "midr=", &s->midr, NULL },	     { "boot=", &s->boot, NULL },
		{ "tainted=", NULL, &s->tainted },   { "config=", &s->config, NULL },
		{ "split=", NULL, &s->split },	     { "outlier=", NULL, &s->outlier },
	};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		size_t len = strlen(keys[i].key);

		if (strncmp(arg, keys[i].key, len))
			continue;
		if (keys[i].text)
			*keys[i].text = arg + len;
		else
			*keys[i].number = strtol(arg + len, NULL, 10);
		return;
	}
	fprintf(stderr, "unknown key: %s\n", arg);
	exit(2);
}

int main(int argc, char **argv)
{
	struct spec s = { .fio = "fio-3.33", .midr = "0x410fd034", .pte = 1048576,
			  .memtotal = 4000436, .shift = 1, .outlier = -1 };

	if (argc < 7) {
		fputs("generate DIR LABEL BOOTS REPEATS METRICS SEED [SHIFT [KEY=VALUE...]]\n",
		      stderr);
		return 2;
	}
	s.dir = argv[1];
	s.label = argv[2];
	s.boots = strtol(argv[3], NULL, 10);
	s.repeats = strtol(argv[4], NULL, 10);
	s.metrics = strtol(argv[5], NULL, 10);
	s.seed = strtol(argv[6], NULL, 10);
	if (argc > 7)
		s.shift = strtod(argv[7], NULL);
	for (int i = 8; i < argc; i++)
		key_set(&s, argv[i]);
	if (mkdir(s.dir, 0755) && errno != EEXIST) {
		fprintf(stderr, "%s: %s\n", s.dir, strerror(errno));
		return 1;
	}
	for (long b = 0; b < s.boots; b++)
		boot_write(&s, b);
	return 0;
}
