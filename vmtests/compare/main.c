// SPDX-License-Identifier: GPL-2.0
/*
 * vmcompare: what changed between two kernels, how sure that is, and that they differ in what was
 * claimed and in nothing else. docs/statistics.md says how it judges.
 *
 * load/ reads a result tree into a dataset, model/ makes a report of it, and report/ gives the
 * report a form; export/ writes the dataset for other systems. stats/ is the arithmetic of the
 * model. Only main.c knows all of them: load/, report/ and export/ know the model and not each
 * other, and the model knows none of them.
 */
#include <errno.h>
#include <fts.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "export/export.h"
#include "load/load.h"
#include "model/fairness.h"
#include "model/report.h"
#include "report/forms.h"

enum { EXIT_REGRESSION = 1, EXIT_USAGE = 2, EXIT_UNSURE = 3, EXIT_AUDIT = 4 };
enum { OPT_AA = 256, OPT_ALLOW, OPT_FAIL_ON, OPT_ORIGIN };

#define ORIGIN_DEFAULT "vmtests"

/* A report is about labels that were compared; an export is every verdict and sample of them. */
static const struct {
	const char *name;
	void (*write)(const struct view *view);
	int (*export)(const struct dataset *ds, const char *origin, FILE *out);
} forms[] = {
	{ .name = "text", .write = text_write },
	{ .name = "markdown", .write = markdown_write },
	{ .name = "json", .write = json_write },
	{ .name = "html", .write = html_write },
	{ .name = "kcidb", .export = kcidb_export },
	{ .name = "squad", .export = squad_export },
	{ .name = "lava", .export = lava_export },
	{ .name = "tmt", .export = tmt_export },
};

static const char usage_text[] =
	"usage: vmcompare [-f FORM] [-o FILE] [-a ALPHA] [-m PERCENT] [-v] [--aa]\n"
	"                 [--allow X] [--fail-on regression] [--origin NAME] LABEL...\n"
	"\n"
	"LABEL is results/LABEL or one boot's directory in it. One prints its medians,\n"
	"two compare the second with the first, more compare each with the first.\n"
	"\n"
	"  -f FORM     of a report: text (default), markdown, json, html\n"
	"              all verdicts and samples, for others: kcidb, squad, lava, tmt\n"
	"  -o FILE     write there instead of to standard output\n"
	"  -a ALPHA    false alarms allowed over the whole table (0.05)\n"
	"  -m PERCENT  smallest change that matters (any; \"same\" then means below 5%)\n"
	"  -v          evidence below each row, perf counters, fio percentiles, trend of\n"
	"              three labels, every option of the configuration that differs\n"
	"  --aa        one label: split its boots every way, print the false-alarm rate\n"
	"  --allow X   accept an unfair difference by the name that the audit prints\n"
	"  --fail-on regression\n"
	"              exit 1 when a row got worse or a test fails that passed\n"
	"  --origin NAME  the submitter of -f kcidb (vmtests)\n"
	"\n"
	"Exit: 0, 1 regression, 2 usage or unreadable input, 3 no verdict but unsure\n"
	"ones, 4 audit failed.\n";

struct arguments {
	struct options opt;
	const char *file, *origin;
	size_t form;
	bool fail_on, aa, verbose;
};

static int number_parse(const char *s, double lo, double hi, double *v)
{
	char *end;

	errno = 0;
	*v = strtod(s, &end);
	if (errno || end == s || *end || !(*v > lo && *v < hi))
		return fail("\"%s\" is not a number between %g and %g", s, lo, hi);
	return 0;
}

static int form_parse(const char *s, size_t *form)
{
	for (*form = 0; *form < ARRAY_SIZE(forms); ++*form)
		if (!strcmp(forms[*form].name, s))
			return 0;
	return fail("no form \"%s\"; see --help", s);
}

static int allow_parse(const char *name)
{
	char *names;

	if (fairness_name(name))
		return 0;
	names = fairness_names();
	fail("--allow \"%s\": no difference has this name; there are %s", name, names);
	free(names);
	return -1;
}

/* 0 to go on, 1 when all is said, -1 on wrong usage. */
static int arguments_parse(struct arguments *args, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "aa", no_argument, NULL, OPT_AA },
		{ "allow", required_argument, NULL, OPT_ALLOW },
		{ "fail-on", required_argument, NULL, OPT_FAIL_ON },
		{ "origin", required_argument, NULL, OPT_ORIGIN },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "f:o:a:m:vh", longs, NULL)) != -1) {
		int err = 0;

		switch (c) {
		case 'f':
			err = form_parse(optarg, &args->form);
			break;
		case 'o':
			args->file = optarg;
			break;
		case 'a':
			err = number_parse(optarg, 0, 0.5, &args->opt.alpha);
			break;
		case 'm':
			err = number_parse(optarg, 0, 1000, &args->opt.min_effect);
			args->opt.min_effect /= 100;
			break;
		case 'v':
			args->verbose = true;
			break;
		case OPT_AA:
			args->aa = true;
			break;
		case OPT_ALLOW:
			args->opt.allow[args->opt.nallow++] = optarg;
			err = allow_parse(optarg);
			break;
		case OPT_FAIL_ON:
			args->fail_on = !strcmp(optarg, "regression");
			if (!args->fail_on)
				err = fail("--fail-on knows only \"regression\"");
			break;
		case OPT_ORIGIN:
			args->origin = optarg;
			if (!origin_valid(optarg))
				err = fail("--origin \"%s\": 1 to 64 of [a-z0-9_]", optarg);
			break;
		case 'h':
			fputs(usage_text, stdout);
			return 1;
		default:
			err = -1;
		}
		if (err)
			return -1;
	}
	if (optind == argc)
		return fail("no label given; see --help");
	if (args->aa && argc - optind != 1)
		return fail("--aa takes one label");
	if (forms[args->form].export && (args->aa || args->fail_on || args->opt.nallow))
		return fail("-f %s exports results and judges none: leave out --aa, --allow and --fail-on",
			    forms[args->form].name);
	return 0;
}

/* Is the file that -o names part of a label? Whatever its name there: links lead to it as well. */
static bool output_read(const char *file, char **labels)
{
	struct stat out;
	FTSENT *entry;
	bool found = false;
	FTS *tree;

	if (stat(file, &out) || !S_ISREG(out.st_mode))
		return false;
	tree = fts_open(labels, FTS_COMFOLLOW | FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	while (tree && !found && (entry = fts_read(tree)))
		found = entry->fts_info == FTS_F && entry->fts_statp->st_dev == out.st_dev &&
			entry->fts_statp->st_ino == out.st_ino;
	if (tree)
		fts_close(tree);
	return found;
}

/* The form that was asked for, of r or, where it is an export, of ds. */
static int form_print(const struct report *r, const struct dataset *ds,
		      const struct arguments *args)
{
	FILE *out = args->file ? fopen(args->file, "we") : stdout;
	int err = 0;

	if (!out)
		return fail("%s: opening: %s", args->file, strerror(errno));
	if (forms[args->form].export)
		err = forms[args->form].export(ds, args->origin, out);
	else
		forms[args->form].write(&(struct view){ r, args->aa, args->verbose, out });
	err |= ferror(out);
	if (fclose(out) || err)
		return fail("%s: writing: %s", args->file ? args->file : "standard output",
			    strerror(errno));
	return 0;
}

static int exit_code(const struct report *r, const struct arguments *args)
{
	size_t sure = 0;

	for (size_t k = 0; k < r->ncmp; k++)
		if (r->cmp[k].audit.unfair)
			return EXIT_AUDIT;
	if (args->fail_on && r->regressions)
		return EXIT_REGRESSION;
	for (size_t k = 0; k < r->ncmp; k++)
		sure += r->cmp[k].counts[VERDICT_BETTER] + r->cmp[k].counts[VERDICT_WORSE] +
			r->cmp[k].counts[VERDICT_SAME];
	return r->unsure && !sure ? EXIT_UNSURE : EXIT_SUCCESS;
}

/* What was tolerated while reading would be missing without a word in an export. */
static int export_labels(const struct dataset *ds, const struct arguments *args)
{
	for (size_t i = 0; i < ds->notes.n; i++)
		fprintf(stderr, "vmcompare: %s\n", ds->notes.v[i]);
	return form_print(NULL, ds, args) ? EXIT_USAGE : EXIT_SUCCESS;
}

static int compare(struct dataset *ds, const struct arguments *args, char **paths, int n)
{
	struct report r = { 0 };
	int ret = EXIT_USAGE;

	if (args->file && output_read(args->file, paths)) {
		fail("%s: is a result of the labels to read: -o would overwrite it", args->file);
		return EXIT_USAGE;
	}
	for (int i = 0; i < n; i++) {
		if (dataset_add(ds, paths[i]))
			return EXIT_USAGE;
		if (!ds->labels[i].n) {
			fail("%s: no boot in it: give a directory that run_vmtests.sh -o wrote",
			     paths[i]);
			return EXIT_USAGE;
		}
	}
	if (forms[args->form].export)
		return export_labels(ds, args);
	if (!report_make(&r, ds, &args->opt) && !form_print(&r, ds, args))
		ret = exit_code(&r, args);
	report_free(&r);
	return ret;
}

int main(int argc, char **argv)
{
	struct arguments args = { .opt = { .alpha = 0.05 }, .origin = ORIGIN_DEFAULT };
	struct dataset ds = { 0 };
	int ret;

	args.opt.allow = xcalloc(argc, sizeof(*args.opt.allow));
	ret = arguments_parse(&args, argc, argv);
	if (ret)
		ret = ret > 0 ? EXIT_SUCCESS : EXIT_USAGE;
	else
		ret = compare(&ds, &args, argv + optind, argc - optind);
	dataset_free(&ds);
	free(args.opt.allow);
	return ret;
}
