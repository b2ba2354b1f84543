// SPDX-License-Identifier: GPL-2.0
/* What all forms of a report say and print alike. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/format.h"

#define TREND_TEXT_LABELS 4	/* from here on the text forms show trends unasked */

const char *verdict_name(enum verdict verdict)
{
	static const char *const names[] = { "better", "worse", "same", "unsure", "missing", "-" };

	return names[verdict];
}

const char *method_name(enum method method)
{
	static const char *const names[] = { "none", "welch-log", "welch-linear", "paired-log",
					     "paired-linear",
					     "repeats-shift", "repeats-shift-linear", "exact" };

	return names[method];
}

const char *pairing_words(const struct report *r, const struct comparison *cmp)
{
	static const char *const words[] = {
		"WITHIN ONE BOOT: both labels are of the same boot; its repeats are compared by their ranks, so that the verdicts hold for this boot, not for the kernel, and a drift of the machine looks like a change; base and new are medians of the repeats, the change is the median over all pairs of them (Hodges-Lehmann, Mann-Whitney)",
		"WITHIN BOOTS: every boot is in both labels, so that boots are compared as pairs; a drift within boots looks like a change",
	};

	return cmp->paired ? words[!within_one_boot(r, cmp)] : NULL;
}

bool trends_shown(const struct view *view)
{
	const struct report *r = view->r;

	return r->trends && r->ds->nrows &&
	       (view->verbose || r->ds->nlabels >= TREND_TEXT_LABELS);
}

void change_format(char buf[24], double f)
{
	double percent = 100 * f;

	if (isnan(f))
		snprintf(buf, 24, "-");
	else if (percent >= 999.5)
		snprintf(buf, 24, f + 1 < 1e4 ? "x%.4g" : "x%.0e", f + 1);
	else if (fabs(percent) >= 99.95)
		snprintf(buf, 24, "%+.0f%%", percent);
	else
		snprintf(buf, 24, fabs(percent) < 9.995 ? "%+.2f%%" : "%+.1f%%", percent);
}

void verdict_format(char buf[40], const struct cell *c)
{
	char change[24];

	if (c->verdict != VERDICT_SAME || !(c->bound > 0)) {
		snprintf(buf, 40, "%s", verdict_name(c->verdict));
		return;
	}
	change_format(change, c->bound);
	snprintf(buf, 40, "same <%s", change + (change[0] == '+'));
}

void p_format(char buf[24], double p)
{
	if (isnan(p))
		snprintf(buf, 24, "-");
	else if (p < 0.0001)
		snprintf(buf, 24, "<0.0001");
	else
		snprintf(buf, 24, "%.4f", p);
}

void spread_format(char buf[24], double spread)
{
	char change[24];

	change_format(change, spread);
	snprintf(buf, 24, "%s", change + (*change == '+'));
}

const char *extra_title(enum extra_kind kind)
{
	static const char *const titles[] = {
		"perf counters", "hottest kernel symbols, %", "fio completion latency, ns",
	};

	return titles[kind];
}

const char *extra_unit(enum extra_kind kind)
{
	static const char *const units[] = { "1", "%", "ns" };

	return units[kind];
}
