// SPDX-License-Identifier: GPL-2.0
/* What the plain form says above its tables: labels, treatment, audit, notes. */
#include <stdlib.h>
#include <string.h>

#include "report/format.h"
#include "report/text.h"

static char *json_words(const struct boot *boot, const char *path, const char *none)
{
	const char *s = json_string_value(boot_value(boot, path));

	return text_clean(s && *s ? s : none);
}

static size_t label_samples(const struct label *label)
{
	size_t n = 0;

	for (size_t b = 0; b < label->n; b++)
		n += label->boots[b].samples;
	return n;
}

void text_label(FILE *out, const char *role, const struct label *label)
{
	const struct boot *boot = label->boots;
	char *release, *arch, *words;

	if (!label->n) {
		text_paragraph(out, role, 6, xasprintf("%s: no boot with results", label->name));
		return;
	}
	release = json_words(boot, "kernel.release", "unknown kernel");
	arch = json_words(boot, "cpu.arch", "unknown CPU");
	words = xasprintf("%s: %s, %zu boot%s, %zu samples, %s %.0fK, %.0f CPUs, %.1f GiB%s",
			  label->name, release, label->n, label->n == 1 ? "" : "s",
			  label_samples(label), arch,
			  label_number(label, "memory.page_size") / 1024,
			  label_number(label, "cpu.online"),
			  label_number(label, "memory.total") / (1 << 30),
			  label_emulated(label) ? ", emulated" : "");
	text_paragraph(out, role, 6, words);
	free(release);
	free(arch);
}

void text_emulated(const struct report *r, FILE *out)
{
	if (r->emulated)
		fputs("EMULATED CPU: times and rates below are not hardware's and get no verdict;\n"
		      "only memory, page-table and count metrics do.\n", out);
}

static void treatment_line(const struct audit_line *line, FILE *out)
{
	if (line->sentence) {
		fprintf(out, "  %-12s ", line->what);
		text_wrap(out, 15, 15, line->sentence);
	} else if (strlen(line->base) + strlen(line->new) < 46) {
		fprintf(out, "  %-12s ", line->what);
		text_paragraph(out, "", 0, xasprintf("base %s, new %s", line->base, line->new));
	} else {
		fprintf(out, "  %-12s base ", line->what);
		text_wrap(out, 20, 20, line->base);
		fprintf(out, "  %-12s new  ", "");
		text_wrap(out, 20, 20, line->new);
	}
}

static void difference_line(const struct audit_line *line, FILE *out)
{
	static const char *const head[] = { "", "UNFAIR", "allowed", "differs" };
	bool unfair = line->class == AUDIT_UNFAIR;

	text_paragraph(out, "  ", 10,
		       xasprintf("%-7s %s: %s -> %s%s%s%s", head[line->class], line->what,
				 line->base, line->new, unfair ? " (--allow " : "",
				 unfair ? line->allow : "", unfair ? ")" : ""));
}

void text_audit(const struct view *view, const struct comparison *cmp)
{
	const struct audit *a = &cmp->audit;
	FILE *out = view->out;
	bool mapped = false;
	size_t shown = 0, options = 0, most = view->verbose ? a->options : AUDIT_OPTIONS_SHOWN;

	fprintf(out, "treatment\n");
	for (size_t i = 0; i < a->n; i++) {
		if (a->v[i].class != AUDIT_TREATMENT)
			continue;
		shown += strcmp(a->v[i].base, a->v[i].new) != 0;
		mapped |= !strcmp(a->v[i].what, "linear map") ||
			  !strcmp(a->v[i].what, "direct map");
		treatment_line(&a->v[i], out);
	}
	if (!shown && mapped)
		fprintf(out, "  none seen: page tables, rodata, BBML2 and MemTotal are alike\n");
	if (!mapped)
		fprintf(out, "  %sneither side says how its linear map is mapped\n",
			shown ? "" : "none seen, but ");
	fprintf(out, "audit\n");
	shown = 0;
	for (size_t i = 0; i < a->n; i++) {
		if (a->v[i].class == AUDIT_TREATMENT)
			continue;
		shown++;
		options += a->v[i].option;
		if (!a->v[i].option || options <= most)
			difference_line(&a->v[i], out);
	}
	if (options > most)
		fprintf(out, "          and %zu more options of the kernel's: -v lists them\n",
			options - most);
	if (!shown)
		fprintf(out, "  same build, config, command line, CPU, binaries and tools\n");
	if (!cmp->paired && !cmp->interleaved)
		fprintf(out, "  not interleaved: all boots of one side ran before the other's\n");
	if (a->unfair)
		fprintf(out, "AUDIT FAILED: %zu unfair difference%s, so there are no verdicts\n",
			a->unfair, a->unfair == 1 ? "" : "s");
}

void text_pairing(const struct report *r, FILE *out)
{
	for (size_t k = 0; k < r->ncmp; k++) {
		const char *words = pairing_words(r, &r->cmp[k]);

		if (words && r->ncmp == 1)
			text_paragraph(out, "", 0, xasprintf("%s.", words));
		else if (words)
			text_paragraph(out, "", 0,
				       xasprintf("%s: %s.", r->ds->labels[k + 1].name, words));
	}
}

void text_lacks(const struct report *r, FILE *out)
{
	for (size_t k = 0; k < r->ncmp; k++)
		for (size_t i = 0; i < r->cmp[k].lacks.n; i++)
			text_paragraph(out, "", 0,
				       xasprintf("%s%s%s.", r->ncmp > 1 ?
						 r->ds->labels[k + 1].name : "",
						 r->ncmp > 1 ? ": " : "",
						 r->cmp[k].lacks.v[i]));
}

void text_notes(const struct report *r, FILE *out)
{
	for (size_t i = 0; i < r->ds->notes.n; i++)
		text_paragraph(out, "note", 6, xstrdup(r->ds->notes.v[i]));
	for (size_t i = 0; i < r->notes.n; i++)
		text_paragraph(out, "note", 6, xstrdup(r->notes.v[i]));
}
