#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Guests that die in the middle of a benchmark, by sysrq-c and by SIGKILL of QEMU in turn, at random
# moments, and are booted again on the same result disk: run_vmtests.sh -R goes on, every sample that
# was synced is there, and none is there twice. The disk is written late, as a machine's is, so that
# what was not synced is lost. Prints KTAP, and the figures at the end.
#
# A run of five benchmarks dies four times, and then comes to its end; or sooner, where the machine is so
# fast that it has come to its end before.
# usage: deaths_test.sh BUILD [DEATHS [KERNEL [SEED]]], default 4 deaths, 7:amd64, a seed of its own

set -u
build=$(cd "$1" && pwd) || exit 1
deaths=${2:-4} kernel=${3:-7:amd64} seed=${4:-$(date +%s)}
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=vmtests/meta/lib.sh
. "$here/../../vmtests/meta/lib.sh"
# shellcheck source=lab/tests/lib.sh
. "$here/lib.sh"
echo 'KTAP version 1'

PLAN='boot_memory pgtable_ops vmalloc_churn linear_map_churn kernel_gups'
PLANNED=5
LONGEST_S=10

guest_prepare "$kernel"
cp "$here/deaths_guest.sh" "$scratch/payload"

boot_pid=''
trap '[ -z "$boot_pid" ] || kill $boot_pid; rm -rf "$scratch"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# qemu_of PID: the process of QEMU that lab/boot waits for
qemu_of()
{
	# shellcheck disable=SC2013 # words
	for child in $(cat "/proc/$1/task/$1/children" 2>/dev/null); do
		case $(cat "/proc/$child/comm") in
		qemu*) echo "$child" ;;
		*) qemu_of "$child" ;;
		esac
	done
}

# boot HOW [RUNNER-ARGUMENTS]: one life of the guest, into $scratch/out
boot()
{
	how=$1
	shift
	random $((LONGEST_S * 1000))
	moment=$((drawn / 1000)).$(printf '%03d' $((drawn % 1000)))
	rm -rf "$scratch/out"
	env VMTESTS_TIMEOUT_MUL=20 "$lab/boot" --kernel "$kernel" --mem 2G --timeout 1200 \
		--payload "$scratch/payload" --results-disk "$scratch/disk" --results-late \
		--append printk.devkmsg=on --out "$scratch/out" -- \
		env VMTESTS_TIMEOUT_MUL=20 ./deaths_guest.sh "$how" "$moment" "$@" \
		2>"$scratch/log" &
	boot_pid=$!
	if [ "$how" = kill ]; then
		until grep -q -s 'deaths: a test has started' "$scratch/out/console.log" ||
			! kill -0 $boot_pid 2>/dev/null; do
			sleep 0.1
		done
		sleep "$moment"
		kill -KILL "$(qemu_of $boot_pid)" 2>>"$scratch/log"
	fi
	wait $boot_pid
	boot_status=$?
	boot_pid=''
	echo "$how after $moment s: lab/boot says $boot_status" >>"$scratch/log"
}

# samples_check: of the boot that has just ended, no more than the one in flight is lost, and those
# of earlier boots are what they were
samples_check()
{
	id=$(sed -n 's/.*deaths: boot \([0-9a-f-]*\).*/\1/p' "$scratch/out/console.log")
	[ -n "$id" ] || {
		echo "the guest did not say which boot it was" >>"$scratch/log"
		return 1
	}
	seen=$(sed -n 's/.*deaths: \([0-9]*\) samples.*/\1/p' "$scratch/out/console.log" | tail -n 1)
	seen=${seen:-0} there=0 torn=0
	file=$scratch/out/results/label/$id/samples.jsonl
	if [ -f "$file" ]; then
		there=$(wc -l <"$file")
		torn=$(tail -c 1 "$file" | tr -d '\n' | wc -c)
		! grep -v -q '}$' "$file" || [ "$torn" -eq 1 ] || return 1
	fi
	witnessed=$((witnessed + seen)) kept=$((kept + there))
	missing=0
	[ "$there" -ge "$seen" ] || missing=$((seen - there))
	lost=$((lost + missing))
	echo "$seen samples seen, $there there" >>"$scratch/log"
	[ $missing -le 1 ] || return 1
	for old in "$scratch/kept"/*.jsonl; do
		[ ! -f "$old" ] || cmp -s "$old" "$scratch/out/results/label/$(basename "$old" .jsonl)/samples.jsonl" || {
			echo "$(basename "$old") has changed" >>"$scratch/log"
			return 1
		}
	done
	[ ! -f "$file" ] || cp "$file" "$scratch/kept/$id.jsonl"
}

# died: the guest is gone as it should be
died()
{
	case $how:$(cat "$scratch/out/status") in
	panic:panic | kill:timeout) ;;
	*) echo "the guest was to die by $how: $(cat "$scratch/out/status")" >>"$scratch/log"; return 1 ;;
	esac
	grep -q 'deaths: a test has started' "$scratch/out/console.log"
}

# in_flight BOOT-DIR: how many tests were started there and have no verdict; a death may also come
# between two tests
in_flight()
{
	for file in started verdicts; do
		sed -n 's/.*"test":"\([^"]*\)".*}$/\1/p' "$1/$file.jsonl" 2>/dev/null | sort \
			>"$scratch/$file"
	done
	comm -23 "$scratch/started" "$scratch/verdicts" | wc -l
}

# run_complete: the disk has a verdict of each test
run_complete()
{
	cat "$scratch/out/results/label"/*/verdicts.jsonl 2>>"$scratch/log" >"$scratch/verdicts"
	[ "$(sed -n 's/.*"test":"\([^"]*\)".*}$/\1/p' "$scratch/verdicts" | sort -u | wc -l)" -eq $PLANNED ]
}

# run_is_whole FAILURES: one verdict a test, so many of deaths, no sample twice, and a report
run_is_whole()
{
	label=$scratch/out/results/label
	cat "$label"/*/verdicts.jsonl >"$scratch/verdicts"
	cat "$scratch/verdicts" "$scratch/out/output.log" >>"$scratch/log"
	[ "$(sed 's/.*"test":"\([^"]*\)".*/\1/' "$scratch/verdicts" | sort -u | wc -l)" -eq $PLANNED ] &&
		[ "$(wc -l <"$scratch/verdicts")" -eq $PLANNED ] &&
		[ "$(grep -c '"reason":"kernel died during' "$scratch/verdicts")" -eq "$1" ] ||
		return 1
	for file in "$label"/*/samples.jsonl; do
		sed 's/,"value":.*"rep":/,"rep":/; s/,"t":.*//' "$file" | sort | uniq -d
	done >"$scratch/twice"
	[ ! -s "$scratch/twice" ] &&
		"$build/vmtests/vmcompare" "$label" >>"$scratch/log" 2>&1
}

echo "# seed $seed"
mkdir "$scratch/kept"
done_deaths=0 in_tests=0 runs=0 completed=0 witnessed=0 kept=0 lost=0
while [ $done_deaths -lt "$deaths" ]; do
	rm -rf "$scratch/disk" "$scratch/kept"
	mkdir "$scratch/kept"
	runs=$((runs + 1)) in_run=0 died_in_run=0
	set -- -r 2 -t "$PLAN"
	while [ $in_run -lt $((PLANNED - 1)) ] && [ $done_deaths -lt "$deaths" ]; do
		done_deaths=$((done_deaths + 1)) in_run=$((in_run + 1))
		case $((done_deaths % 2)) in
		1) boot panic "$@" ;;
		0) boot kill "$@" ;;
		esac
		died && samples_check
		result "death_${done_deaths}_$how" $?
		died_in_run=$((died_in_run + $(in_flight "$scratch/out/results/label/$id")))
		set -- -R
		! run_complete || break
	done
	boot live -R
	# 0, or 1 for the tests that died; 2 where there is nothing to go on with.
	case $boot_status in
	0 | 1) ok=0 ;;
	*) grep -q 'nothing to resume' "$scratch/out/output.log"; ok=$? ;;
	esac
	[ $ok -eq 0 ] && samples_check && run_is_whole $died_in_run
	ok=$?
	in_tests=$((in_tests + died_in_run))
	[ $ok -ne 0 ] || completed=$((completed + 1))
	result "run_${runs}_comes_to_its_end" $ok
done
echo "# $done_deaths deaths ($in_tests during a test) in $runs runs, $completed of them resumed to their" \
	"end: $witnessed samples seen before, $kept there after, $lost lost in flight"
finish
