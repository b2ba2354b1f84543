// SPDX-License-Identifier: GPL-2.0
/* Numbers as a person reads them: the same in every form of the report. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/comparison.h"
#include "model/extras.h"

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

void call_format(char buf[40], const struct cell *c)
{
	char change[24];

	if (c->call != CALL_SAME || !(c->detectable > 0)) {
		snprintf(buf, 40, "%s", call_name(c->call));
		return;
	}
	change_format(change, c->detectable);
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
