#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# run_vmtests.sh -R: runs that are killed by SIGKILL at several moments, in this boot and in others,
# go on behind the test that was running, with every sample that was there and none twice. Another
# boot is played by another boot_id in a mount namespace. The moments come from a seed, which is
# printed: set SEED to repeat a run.
# usage: resume_test.sh BUILD

set -u
VMTESTS_BUILD=$(cd "$1" && pwd) || exit 1
export VMTESTS_BUILD
here=$(dirname "$(readlink -f "$0")")
runner=$here/../../run_vmtests.sh
# shellcheck source=vmtests/meta/lib.sh
. "$here/lib.sh"
# meta_hang would end by its timeout, which is short.
export VMTESTS_TIMEOUT_MUL=100

seed=${SEED:-$(date +%s)}
boot=$(cat /proc/sys/kernel/random/boot_id)
PLAN='meta_pass meta_fail meta_hang meta_mixed'

# in_boot ID COMMAND [ARGUMENTS]: as if it were run in that boot
in_boot()
{
	echo "$1" >"$scratch/boot_id"
	shift
	# shellcheck disable=SC2016 # the inner shell expands it
	unshare -m sh -c 'mount --bind "$0" /proc/sys/kernel/random/boot_id && exec "$@"' \
		"$scratch/boot_id" "$@"
}

# hang COMMAND [ARGUMENTS]: start it in the background, until meta_hang runs in it; sets $pid
hang()
{
	: >"$scratch/out"
	"$@" >"$scratch/out" 2>&1 &
	pid=$!
	until grep -q '# hanging' "$scratch/out" || ! kill -0 $pid 2>/dev/null; do
		:
	done
}

# die VICTIMS: kill the run that hangs: its "runner", the runner with its "helper", or "all" of it
die()
{
	case $1 in
	runner) doomed=$pid ;;
	helper) doomed="$pid $(cat "/proc/$pid/task/$pid/children")" ;;
	all) doomed=$(tree $pid) ;;
	esac
	# shellcheck disable=SC2086 # words
	kill -KILL $doomed 2>/dev/null
	wait $pid 2>/dev/null
}

# resumed LABEL STATUS [COMMAND]: -R of it, in COMMAND's environment, exits with STATUS
resumed()
{
	label=$1 wanted=$2
	shift 2
	"$@" "$runner" -R -o "$scratch/$label" >"$scratch/log" 2>&1
	status=$?
	[ $status -eq "$wanted" ] || {
		echo "exit $status, expected $wanted" >>"$scratch/log"
		return 1
	}
}

# whole LABEL REASON: one verdict for each test of the plan, that of meta_hang for this reason
whole()
{
	cat "$scratch/$1"/*/verdicts.jsonl >"$scratch/verdicts"
	cat "$scratch/verdicts" >>"$scratch/log"
	for test in $PLAN; do
		[ "$(grep -c "\"test\":\"$test\"" "$scratch/verdicts")" -eq 1 ] || return 1
	done
	grep -q "\"test\":\"meta_hang\".*\"result\":\"fail\",\"reason\":\"$2 meta_hang\"" \
		"$scratch/verdicts" && grep -q '^# Totals: pass:2 fail:2 skip:0$' "$scratch/log"
}

# refused NAME MESSAGE LABEL [ARGUMENTS]: one line like MESSAGE, exit 2, and nothing is changed
refused()
{
	name=$1 message=$2 label=$3
	shift 3
	find "$scratch/$label" -type f -exec cksum {} + >"$scratch/before" 2>/dev/null
	"$runner" -R -o "$scratch/$label" "$@" >"$scratch/out" 2>"$scratch/log"
	status=$?
	find "$scratch/$label" -type f -exec cksum {} + >"$scratch/after" 2>/dev/null
	[ $status -eq 2 ] && [ "$(wc -l <"$scratch/log")" -eq 1 ] &&
		grep -q -e "$message" "$scratch/log" && cmp -s "$scratch/before" "$scratch/after"
	result "$name" $?
}

echo 'KTAP version 1'
for victims in runner helper all; do
	hang "$runner" -t "$PLAN" -o "$scratch/$victims"
	die $victims
	resumed $victims 1 && whole $victims 'the run was killed during'
	result "killed_$victims" $?
done
refused nothing_to_resume 'nothing to resume in' all
refused no_label 'cannot read .*/nowhere: No such file' nowhere

# A part that is known to be lost changes what is gone on with.
hang "$runner" -T quick -r 3 -t "$PLAN" -o "$scratch/torn"
die all
cp -r "$scratch/torn" "$scratch/torn-verdict"
refused other_tier 'begun with another -T' torn -T full
refused other_repeats 'begun with another -r' torn -r 4
refused destructive 'begun with another -d' torn -d
refused perf 'begun with another -p' torn -p
refused other_tests 'was to run other tests (meta_pass' torn -t meta_pass
refused split '-R and -S' torn -S
cp -r "$scratch/torn" "$scratch/other-kernel"
mv "$scratch/other-kernel/$boot" "$scratch/other-kernel/before"
sed -i -e "s/$boot/before/" -e 's/"release": "[^"]*"/"release": "2.6.0"/' \
	"$scratch/other-kernel/before/run.json"
refused other_kernel 'kernel.release is not what it was' other-kernel
printf '{"test":"meta_mi' >>"$scratch/torn/$boot/verdicts.jsonl"
printf '{"test":"meta_mi' >>"$scratch/torn/$boot/started.jsonl"
"$runner" -R -T quick -r 3 -t "$PLAN" -o "$scratch/torn" >"$scratch/log" 2>&1
[ $? -eq 1 ] && whole torn 'the run was killed during' &&
	grep -q 'verdicts.jsonl: dropped a damaged last line of 16 bytes' "$scratch/log"
result torn_lines $?
# That of meta_mixed, which comes before: it had been started, so it has failed too.
truncate -s -7 "$scratch/torn-verdict/$boot/verdicts.jsonl"
resumed torn-verdict 1
grep -q '"test":"meta_mixed".*"result":"fail","reason":"the run was killed during meta_mixed"' \
	"$scratch/torn-verdict/$boot/verdicts.jsonl" &&
	grep -q '^# Totals: pass:1 fail:3 skip:0$' "$scratch/log"
result torn_verdict $?
printf 'no JSON\n{}\n' >>"$scratch/torn-verdict/$boot/verdicts.jsonl"
sed -i 's/"finished": "[^"]*"/"finished": null/' "$scratch/torn-verdict/$boot/run.json"
refused damaged_within 'damaged within' torn-verdict

# What -t named were cases: they are again what is run.
hang "$runner" -t 'meta_hang meta_mixed:passes' -o "$scratch/cases"
die all
refused other_cases 'was to run other tests (meta_mixed:passes)' cases -t 'meta_hang meta_mixed'
resumed cases 1 && [ "$(grep -c '"meta_mixed:passes"' "$scratch/cases/$boot/run.json")" -eq 2 ]
result cases_again $?

# Told to stop, a run has an end, and can go on nevertheless.
hang "$runner" -t "$PLAN" -o "$scratch/stopped"
kill -TERM $pid
wait $pid
[ $? -eq 130 ] && resumed stopped 1 &&
	grep -q '^# meta_hang: interrupted by signal 15 (Terminated)$' "$scratch/log" &&
	grep -q '^# Totals: pass:2 fail:2 skip:0$' "$scratch/log"
result interrupted $?

if in_boot probe true 2>/dev/null; then
	hang in_boot boot-a "$runner" -t "$PLAN" -o "$scratch/boots"
	die all
	resumed boots 1 in_boot boot-b && whole boots 'kernel died during' &&
		grep -q 'kernel died' "$scratch/boots/boot-a/verdicts.jsonl"
	result another_boot $?
	refused finished_in_another_boot 'nothing to resume in' boots

	# The same hang in three boots: each goes on with what the others left.
	registry=$(sed -n 's/^meta_hang //p' "$here/../vmtests.list")
	mkdir -p "$scratch/src/vmtests"
	cp "$runner" "$scratch/src"
	cp -r "$here/../../fio-jobs" "$scratch/src"
	{
		for name in hang_a hang_b hang_c; do
			echo "$name $registry"
		done
		grep '^meta_pass' "$here/../vmtests.list"
	} >"$scratch/src/vmtests/vmtests.list"
	chained=$scratch/src/run_vmtests.sh
	hang in_boot boot-1 "$chained" -t 'hang_a hang_b hang_c meta_pass' -o "$scratch/chain"
	die all
	for next in boot-2 boot-3; do
		hang in_boot $next "$chained" -R -o "$scratch/chain"
		die all
	done
	in_boot boot-4 "$chained" -R -o "$scratch/chain" >"$scratch/log" 2>&1
	[ $? -eq 1 ] && grep -q '^# Totals: pass:1 fail:3 skip:0$' "$scratch/log" &&
		[ "$(cat "$scratch"/chain/*/verdicts.jsonl | wc -l)" -eq 4 ] &&
		[ "$(cat "$scratch"/chain/*/verdicts.jsonl | grep -c 'kernel died during hang_')" -eq 3 ]
	result a_chain_of_deaths $?
else
	skip another_boot 'another boot_id cannot be mounted: needs root'
fi

# once FILES: is no sample there twice?
once()
{
	sed 's/,"value":.*"rep":/,"rep":/; s/,"t":.*//' "$@" | sort | uniq -d >"$scratch/twice"
	cat "$scratch/twice" >>"$scratch/log"
	[ ! -s "$scratch/twice" ]
}

# Benchmarks killed at random moments, until nothing is left to resume.
BENCHMARKS='boot_memory pgtable_ops vmalloc_churn'
LONGEST_MS=2500
echo "# seed $seed"
round=0
while [ $round -lt 3 ]; do
	round=$((round + 1)) ok=0 resume='' deaths=0
	: >"$scratch/kept"
	while :; do
		# shellcheck disable=SC2086 # -R is a word or nothing
		"$runner" $resume -r 2 -t "$BENCHMARKS" -o "$scratch/random" >"$scratch/log" 2>&1 &
		pid=$!
		random $LONGEST_MS
		pause $drawn
		# shellcheck disable=SC2046 # words
		kill -KILL $(tree $pid) 2>/dev/null
		wait $pid 2>/dev/null
		[ $? -eq 137 ] || break
		resume=-R deaths=$((deaths + 1))
		# Before the first words of run.json there is nothing to go on with.
		[ -f "$scratch/random/$boot/run.json" ] || resume=''
		[ -f "$scratch/random/$boot/samples.jsonl" ] || continue
		grep -e '}$' "$scratch/random/$boot/samples.jsonl" >"$scratch/now"
		! grep -q -v -x -F -f "$scratch/now" "$scratch/kept" || ok=1
		mv "$scratch/now" "$scratch/kept"
	done
	verdicts=$(wc -l <"$scratch/random/$boot/verdicts.jsonl")
	[ "$verdicts" -eq 3 ] && once "$scratch/random/$boot/samples.jsonl" || ok=1
	"$VMTESTS_BUILD/vmtests/vmcompare" "$scratch/random" >>"$scratch/log" 2>&1 || ok=1
	echo "$deaths deaths, $verdicts verdicts" >>"$scratch/log"
	result "random_$round" $ok
	rm -rf "$scratch/random"
done
finish
