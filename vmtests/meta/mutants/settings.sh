# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
#
# What the proofs that tests fail share: the settings that no test may leave changed.

# settings: every one that the tests change
settings()
{
	for file in /sys/kernel/mm/hugepages/*/nr_hugepages \
		/sys/kernel/mm/hugepages/*/nr_overcommit_hugepages \
		/sys/kernel/mm/hugepages/*/surplus_hugepages \
		/sys/kernel/mm/transparent_hugepage/enabled \
		/sys/kernel/mm/transparent_hugepage/shmem_enabled \
		/proc/sys/vm/hugetlb_optimize_vmemmap /proc/sys/net/core/bpf_jit_enable; do
		[ ! -r "$file" ] || echo "$file $(cat "$file")"
	done
}
