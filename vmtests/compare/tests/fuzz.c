// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer target. The first byte picks the file that the rest stands for, samples, run.json or
 * verdicts, for three boots of up to three labels, then the forms of the report that need no
 * gnuplot are written. The rest is also read as each of the files of perf/ and fio/ and as one of
 * ktap/, for the first boot, and as two kernel configurations.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "export/export.h"
#include "load/load.h"
#include "model/config.h"
#include "model/report.h"
#include "report/forms.h"

#define BOOTS 3	/* a side: fewer have no verdicts */

static const char run_base[] =
	"{\"schema\":1,\"boot_id\":\"b\",\"kernel\":{},\"cpu\":{},\"memory\":{}}";

static int memory_file(const void *data, size_t size)
{
	int fd = memfd_create("fuzz", 0);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET))
		abort();
	return fd;
}

static int read_part(struct dataset *ds, struct boot *boot, int part, const uint8_t *data,
		     size_t size)
{
	int fd = memory_file(data, size), ret;

	ret = part == 0 ? samples_read(ds, boot, fd, "fuzz") :
	      part == 1 ? run_read(boot, fd, "fuzz") : outcomes_read(boot, fd, "fuzz");
	close(fd);
	return ret;
}

static int boot_make(struct dataset *ds, struct boot *boot, size_t i, const uint8_t *data,
		     size_t size)
{
	int part = data[0] % 3;

	boot->id = xasprintf("boot%zu", i);
	boot->path = xasprintf("path%zu", i);
	boot->started = i;
	if (part != 1 && read_part(ds, boot, 1, (const uint8_t *)run_base, sizeof(run_base) - 1))
		return -1;
	if (read_part(ds, boot, part, data + 1, size - 1))
		return -1;
	return samples_finish(ds, boot);
}

static void option_ignore(void *arg, const char *name, const char *base, const char *new)
{
	size_t *n = arg;

	*n += strlen(name) + strlen(base) + strlen(new);
}

/* Two halves as two configurations; that of both with itself has no difference. */
static void config_try(const uint8_t *data, size_t size)
{
	char *a = xcalloc(size + 1, 1), *b = xcalloc(size + 1, 1);
	size_t text = 0;

	memcpy(a, data, size / 2);
	memcpy(b, data + size / 2, size - size / 2);
	config_compare(a, b, option_ignore, &text);
	if (config_compare(a, a, option_ignore, &text))
		abort();
	free(a);
	free(b);
}

/* One refused leaves what was read of it. */
static void extras_try(struct dataset *ds, struct boot *boot, const uint8_t *data, size_t size)
{
	for (int kind = EXTRA_COUNTER; kind <= EXTRA_FIO; kind++) {
		int fd = memory_file(data, size);

		extras_file(ds, boot, kind, fd, "test", "fuzz");
		close(fd);
	}
}

static void ktap_try(struct boot *boot, const uint8_t *data, size_t size)
{
	int fd = memory_file(data, size);

	ktap_file(boot, fd, "fuzz");
	close(fd);
}

static void write_all(const struct dataset *ds)
{
	const struct options opt = { .alpha = 0.05 };
	struct report r;
	FILE *out = fopen("/dev/null", "w");

	if (!report_make(&r, ds, &opt)) {
		const struct view view = { .r = &r, .aa = true, .verbose = true, .out = out };

		text_write(&view);
		markdown_write(&view);
		json_write(&view);
	}
	kcidb_export(ds, "fuzz", out);
	squad_export(ds, "fuzz", out);
	lava_export(ds, "fuzz", out);
	tmt_export(ds, "fuzz", out);
	report_free(&r);
	fclose(out);
}

/* Scanner and jansson must agree on every line: accepted or not, and as which sample. */
static void lines_agree(const uint8_t *data, size_t size)
{
	const uint8_t *end = data + size;

	while (data < end) {
		const uint8_t *stop = memchr(data, '\n', end - data);
		size_t len = (stop ? stop : end) - data;
		struct dataset fast = { 0 }, slow = { 0 };
		struct boot a = { 0 }, b = { 0 };
		char *line = xcalloc(len + 1, 1);

		memcpy(line, data, len);
		if (samples_line(&fast, &a, line, len, "fast") !=
		    samples_line_json(&slow, &b, line, len, "slow"))
			abort();
		if (a.samples != b.samples ||
		    (a.samples && (strcmp(fast.rows->metric, slow.rows->metric) ||
				   strcmp(fast.rows->unit, slow.rows->unit) ||
				   memcmp(a.series->v, b.series->v, sizeof(*a.series->v)))))
			abort();
		boot_free(&a);
		boot_free(&b);
		dataset_free(&fast);
		dataset_free(&slow);
		free(line);
		data += len + 1;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dataset ds = { 0 };
	size_t labels, cut;
	bool good = true;

	fail_quiet = true;
	if (size < 2)
		return 0;
	if (data[0] % 3 == 0)
		lines_agree(data + 1, size - 1);
	config_try(data + 1, size - 1);
	labels = 1 + data[0] / 3 % 3;
	cut = 1 + (size - 1) / 2;
	ds.labels = xcalloc(labels, sizeof(*ds.labels));
	ds.nlabels = labels;
	for (size_t l = 0; l < labels; l++) {
		ds.labels[l].name = xasprintf("label%zu", l);
		ds.labels[l].n = BOOTS;
		ds.labels[l].boots = xcalloc(BOOTS, sizeof(*ds.labels[l].boots));
		for (size_t b = 0; good && b < BOOTS; b++)
			good = !boot_make(&ds, &ds.labels[l].boots[b], BOOTS * l + b, data,
					  data[0] > 128 && (l + b) % 2 ? cut + 1 : size);
	}
	if (good) {
		extras_try(&ds, &ds.labels[0].boots[0], data + 1, size - 1);
		ktap_try(&ds.labels[0].boots[0], data + 1, size - 1);
	}
	if (good)
		write_all(&ds);
	dataset_free(&ds);
	return 0;
}
