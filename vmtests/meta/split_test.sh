#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# run_vmtests.sh -S in guests, whose linear map may be split: how much of it, without the OOM
# killer, under which labels, and that it stops where there is nothing to split. With -a also on
# arm64, and against the naive way: all memory as secret memory.
#
# The naive way changes the linear map once for each page, with a flush on every CPU; that is what
# hardware spends its time on, so the number of changes is compared exactly, and that of seconds is
# only held to be less: an emulator's system calls are too slow against its flushes to say more.
# usage: split_test.sh [-a] BUILD; not in make check, for guests are slow: make check-split

set -u
all=''
[ "$1" != -a ] || { all=1; shift; }
build=$(cd "$1" && pwd) || exit 1
here=$(dirname "$(readlink -f "$0")")
cd "$here/../.." || exit 1
# shellcheck source=vmtests/meta/lib.sh
. "$here/lib.sh"

# With less, what boot-time memory and watermarks take is more than a tenth; the naive way takes its
# time with more.
amd64_mem=4G arm64_mem=6G naive_mem=2G
CHANGES_RATIO=20

# guest NAME ARCH CPU MEM COMMAND: into $scratch/NAME
guest()
{
	lab/boot --kernel "7:$2" --cpu "$3" --mem "$4" --payload "$build/lab-payload/$2" \
		--timeout 600 --out "$scratch/$1" -- sh -c "$5" >"$scratch/log" 2>&1
	guest_status=$?
	cat "$scratch/$1/output.log" >>"$scratch/log"
	return $guest_status
}

# number_of NAME PATTERN: what \\1 of the sed pattern is in its output
number_of()
{
	sed -n "s/.*$2.*/\\1/p" "$scratch/$1/output.log"
}

# shellcheck disable=SC2016 # the guest's shell expands it
measure='before=$(grep oom_kill /proc/vmstat)
	VMTESTS_TIMEOUT_MUL=10 ./run_vmtests.sh -S -r 1 -t boot_memory -o /results/x || exit 1
	echo "oom: $before $(grep oom_kill /proc/vmstat)"
	./run_vmtests.sh -S -t boot_memory -o /results/y; echo "again: $?"; ls /results'

# blocks LABEL: bytes of the linear map's leaves that are not PTEs
blocks()
{
	python3 - "$1"/*/run.json <<'EOF'
import json, sys
linear = json.load(open(sys.argv[1]))["census"]["ranges"]["linear"]
print(sum(leaf["bytes"] for leaf in linear["leaves"] if leaf["level"] != "pte"))
EOF
}

split_in_guest()	# ARCH CPU MEM
{
	guest "$1" "$1" "$2" "$3" "$measure"
	result "$1_measures_twice" $?
	before=$(blocks "$scratch/$1/results/x-blocks")
	after=$(blocks "$scratch/$1/results/x-split")
	echo "blocks: $before bytes, then ${after:-unknown}" >>"$scratch/log"
	[ $((after * 10)) -le "$before" ]
	result "$1_nine_tenths_by_census" $?
	whole=$(number_of "$1" 'whole blocks: \([0-9]*\) MiB before')
	whole_now=$(number_of "$1" 'whole blocks: [0-9]* MiB before, \([0-9]*\) MiB now')
	[ "${whole_now:-0}" -gt 0 ] && [ $((whole_now * 5)) -ge $((whole * 4)) ]
	result "$1_leaves_huge_pages" $?
	dry_before=$(number_of "$1" 'linear map: \([0-9]*\) MiB before')
	dry_after=$(number_of "$1" 'linear map: [0-9]* MiB before, \([0-9]*\) MiB now')
	[ -n "$dry_before" ] && [ "$dry_before" = "$dry_after" ]
	result "$1_dry_run_splits_nothing" $?
	[ "$(ls "$scratch/$1/results/x-blocks")" = "$(ls "$scratch/$1/results/x-split")" ]
	result "$1_one_boot" $?
	grep -q -x 'oom: oom_kill 0 oom_kill 0' "$scratch/$1/output.log"
	result "$1_no_oom_killer" $?
	grep -q 'only a reboot undoes' "$scratch/$1/output.log" &&
		grep -q 'is made of pages already' "$scratch/$1/output.log" &&
		grep -q '^again: 4$' "$scratch/$1/output.log" &&
		! ls -d "$scratch/$1/results/y"* >/dev/null 2>&1
	result "$1_second_time_refused" $?
}

echo 'KTAP version 1'
for program in qemu-system-x86_64 mmdebstrap python3; do
	command -v $program >/dev/null || {
		skip split "$program is not installed"
		finish
	}
done
make --no-print-directory O="$build" lab-payload-amd64 >"$scratch/log" 2>&1
result payload_amd64 $?
split_in_guest amd64 plain $amd64_mem

[ -n "$all" ] || finish
make --no-print-directory O="$build" lab-payload-arm64 >"$scratch/log" 2>&1
result payload_arm64 $?
split_in_guest arm64 bbml2 $arm64_mem

guest plain arm64 plain 1G 'vmtests/linear_map_split; echo "exit $?"' &&
	grep -q 'is made of pages already' "$scratch/plain/output.log" &&
	grep -q '^exit 4$' "$scratch/plain/output.log"
result arm64_plain_refused $?

for way in '' -n; do
	guest "way$way" amd64 plain $naive_mem "vmtests/linear_map_split $way"
	result "amd64_way$way" $?
done
changes=$(number_of way ': \([0-9]*\) secret') naive=$(number_of way-n ': \([0-9]*\) secret')
seconds=$(number_of way ' in \([0-9]*\)\.[0-9]* s:')
naive_seconds=$(number_of way-n ' in \([0-9]*\)\.[0-9]* s:')
echo "# naive: $naive changes of the map in $naive_seconds s, this: $changes in $seconds s"
[ "$naive" -ge $((changes * CHANGES_RATIO)) ] && [ "$seconds" -lt "$naive_seconds" ]
result faster_than_naive $?
finish
