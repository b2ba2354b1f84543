// SPDX-License-Identifier: GPL-2.0
/*
 * fio: run one job file and read its JSON by field.
 *
 * fio writes its JSON to a file of its own, so that nothing it says can get into it. Such a file
 * may begin with a note ("fio: ..."), which is skipped; --status-interval, which makes several
 * documents of it, is never given. It gets its name when fio has ended well, so that no reader
 * finds half of one after an interruption.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>
#include <vmtests/fio.h>
#include <vmtests/undo.h>

static size_t env_length(char *const env[])
{
	size_t n = 0;

	while (env && env[n])
		n++;
	return n;
}

/* The caller's environment with the assignments of @extra in place of its own. */
static char **env_join(const char *const *extra)
{
	size_t n = env_length(environ), m = env_length((char *const *)extra), used = 0;
	char **env = calloc(n + m + 1, sizeof(*env));

	if (!env)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		bool replaced = false;

		for (size_t j = 0; !replaced && j < m; j++) {
			size_t name = strcspn(extra[j], "=") + 1;

			replaced = !strncmp(environ[i], extra[j], name);
		}
		if (!replaced)
			env[used++] = environ[i];
	}
	for (size_t j = 0; j < m; j++)
		env[used++] = (char *)extra[j];
	return env;
}

static json_t *document_load(const char *path)
{
	FILE *file = fopen(path, "re");
	json_t *root;
	int c;

	if (!file)
		return NULL;
	while ((c = getc(file)) != EOF && c != '{')
		;
	if (c == EOF || ungetc(c, file) == EOF) {
		fclose(file);
		return NULL;
	}
	root = json_loadf(file, JSON_DISABLE_EOF_CHECK, NULL);
	fclose(file);
	return root;
}

/* A number of object @from, or NAN when there is none. */
static double number_get(const json_t *from, const char *key)
{
	const json_t *number = json_object_get(from, key);

	return json_is_number(number) ? json_number_value(number) : NAN;
}

static int result_read(const json_t *job, enum fio_direction direction, struct fio_result *result)
{
	const json_t *side = json_object_get(job, direction == FIO_READ ? "read" : "write");
	const json_t *clat = json_object_get(side, "clat_ns");
	const json_t *percentile = json_object_get(clat, "percentile");
	const json_t *error = json_object_get(job, "error");
	const json_t *bytes = json_object_get(side, "io_bytes");

	*result = (struct fio_result) {
		.iops = number_get(side, "iops"),
		.bw_bytes = number_get(side, "bw_bytes"),
		.io_bytes = (uint64_t)json_integer_value(bytes),
		.clat_mean_ns = number_get(clat, "mean"),
		.clat_p50_ns = number_get(percentile, "50.000000"),
		.clat_p99_ns = number_get(percentile, "99.000000"),
		.clat_p999_ns = number_get(percentile, "99.900000"),
	};
	if (!json_is_integer(error) || !json_is_integer(bytes) || isnan(result->iops) ||
	    isnan(result->bw_bytes) || isnan(result->clat_mean_ns) || isnan(result->clat_p50_ns) ||
	    isnan(result->clat_p99_ns) || isnan(result->clat_p999_ns))
		return -EPROTO;
	return json_integer_value(error) || !result->io_bytes ? -EIO : 0;
}

int __fio_parse(const char *json_path, enum fio_direction direction, struct fio_result *result)
{
	json_t *root = document_load(json_path);
	json_t *jobs = json_object_get(root, "jobs");
	int ret = -EPROTO;

	if (json_array_size(jobs) == 1)
		ret = result_read(json_array_get(jobs, 0), direction, result);
	json_decref(root);
	return ret;
}

int __fio_run(const char *job, enum fio_direction direction, const char *const *env,
	      const char *json_path, struct fio_result *result)
{
	const char *dir = getenv("VMTESTS_FIO_JOBS");
	char job_path[PATH_MAX], part[PATH_MAX], output[PATH_MAX + 16];
	char *const argv[] = { "fio", "--output-format=json", output, job_path, NULL };
	char **joined;
	int ret;

	if (!dir)
		return -ENOENT;
	ret = snprintf(job_path, sizeof(job_path), "%s/%s.fio", dir, job);
	if (ret < 0 || (size_t)ret >= sizeof(job_path))
		return -ENAMETOOLONG;
	ret = snprintf(part, sizeof(part), "%s.part", json_path);
	if (ret < 0 || (size_t)ret >= sizeof(part))
		return -ENAMETOOLONG;
	snprintf(output, sizeof(output), "--output=%s", part);
	if (access(job_path, R_OK))
		return -errno;

	joined = env_join(env);
	if (!joined)
		return -ENOMEM;
	/* What fio prints besides belongs to no one's KTAP: to stderr. */
	ret = __undo_process_run(argv, joined, -1, STDERR_FILENO, false);
	free(joined);
	if (ret)
		return ret < 0 ? ret : -EIO;
	if (rename(part, json_path))
		return -errno;
	return __fio_parse(json_path, direction, result);
}
