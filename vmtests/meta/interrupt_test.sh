#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Benchmarks that are interrupted at random moments: the runner told to stop, and the program killed
# without a chance to clean up. The runner must end by itself and say so, and no process, file or
# setting may be left. The moments come from a seed, which is printed: set SEED to repeat a run.
# usage: interrupt_test.sh BUILD

set -u
VMTESTS_BUILD=$(cd "$1" && pwd) || exit 1
here=$(dirname "$(readlink -f "$0")")
runner=$here/../../run_vmtests.sh
# shellcheck source=vmtests/meta/lib.sh
. "$here/lib.sh"
export VMTESTS_BUILD VMTESTS_CACHE_DIR="$scratch/cache"
mkdir "$VMTESTS_CACHE_DIR"

seed=${SEED:-$(date +%s)}
# Past the set-up of any benchmark, so that every stage can be hit.
LONGEST_MS=700
journal=/var/lib/vmtests/journal

# at_random: wait 0 to LONGEST_MS
at_random()
{
	random $LONGEST_MS
	pause $drawn
}

running()	# NAME
{
	pgrep -f "^$VMTESTS_BUILD/vmtests/$1( |\$)"
}

nothing_left()	# NAME
{
	clean=0
	{ running "$1"; find "$VMTESTS_CACHE_DIR" -mindepth 1; } >"$scratch/left"
	[ ! -s "$scratch/left" ] || { echo 'left behind:'; cat "$scratch/left"; clean=1; }
	[ ! -s "$journal" ] || { echo 'settings not put back:'; cat "$journal"; clean=1; }
	if grep -e 'could not be put back' -e 'did not restore' "$scratch/log"; then
		clean=1
	fi
	return $clean
}

# start NAME: in the background, until the program runs; $pid is the runner
start()
{
	env --default-signal=HUP,INT,TERM "$runner" -r 1000 -t "$1" -o "$scratch/label" >"$scratch/log" 2>&1 &
	pid=$!
	until target=$(running "$1") || ! kill -0 $pid 2>/dev/null; do
		:
	done
}

# check NAME WHAT STATUS: of the runner, which ended
check()
{
	ok=0
	[ "$status" -eq "$3" ] || {
		echo "the runner's exit is $status, expected $3" >>"$scratch/log"
		ok=1
	}
	nothing_left "$1" >"$scratch/why" || ok=1
	cat "$scratch/why" >>"$scratch/log"
	result "$1_$2" $ok
}

echo 'KTAP version 1'
command -v pgrep >/dev/null || {
	skip interrupts 'pgrep is not installed'
	finish
}
echo "# seed $seed"
# boot_memory reads some files and is over.
benchmarks=$(awk '$3 == "quick" && $6 ~ /^vmtests\// && $1 != "boot_memory" { print $1 }' \
	"$here/../vmtests.list")
signal=TERM
for name in $benchmarks; do
	start "$name"
	if [ -z "$target" ]; then
		wait $pid
		skip "$name" "$(grep -m 1 -e "$name: " -e holds "$scratch/log" || echo 'did not start')"
		continue
	fi
	at_random
	kill -$signal $pid 2>/dev/null
	wait $pid
	status=$?
	# One that skips itself runs for a moment, and may be seen in it.
	[ $status -ne 4 ] || {
		skip "$name" "$(grep -m 1 -e "$name: " "$scratch/log")"
		continue
	}
	check "$name" $signal 130
	case $signal in
	TERM) signal=HUP ;;
	HUP) signal=INT ;;
	INT) signal=TERM ;;
	esac

	start "$name"
	at_random
	# shellcheck disable=SC2086 # a benchmark may have forked
	kill -KILL $target 2>/dev/null
	wait $pid
	status=$?
	check "$name" KILL 1
done
finish
