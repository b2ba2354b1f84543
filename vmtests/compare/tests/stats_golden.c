// SPDX-License-Identifier: GPL-2.0
/* Compares stats/ with the values that golden.R took from R. */
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stats/stats.h"
#include "util.h"

#define MANY 64
#define CLOSE (1 / 1e10)	/* relative, to what R says */

static size_t checks, failures;

static void near(const char *what, size_t line, double got, double want, double relative)
{
	checks++;
	if (fabs(got - want) <= relative * fmax(fabs(want), DBL_MIN))
		return;
	failures++;
	fprintf(stderr, "stats.txt:%zu: %s: %.17g, R has %.17g\n", line, what, got, want);
}

static bool numbers(char **at, double *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char *end;

		v[i] = strtod(*at, &end);
		if (end == *at)
			return false;
		*at = end;
	}
	return true;
}

static bool list(char **at, double *v, size_t *n)
{
	double count;

	if (!numbers(at, &count, 1) || count < 0 || count > MANY)
		return false;
	*n = count;
	return numbers(at, v, *n);
}

static void estimate_near(const char *what, size_t line, const struct estimate *e, const double *r)
{
	near(what, line, e->t, r[0], CLOSE);
	near(what, line, e->df, r[1], CLOSE);
	near(what, line, e->p, r[2], CLOSE);
	near(what, line, e->lo, r[3], CLOSE);
	near(what, line, e->hi, r[4], CLOSE);
}

static bool check_line(const char *tag, char *at, size_t line)
{
	double x[MANY], y[MANY], r[6], lo, hi, least;
	size_t nx, ny;
	struct estimate e;
	struct kendall k;
	bool exact;

	if (!list(&at, x, &nx) || !list(&at, y, &ny))
		return false;
	if (!strcmp(tag, "holm")) {
		holm_adjust(x, nx);
		for (size_t i = 0; i < nx; i++)
			near(tag, line, x[i], y[i], 1 / 1e15);
	} else if (!strcmp(tag, "ranks")) {
		if (!numbers(&at, r, 2))
			return false;
		near("permutation", line, permute_test(x, nx, y, ny, &least, &exact), r[0], CLOSE);
		near("Mann-Whitney", line, mannwhitney_test(x, nx, y, ny), r[1], CLOSE);
	} else if (!strcmp(tag, "slope")) {
		if (!numbers(&at, r, 3) || slope_test(x, y, nx, 1, 0.05, &e))
			return false;
		near(tag, line, e.diff, r[0], CLOSE);
		near(tag, line, e.se, r[1], CLOSE);
		near(tag, line, e.p, r[2], CLOSE);
	} else if (!strcmp(tag, "shift")) {
		if (!numbers(&at, r, 4) || shift_test(x, nx, y, ny, 0.05, &e))
			return false;
		near(tag, line, e.diff, r[0], CLOSE);
		near("p of the shift", line, e.p, r[1], CLOSE);
		near("interval of the shift", line, e.lo, r[2], CLOSE);
		near("interval of the shift", line, e.hi, r[3], CLOSE);
	} else if (!strcmp(tag, "trend")) {
		if (!numbers(&at, r, 6) || kendall_test(x, y, nx, &k) ||
		    mean_interval(y, ny, 0.05, &lo, &hi))
			return false;
		near("tau", line, k.tau, r[0], CLOSE);
		near("z", line, k.z, r[1], CLOSE);
		near("p of tau", line, k.p, r[2], CLOSE);
		near("Theil-Sen", line, theil_sen(x, y, nx), r[3], CLOSE);
		near("interval", line, lo, r[4], CLOSE);
		near("interval", line, hi, r[5], CLOSE);
	} else {
		if (!numbers(&at, r, 5) ||
		    (!strcmp(tag, "paired") ? paired_test(x, y, nx, 0.05, &e) :
					      welch_test(x, nx, y, ny, 0.05, &e)))
			return false;
		estimate_near(tag, line, &e, r);
	}
	return true;
}

int main(int argc, char **argv)
{
	char *name = xasprintf("%s/stats.txt", argc > 1 ? argv[1] : "."), *text = NULL;
	size_t cap = 0, line = 0;
	FILE *in = fopen(name, "re");

	if (!in) {
		fprintf(stderr, "%s: opening: %s\n", name, strerror(errno));
		return 1;
	}
	while (getline(&text, &cap, in) > 0) {
		char tag[16];

		line++;
		if (sscanf(text, "%15s", tag) != 1 || !check_line(tag, text + strlen(tag), line)) {
			fprintf(stderr, "%s:%zu: not a record\n", name, line);
			failures++;
		}
	}
	fclose(in);
	free(text);
	free(name);
	printf("%zu values against R, %zu differ\n", checks, failures);
	return !checks || failures;
}
