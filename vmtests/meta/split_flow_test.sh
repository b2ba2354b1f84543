#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What run_vmtests.sh -S does, step by step, with a linear_map_split that only notes how it was called,
# so that no map is split: split_test.sh has the real one, in guests.
# usage: split_flow_test.sh BUILD

set -u
build=$(cd "$1" && pwd) || exit 1
here=$(dirname "$(readlink -f "$0")")
runner=$here/../../run_vmtests.sh
# shellcheck source=vmtests/meta/lib.sh
. "$here/lib.sh"
steps=$scratch/steps
export VMTESTS_BUILD="$scratch/build"

# as_program NAME: the shell script on standard input, in the place of NAME
as_program()
{
	rm "$VMTESTS_BUILD/$1"
	{ echo '#!/bin/sh'; cat; } >"$VMTESTS_BUILD/$1"
	chmod +x "$VMTESTS_BUILD/$1"
}

mkdir "$VMTESTS_BUILD"
cp -rs "$build/vmtests" "$build/tools-testing-mm" "$VMTESTS_BUILD"
as_program vmtests/linear_map_split <<EOF
echo "split\$*" >>$steps
[ "split\$*" != "\$(cat $scratch/refused)" ]
EOF
as_program vmtests/meta/pass <<EOF
echo "measured in \$VMTESTS_PASSES passes as \${VMTESTS_OUT%/*}" >>$steps
echo TAP version 13; echo 1..1; echo ok 1 pass
EOF

# flow NAME STATUS: -S ends so, after the steps on standard input
flow()
{
	rm -f "$steps"
	"$runner" -S -r 7 -t meta_pass -o "$scratch/$1" >"$scratch/log" 2>&1
	status=$?
	echo "exit status $status" >>"$scratch/log"
	diff - "$steps" >>"$scratch/log" && [ $status -eq "$2" ]
	result "$1" $?
}

echo 'KTAP version 1'
: >"$scratch/refused"
flow both_sides 0 <<EOF
split-c
split-d
measured in 7 passes as $scratch/both_sides-blocks
split
measured in 7 passes as $scratch/both_sides-split
EOF
grep -q -x '1\.\.4' "$scratch/log" && grep -q -x 'ok 1 linear_map_split_dry' "$scratch/log" &&
	grep -q -x 'ok 2 meta_pass-blocks' "$scratch/log" &&
	grep -q -x 'ok 3 linear_map_split' "$scratch/log" &&
	grep -q -x 'ok 4 meta_pass-split' "$scratch/log"
result each_has_its_name $?

echo split-c >"$scratch/refused"
flow refused 1 <<EOF
split-c
EOF
! ls -d "$scratch/refused-"* >/dev/null 2>&1
result refused_measures_nothing $?

echo split-d >"$scratch/refused"
flow no_rehearsal_no_measurement 1 <<EOF
split-c
split-d
EOF

echo split >"$scratch/refused"
flow no_split_no_second_side 1 <<EOF
split-c
split-d
measured in 7 passes as $scratch/no_split_no_second_side-blocks
split
EOF

rm -f "$steps"
"$runner" -r 7 -t meta_pass -o "$scratch/usual" >"$scratch/log" 2>&1 &&
	grep -q -x "measured in  passes as $scratch/usual" "$steps"
result usual_passes_without $?
finish
