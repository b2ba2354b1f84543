#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Wrong use of run_vmtests.sh: one clear line on stderr, exit 2, nothing lost or overwritten.
# usage: usage_test.sh BUILD

set -u
VMTESTS_BUILD=$(cd "$1" && pwd) || exit 1
export VMTESTS_BUILD
here=$(dirname "$(readlink -f "$0")")
runner=$here/../../run_vmtests.sh
# shellcheck source=vmtests/meta/lib.sh
. "$here/lib.sh"

# refused NAME MESSAGE [ARGUMENTS]: exit 2 and exactly one line on stderr, like MESSAGE
refused()
{
	name=$1 message=$2
	shift 2
	"$runner" "$@" >"$scratch/out" 2>"$scratch/log"
	status=$?
	[ $status -eq 2 ] && [ "$(wc -l <"$scratch/log")" -eq 1 ] &&
		grep -q -e "$message" "$scratch/log"
	result "$name" $?
}

echo 'KTAP version 1'
refused unknown_test "unknown test or group 'nonesuch': -l lists them" -t nonesuch
refused unknown_excluded "unknown test or group 'nonesuch'" -x nonesuch
refused glob_is_no_test "unknown test or group '\*'" -t '*'
refused repeats_zero '-r 0: a whole number from 1 to 1000' -r 0
refused repeats_text '-r ten' -r ten
refused repeats_large '-r 1001' -r 1001
refused repeats_octal '-r 010: a whole number from 1 to 1000' -r 010
refused repeats_huge '-r 99999999999999999999' -r 99999999999999999999
refused tier '-T slow: quick or full' -T slow
refused option 'unknown option -Z' -Z
refused device_missing 'no PCI device ffff:ff:1f.7' -D ffff:ff:1f.7
refused device_name 'is no name of a PCI device' -D ../devices
bridge=$(grep -l -s '^0x06' /sys/bus/pci/devices/*/class | head -n 1)
if [ -n "$bridge" ]; then
	refused device_in_use 'is in use: it is a bridge to other devices' -D "$(basename "${bridge%/class}")"
else
	skip device_in_use 'this machine has no PCI bridge: see vmtests/lib/tests/pci_unit.c'
fi
refused no_argument '-t wants an argument' -t
refused stray_argument 'tests are named with -t' meta_pass
refused nothing_left 'nothing is left to run' -t meta_pass -x meta
refused case_of_unknown_test "unknown test 'nonesuch' in 'nonesuch:case'" -t nonesuch:case
refused case_of_group "unknown test 'meta' in 'meta:case'" -t meta:case
refused case_without_name 'meta_pass: names no case' -t meta_pass:
refused case_left_out 'single cases can be asked for, not left out' -x meta_pass:case

# cases_run STATUS LINE TESTS: that is how -t TESTS ends, and what it says of the first test
cases_run()
{
	"$runner" -t "$3" -r 1 -o "$scratch/cases" >"$scratch/log" 2>&1
	[ $? -eq "$1" ] && grep -q -x "$2" "$scratch/log"
}
test=lazy_mmu_test case=lazy_mmu.undisturbed.munmap_runs other=lazy_mmu.undisturbed.dontneed_private
cases_run 0 "ok 1 $test" "$test:$case" && grep -q '^# 1\.\.1$' "$scratch/log" &&
	grep -q -x "# ok 1 $case" "$scratch/log"
result one_case $?
cases_run 0 "ok 1 $test" "$test:$case $test:$other" && grep -q '^# 1\.\.2$' "$scratch/log"
result two_cases $?
cases_run 1 "# $test: it has no case lazy_mmu.nonesuch" "$test:lazy_mmu.nonesuch"
result unknown_case $?
cases_run 1 "# $test: it has no case lazy_mmu.nonesuch" "$test:$case $test:lazy_mmu.nonesuch"
result unknown_case_beside_a_known_one $?
cases_run 0 'ok 1 boot_memory' boot_memory:boot && grep -q '^# 1\.\.1$' "$scratch/log"
result case_of_a_benchmark $?
cases_run 1 '# boot_memory: it has no case nonesuch' boot_memory:nonesuch
result unknown_case_of_a_benchmark $?
cases_run 0 'ok 1 boot_memory' 'boot_memory:boot boot' && ! grep -q '^# 1\.\.1$' "$scratch/log"
result group_beside_a_case $?

# What a group has of the full tier runs there, or by its own name.
"$runner" -l >"$scratch/log" 2>&1 &&
	grep -q '^hugetlb_regress_test  *hvo  *full  *runs by its own name or with -T full$' "$scratch/log" &&
	"$runner" -T full -l >"$scratch/log" 2>&1 &&
	grep -q '^hugetlb_regress_test  *hvo  *full  *runs$' "$scratch/log"
result list_says_tier $?
refused group_without_full_tier 'nothing is left to run' -t hvo \
	-x "$(awk '$2 == "hvo" && $3 != "full" { print $1 }' "$here/../vmtests.list" | tr '\n' ' ')"

# functional, benchmarks: what they stand for, less all but one or all of it
programs()	# DIRECTORY
{
	awk -v directory="$1/" '/^[^#]/ && index($6, directory) == 1 { print $1 }' "$here/../vmtests.list" |
		tr '\n' ' '
}
refused functional_is_no_benchmark 'nothing is left to run' -t functional \
	-x "$(programs tools-testing-mm)"
"$runner" -t benchmarks -x "$(programs vmtests | sed 's/boot_memory//')" -o "$scratch/class" \
	>"$scratch/log" 2>&1 && grep -q '^1\.\.1$' "$scratch/log" &&
	grep -q '^ok 1 boot_memory$' "$scratch/log"
result benchmarks_of_the_tier $?
refused label_name 'the last part is the label' -t meta_pass -o "$scratch/a label"
refused long_label 'the last part is the label' -t meta_pass -o "$scratch/$(printf '%0129d' 0)"
refused unwritable "cannot make /proc/nowhere" -t meta_pass -o /proc/nowhere/label

# Where the linear map cannot be split -S stops before it measures anything. Where it could be, this
# must not do it: an ordinary user cannot.
split_stops()
{
	chmod 755 "$scratch"
	setpriv --reuid 65534 --clear-groups "$runner" -S -t meta_pass -o "$scratch/split" \
		>"$scratch/out" 2>"$scratch/log"
	[ $? -eq 4 ] && [ "$(wc -l <"$scratch/log")" -eq 1 ] &&
		grep -q '^linear_map_split: ' "$scratch/log" && [ ! -e "$scratch/split-blocks" ]
}
if setpriv --reuid 65534 --clear-groups test -x "$runner" -a -x "$VMTESTS_BUILD/vmtests" \
	2>/dev/null; then
	split_stops
	result split_stops_without_root $?
else
	skip split_stops_without_root 'another user cannot be had, or cannot read this directory'
fi
refused split_takes_no_argument 'tests are named with -t' -S meta_pass
refused perf_takes_no_argument 'tests are named with -t' -p meta_pass
"$VMTESTS_BUILD/vmtests/linear_map_split" -Z >"$scratch/out" 2>"$scratch/log"
[ $? -eq 2 ] && grep -q '^usage: linear_map_split' "$scratch/log"
result splitter_usage $?

VMTESTS_PASS_SECONDS=soon "$runner" -t meta_pass -o "$scratch/x" >"$scratch/out" 2>"$scratch/log"
[ $? -eq 2 ] && grep -q 'VMTESTS_PASS_SECONDS=soon' "$scratch/log"
result refuses_pass_seconds $?

VMTESTS_TIMEOUT_MUL=0 "$runner" -t meta_pass -o "$scratch/x" >"$scratch/out" 2>"$scratch/log"
[ $? -eq 2 ] && grep -q 'VMTESTS_TIMEOUT_MUL=0' "$scratch/log"
result timeout_mul $?

VMTESTS_TIMEOUT_MUL=08 "$runner" -t meta_pass -o "$scratch/x" >"$scratch/out" 2>"$scratch/log"
[ $? -eq 2 ] && grep -q 'VMTESTS_TIMEOUT_MUL=08: a whole number from 1 to 1000' "$scratch/log"
result timeout_mul_octal $?

# What nobody could see is no success.
"$runner" -t meta_pass -o "$scratch/unseen" >/dev/full 2>"$scratch/log"
[ $? -eq 2 ] && grep -q 'could not be written' "$scratch/log"
result output_full $?
"$runner" -n -t meta_pass -o "$scratch/unseen" >/dev/full 2>"$scratch/log"
[ $? -eq 2 ] && grep -q 'could not be written' "$scratch/log"
result plain_output_full $?
"$runner" -t meta_pass -o "$scratch/unseen" >&- 2>"$scratch/log"
[ $? -eq 2 ] && grep -q 'standard output is closed' "$scratch/log"
result output_closed $?
"$runner" -t meta_pass -o "$scratch/quiet" 2>&- <&- >"$scratch/log" && grep -q '^ok 1 meta_pass$' "$scratch/log"
result other_streams_closed $?
for option in -l -h; do
	"$runner" $option >/dev/full 2>"$scratch/log"
	[ $? -eq 2 ]
	result "output_full_$option" $?
done

# cd(1) looks in CDPATH for a directory that has no slash in front.
mkdir -p "$scratch/elsewhere/results/label/$(cat /proc/sys/kernel/random/boot_id)"
(cd "$scratch" && CDPATH=$scratch/elsewhere && export CDPATH &&
	"$runner" -t meta_pass -o results/label >"$scratch/log" 2>&1) &&
	[ -z "$(find "$scratch/elsewhere" -type f)" ] &&
	[ -s "$scratch/results/label/$(cat /proc/sys/kernel/random/boot_id)/verdicts.jsonl" ]
result cdpath $?

"$runner" -h >"$scratch/log" 2>&1 && grep -q '^usage: run_vmtests.sh' "$scratch/log"
result help $?
"$runner" -l >"$scratch/log" 2>&1 && grep -q '^meta_needs .*999999' "$scratch/log"
result list_says_why $?

# Results of another schema stay as they are.
boot=$(cat /proc/sys/kernel/random/boot_id)
mkdir -p "$scratch/future/$boot"
echo '{"schema": 999}' >"$scratch/future/$boot/run.json"
refused other_schema 'another schema than 1' -t meta_pass -o "$scratch/future"
[ "$(cat "$scratch/future/$boot/run.json")" = '{"schema": 999}' ]
result other_schema_kept $?
mkdir -p "$scratch/garbage/$boot"
echo 'not json' >"$scratch/garbage/$boot/run.json"
refused no_json 'not JSON' -t meta_pass -o "$scratch/garbage"

# What is no file is not waited for.
for name in run.json run.json.new verdicts.jsonl started.jsonl dmesg.txt ktap/0.meta_pass.ktap; do
	label=$scratch/fifo-${name%%[./]*}-${#name}
	mkdir -p "$label/$boot/ktap"
	mkfifo "$label/$boot/$name"
	timeout 60 "$runner" -t meta_pass -o "$label" >"$scratch/out" 2>"$scratch/log"
	[ $? -eq 2 ] && grep -q "$label/$boot/${name%.new}: .*not a regular file" "$scratch/log"
	result "fifo_$name" $?
done

# The same label again in the same boot adds a run.
"$runner" -t meta_pass -o "$scratch/twice" >"$scratch/log" 2>&1 &&
	"$runner" -t meta_pass -o "$scratch/twice" >>"$scratch/log" 2>&1 &&
	[ "$(grep -c '"test":"meta_pass"' "$scratch/twice/$boot/verdicts.jsonl")" -eq 2 ] &&
	grep -q '"run":1' "$scratch/twice/$boot/verdicts.jsonl"
result second_run_appends $?

# A second runner at the same time names the first.
"$runner" -t meta_hang -o "$scratch/first" >"$scratch/first.log" 2>&1 &
first=$!
until grep -q '# hanging' "$scratch/first.log" || ! kill -0 $first 2>/dev/null; do
	pause 50
done
refused second_runner "another run holds this machine: pid $first, label $scratch/first, since" -t meta_pass -o "$scratch/second"
kill -TERM $first
wait $first
[ $? -eq 130 ]
result terminated_at_once $?

# A signal is answered at once, whatever is done: here a program is asked for its version.
mkdir "$scratch/slow"
printf '#!/bin/sh\necho $$ >%s/asked\nexec sleep 60\n' "$scratch" >"$scratch/slow/fio"
chmod 755 "$scratch" "$scratch/slow" "$scratch/slow/fio"
for signal in TERM INT HUP; do
	rm -f "$scratch/asked"
	PATH=$scratch/slow:$PATH env --default-signal=HUP,INT,TERM "$runner" -t meta_pass \
		-o "$scratch/asking" >"$scratch/log" 2>&1 &
	asking=$!
	until [ -s "$scratch/asked" ] || ! kill -0 $asking 2>/dev/null; do
		pause 20
	done
	began=$(date +%s%N)
	kill -$signal $asking
	wait $asking
	status=$?
	ms=$((($(date +%s%N) - began) / 1000000))
	kill "$(cat "$scratch/asked")"
	echo "exit $status after $ms ms" >>"$scratch/log"
	[ $status -eq 130 ] && [ $ms -le 1000 ] && ! grep -q meta_pass "$scratch/log"
	result "signal_while_beginning_$signal" $?
done

# A disk without room.
disk=$scratch/disk
mkdir "$disk"
if mount -t tmpfs -o size=1m tmpfs "$disk" 2>/dev/null; then
	refused full_disk 'free some space' -t meta_pass -o "$disk/label"
	umount "$disk"
else
	skip full_disk 'no small disk can be made: mounting a tmpfs needs root'
fi

# read_only DIR COMMAND [ARGUMENTS]: where that directory cannot be written
read_only()
{
	# shellcheck disable=SC2016 # the inner shell expands it
	unshare -m sh -c 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"' "$@"
}

# What does not work, and what would.
mkdir -p "$scratch/state"
for missing in "$scratch/state" "$scratch/state/below"; do
	name=read_only_${missing##*/}
	if read_only "$scratch/state" true 2>/dev/null; then
		VMTESTS_STATE_DIR=$missing read_only "$scratch/state" "$runner" -t meta_pass \
			-o "$scratch/readonly" >"$scratch/out" 2>"$scratch/log"
		[ $? -eq 2 ] && [ "$(wc -l <"$scratch/log")" -eq 1 ] &&
			grep -q " $missing: Read-only file system: .*VMTESTS_STATE_DIR" "$scratch/log"
		result "$name" $?
	else
		skip "$name" 'a namespace of mounts is refused here'
	fi
done
finish
