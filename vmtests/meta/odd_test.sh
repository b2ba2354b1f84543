#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Places that a test did not expect: one CPU, settings that cannot be written, a memory cgroup that
# has little, and, where it is told that the machine is to be thrown away, a machine whose memory is
# nearly full. A run there passes, or skips by name; nothing is killed for it.
# usage: odd_test.sh BUILD [TESTS [PLACES]]; BUILD may be an installed tree; PLACES are one_cpu,
# read_only_settings, little_memory (the default) and nearly_full. Not in make check, for it runs the
# tests once a place; lab/tests/full_test.sh is nearly_full in a guest.

set -u
VMTESTS_BUILD=$(cd "$1" && pwd) || exit 1
export VMTESTS_BUILD
tests=${2:-functional pgtable_ops vmalloc_churn linear_map_churn hvo_churn kernel_gups seq_read memcache_pressure}
places=${3:-one_cpu read_only_settings little_memory}
here=$(dirname "$(readlink -f "$0")")
runner=$here/../../run_vmtests.sh
# shellcheck source=vmtests/meta/lib.sh
. "$here/lib.sh"
LIMIT_BYTES=$((256 << 20))
LEFT_MIB=150	# of a machine whose memory is nearly full

# place NAME COMMAND [ARGUMENTS]: run the tests by way of COMMAND
place()
{
	name=$1
	shift
	"$@" "$runner" -n -r 1 -t "$tests" -o "$scratch/$name" >"$scratch/log" 2>&1
	status=$?
	grep -E '^(PASS|SKIP|FAIL|TIMEOUT)' "$scratch/log" | sed "s/^/# $name: /"
	[ "$status" -eq 0 ] || [ "$status" -eq 4 ]
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
	mkdir "$group" 2>/dev/null && echo "$LIMIT_BYTES" >"$group/$limit"
}

place_one_cpu()
{
	first_cpu=$(taskset -cp $$ | sed 's/.*: *\([0-9]*\).*/\1/')
	place one_cpu taskset -c "$first_cpu"
}

place_read_only_settings()
{
	if read_only true 2>/dev/null; then
		place read_only_settings read_only
	else
		skip read_only_settings 'needs a mount namespace'
	fi
}

place_little_memory()
{
	if group_make; then
		place little_memory limited
		sed 's/^/# /' "$group/$events"
		rmdir "$group"
	else
		skip little_memory 'no memory cgroup can be made here'
	fi
}

available_mib()
{
	awk '$1 == "MemAvailable:" { print int($2 / 1024) }' /proc/meminfo
}

oom_kills()
{
	sed -n 's/^oom_kill //p' /proc/vmstat
}

# Held by a file that only lives in memory: no process is large for it, which the kernel would end
# first.
place_nearly_full()
{
	mkdir "$scratch/hold"
	mount -t tmpfs -o size=100% hold "$scratch/hold" || {
		skip nearly_full 'no tmpfs can be mounted here'
		return
	}
	while left=$(($(available_mib) - LEFT_MIB)) && [ "$left" -gt 0 ]; do
		dd if=/dev/zero bs=1M count=$(((left + 1) / 2)) 2>/dev/null >>"$scratch/hold/memory" || break
	done
	echo "# nearly_full: $(available_mib) MiB are available"
	kills=$(oom_kills)
	place nearly_full env
	kills=$(($(oom_kills) - kills))
	echo "# nearly_full: $kills killed for want of memory"
	umount "$scratch/hold"
	dmesg | grep -e 'invoked oom-killer' -e 'Out of memory' >"$scratch/log"
	[ "$kills" -eq 0 ]
	result nothing_was_killed $?
}

echo 'KTAP version 1'
for name in $places; do
	case $name in
	one_cpu | read_only_settings | little_memory | nearly_full) "place_$name" ;;
	*) echo "$0: no such place: $name" >&2; exit 2 ;;
	esac
done
finish
