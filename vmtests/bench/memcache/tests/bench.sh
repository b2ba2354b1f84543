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
# Then our own server against memcached, as that generator sees them, with 30 gets to a set: how far
# apart the cases are that only ours can serve. Nothing is judged there.
# Both pairs take turns, so that what disturbs one disturbs the other; what counts is the median of
# the turns' ratios. Root takes real-time priority, for 7 s a turn; others need an idle machine.
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

# asked PORT PID CASE [ARGUMENTS]: ops/s, and the server's CPU time in ns/op
asked()
{
	to=$1 of=$2 case=$3
	shift 3
	$first taskset -c "$client_cpu" "$build/vmtests/memcache_pressure" -r 5 -w 0 --loops closed \
		-c "$case" --external "127.0.0.1:$to" --external-pid "$of" "$@" \
		>"$scratch/log" 2>&1 || return 1
	awk '$3 == "ops_per_sec" { ops += $4 } $3 == "cpu_ns_per_op" { ns += $4; nr++ }
		END { print ops / nr, ns / nr }' "$scratch/log"
}

ours()
{
	asked "$port" "$pid" conn64.uniform.fixed --gets-per-set 0 | sed 's/ .*//'
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

our_server()
{
	asked "$port" "$pid" "$served"
}

memcached_server()
{
	asked "$memcached_port" "$memcached_pid" "$served"
}

# ratios FILE COLUMN COLUMN: of the two columns, in each line, sorted
ratios()
{
	awk -v a="$2" -v b="$3" '{ print $a / $b }' "$1" | sort -n
}

# spread WHAT: "median, least to most" of the sorted numbers on stdin
spread()
{
	awk -v what="$1" '{ v[NR] = $1 }
		END { printf "# %s: median %.3g, %.3g to %.3g\n", what, v[int((NR + 1) / 2)], v[1], v[NR] }'
}

# turns NAME COMMAND COMMAND: what both print goes into a line a turn of $scratch/NAME
turns()
{
	turn=0
	while [ $((turn += 1)) -le "$turns" ]; do
		if ! a=$($2) || ! b=$($3) || [ -z "$a" ] || [ -z "$b" ]; then
			result "$1_turn_$turn" 1
			finish
		fi
		echo "# $1, turn $turn: $a against $b"
		echo "$a $b" >>"$scratch/$1"
	done
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
for tool in memcached taskset; do
	command -v $tool >/dev/null && continue
	skip saturates "no $tool"
	finish
done
# Round robin, not FIFO: memcaslap's thread would keep the one that ends it from its CPU.
first=
chrt -r 1 true 2>/dev/null && first='chrt -r 1'
# shellcheck disable=SC2086 # $first is words
start_memcached $first taskset -c "$server_cpu" || { result memcached 1; finish; }
if command -v memcaslap >/dev/null; then
	turns saturates ours theirs
	ratios "$scratch/saturates" 1 2 >"$scratch/ratios"
	spread 'ours over memcaslap' <"$scratch/ratios"
	: >"$scratch/log"
	awk -v ratio="$(sed -n "$(((turns + 1) / 2))p" "$scratch/ratios")" 'BEGIN { exit !(ratio >= 1) }'
	result saturates $?
else
	skip saturates 'no memcaslap'
fi

memcached_port=$port memcached_pid=$pid
# shellcheck disable=SC2086 # $first is words
start_ours $first taskset -c "$server_cpu" || { result our_server 1; finish; }
# The program waits, its child serves.
read -r pid <"/proc/$pid/task/$pid/children"
for served in conn64.uniform.fixed conn1024.uniform.fixed; do
	turns $served our_server memcached_server
	ratios "$scratch/$served" 1 3 | spread "$served: our server over memcached, ops/s"
	ratios "$scratch/$served" 2 4 | spread "$served: our server over memcached, CPU time"
done
finish
