// SPDX-License-Identifier: GPL-2.0
/*
 * settings: the machine before and after a test. Tests change settings through libmm/restore.h,
 * which puts them back; this catches one that went around it.
 */
#include <string.h>

#include <libmm/restore.h>
#include <vmtests/known_settings.h>
#include <libmm/sysfile.h>

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

int settings_put_back(const json_t *before,
		      void (*changed)(const char *path, const char *was, const char *is, void *arg),
		      void *arg)
{
	json_t *now = settings_snapshot();
	int differences = 0;
	const char *path;
	json_t *old;

	if (!now)
		return 0;
	json_object_foreach((json_t *)before, path, old) {
		const char *is = json_string_value(json_object_get(now, path));
		const char *was = json_string_value(old);

		if (is && was && !strcmp(is, was))
			continue;
		differences++;
		changed(path, was, is ? is : "gone", arg);
		if (is && was && __sysfile_write(path, was))
			ctl_error("%s is %s and could not be set back to %s", path, is, was);
	}
	json_decref(now);
	return differences;
}
