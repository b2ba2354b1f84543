#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# An installed tree runs without the source beside it, as itself and as a kselftest that labs run and
# whose output they parse.
# usage: install_test.sh BUILD

set -u
build=$(cd "$1" && pwd) || exit 1
unset VMTESTS_BUILD
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=vmtests/meta/lib.sh
. "$here/lib.sh"
tree=$scratch/root/usr/lib/vmtests

echo 'KTAP version 1'
(cd "$here/../.." && make --no-print-directory O="$build" DESTDIR="$scratch/root" prefix=/usr \
	unitdir=/lib/systemd/system install-service) >"$scratch/log" 2>&1
result install $?
[ "$(readlink "$scratch/root/usr/bin/run_vmtests.sh")" = /usr/lib/vmtests/run_vmtests.sh ]
result link_without_destdir $?
# What dpkg-buildpackage would find out only in minutes: a file that no package holds.
grep -h -v '^#' "$here/../../debian/"*.install >"$scratch/packaged"
(cd "$scratch/root" && find . ! -type d | sed 's|^\./||') | awk '
	FNR == NR { packaged[$0]; next }
	{ path = $0; while (path != "" && !(path in packaged)) if (!sub("/[^/]*$", "", path)) path = "" }
	path == ""' "$scratch/packaged" - >"$scratch/log"
[ ! -s "$scratch/log" ]
result everything_is_packaged $?
# It looks for the plugin first.
refused 115 lab_finds_the_tlb_model 'none: no such file' "$tree/lab/boot" --tlb-model neoverse-v3 \
	--kernel /none --arch arm64
(cd "$scratch" && root/usr/lib/vmtests/run_vmtests.sh -t meta_pass -o "$scratch/label") \
	>"$scratch/log" 2>&1
result installed_runs $?

# Each group that runs unasked is listed once, and only those; each has its program.
awk '!/^#/ && NF && $3 != "ask" { print "vmtests:ksft_" $2 ".sh" }' "$here/../vmtests.list" |
	sort -u >"$scratch/groups"
sort "$tree/kselftest-list.txt" | diff "$scratch/groups" - >"$scratch/log" 2>&1
result groups_are_listed $?
"$tree/run_kselftest.sh" -l | sort | diff "$scratch/groups" - >"$scratch/log" 2>&1
result run_kselftest_lists_them $?
while IFS=: read -r collection program; do
	[ -x "$tree/$collection/$program" ] || echo "no $collection/$program"
done <"$scratch/groups" >"$scratch/log"
[ ! -s "$scratch/log" ]
result groups_have_programs $?

# kselftest OUTPUT [OPTIONS]: the group boot through run_kselftest.sh, with options of run_vmtests.sh
kselftest()
{
	output=$1
	shift
	# Through a pipe: run_kselftest.sh opens its standard output again, at the start of a file.
	(cd / && VMTESTS_LABEL_DIR=$scratch/ksft KSELFTEST_KSFT_BOOT_SH_ARGS="$*" \
		"$tree/run_kselftest.sh" -t vmtests:ksft_boot.sh 2>&1) | cat >"$output"
	cp "$output" "$scratch/log"
}

# Tests of every outcome, and what must be read from them.
kselftest "$scratch/tap" -t meta_pass -t meta_fail -t meta_skip -t meta_mixed -t meta_crash
grep -q '^not ok 1 selftests: vmtests: ksft_boot.sh # exit=1$' "$scratch/tap"
result fail_is_a_fail $?
kselftest "$scratch/passed" -x boot_memory -t meta_pass
grep -q '^ok 1 selftests: vmtests: ksft_boot.sh$' "$scratch/passed"
result pass_is_a_pass $?
kselftest "$scratch/skipped" -x boot_memory -t meta_skip
grep -q '^ok 1 selftests: vmtests: ksft_boot.sh # SKIP$' "$scratch/skipped"
result skip_is_a_skip $?
kselftest "$scratch/refused" -r 0
grep -q '^not ok 1 selftests: vmtests: ksft_boot.sh # exit=1$' "$scratch/refused"
result wrong_use_is_a_fail $?

if python=$(python_with "tap, more_itertools, yaml"); then
	"$python" "$here/kselftest_names.py" <"$scratch/tap" >"$scratch/names" 2>"$scratch/log"
	result tap_parses $?
	sed 's/^vmtests_ksft_boot_sh_*//' "$scratch/names" >"$scratch/log"
	# Of boot_memory, which is real, what it has depends on the machine.
	grep -v '^boot_memory_' "$scratch/log" | diff - "$here/kselftest_names.expected" \
		>"$scratch/difference"
	status=$?
	mv "$scratch/difference" "$scratch/log"
	result names_and_results $status
	# A space in a name, a doubled name or a reason behind SKIP would show here.
	sed 's/ [a-z]*$//; s/^vmtests_ksft_boot_sh_*//' "$scratch/names" | grep '^boot_memory_' |
		grep -v -x 'boot_memory_[a-z]*' >"$scratch/log"
	[ ! -s "$scratch/log" ]
	result names_are_stable $?
else
	skip tap_parses 'no python3-tap, python3-more-itertools or python3-yaml'
fi

# A limit in settings ends a group whose own test would go on for minutes, and what it had printed
# is not lost. Whenever it comes, it comes before the end.
echo timeout=5 >"$tree/vmtests/settings"
VMTESTS_TIMEOUT_MUL=1000 kselftest "$scratch/timeout" -t meta_hang
grep -q '^not ok 1 selftests: vmtests: ksft_boot.sh # TIMEOUT 5 seconds$' "$scratch/timeout"
result settings_are_honoured $?
finish
