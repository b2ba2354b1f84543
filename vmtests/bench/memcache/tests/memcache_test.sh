#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# memcache_pressure from outside: its own server says byte for byte what memcached says, it measures
# memcached and its own, takes its rate from another label, says when a server is missing or dies,
# and leaves nothing behind when it is killed.
# usage: memcache_test.sh BUILD

set -u
build=$(cd "$1" && pwd) || exit 1
# All of it as one run, so that no other one has the machine in between.
if [ -z "${VMTESTS_LOCK_FD:-}" ]; then
	exec "$build/vmtests/vmtctl" locked "$0" "$build"
fi
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=vmtests/meta/lib.sh
. "$here/../../../meta/lib.sh"
# shellcheck source=vmtests/bench/memcache/tests/lib.sh
. "$here/lib.sh"
prog=$build/vmtests/memcache_pressure
long=$(printf '%0251d' 0)

# zeros BYTES
zeros()
{
	head -c "$1" /dev/zero | tr '\0' 0
}

right()
{
	printf 'set a 5 0 3\r\nabc\r\nget a\r\nget a b a\r\nset a 6 0 0\r\n\r\nget a\r\n'
	printf 'set d 0 0 1 noreply\r\nx\r\nget d\r\nset d 1 0 2\r\nyy\r\nget d a\r\n'
	printf 'set a 4294967295 0 1\r\nx\r\nget a\r\n'
}

wrong()
{
	printf 'get %s\r\n' "$long"
	printf 'get\r\nset\r\nset a\r\nfoo\r\nGET a\r\n\r\n\n'
	printf 'set a 0 0\r\nset a 0 0 -1\r\nset a x 0 1\r\nset a 0 x 1\r\nset a 0 0 x\r\n'
	printf 'set a -1 0 1\r\nset a 0x1 0 1\r\nset a 01 +0 1\r\nx\r\nget a\r\n'
	printf 'set a 0 0 1 foo\r\nx\r\nset a 0 0 1 noreply x\r\n'
	printf 'set %s 0 0 1\r\n' "$long"
	printf 'set b 5 0 3\r\nabc\r\nset b 5 0 3\r\nabcd\r\nget b\r\nset b 5 0 3\r\nab\r\nget b\r\nget b\r\n'
	printf 'get a\rb\r\nget a\tb\r\nget a \r\n  get  a\r\nget a\nset a 0 0 1\nx\r\n'
	printf 'get a\0b\r\nget \0\r\ngetx a\r\nseta 0 0 1\r\n'
}

# On its own, and the like first in wrong(): with the error for a key in a get that is too long,
# memcached drops what it has not yet sent of the answers to earlier requests.
midway()
{
	printf 'get a %s a\r\n' "$long"
}

large()
{
	printf 'set a 0 0 1000000\r\n'
	zeros 1000000
	printf '\r\nget a a\r\nset b 0 0 1\r\nx\r\nset b 0 0 2000000\r\n'
	zeros 2000000
	printf '\r\nget b\r\nset b 0 0 1048576 noreply\r\n'
	zeros 1048576
	printf '\r\nget b\r\nget'
	printf ' %s' a b c d
	printf '\r\n'
}

converse()	# PORT CHUNK
{
	"$build/vmtests/bench/memcache_converse" "$@" 2>>"$scratch/log"
}

compare()	# NAME CHUNK
{
	: >"$scratch/log"
	start_memcached env && "$1" | converse "$port" "$2" >"$scratch/theirs"
	start_ours env && "$1" | converse "$port" "$2" >"$scratch/answers"
	servers_end
	[ -s "$scratch/theirs" ] && cmp "$scratch/theirs" "$scratch/answers" >>"$scratch/log" 2>&1
	result "as_memcached_$1_$2" $?
}

small=conn64.uniform.fixed
own=conn1024.uniform.file

# measures NAME CASE ARGUMENTS: one repeat
measures()
{
	name=$1 case=$2
	shift 2
	timeout 120 "$prog" -c "$case" -r 1 -w 0 "$@" >"$scratch/log" 2>&1 &&
		grep -q "^ok 1 $case\$" "$scratch/log" &&
		grep -q ' ops_per_sec [0-9]' "$scratch/log" &&
		grep -q ' cpu_ns_per_op [0-9]' "$scratch/log"
	result "$name" $?
}

# offered LEAST MOST: the rate that the log says was offered is between the two
offered()
{
	awk -v least="$1" -v most="$2" '
		$3 == "offered_per_sec" { found = $4 >= least && $4 <= most }
		END { exit !found }' "$scratch/log"
	result "rate_of_baseline" $?
}

refused()	# NAME MESSAGE ARGUMENTS
{
	name=$1 message=$2
	shift 2
	"$prog" "$@" >"$scratch/log" 2>&1
	[ $? -eq 1 ] && grep -q -e "$message" "$scratch/log"
	result "$name" $?
}

# said_server NAME CASE WORDS: which server it was, as the log has it
said_server()
{
	grep -q "^# $2: the server is $3" "$scratch/log"
	result "$1" $?
}

# Without memcached its cases skip by name, and the others are measured.
missing()
{
	PATH=/nonexistent "$prog" -c "$small" -c "$own" -r 1 -w 0 --loops closed >"$scratch/log" 2>&1
	status=$?
	[ $status -eq 0 ] && grep -q '^# no memcached: apt install memcached' "$scratch/log" &&
		grep -q "^ok 1 $small # SKIP" "$scratch/log" && grep -q "^ok 2 $own\$" "$scratch/log"
	result memcached_missing $?
}

# measuring CASE: start it in the background and wait for the first value; sets $pid
measuring()
{
	: >"$scratch/log"
	"$prog" -c "$1" -r 1000 >"$scratch/log" 2>&1 &
	pid=$!
	servers="$servers $pid"
	tries=600
	until grep -q ' ops_per_sec ' "$scratch/log"; do
		kill -0 $pid 2>/dev/null && [ $((tries -= 1)) -gt 0 ] || return 1
		sleep 0.05
	done
}

# named NAME PIDS: those of them whose program is called that
named()
{
	wanted=$1
	shift
	for one; do
		[ "$(cat "/proc/$one/comm" 2>/dev/null)" != "$wanted" ] || echo "$one"
	done
}

# The server dies in the middle: the case fails and says so.
server_killed()	# NAME CASE WHO PROGRAM
{
	measuring "$2"
	# shellcheck disable=SC2046 # one word a process
	kill -KILL $(named "$4" $(tree $pid) | tail -n 1)
	wait $pid 2>/dev/null
	[ $? -eq 1 ] && grep -q "^# $3 was killed by signal 9: " "$scratch/log" &&
		grep -q "^not ok 1 $2\$" "$scratch/log"
	result "$1" $?
}

# killed NAME CASE SIGNAL STEP: kill it in its STEPth tenth of a second or so; the server must go
# with it
killed()
{
	"$prog" -c "$2" -r 100 >"$scratch/log" 2>&1 &
	pid=$!
	servers="$servers $pid"
	sleep "$(($4 / 10)).$(($4 % 10))"
	doomed=$(tree $pid)
	kill -"$3" $pid
	status=$?
	for one in $doomed; do
		until_gone 10 "$one" || status=1
	done
	[ $status -eq 0 ]
	result "$1_$3_$4" $?
}

echo 'KTAP version 1'
if command -v memcached >/dev/null; then
	for kind in right wrong midway large; do
		compare $kind 10000000
	done
	compare right 1
	compare wrong 1
	compare large 4099
	start_memcached env
	measures external $small --external "127.0.0.1:$port" --external-pid "$pid" --rate 1000
	measures external_gets $small --external "127.0.0.1:$port" --external-pid "$pid" --rate 1000 \
		--gets-per-set 0
	servers_end
	measures memcached $small --rate 1000
	said_server memcached_said $small 'memcached [0-9]'
	server_killed memcached_killed $small memcached memcached
else
	skip as_memcached 'no memcached: its Debian package has this name'
fi
missing
measures builtin $own --rate 1000
said_server builtin_said $own 'memcache_pressure itself'
server_killed builtin_killed $own 'our server' memcache_pressu
measures closed $own --loops closed
! grep -q offered_per_sec "$scratch/log"
result closed_alone $?

# 0.5 of the median of 1000, 4000 and 9000: 0.4 s at 2000/s are 800, of a Poisson distribution.
for boot in 1 2; do
	mkdir -p "$scratch/base/$boot"
done
sample='{"bench":"tlb/memcache","case":"conn1024.uniform.file","metric":"ops_per_sec","value":'
printf '%s%s}\n' "$sample" 9000 "$sample" 4000 >"$scratch/base/1/samples.jsonl"
printf '%s%s}\n{"bench":"tlb/memcache","case":"x","metric":"ops_per_sec","value":7}\ncut' \
	"$sample" 1000 >"$scratch/base/2/samples.jsonl"
measures baseline $own --baseline "$scratch/base"
offered 1646 2354
refused baseline_empty 'has no ops_per_sec of conn1024.uniform.file' -c $own \
	--baseline "$scratch/nothing"
refused loops_text 'loops open: wants' --loops open
refused rate_text 'rate ten: wants requests/s' --rate ten
refused share_large 'share 2: wants a number' --share 2
refused external_text 'external here: wants' --external here
refused no_argument 'rate : wants' --rate
refused mix_builtin 'gets-per-set: only with --external' --gets-per-set 5
refused mix_text 'gets-per-set -1: wants' --gets-per-set -1
: >"$scratch/log"
for step in 1 3 6 15; do
	for signal in TERM KILL; do
		killed killed "$small" $signal $step
		killed builtin_killed "$own" $signal $step
	done
done
finish
