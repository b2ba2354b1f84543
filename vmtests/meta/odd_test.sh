#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Places that a test did not expect: one CPU, settings that cannot be written, little memory to use.
# A run there passes, or skips by name; nothing else of the machine is killed for it.
# usage: odd_test.sh BUILD [TESTS]; not in make check, for it runs the tests once a place

set -u
VMTESTS_BUILD=$(cd "$1" && pwd) || exit 1
export VMTESTS_BUILD
tests=${2:-functional pgtable_ops vmalloc_churn linear_map_churn hvo_churn kernel_gups seq_read memcache_pressure}
here=$(dirname "$(readlink -f "$0")")
runner=$here/../../run_vmtests.sh
# shellcheck source=vmtests/meta/lib.sh
. "$here/lib.sh"
LIMIT_BYTES=$((256 << 20))

# place NAME COMMAND [ARGUMENTS]: run the tests by way of COMMAND
place()
{
	name=$1
	shift
	"$@" "$runner" -n -r 1 -t "$tests" -o "$scratch/$name" >"$scratch/log" 2>&1
	status=$?
	grep -E '^(PASS|SKIP|FAIL|TIMEOUT)' "$scratch/log" | sed "s/^/# $name: /"
	[ $status -eq 0 ] || [ $status -eq 4 ]
	result "$name" $?
}

read_only()
{
	# shellcheck disable=SC2016 # the inner shell expands it
	unshare -m sh -c 'mount --bind /sys /sys && mount -o remount,bind,ro /sys &&
		mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys &&
		exec "$@"' sh "$@"
}

# limited: in a memory cgroup of either version
limited()
{
	# shellcheck disable=SC2016 # the inner shell expands it
	sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$group" "$@"
}

group_make()
{
	if [ -d /sys/fs/cgroup/memory ]; then
		group=/sys/fs/cgroup/memory/vmtests-odd limit=memory.limit_in_bytes
		events=memory.oom_control
	else
		group=/sys/fs/cgroup/vmtests-odd limit=memory.max events=memory.events
	fi
	mkdir "$group" 2>/dev/null && echo $LIMIT_BYTES >"$group/$limit"
}

echo 'KTAP version 1'
first_cpu=$(taskset -cp $$ | sed 's/.*: *\([0-9]*\).*/\1/')
place one_cpu taskset -c "$first_cpu"
if read_only true 2>/dev/null; then
	place read_only_settings read_only
else
	skip read_only_settings 'needs a mount namespace'
fi
if group_make; then
	place little_memory limited
	sed 's/^/# /' "$group/$events"
	rmdir "$group"
else
	skip little_memory 'no memory cgroup can be made here'
fi
finish
