#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# memcache_pressure from outside: its server says byte for byte what memcached says, it measures a
# memcached too, takes its rate from another label, and leaves nothing behind when it is killed.
# usage: memcache_test.sh BUILD

set -u
build=$(cd "$1" && pwd) || exit 1
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
	printf 'set a 5 0 3\r\nabc\r\nget a\r\ngets a\r\nget a b a\r\nset a 6 0 0\r\n\r\nget a\r\n'
	printf 'add a 0 0 1\r\nx\r\nadd c 1 0 1\r\nx\r\nreplace c 2 0 2\r\nyy\r\ngets c\r\n'
	printf 'replace nope 0 0 1\r\nx\r\ncas c 0 0 1 1\r\nz\r\ncas nope 0 0 1 1\r\nz\r\n'
	printf 'cas c 9 0 1 4\r\nz\r\ngets c a\r\n'
	printf 'touch c 100\r\nget c\r\ntouch c -1\r\nget c\r\ntouch c 0\r\nset d 0 -1 1\r\nx\r\nget d\r\n'
	printf 'set d 0 0 1 noreply\r\nx\r\nget d\r\ntouch d 0 noreply\r\ndelete d noreply\r\nget d\r\n'
	printf 'delete a\r\ndelete a\r\ndelete a 0\r\nversion\r\nversion x\r\n'
	printf 'set a 4294967295 2592000 1\r\nx\r\nget a\r\nset a 0 4000000000 1\r\nx\r\nget a\r\nquit\r\n'
}

wrong()
{
	printf 'get %s\r\n' "$long"
	printf 'get\r\ngets\r\nset\r\ndelete\r\ntouch\r\ntouch a\r\nfoo\r\nGET a\r\n\r\n\n'
	printf 'set a 0 0\r\nset a 0 0 -1\r\nset a x 0 1\r\nset a 0 x 1\r\nset a 0 0 x\r\n'
	printf 'set a -1 0 1\r\nset a 0x1 0 1\r\nset a 01 +0 1\r\nx\r\nget a\r\n'
	printf 'set a 0 0 1 foo\r\nx\r\nset a 0 0 1 noreply x\r\ncas a 0 0 1\r\ncas a 0 0 1 x\r\n'
	printf 'set %s 0 0 1\r\n' "$long"
	printf 'delete %s\r\ntouch %s 0\r\n' "$long" "$long"
	printf 'delete a 5\r\ndelete a 0 noreply x\r\ndelete noreply\r\ntouch a x\r\ntouch a 0 x\r\n'
	printf 'set b 5 0 3\r\nabc\r\nset b 5 0 3\r\nabcd\r\nget b\r\nset b 5 0 3\r\nab\r\nget b\r\nget b\r\n'
	printf 'get a\rb\r\nget a\tb\r\nget a \r\n  get  a\r\ntouch  a  0 \r\nget a\nset a 0 0 1\nx\r\n'
	printf 'get a\0b\r\nget \0\r\ngetx a\r\nseta 0 0 1\r\nquit now\r\n'
}

# On its own, and the like first in wrong(): with the error for a key in a get that is too long,
# memcached drops what it has not yet sent of the answers to earlier requests.
midway()
{
	printf 'get a %s a\r\nquit\r\n' "$long"
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
	printf '\r\nquit\r\n'
}

# The servers' names differ, and nothing else.
converse()	# PORT CHUNK
{
	"$build/vmtests/bench/memcache_converse" "$@" 2>>"$scratch/log" |
		sed 's/^VERSION .*/VERSION\r/'
}

compare()	# NAME CHUNK
{
	: >"$scratch/log"
	start_memcached env && "$1" | converse "$port" "$2" >"$scratch/theirs"
	start_ours && "$1" | converse "$port" "$2" >"$scratch/answers"
	servers_end
	[ -s "$scratch/theirs" ] && cmp "$scratch/theirs" "$scratch/answers" >>"$scratch/log" 2>&1
	result "as_memcached_$1_$2" $?
}

measures()	# NAME ARGUMENTS: one repeat of the smallest case
{
	name=$1
	shift
	timeout 120 "$prog" -c conn64.uniform.fixed -r 1 -w 0 "$@" >"$scratch/log" 2>&1 &&
		grep -q '^ok 1 conn64.uniform.fixed$' "$scratch/log" &&
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

# Kill it while it is in its STEPth tenth of a second or so: the server must go with it.
killed()	# SIGNAL STEP
{
	"$prog" -c conn64.uniform.fixed -r 100 >"$scratch/log" 2>&1 &
	pid=$!
	servers="$servers $pid"
	sleep "0.$2"
	children=$(cat "/proc/$pid/task/$pid/children")
	kill -"$1" $pid
	until_gone 10 $pid
	status=$?
	for child in $children; do
		until_gone 10 "$child" || status=1
	done
	[ $status -eq 0 ]
	result "killed_$1_$2" $?
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
	measures external --external "127.0.0.1:$port" --external-pid "$pid" --rate 1000
	measures external_gets --external "127.0.0.1:$port" --external-pid "$pid" --rate 1000 \
		--gets-per-set 0
	servers_end
else
	skip as_memcached 'no memcached: its Debian package has this name'
fi
measures builtin --rate 1000
measures closed --loops closed
! grep -q offered_per_sec "$scratch/log"
result closed_alone $?

# 0.5 of the median of 1000, 4000 and 9000: 0.4 s at 2000/s are 800, of a Poisson distribution.
for boot in 1 2; do
	mkdir -p "$scratch/base/$boot"
done
sample='{"bench":"tlb/memcache","case":"conn64.uniform.fixed","metric":"ops_per_sec","value":'
printf '%s%s}\n' "$sample" 9000 "$sample" 4000 >"$scratch/base/1/samples.jsonl"
printf '%s%s}\n{"bench":"tlb/memcache","case":"x","metric":"ops_per_sec","value":7}\ncut' \
	"$sample" 1000 >"$scratch/base/2/samples.jsonl"
measures baseline --baseline "$scratch/base"
offered 1646 2354
refused baseline_empty 'has no ops_per_sec of conn64.uniform.fixed' \
	-c conn64.uniform.fixed --baseline "$scratch/nothing"
refused loops_text 'loops open: wants' --loops open
refused rate_text 'rate ten: wants requests/s' --rate ten
refused share_large 'share 2: wants a number' --share 2
refused external_text 'external here: wants' --external here
refused no_argument 'rate : wants' --rate
refused mix_builtin 'gets-per-set: only with --external' --gets-per-set 5
refused mix_text 'gets-per-set -1: wants' --gets-per-set -1
: >"$scratch/log"
for step in 1 3 6; do
	killed TERM $step
	killed KILL $step
done
finish
