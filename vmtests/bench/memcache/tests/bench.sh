#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The generator of memcache_pressure against memcaslap, which is in Debian's libmemcached-tools:
# which gets more out of one memcached? The server has the first CPU that this may use, the client
# the second; 64 connections, each with one request on its way; keys of 32 and values of 128
# bytes, 65536 of them, that are all there before the clock starts; each get asks for a random one.
# There are no sets: with sets memcaslap asks only for keys that it has set itself since it began,
# a few hundred of them at first, which the server's CPU has in its caches. Of its output cmd_get
# counts: its TPS has the sets before the clock started among the operations.
# They take turns, so that what disturbs one disturbs the other; what counts is the median of the
# turns' ratios. Root takes real-time priority, for 7 s a turn; others need an idle machine.
# usage: bench.sh BUILD [TURNS]

set -u
build=$(cd "$1" && pwd) || exit 1
turns=${2:-7}
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=vmtests/meta/lib.sh
. "$here/../../../meta/lib.sh"
# shellcheck source=vmtests/bench/memcache/tests/lib.sh
. "$here/lib.sh"

cpus=$(taskset -cp $$ | sed 's/.*: //' | tr ',' '\n' | while IFS=- read -r from to; do
	seq "$from" "${to:-$from}"
done)
server_cpu=$(echo "$cpus" | sed -n 1p)
client_cpu=$(echo "$cpus" | sed -n 2p)

ours()
{
	$first taskset -c "$client_cpu" "$build/vmtests/memcache_pressure" -r 5 -w 0 --rate 1000 \
		--gets-per-set 0 -c conn64.uniform.fixed --external "127.0.0.1:$port" \
		>"$scratch/log" 2>&1 || return 1
	awk '$3 == "ops_per_sec" { sum += $4; nr++ } END { print sum / nr }' "$scratch/log"
}

# One second, as five repeats of ours.
theirs()
{
	$first taskset -c "$client_cpu" memcaslap -s "127.0.0.1:$port" -T 1 -c 64 -w 1k -t 1s \
		-F "$scratch/memcaslap.cnf" >"$scratch/log" 2>&1 || return 1
	awk '$1 == "cmd_get:" { gets = $2 }
		/^get_misses: 0$/ { found = 1 }
		/^Run time: / && $7 { seconds = $5 / $7 }
		END { if (gets && found && seconds) print gets / seconds }' "$scratch/log"
}

cat >"$scratch/memcaslap.cnf" <<'EOF'
key
32 32 1
value
128 128 1
cmd
0 0
1 1
EOF

echo 'KTAP version 1'
if [ -z "$client_cpu" ]; then
	skip saturates 'one CPU: the client needs one of its own'
	finish
fi
for tool in memcached memcaslap taskset; do
	command -v "$tool" >/dev/null && continue
	skip saturates "no $tool"
	finish
done
# Round robin, not FIFO: memcaslap's thread would keep the one that ends it from its CPU.
first=
chrt -r 1 true 2>/dev/null && first='chrt -r 1'
# shellcheck disable=SC2086 # $first is words
start_memcached $first taskset -c "$server_cpu" || { result memcached 1; finish; }
turn=0
while [ $((turn += 1)) -le "$turns" ]; do
	if ! a=$(ours) || ! b=$(theirs) || [ -z "$a" ] || [ -z "$b" ]; then
		result "turn_$turn" 1
		finish
	fi
	echo "# turn $turn: ours $a ops/s, memcaslap $b ops/s"
	echo "$a $b" >>"$scratch/turns"
done
awk '{ print $1 / $2 }' "$scratch/turns" | sort -n >"$scratch/ratios"
ratio=$(sed -n "$(((turns + 1) / 2))p" "$scratch/ratios")
echo "# ours over memcaslap: median $ratio, $(sed -n 1p "$scratch/ratios") to $(tail -n 1 "$scratch/ratios")"
: >"$scratch/log"
awk -v ratio="$ratio" 'BEGIN { exit !(ratio >= 1) }'
result saturates $?
finish
