#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# run_vmtests.sh, the program of a test, or every process of the run is killed by SIGKILL at a random
# moment; after the next start the machine is as it was: settings, mounts, loop and other block
# devices, modules, hugetlb pools, System V memory, files and processes. Both states are taken by the
# only run on the machine, so that another's tests do not show in them.
#
# The moments come from a seed, which is printed; with KILL_WITHIN_MS set they are that early in a
# test, for a check that is quick. Where a test can do nothing here it is left out.
# usage: kill_test.sh BUILD [ROUNDS [SEED]], default 12 rounds; BUILD may be an installed tree

set -u
# Mounts of its own: what others on this machine mount and unmount meanwhile is not seen.
if [ -z "${KILL_MOUNTS:-}" ] && unshare -m true 2>/dev/null; then
	export KILL_MOUNTS=1
	exec unshare -m --propagation private "$0" "$@"
fi
VMTESTS_BUILD=$(cd "$1" && pwd) || exit 1
export VMTESTS_BUILD
rounds=${2:-12} seed=${3:-$(date +%s)}
# Everything that a run could leave. A module's own line has its use count.
state()
{
	# tmpfs shows a size, and a number of inodes, that is not the default. Defaults go by the memory,
	# and that grows when HVO first gives struct pages from boot to the allocator
	# (free_vmemmap_page() in mm/hugetlb_vmemmap.c): one of them may show, both or neither.
	cut -d ' ' -f 1-4 /proc/self/mounts |
		sed -e '/ tmpfs /s/,size=[0-9]*k//' -e '/ tmpfs /s/,nr_inodes=[0-9]*//'
	cut -d ' ' -f 1,3 /proc/modules 2>/dev/null | sort
	ls /sys/block /dev/mapper /dev/hugepages 2>/dev/null
	cat /sys/block/loop*/loop/backing_file 2>/dev/null
	grep -v -e '^ *key' /proc/sysvipc/shm /proc/sysvipc/sem 2>/dev/null
	# One process for all of them, for an emulator's forks are slow. What starts something when it
	# is read has no value.
	set -- /proc/sys/vm/*
	for setting; do
		shift
		case $setting in
		*/stat_refresh | */drop_caches | */compact_memory) ;;
		*) set -- "$@" "$setting" ;;
		esac
	done
	grep -s -d skip '' /sys/kernel/mm/hugepages/*/nr_hugepages \
		/sys/kernel/mm/hugepages/*/nr_overcommit_hugepages \
		/sys/kernel/mm/hugepages/*/surplus_hugepages \
		/sys/devices/system/node/node*/hugepages/*/nr_hugepages \
		/sys/kernel/mm/transparent_hugepage/*enabled \
		/sys/kernel/mm/transparent_hugepage/*/*enabled \
		/sys/kernel/mm/transparent_hugepage/khugepaged/[adms]* \
		/sys/kernel/mm/transparent_hugepage/khugepaged/pages_to_scan \
		/sys/kernel/mm/ksm/run /sys/devices/system/cpu/cpu*/online \
		/proc/sys/net/core/bpf_jit* /proc/sys/net/core/optmem_max \
		/proc/sys/kernel/numa_balancing /proc/sys/kernel/perf_event* "$@"
	find "$TMPDIR" "$VMTESTS_CACHE_DIR" -mindepth 1
	pgrep -a -f "^(memcached -|$VMTESTS_BUILD/(vmtests|tools-testing-mm)/)"
	[ ! -s /var/lib/vmtests/journal ] || cat /var/lib/vmtests/journal
}

if [ "${KILL_STATE:-}" ]; then
	state
	exit
fi

here=$(dirname "$(readlink -f "$0")")
# shellcheck source=vmtests/meta/lib.sh
. "$here/lib.sh"
runner=$here/../../run_vmtests.sh
vmtctl=$VMTESTS_BUILD/vmtests/vmtctl
IDLE_MOST=100
# Where timeouts are stretched, as in an emulator, things take longer too, if not by that much.
slower=$(((${VMTESTS_TIMEOUT_MUL:-1} + 4) / 5))

# What changes something that outlives its process, and so may leave it.
CHANGING='hvo_churn hvo_test hvo_race_test linear_map_churn linear_map_pressure_test
	lazy_mmu_test kernel_gups memcache_pressure seq_read dm_crypt vmalloc_churn'

mkdir "$scratch/tmp" "$scratch/cache"
export TMPDIR="$scratch/tmp" VMTESTS_CACHE_DIR="$scratch/cache"

# snapshot FILE: of the state, with the lock that every run takes first; waits for another's run,
# and for what a killed one left
snapshot()
{
	KILL_STATE=1 "$vmtctl" locked -w "$0" "$VMTESTS_BUILD" >"$1" 2>"$scratch/why" || return 1
	grep '^# an earlier run died' "$1" >>"$scratch/log"
	sed -i '/^# an earlier run died/d' "$1"
}

# test_of PID: the program that the runner's helper started, if there is one
test_of()
{
	helper=$(cat "/proc/$1/task/$1/children" 2>/dev/null)
	for pid in $helper; do
		cat "/proc/$pid/task/$pid/children" 2>/dev/null
	done
}

# kill_round NAME VICTIM MS: sets $killed to the number of processes that were killed. In
# $scratch/ended is the runner's status and when that was, if it has come to an end.
kill_round()
{
	: >"$scratch/run"
	rm -f "$scratch/ended"
	{
		"$runner" -t "$1" -r 2 -o "$scratch/label" >"$scratch/run" 2>&1
		echo "$? $(date +%s%N)" >"$scratch/ended"
	} 2>/dev/null &
	shell=$!
	began=$(date +%s%N)
	pause "$3"
	started=$(cat "/proc/$shell/task/$shell/children" 2>/dev/null)
	case $2 in
	runner) doomed=$started ;;
	test) doomed=$(test_of "${started% }") ;;
	all) doomed=$(tree "${started% }") ;;
	esac
	killed=0
	[ -z "$started" ] || for pid in $doomed; do
		! kill -KILL "$pid" 2>/dev/null || killed=$((killed + 1))
	done
	wait $shell 2>/dev/null
}

# length_of NAME: sets $ms, how long it takes undisturbed, for later is too late: what is expected of
# it, until it has come to its end once. 0 for one that skips itself here, and so changes nothing.
length_of()
{
	if [ ! -f "$scratch/length.$1" ]; then
		about=$(sed -n "s/^$1 .*about=\([0-9]*\).*/\1/p" "$here/../vmtests.list")
		echo $((${about:-1} * 1000 * slower)) >"$scratch/length.$1"
	fi
	ms=$(cat "$scratch/length.$1")
}

# length_learn NAME: from a run in which nothing was killed
length_learn()
{
	read -r status end <"$scratch/ended"
	ms=$(((end - began) / 1000000))
	[ "$status" -ne 4 ] || ms=0
	echo "$ms" >"$scratch/length.$1"
}

echo 'KTAP version 1'
command -v pgrep >/dev/null || { skip kills 'pgrep is not installed'; finish; }
[ "$(id -u)" -eq 0 ] || { skip kills 'needs root: only root changes settings'; finish; }
echo "# seed $seed"
here_run=$("$runner" -l | awk '$NF == "runs" { print $1 }' | tr '\n' ' ')
tests=''
for name in $CHANGING; do
	case " $here_run" in
	*" $name "*) tests="$tests $name" ;;
	*) echo "# $name cannot run here" ;;
	esac
done
# shellcheck disable=SC2086 # words
set -- $tests
[ $# -gt 0 ] || { skip kills 'none of these can run here'; finish; }

# A round is one with a kill. Before the program has begun, and at the very end, there may be none to
# kill; those are drawn again.
dead=0 different=0 idle=0
while [ $dead -lt "$rounds" ] && [ $idle -lt $((IDLE_MOST + 10 * rounds)) ]; do
	rm -rf "$scratch/label"
	: >"$scratch/log"
	random $(($# - 1)); shift_by=$drawn
	name=$(shift "$shift_by"; echo "$1")
	length_of "$name"
	[ "$ms" -gt 0 ] || { idle=$((idle + 1)); continue; }
	case $((dead % 3)) in
	0) victim=runner ;;
	1) victim=all ;;
	2) victim='test' ;;
	esac
	[ "$ms" -le "${KILL_WITHIN_MS:-$ms}" ] || ms=$KILL_WITHIN_MS
	random "$ms"
	ok=0
	snapshot "$scratch/before" || ok=1
	kill_round "$name" "$victim" "$drawn"
	while grep -q 'another run holds' "$scratch/run"; do
		"$vmtctl" locked -w true >>"$scratch/log" 2>&1
		kill_round "$name" "$victim" "$drawn"
	done
	snapshot "$scratch/after" || ok=1
	diff "$scratch/before" "$scratch/after" >>"$scratch/log" || ok=1
	[ $ok -eq 0 ] || different=$((different + 1))
	if [ $killed -eq 0 ] && [ $ok -eq 0 ]; then
		idle=$((idle + 1))
		length_learn "$name"
		continue
	fi
	dead=$((dead + 1))
	cat "$scratch/why" "$scratch/run" >>"$scratch/log"
	result "round_${dead}_${name}_${victim}_at_${drawn}_ms" $ok
done
echo "# $dead kills, $idle moments with nothing to kill; $different differences"
echo "$dead of $rounds rounds had something to kill" >"$scratch/log"
[ $dead -eq "$rounds" ]
result kills $?
finish
