#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What the TLB model costs: one guest with the model, without it but with the same clock (--icount 0),
# and without both, in turns, so that what else the machine does slows all of them alike. Each is
# booted idle too, and the times of its idle boot are subtracted, so that what is compared is nothing
# but windows of reads. Processor time is that of QEMU alone.
#
#   slow_down_*    the median of the rounds is at most 8 times what it is without
#   memcache       100000 operations of memcache_pressure, boot and filling its store included, take
#                  less than 3 minutes of QEMU, which runs on one CPU at a time
#
# usage: slow_test.sh BUILD [ROUNDS]
# Six boots a round, three rounds by default. What the guests left is below BUILD/tlb-model/slow.

set -u
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=vmtests/meta/lib.sh
. "$here/../../../../vmtests/meta/lib.sh"
echo 'KTAP version 1'
build=$1 rounds=${2:-3}
guests=$build/tlb-model/slow
TIMEOUT=3000 # seconds a boot, for machines that are busy
SLOW_DOWN_MOST=8
MEMCACHE_OPS=100000
MEMCACHE_SECONDS=180
WORK='vmtests/kernel_gups -c spread -r 5 -w 0'
# Of the quick tier, whose closed loop takes 0.2 s of the guest's.
MEMCACHE='vmtests/memcache_pressure --loops closed -c conn1024.uniform.fixed -r 25 -w 0'
MEMCACHE_LOOP=0.2
rm -rf "$guests"
mkdir -p "$guests/bin"
ln -s "$here/qemu_time.py" "$guests/bin/qemu-system-aarch64"
PATH=$(readlink -f "$guests/bin"):$PATH
export PATH

# guest NAME COMMAND [OPTIONS]: the times go to NAME.times
guest()
{
	name=$1 command=$2
	shift 2
	QEMU_TIMES=$guests/$name.times "$here/../../../boot" --kernel 7:arm64 --mem 6G \
		--timeout $TIMEOUT --payload "$build/lab-payload/arm64" --out "$guests/$name" "$@" \
		-- sh -c "$command" >"$scratch/log" 2>&1
	result "boots_$name" $?
}

# guests ROUND NAME [OPTIONS]: busy and idle
guests()
{
	round=$1 mode=$2
	shift 2
	guest "$mode.$round" "$WORK" "$@"
	guest "$mode-idle.$round" true "$@"
}

# median: of the numbers on stdin
median()
{
	sort -n | awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'
}

# ratios MODE COLUMN: of each round, the work's time with the model by that of MODE
ratios()
{
	for round in $(seq "$rounds"); do
		cat "$guests/modelled.$round.times" "$guests/modelled-idle.$round.times" \
			"$guests/$1.$round.times" "$guests/$1-idle.$round.times" |
			awk -v column="$2" '{ t[NR] = $column }
				END { printf "%.2f\n", (t[1] - t[2]) / (t[3] - t[4]) }'
	done
}

# holds NAME CONDITION: of awk, already with values in it
holds()
{
	echo "$2" >"$scratch/log"
	awk "BEGIN { exit !($2) }" 2>>"$scratch/log"
	result "$1" $?
}

# compare MODE WORDS: report and judge how much slower the model is than that
compare()
{
	for column in 1 2; do
		ratios "$1" $column >"$scratch/ratios"
		slow_down=$(median <"$scratch/ratios")
		[ $column -eq 1 ] && what=processor || what=wall
		echo "# $what time against $2: $slow_down times, rounds: $(tr '\n' ' ' <"$scratch/ratios")"
		holds "slow_down_$1_$what" "$slow_down > 0 && $slow_down <= $SLOW_DOWN_MOST"
	done
}

for round in $(seq "$rounds"); do
	guests "$round" modelled --tlb-model neoverse-v3
	guests "$round" icount --icount 0
	guests "$round" plain
done
for name in modelled icount plain modelled-idle icount-idle plain-idle; do
	echo "# $name: $(for column in 1 2; do
		cat "$guests/$name".*.times | awk -v column=$column '{ print $column }' | median
	done | paste -s -d ' ') s of processor and wall time, medians"
done
compare icount 'the same clock'
compare plain 'the usual clock'

guest memcache "$MEMCACHE" --tlb-model neoverse-v3
ops=$(awk -v loop=$MEMCACHE_LOOP '$3 == "ops_per_sec" { ops += $4 * loop } END { print int(ops) }' \
	"$guests/memcache/output.log")
read -r processor wall <"$guests/memcache.times"
echo "# $ops modelled operations of memcache_pressure in $processor s of processor and $wall s of wall time"
holds memcache "$ops >= $MEMCACHE_OPS && $processor * $MEMCACHE_OPS < $MEMCACHE_SECONDS * $ops"
finish
