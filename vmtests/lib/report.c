// SPDX-License-Identifier: GPL-2.0
/*
 * report: append samples to samples.jsonl.
 */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include <vmtests/jsonl.h>
#include <vmtests/report.h>

#include <vmtests/grammar.h>

#define SAMPLES_NAME "samples.jsonl"

struct report {
	int fd;			/* of samples.jsonl; -1: print comments instead */
	unsigned int run;
	char *bench;
};

struct sample {
	const char *kase;
	const char *metric;
	const char *unit;
	enum report_better better;
	double value;
	unsigned int rep;
};

static int sample_check(const struct sample *s)
{
	if (!name_valid(s->kase) || !name_valid(s->metric) || !unit_valid(s->unit))
		return -EINVAL;
	return isfinite(s->value) ? 0 : -ERANGE;
}

static int run_number(unsigned int *run)
{
	const char *text = getenv("VMTESTS_RUN");
	unsigned long number;
	char *end;

	*run = 0;
	if (!text || !*text)
		return 0;
	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	number = strtoul(text, &end, 10);
	if (errno || *end || number > INT32_MAX)
		return -EINVAL;
	*run = number;
	return 0;
}

static double seconds_since_boot(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* JSON integers of jansson are signed; a bound beyond them keeps its magnitude as a real. */
static json_t *json_u64(uint64_t value)
{
	return value <= INT64_MAX ? json_integer(value) : json_real(value);
}

static json_t *buckets_json(const struct hist *h)
{
	json_t *buckets = json_array();
	uint64_t lower, upper;

	for (size_t i = 0; buckets && i < HIST_BUCKETS; i++) {
		if (!h->bucket[i])
			continue;
		hist_bucket_range(i, &lower, &upper);
		if (json_array_append_new(buckets, json_pack("[o, o]", json_u64(upper),
							     json_u64(h->bucket[i])))) {
			json_decref(buckets);
			return NULL;
		}
	}
	return buckets;
}

static json_t *hist_json(const struct hist *h, const char *unit)
{
	return json_pack("{s:s, s:f, s:o}", "unit", unit, "error", HIST_MAX_ERROR,
			 "buckets", buckets_json(h));
}

static json_t *sample_json(const struct report *r, const struct sample *s)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:f, s:I, s:I, s:f}", "bench", r->bench,
			 "case", s->kase, "metric", s->metric, "unit", s->unit,
			 "better", s->better == REPORT_LOWER ? "lower" : "higher",
			 "value", s->value, "rep", (json_int_t)s->rep, "run", (json_int_t)r->run,
			 "t", seconds_since_boot());
}

static int sample_write(struct report *r, const struct sample *s, const struct hist *hist,
			const char *hist_unit)
{
	json_t *object;
	int err;

	err = sample_check(s);
	if (!err && hist && !unit_valid(hist_unit))
		err = -EINVAL;
	if (err)
		return err;

	if (r->fd < 0) {
		printf("# %s %s %.6g %s\n", s->kase, s->metric, s->value, s->unit);
		return ferror(stdout) ? -EIO : 0;
	}

	object = sample_json(r, s);
	if (!object || (hist && json_object_set_new(object, "hist", hist_json(hist, hist_unit)))) {
		json_decref(object);
		return -ENOMEM;
	}
	err = __jsonl_append(r->fd, object);
	json_decref(object);
	return err;
}

int __report_open(struct report **out, const char *bench)
{
	const char *dir = getenv("VMTESTS_OUT");
	struct report *r;
	int err;

	if (!bench_valid(bench))
		return -EINVAL;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;

	r->fd = -1;
	r->bench = strdup(bench);
	err = r->bench ? run_number(&r->run) : -ENOMEM;
	if (!err && dir && *dir) {
		r->fd = __jsonl_open(dir, SAMPLES_NAME);
		err = r->fd < 0 ? r->fd : 0;
	}
	if (err) {
		report_close(r);
		return err;
	}
	*out = r;
	return 0;
}

int __report_sample(struct report *r, const char *kase, const char *metric, const char *unit,
		    enum report_better better, double value, unsigned int rep)
{
	const struct sample s = { kase, metric, unit, better, value, rep };

	return sample_write(r, &s, NULL, NULL);
}

int __report_hist(struct report *r, const char *kase, const char *metric, const char *unit,
		  enum report_better better, double value, unsigned int rep,
		  const struct hist *hist, const char *hist_unit)
{
	const struct sample s = { kase, metric, unit, better, value, rep };

	return sample_write(r, &s, hist, hist_unit);
}

void report_close(struct report *r)
{
	if (!r)
		return;
	if (r->fd >= 0)
		close(r->fd);
	free(r->bench);
	free(r);
}
