#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The generator of memcache_pressure against memcaslap, which is in Debian's libmemcached-tools:
# which gets more out of one memcached? The server has the first CPU that this may use, the client
# the second; 64 connections, each with one request on its way; keys of 32 and values of 128
# bytes; 1 set to 30 gets. They take turns, so that what disturbs one disturbs the other; what
# counts is the median of the turns' ratios. Needs a machine that has little else to do.
# usage: memcache_bench.sh BUILD [TURNS]

set -u
build=$(cd "$1" && pwd) || exit 1
turns=${2:-7}
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=vmtests/meta/lib.sh
. "$here/../../meta/lib.sh"
# shellcheck source=vmtests/bench/tests/memcache_lib.sh
. "$here/memcache_lib.sh"

cpus=$(taskset -cp $$ | sed 's/.*: //' | tr ',' '\n' | while IFS=- read -r from to; do
	seq "$from" "${to:-$from}"
done)
server_cpu=$(echo "$cpus" | sed -n 1p)
client_cpu=$(echo "$cpus" | sed -n 2p)

ours()
{
	taskset -c "$client_cpu" "$build/vmtests/memcache_pressure" -r 10 -w 0 --rate 1000 \
		-c conn64.uniform.fixed --external "127.0.0.1:$port" >"$scratch/log" 2>&1 ||
		return 1
	awk '$3 == "ops_per_sec" { sum += $4; nr++ } END { print sum / nr }' "$scratch/log"
}

# Two seconds, as ten repeats of ours. It says the rate of the whole run last.
theirs()
{
	taskset -c "$client_cpu" memcaslap -s "127.0.0.1:$port" -T 1 -c 64 -t 2s \
		-F "$scratch/memcaslap.cnf" >"$scratch/log" 2>&1 || return 1
	sed -n 's/.* TPS: \([0-9]*\) .*/\1/p' "$scratch/log" | tail -n 1
}

cat >"$scratch/memcaslap.cnf" <<'EOF'
key
32 32 1
value
128 128 1
cmd
0 0.032258
1 0.967742
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
start_memcached taskset -c "$server_cpu" || { result memcached 1; finish; }
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
