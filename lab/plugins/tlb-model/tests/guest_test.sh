#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The TLB model in guests, on 1 GiB of page cache and on as many pages of a user's own memory:
#
#   tables      every access is explained by the guest's page tables, and every walk of the model leads
#               where the emulator went
#   repeats     two boots of one kernel count the same, within 1 %
#   reach       another second level, of the model's own size, counts what the model itself does
#   blocks      where the linear map is made of blocks, it misses a tenth as often or less
#   control     misses of user addresses do not move, within 2 %
#   trace       what a guest's TLB was asked, simulated again by two other programs: equal counts
#
# usage: guest_test.sh BUILD
# Four boots; minutes. What the guests left is below BUILD/tlb-model/guests.

set -u
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=vmtests/meta/lib.sh
. "$here/../../../../vmtests/meta/lib.sh"
echo 'KTAP version 1'
build=$1
tools=$build/tlb-model
preset=$here/../presets/neoverse-v3
guests=$tools/guests
TIMEOUT=3000 # seconds a boot, for machines that are busy
TRACE_MOST=300000
rm -rf "$guests"
mkdir -p "$guests"

# guest NAME CPU [OPTIONS]
guest()
{
	name=$1 cpu=$2
	shift 2
	"$here/../../../boot" --kernel 7:arm64 --cpu "$cpu" --mem 6G --timeout $TIMEOUT \
		--payload "$build/lab-payload/arm64" --out "$guests/$name" "$@" -- \
		vmtests/kernel_gups -c spread -c user-pages -r 1 -w 1 >"$scratch/log" 2>&1
	result "boots_$name" $?
}

# value NAME CASE METRIC
value()
{
	awk -v kase="$2" -v metric="$3" '$2 == kase && $3 == metric { print $4; found = 1 }
		END { exit !found }' "$guests/$1/output.log"
}

# holds NAME CONDITION: of awk, already with values in it
holds()
{
	echo "$2" >"$scratch/log"
	awk "BEGIN { exit !($2) }" 2>>"$scratch/log"
	result "$1" $?
}

guest plain plain --tlb-model neoverse-v3
guest again plain --tlb-model neoverse-v3,reach=2048:512
guest bbml2 bbml2 --tlb-model neoverse-v3
guest traced plain --tlb-model "neoverse-v3,trace=$guests/trace,trace-most=$TRACE_MOST"

for name in plain bbml2; do
	for kase in spread user-pages; do
		for metric in model_untranslated model_disagreed; do
			holds "${name}_${kase}_$metric" "$(value $name $kase $metric) == 0"
		done
	done
done
first=$(value plain spread model_kernel_dtlb_mpki)
second=$(value again spread model_kernel_dtlb_mpki)
holds repeats "$second > 0.99 * $first && $second < 1.01 * $first"
holds reach "$(value again spread model_linear_misses_per_op_l2_2048) == \
	$(value again spread model_linear_misses_per_op)"
holds reach_less "$(value again spread model_linear_misses_per_op_l2_512) > \
	$(value again spread model_linear_misses_per_op)"
holds blocks "$(value plain spread model_linear_misses_per_op) >= \
	10 * $(value bbml2 spread model_linear_misses_per_op)"
first=$(value plain user-pages model_user_dtlb_mpki)
second=$(value bbml2 user-pages model_user_dtlb_mpki)
holds control "$second > 0.98 * $first && $second < 1.02 * $first"

tail -n 1 "$guests/trace" | cut -d ' ' -f 2- >"$scratch/counted"
{
	"$tools/tlb_replay" "$preset" "$guests/trace" >"$scratch/replayed" &&
		"$here/simulate.py" "$preset" "$guests/trace" >"$scratch/simulated" &&
		diff "$scratch/replayed" "$scratch/simulated" &&
		cut -d ' ' -f 1-5 "$scratch/replayed" | diff "$scratch/counted" -
} >"$scratch/log" 2>&1
result trace $?
finish
