/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The arithmetic behind a verdict; docs/statistics.md derives every rule.
 *
 * Pure functions of their arguments: nothing here reads a file or knows what a metric is. Samples
 * must be finite. A function that cannot answer returns -EDOM (or NAN where it returns a double).
 */
#ifndef VMCOMPARE_STATS_H
#define VMCOMPARE_STATS_H

#include <float.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct estimate {
	double diff;	/* mean(y) - mean(x), or the shift */
	double se;	/* standard error of diff */
	double t;	/* NAN of a shift */
	double df;	/* degrees of freedom, Satterthwaite's for Welch */
	double p;	/* two-sided */
	double lo, hi;	/* confidence interval of diff */
};

/*
 * Two results of the same arithmetic differ by less than this, relative to their size: so much is
 * no difference. Four bits of a double's 52.
 */
#define ROUNDING (16 * DBL_EPSILON)
/* Values that differ by no more than ROUNDING become equal. */
void stats_settle(double **v, size_t n);

struct interval {
	double lo, hi;
};

bool stats_equal(const double *v, size_t n);
bool stats_positive(const double *v, size_t n);
/* The logarithms of positive values; the caller frees them. */
double *stats_logs(const double *v, size_t n);
double stats_mean(const double *v, size_t n);
/* Sample variance (n - 1); exactly 0 when all values are equal, NAN below two values. */
double stats_var(const double *v, size_t n);
double stats_harmonic(const double *v, size_t n);
double stats_geometric(const double *v, size_t n);
/* Quantile q in [0, 1] of sorted values, interpolated as R's type 7. */
double stats_quantile(const double *sorted, size_t n, double q);
void stats_sort(double *v, size_t n);

/*
 * Welch's t test of two samples: Welch 1947, Biometrika 34; two values a side at least. Returns
 * -EDOM when there are fewer or when neither side varies: then no t distribution applies.
 */
int welch_test(const double *x, size_t nx, const double *y, size_t ny, double alpha,
	       struct estimate *e);
/* Student's t test of n pairs y[i] - x[i]. -EDOM also when their differences are all the same. */
int paired_test(const double *x, const double *y, size_t n, double alpha, struct estimate *e);

/*
 * Two-sided permutation test of the difference of means. All splits are enumerated while there
 * are at most PERMUTE_MAX of them; above that 19999 splits are drawn from a fixed seed and *exact
 * becomes false. *least is the smallest p that so many values can reach.
 */
#define PERMUTE_MAX 200000
#define PERMUTE_SEED 1
double permute_test(const double *x, size_t nx, const double *y, size_t ny, double *least,
		    bool *exact);
/* The same for pairs: the signs of the differences are flipped. */
double permute_paired(const double *x, const double *y, size_t n, double *least, bool *exact);

/*
 * Two-sided Mann-Whitney test, exact with ties (the distribution of the rank sum given the
 * midranks) up to 100 values in all; normal above, corrected for ties and continuity.
 */
double mannwhitney_test(const double *x, size_t nx, const double *y, size_t ny);

/*
 * By how much y lies above x. diff is the median of all y[j] - x[i] (Hodges and Lehmann 1963, Ann.
 * Math. Statist. 34), p Mann and Whitney's, lo and hi are Moses' interval, the K-th smallest and
 * the K-th largest difference (Hollander, Wolfe and Chicken, Nonparametric Statistical Methods, ch.
 * 4; K as R's wilcox.test), at a level of 1 - alpha at least. -EDOM when neither side varies, or
 * when so few values cannot reach that level: 3 against 3, or 2 against 7, at 5 %.
 *
 * t, se and df are NAN: ranks have none.
 */
int shift_test(const double *x, size_t nx, const double *y, size_t ny, double alpha,
	       struct estimate *e);
/* Its interval alone, of two one-sided limits at this level each. */
int shift_interval(const double *x, size_t nx, const double *y, size_t ny, double level,
		   struct interval *i);

/* Holm 1979, Scand. J. Statist. 6: adjusts p in place; NAN entries are no hypotheses. */
void holm_adjust(double *p, size_t n);

/*
 * Two-sided p of the least-squares slope of y over x, and the slope. So many means were taken off
 * y: 1 of plain values, else one a group of which y is what is left. -EDOM without a degree of
 * freedom.
 */
int slope_test(const double *x, const double *y, size_t n, size_t means, double alpha,
	       struct estimate *e);

/* The farther end from 0. */
double interval_reach(const struct interval *i);
/* Student's, of two one-sided limits at this level each. */
struct interval t_interval(const struct estimate *e, double level);
/*
 * The shifts of y that a permutation of the difference of means does not refuse, of two one-sided
 * tests: Tritchler 1984, J. Am. Stat. Assoc. 79. Where so few values cannot reach the level, the
 * widest that they have. -EDOM above PERMUTE_INTERVAL_MAX ways.
 */
#define PERMUTE_INTERVAL_MAX 20000
int permute_interval(const double *x, size_t nx, const double *y, size_t ny, double level,
		     double *lo, double *hi);
/* What holds both: of means of boots, whose estimate is Welch's. */
struct interval boots_interval(const double *x, size_t nx, const double *y, size_t ny,
			       const struct estimate *e, double level);
/*
 * Of n rows those are called the same whose bound() is enough at most. The one-sided level at which
 * bounds of all that are called so fail in a fraction alpha at most; 0 when none is.
 */
double same_level(size_t n, double alpha, double enough,
		  double (*bound)(void *arg, size_t i, double level), void *arg);

/*
 * Mann (1945, Econometrica 13) and Kendall's test of y for a trend over x, ties allowed in both:
 * variance of S and correction for continuity as in Kendall 1975, Rank Correlation Methods, ch. 4.
 * -EDOM below three points, above TREND_MAX, or when all x or all y are equal.
 */
#define TREND_MAX 512
struct kendall {
	double s;	/* concordant less discordant pairs */
	double tau;	/* tau-b, -1 to 1 */
	double z, p;	/* two-sided */
};

int kendall_test(const double *x, const double *y, size_t n, struct kendall *k);
/* Student's interval of the mean; -EDOM and NAN below two values. */
int mean_interval(const double *v, size_t n, double alpha, double *lo, double *hi);
/* Median slope over pairs of different x: Sen 1968, J. Am. Stat. Assoc. 63. NAN above TREND_MAX. */
double theil_sen(const double *x, const double *y, size_t n);

/* Grubbs 1969, Technometrics 11: two-sided p of the farthest of n >= 3 values as an outlier. */
double grubbs_test(const double *v, size_t n);

/* Ways to choose k of n, saturating at SIZE_MAX. */
size_t choose(size_t n, size_t k);
/* Next k-subset of 0..n-1 in lexical order in idx; false after the last. */
bool subset_next(size_t *idx, size_t k, size_t n);

#endif
