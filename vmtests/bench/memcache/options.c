// SPDX-License-Identifier: GPL-2.0
/*
 * options: see options.h.
 *
 *   --rate N                 $VMTESTS_MEMCACHE_RATE       requests/s of the open loop
 *   --baseline DIR           $VMTESTS_MEMCACHE_BASELINE   ... from the label in DIR
 *   --share F                $VMTESTS_MEMCACHE_SHARE      ... this share of its ops_per_sec
 *   --loops closed|both      $VMTESTS_MEMCACHE_LOOPS      both by default
 *   --external ADDRESS:PORT                               measure a server that runs already
 *   --external-pid PID                                    ... and is this process
 *   --gets-per-set N                                      ... with another mix; 0: no sets
 *   --serve PORT                                          only serve; 0 is any free port
 */
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libmm/base.h>

#include "options.h"

#define DEFAULT_SHARE 0.5
#define DEFAULT_GETS_PER_SET 30	/* as in ETC, see keys.c */

static bool number_parse(const char *text, double least, double most, double *number)
{
	char *end;

	*number = strtod(text, &end);
	return end != text && !*end && *number >= least && *number <= most;
}

static bool rate_parse(struct memcache_options *o, const char *text)
{
	return number_parse(text, 1, 1e9, &o->rate);
}

static bool baseline_parse(struct memcache_options *o, const char *text)
{
	o->baseline = text;
	return *text;
}

static bool share_parse(struct memcache_options *o, const char *text)
{
	return number_parse(text, 0.001, 1, &o->share);
}

static bool loops_parse(struct memcache_options *o, const char *text)
{
	o->closed_only = !strcmp(text, "closed");
	return o->closed_only || !strcmp(text, "both");
}

static bool external_parse(struct memcache_options *o, const char *text)
{
	const char *colon = strrchr(text, ':');
	char host[INET_ADDRSTRLEN];
	double port;

	if (!colon || (size_t)(colon - text) >= sizeof(host) ||
	    !number_parse(colon + 1, 1, UINT16_MAX, &port))
		return false;
	memcpy(host, text, colon - text);
	host[colon - text] = '\0';
	o->external = true;
	o->server.sin_family = AF_INET;
	o->server.sin_port = htons(port);
	return inet_pton(AF_INET, host, &o->server.sin_addr) == 1;
}

static bool external_pid_parse(struct memcache_options *o, const char *text)
{
	double pid;

	if (!number_parse(text, 1, INT_MAX, &pid))
		return false;
	o->external_pid = pid;
	return true;
}

static bool gets_per_set_parse(struct memcache_options *o, const char *text)
{
	double gets;

	if (!number_parse(text, 0, 1e6, &gets))
		return false;
	o->gets_per_set = gets > 0 ? gets : UINT_MAX;
	return true;
}

static bool serve_parse(struct memcache_options *o, const char *text)
{
	double port;

	if (!number_parse(text, 0, UINT16_MAX, &port))
		return false;
	o->serve = true;
	o->port = port;
	return true;
}

static const struct option_word {
	const char *word;
	const char *variable;
	const char *wants;
	bool (*parse)(struct memcache_options *o, const char *text);
} words[] = {
	{ "--rate", "VMTESTS_MEMCACHE_RATE", "requests/s, from 1 to 1e9", rate_parse },
	{ "--baseline", "VMTESTS_MEMCACHE_BASELINE", "results/LABEL", baseline_parse },
	{ "--share", "VMTESTS_MEMCACHE_SHARE", "a number from 0.001 to 1", share_parse },
	{ "--loops", "VMTESTS_MEMCACHE_LOOPS", "closed or both", loops_parse },
	{ "--external", NULL, "IPv4-ADDRESS:PORT", external_parse },
	{ "--external-pid", NULL, "a process id", external_pid_parse },
	{ "--gets-per-set", NULL, "0 (no sets) to 1e6", gets_per_set_parse },
	{ "--serve", NULL, "a port, or 0", serve_parse },
};

static int word_apply(struct memcache_options *o, const struct option_word *word,
		      const char *name, const char *text)
{
	if (text && word->parse(o, text))
		return 0;
	fprintf(stderr, "memcache_pressure: %s %s: wants %s\n", name, text ? text : "",
		word->wants);
	return -EINVAL;
}

static int environment_take(struct memcache_options *o)
{
	size_t i;
	int err = 0;

	for (i = 0; i < ARRAY_SIZE(words) && !err; i++) {
		const char *text = words[i].variable ? getenv(words[i].variable) : NULL;

		if (text && *text)
			err = word_apply(o, &words[i], words[i].variable, text);
	}
	return err;
}

static const struct option_word *word_find(const char *text)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcmp(words[i].word, text))
			return &words[i];
	return NULL;
}

int __memcache_options_take(struct memcache_options *o, int argc, char **argv)
{
	int i, kept = 1, err;

	*o = (struct memcache_options){
		.share = DEFAULT_SHARE, .gets_per_set = DEFAULT_GETS_PER_SET,
	};
	err = environment_take(o);
	for (i = 1; i < argc && !err; i++) {
		const struct option_word *word = word_find(argv[i]);

		if (!word) {
			argv[kept++] = argv[i];
			continue;
		}
		err = word_apply(o, word, argv[i], argv[i + 1]);
		i++;
	}
	argv[kept] = NULL;
	if (!err && !o->external && o->gets_per_set != DEFAULT_GETS_PER_SET) {
		fprintf(stderr, "memcache_pressure: --gets-per-set: only with --external\n");
		err = -EINVAL;
	}
	return err ? err : kept;
}
