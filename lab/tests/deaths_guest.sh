#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# In a guest, as root: run benchmarks, say on the console how many samples there are, and die. Run by
# deaths_test.sh.
# usage: deaths_guest.sh HOW DELAY RUNNER-ARGUMENTS...
#   HOW    panic: by sysrq-c, DELAY seconds after the first test has started; kill: the host does it
#          from then on; live: not at all

set -u
how=$1 delay=$2
shift 2
id=$(cat /proc/sys/kernel/random/boot_id)
results=/results/label/$id
# Not by what lab/boot reads from the disk: that is not synced when the guest dies soon.
echo "<1>deaths: boot $id" >/dev/kmsg

# lines FILE: how many it has by now
lines()
{
	if [ -f "$results/$1" ]; then wc -l <"$results/$1"; else echo 0; fi
}

# A line that can be seen here is on the disk or just being synced; the one before it is synced.
witness()
{
	said=0
	while :; do
		now=$(lines samples.jsonl)
		[ "$now" -eq "$said" ] || echo "<1>deaths: $now samples" >/dev/kmsg
		said=$now
		sleep 0.02
	done
}

./run_vmtests.sh "$@" -o /results/label &
runner=$!
witness &
until [ "$(lines started.jsonl)" -gt 0 ] || ! kill -0 $runner 2>/dev/null; do
	sleep 0.02
done
echo '<1>deaths: a test has started' >/dev/kmsg
if [ "$how" = panic ]; then
	sleep "$delay"
	echo c >/proc/sysrq-trigger
fi
wait $runner
