#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Every test can fail: run it under a kernel that has a bug, as liar.c plays it, and see that it says
# so, in the case that the bug belongs to; and without the lie see that it passes.
# What only page tables can show is kernel_mutants.sh's, in a guest.
# usage: mutants_test.sh BUILD

set -u
build=$1
here=$(dirname "$0")
out=$build/mutants
number=0 failed=0

# lie | test | the case that must fail
table='
leak | linear_map_test | unreadable.process_vm_readv.refused
splits | linear_map_split_test | split.one_page.is_what_the_formula_says
uncharged | linear_map_pressure_test | pressure.cgroup_full
'

result()
{
	number=$((number + 1))
	[ "$1" = ok ] || failed=1
	echo "$1 $number $2"
}

# A line of the harness that names the case; old ones number it differently than new ones.
case_failed()
{
	grep -q "^not ok [0-9]* $2\$" "$1"
}

echo 'KTAP version 1'
if [ "$(id -u)" -ne 0 ]; then
	echo '# the tests need root'
	echo '1..0 # SKIP'
	exit 4
fi
mkdir -p "$out" || exit 1
if ! ${CC:-cc} -Wall -Wextra -Werror -O2 -D_GNU_SOURCE -shared -fPIC -o "$out/liar.so" \
	"$here/liar.c" -ldl; then
	echo 'Bail out! liar.c does not build'
	exit 1
fi

while IFS=' |' read -r lie test case; do
	[ -n "$lie" ] || continue
	program=$build/tools-testing-mm/$test
	if "$program" >"$out/$test.true" 2>&1; then
		result ok "$test.passes"
	else
		sed 's/^/# /' "$out/$test.true"
		result 'not ok' "$test.passes"
	fi
	if LIE=$lie LD_PRELOAD=$out/liar.so "$program" >"$out/$test.lie" 2>&1; then
		echo "# exit status 0 in spite of the lie"
		result 'not ok' "$test.fails_under_$lie"
	elif case_failed "$out/$test.lie" "$case"; then
		result ok "$test.fails_under_$lie"
	else
		sed 's/^/# /' "$out/$test.lie"
		result 'not ok' "$test.fails_under_$lie"
	fi
done <<END
$table
END
echo "1..$number"
exit $failed
