// SPDX-License-Identifier: GPL-2.0
/* Units, as docs/results.md has them. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "model/units.h"
#include "util.h"

enum unit_kind unit_kind(const char *unit)
{
	static const char *const times[] = {
		"s", "ms", "us", "ns", "ps", "min", "h", "cycle", "cycles", "jiffies", "seconds",
	};
	static const char *const ratios[] = { "1", "%", "x", "ratio", "percent" };
	const char *slash = strrchr(unit, '/');
	size_t len = strcspn(unit, "/");

	if (slash)
		for (size_t i = 0; i < ARRAY_SIZE(times); i++)
			if (!strcmp(slash + 1, times[i]))
				return UNIT_RATE;
	if (!strcasecmp(unit, "iops") || !strcmp(unit, "Hz"))
		return UNIT_RATE;
	for (size_t i = 0; i < ARRAY_SIZE(times); i++)
		if (!strncmp(unit, times[i], len) && !times[i][len])
			return UNIT_TIME;
	for (size_t i = 0; i < ARRAY_SIZE(ratios); i++)
		if (!strcmp(unit, ratios[i]))
			return UNIT_RATIO;
	return UNIT_COUNT;
}

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
