// SPDX-License-Identifier: GPL-2.0
/* Numbers as a person reads them: the same in every form of the report. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/comparison.h"

void value_format(char buf[24], double v, const char *unit)
{
	static const char *const binary[] = { "", "Ki", "Mi", "Gi", "Ti", "Pi" };
	static const char *const decimal[] = { "", "k", "M", "G", "T", "P" };
	bool bytes = !strncmp(unit, "bytes", 5) || !strcmp(unit, "B") || !strncmp(unit, "B/", 2);
	double step = bytes ? 1024 : 1000;
	size_t i = 0;

	if (isnan(v)) {
		snprintf(buf, 24, "-");
		return;
	}
	if (fabs(v) < 9999.5 && v == floor(v)) {
		snprintf(buf, 24, "%.0f", v);
		return;
	}
	for (; i < 5 && fabs(v) >= (bytes ? 1023.5 : 9999.5); i++)
		v /= step;
	snprintf(buf, 24, fabs(v) < 0.001 ? "%.2g%s" : "%.4g%s", v,
		 bytes ? binary[i] : decimal[i]);
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
