// SPDX-License-Identifier: GPL-2.0
/*
 * settings: the machine before and after a test. What a test changes is in the journal, which puts
 * it back. Whatever else is different afterwards was changed by another program, or by a test that
 * went around the journal: nobody can tell which, so it is reported and left alone.
 */
#include <errno.h>
#include <string.h>

#include <libmm/restore.h>
#include <vmtests/known_settings.h>

#include "ctl.h"

static int note_setting(const char *path, const char *value, void *arg)
{
	return json_object_set_new(arg, path, json_string(value));
}

json_t *settings_snapshot(void)
{
	json_t *all = json_object();

	if (all && known_settings_each(note_setting, all)) {
		json_decref(all);
		return NULL;
	}
	return all;
}

int settings_compare(const json_t *before,
		     void (*changed)(const char *path, const char *was, const char *is, void *arg),
		     void *arg)
{
	json_t *now = settings_snapshot();
	const char *path;
	json_t *old;

	if (!now)
		return -ENOMEM;
	json_object_foreach((json_t *)before, path, old) {
		const char *is = json_string_value(json_object_get(now, path));
		const char *was = json_string_value(old);

		if (!is || !was || strcmp(is, was))
			changed(path, was ? was : "absent", is ? is : "gone", arg);
	}
	json_decref(now);
	return 0;
}
