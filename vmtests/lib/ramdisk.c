// SPDX-License-Identifier: GPL-2.0
/*
 * ramdisk: a block device in the kernel's own memory.
 *
 * brd copies between the caller's pages and its own in the caller's context (brd_submit_bio()),
 * both through the linear map, and nothing else. null_blk goes through the block layer's queues
 * first, so the two are not to be compared with each other. A loop device would add a file system
 * and its page cache, and is never used.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <libmm/fail.h>
#include <vmtests/ramdisk.h>
#include <libmm/base.h>
#include <vmtests/module.h>
#include <vmtests/undo.h>

static int brd_load(uint64_t bytes)
{
	char size[48];
	const char *const options[] = { "rd_nr=1", size, NULL };

	/* In KiB. */
	snprintf(size, sizeof(size), "rd_size=%" PRIu64, (bytes + 1023) >> 10);
	return __undo_module_load("brd", options);
}

static int null_blk_load(uint64_t bytes)
{
	char size[48];
	const char *const options[] = { "nr_devices=1", "memory_backed=1", size, NULL };

	snprintf(size, sizeof(size), "gb=%" PRIu64, (bytes + (1 << 30) - 1) >> 30);
	return __undo_module_load("null_blk", options);
}

static const struct ramdisk {
	const char *module, *path;
	int (*load)(uint64_t bytes);
} ramdisks[] = {
	{ "brd", "/dev/ram0", brd_load },
	{ "null_blk", "/dev/nullb0", null_blk_load },
};

static struct probe ramdisk_probe(const struct ramdisk *ramdisk)
{
	if (undo_module_present(ramdisk->module))
		return probe_no("is loaded or built in already, with devices of another size");
	return module_probe(ramdisk->module);
}

int __ramdisk_make(uint64_t bytes, char *path, size_t size, char *reason, size_t len)
{
	const struct ramdisk *ramdisk = NULL;
	size_t used = 0;
	int ret;

	*reason = '\0';
	for (size_t i = 0; !ramdisk && i < ARRAY_SIZE(ramdisks); i++) {
		const struct probe probe = ramdisk_probe(&ramdisks[i]);

		if (probe.answer == PROBE_YES)
			ramdisk = &ramdisks[i];
		else if (used < len)
			used += (size_t)snprintf(reason + used, len - used, "%s%s: %s",
						 used ? "; " : "no RAM disk: ", ramdisks[i].module,
						 probe.why);
	}
	if (!ramdisk)
		return -ENODEV;
	if (strlen(ramdisk->path) >= size)
		return -ENAMETOOLONG;
	strcpy(path, ramdisk->path);
	ret = ramdisk->load(bytes);
	if (ret)
		return libmm_refuse(ret, reason, len, "cannot load %s", ramdisk->module);
	if (access(path, F_OK))
		return libmm_refuse(-errno, reason, len, "%s is loaded and made no %s",
				    ramdisk->module, path);
	return 0;
}
