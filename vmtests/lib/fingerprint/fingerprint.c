// SPDX-License-Identifier: GPL-2.0
/*
 * fingerprint: who this kernel and this machine are.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include <vmtests/fingerprint.h>
#include <libmm/restore.h>
#include <vmtests/known_settings.h>
#include <libmm/sysfile.h>

#include "fingerprint_parts.h"

#define KB 1024ull

/* x86's arch_report_meminfo(); 32-bit kernels without PAE have 4M instead of 2M. */
static const struct directmap_key {
	const char *key;
	const char *level;
} directmap_keys[] = {
	{ "DirectMap4k", "4k" },
	{ "DirectMap2M", "2M" },
	{ "DirectMap4M", "4M" },
	{ "DirectMap1G", "1G" },
};

static json_t *directmap(void)
{
	json_t *object = json_object();
	uint64_t kb;

	for (size_t i = 0; object && i < sizeof(directmap_keys) / sizeof(*directmap_keys); i++) {
		if (__sysfile_read_key("/proc/meminfo", directmap_keys[i].key, &kb))
			continue;
		json_object_set_new(object, directmap_keys[i].level, json_integer(kb * KB));
	}
	if (!object || json_object_size(object))
		return object;
	json_decref(object);
	return json_null();
}

static int setting_add(const char *path, const char *value, void *arg)
{
	return json_object_set_new(arg, path, fp_text(value)) ? -ENOMEM : 0;
}

static json_t *settings(void)
{
	json_t *object = json_object();
	int err;

	if (!object)
		return NULL;
	err = known_settings_each(setting_add, object);
	if (!err)
		return object;
	json_decref(object);
	return err == -ENOMEM ? NULL : json_null();
}

/*
 * x86 says at boot what it did with its read-only data (mark_rodata_ro() in arch/x86/mm/init_64.c,
 * init/main.c), whatever the command line asked for. arm64 says nothing: only the permissions in
 * its page tables tell.
 */
const char *fingerprint_rodata(void)
{
	static const char *const protected[] = {
		"Write protecting the kernel read-only data", NULL,
	};
	static const char *const disabled[] = { "Kernel memory protection disabled", NULL };

	if (fp_boot_log_has(protected) > 0)
		return "on";
	if (fp_boot_log_has(disabled) > 0)
		return "off";
	return "unknown";
}

json_t *fingerprint_machine(void)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:s}", "kernel", fp_kernel(), "cpu", fp_cpu(),
			 "memory", fp_memory(), "settings", settings(), "directmap", directmap(),
			 "rodata", fingerprint_rodata());
}
