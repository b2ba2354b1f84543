#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The runner's own test: deliberate failures run through run_vmtests.sh itself, each with the line,
# the verdict and the exit status that a user must see.
# usage: meta_test.sh BUILD

set -u
VMTESTS_BUILD=$(cd "$1" && pwd) || exit 1
export VMTESTS_BUILD
here=$(dirname "$(readlink -f "$0")")
runner=$here/../../run_vmtests.sh
# shellcheck source=vmtests/meta/lib.sh
. "$here/lib.sh"

overcommit=/proc/sys/vm/nr_overcommit_hugepages

# expect TEST EXIT RESULT LINE: run TEST; LINE is a grep pattern of the runner's output
expect()
{
	label=$scratch/$1
	"$runner" -t "$1" -o "$label" >"$scratch/log" 2>&1
	status=$?
	ok=1
	[ "$status" -eq "$2" ] || echo "exit $status, expected $2" >>"$scratch/log"
	verdict=$(cat "$label"/*/verdicts.jsonl 2>/dev/null)
	echo "$verdict" >>"$scratch/log"
	case $verdict in
	*"\"result\":\"$3\""*) [ "$status" -ne "$2" ] || ok=0 ;;
	esac
	grep -q -e "$4" "$scratch/log" || { ok=1; echo "no line like: $4" >>"$scratch/log"; }
	result "$1" $ok
}

needs()
{
	"$VMTESTS_BUILD/vmtests/vmtctl" needs "$1"
}

echo 'KTAP version 1'
expect meta_pass 0 pass '^ok 1 meta_pass$'
expect meta_fail 1 fail '^# meta_fail: 1 of 2 subtests failed, first: fails$'
expect meta_skip 4 skip '^# meta_skip: needs a machine that nobody has$'
expect meta_all_skip 4 skip '^# meta_all_skip: the second needs what nobody has$'
expect meta_mixed 0 pass '^ok 1 meta_mixed$'
expect meta_hang 1 timeout '^not ok 1 meta_hang # TIMEOUT$'
hanging=$(sed -n 's/^# # hanging //p' "$scratch/log")
alive=0
[ "$(echo "$hanging" | wc -w)" -eq 2 ] || alive=1
for pid in $hanging; do
	[ ! -d "/proc/$pid" ] || alive=1
done
result meta_hang_nothing_left $alive
said=0
for pid in $hanging; do
	grep -q "^# # stuck: $pid (hang) state [RS], CPU [0-9]*, user [0-9]* + kernel" \
		"$scratch/log" || said=1
done
result meta_hang_says_where "$said"
expect meta_standstill 0 pass '^# # the machine stood still for 1[0-9] s: not counted as time of the test$'
# Four others a processor leave it a fifth, where each has a session of its own, which the scheduler
# may give as much as the test's; its limit is twice what it needs.
spinners=''
for _ in $(seq $((4 * $(nproc)))); do
	setsid sh -c 'while :; do :; done' &
	spinners="$spinners $!"
done
expect meta_slow 0 pass '^# # others had the processors for [0-9]* s: not counted as time of the test$'
# shellcheck disable=SC2086 # words
kill $spinners
expect meta_crash 1 fail '^# meta_crash: killed by signal 11 (Segmentation fault)$'
expect meta_short 1 fail '^# meta_short: planned 2 subtests, reported 1$'
expect meta_stray 1 fail '^# meta_stray: left 1 processes behind: stray([0-9]*)$'
expect meta_needs 4 skip '^# meta_needs: .*999999'

if missing=$(needs root,hugetlb); then
	before=$(cat $overcommit)
	# Another program's: neither a failure nor the runner's to undo.
	expect meta_leak 0 pass \
		"^# meta_leak: .*$overcommit was $before, is $((before + 1)): changed by somebody else, and left\$"
	[ "$(cat $overcommit)" = "$((before + 1))" ]
	result meta_leak_is_left $?
	echo "$before" >$overcommit
	expect meta_journal 1 fail '^# meta_journal: killed by signal 9 (Killed)$'
	[ "$(cat $overcommit)" = "$before" ]
	result meta_journal_put_back $?
else
	skip meta_leak "$missing"
	skip meta_journal "$missing"
fi

if missing=$(needs root,writable:/dev/kmsg); then
	expect meta_klog 1 fail '^# meta_klog: kernel: .*WARNING: CPU: 0 PID: 1 at mm/meta.c:1 meta$'
else
	skip meta_klog "$missing"
fi

# Each run says what it left of the linear map, and whether the machine was busy before it.
"$runner" -t meta_pass -o "$scratch/said" >"$scratch/log" 2>&1
cat "$scratch"/said/*/run.json >>"$scratch/log"
grep -q -e '^# blocks of the linear map that were split: [0-9]* PMDs, [0-9]* PUDs' \
	-e '^# how many blocks of the linear map were split cannot be known here$' "$scratch/log" &&
	grep -q '"load": [0-9]' "$scratch/log" && grep -q '"blocks_split": [{n]' "$scratch/log"
result says_what_is_split $?
for busy in 99.00 0.00; do
	echo "$busy 0.00 0.00 1/1 1" >"$scratch/loadavg"
	# shellcheck disable=SC2016 # the inner shell expands it
	unshare -m sh -c 'mount --bind "$0" /proc/loadavg && exec "$@"' "$scratch/loadavg" \
		"$runner" -t meta_pass -o "$scratch/said" >"$scratch/log" 2>&1
	case $busy in
	99*) grep -q '^# warning: this machine is busy: load 99.0 on [0-9]* CPUs' "$scratch/log" ;;
	*) ! grep -q '^# warning' "$scratch/log" ;;
	esac
	result "warns_of_load_$busy" $?
done

# A skip beside a pass, and a fail beside both: neither hides the other.
"$runner" -t 'meta_pass meta_skip' -o "$scratch/pair" >"$scratch/log" 2>&1 &&
	grep -q '^# Totals: pass:1 fail:0 skip:1$' "$scratch/log"
result pass_beside_skip $?
"$runner" -t meta -x 'meta_hang meta_slow meta_standstill meta_leak meta_journal meta_klog' -o "$scratch/all" \
	>"$scratch/log" 2>&1
[ $? -eq 1 ] && grep -q '^# Totals: pass:2 fail:4 skip:3$' "$scratch/log"
result whole_group $?
finish
