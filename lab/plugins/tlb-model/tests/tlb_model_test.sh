#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The TLB model without a guest: closed forms, page tables made by hand, and two simulations of one
# trace with every preset, which must count the same.
# usage: tlb_model_test.sh BUILD

set -u
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=vmtests/meta/lib.sh
. "$here/../../../../vmtests/meta/lib.sh"
echo 'KTAP version 1'
tools=$1/tlb-model
presets=$here/../presets

for unit in tlb guest; do
	"$tools/${unit}_unit" >"$scratch/log" 2>&1
	result ${unit}_unit $?
done

"$here/make_trace.py" >"$scratch/trace"
for preset in "$presets"/*; do
	name=$(basename "$preset")
	{
		"$tools/tlb_replay" "$preset" "$scratch/trace" >"$scratch/first" &&
			"$here/simulate.py" "$preset" "$scratch/trace" >"$scratch/second" &&
			diff "$scratch/first" "$scratch/second"
	} >"$scratch/log" 2>&1
	result "simulations_agree_$name" $?
done

# A wrong count must be seen: with another second level, nothing is equal.
"$tools/tlb_replay" -e 1024 "$presets/neoverse-v3" "$scratch/trace" >"$scratch/first" 2>"$scratch/log" &&
	"$here/simulate.py" "$presets/neoverse-v3" "$scratch/trace" >"$scratch/second" &&
	! cmp -s "$scratch/first" "$scratch/second"
result simulations_differ_by_size $?

echo nonsense >"$scratch/nonsense"
refused 1 no_trace 'not a trace at line 1' "$tools/tlb_replay" "$presets/neoverse-v3" "$scratch/nonsense"
finish
