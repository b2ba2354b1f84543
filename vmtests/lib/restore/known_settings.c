// SPDX-License-Identifier: GPL-2.0
/* known_settings: see vmtests/known_settings.h. */
#include <errno.h>
#include <glob.h>
#include <string.h>

#include <libmm/base.h>
#include <libmm/sysfile.h>
#include <vmtests/known_settings.h>
#include <vmtests/setting.h>

/*
 * What a test of kernel memory may want to change: huge pages of every kind, how memory is
 * reclaimed, compacted, overcommitted and placed, the BPF JIT (whose memory is a lever on the
 * linear map), and what perf and address randomization do to a measurement. Left out: files that
 * start an action when written (drop_caches, compact_memory), which have no value to put back.
 */
static const char * const known_settings[] = {
	"/sys/kernel/mm/hugepages/hugepages-*/nr_hugepages",
	"/sys/kernel/mm/hugepages/hugepages-*/nr_overcommit_hugepages",
	"/sys/kernel/mm/hugepages/hugepages-*/demote_size",
	"/sys/devices/system/node/node*/hugepages/hugepages-*/nr_hugepages",
	"/proc/sys/vm/nr_hugepages",
	"/proc/sys/vm/nr_overcommit_hugepages",
	"/proc/sys/vm/hugetlb_optimize_vmemmap",
	"/sys/kernel/mm/transparent_hugepage/enabled",
	"/sys/kernel/mm/transparent_hugepage/defrag",
	"/sys/kernel/mm/transparent_hugepage/shmem_enabled",
	"/sys/kernel/mm/transparent_hugepage/use_zero_page",
	"/sys/kernel/mm/transparent_hugepage/shrink_underused",
	"/sys/kernel/mm/transparent_hugepage/hugepages-*/enabled",
	"/sys/kernel/mm/transparent_hugepage/hugepages-*/shmem_enabled",
	"/sys/kernel/mm/transparent_hugepage/khugepaged/alloc_sleep_millisecs",
	"/sys/kernel/mm/transparent_hugepage/khugepaged/defrag",
	"/sys/kernel/mm/transparent_hugepage/khugepaged/max_ptes_*",
	"/sys/kernel/mm/transparent_hugepage/khugepaged/pages_to_scan",
	"/sys/kernel/mm/transparent_hugepage/khugepaged/scan_sleep_millisecs",
	"/sys/kernel/mm/ksm/run",
	"/sys/kernel/mm/lru_gen/enabled",
	"/sys/kernel/mm/lru_gen/min_ttl_ms",
	"/sys/kernel/mm/numa/demotion_enabled",
	"/proc/sys/net/core/bpf_jit_enable",
	"/proc/sys/net/core/bpf_jit_harden",
	"/proc/sys/net/core/bpf_jit_limit",
	"/proc/sys/net/core/optmem_max",
	"/proc/sys/vm/compaction_proactiveness",
	"/proc/sys/vm/compact_unevictable_allowed",
	"/proc/sys/vm/defrag_mode",
	"/proc/sys/vm/extfrag_threshold",
	"/proc/sys/vm/max_map_count",
	"/proc/sys/vm/min_free_kbytes",
	"/proc/sys/vm/overcommit_kbytes",
	"/proc/sys/vm/overcommit_memory",
	"/proc/sys/vm/overcommit_ratio",
	"/proc/sys/vm/page-cluster",
	"/proc/sys/vm/percpu_pagelist_high_fraction",
	"/proc/sys/vm/stat_interval",
	"/proc/sys/vm/swappiness",
	"/proc/sys/vm/unprivileged_userfaultfd",
	"/proc/sys/vm/vfs_cache_pressure",
	"/proc/sys/vm/watermark_boost_factor",
	"/proc/sys/vm/watermark_scale_factor",
	"/proc/sys/vm/zone_reclaim_mode",
	"/proc/sys/vm/dirty_background_bytes",
	"/proc/sys/vm/dirty_background_ratio",
	"/proc/sys/vm/dirty_bytes",
	"/proc/sys/vm/dirty_expire_centisecs",
	"/proc/sys/vm/dirty_ratio",
	"/proc/sys/vm/dirty_writeback_centisecs",
	"/proc/sys/kernel/numa_balancing",
	"/proc/sys/kernel/randomize_va_space",
	"/proc/sys/kernel/perf_event_max_sample_rate",
	"/proc/sys/kernel/perf_event_paranoid",
	"/proc/sys/kernel/perf_event_mlock_kb",
	"/proc/sys/kernel/kptr_restrict",
	"/proc/sys/kernel/nmi_watchdog",
	"/proc/sys/kernel/soft_watchdog",
	"/sys/devices/system/cpu/cpu*/online",
	"/sys/devices/system/cpu/cpu*/cpufreq/scaling_governor",
};

/* Settings that cannot be read here, as an ordinary user's, are none that this run can leak. */
static int known_visit(const char *path,
		       int (*visit)(const char *path, const char *value, void *arg), void *arg)
{
	char value[SETTING_VALUE_MAX];

	return __setting_get(path, value, sizeof(value)) < 0 ? 0 : visit(path, value, arg);
}

int known_settings_each(int (*visit)(const char *path, const char *value, void *arg), void *arg)
{
	char pattern[SYSFILE_PATH_MAX];
	size_t root_len, i, k;
	glob_t found;
	int ret;

	ret = __sysfile_path(pattern, sizeof(pattern), "");
	if (ret)
		return ret;
	root_len = strlen(pattern);

	for (i = 0; !ret && i < ARRAY_SIZE(known_settings); i++) {
		ret = __sysfile_path(pattern, sizeof(pattern), known_settings[i]);
		if (ret)
			return ret;
		ret = glob(pattern, 0, NULL, &found);
		if (ret == GLOB_NOMATCH) {
			ret = 0;
			continue;
		}
		if (ret)
			return ret == GLOB_NOSPACE ? -ENOMEM : -EIO;
		for (k = 0; !ret && k < found.gl_pathc; k++)
			ret = known_visit(found.gl_pathv[k] + root_len, visit, arg);
		globfree(&found);
	}
	return ret;
}
