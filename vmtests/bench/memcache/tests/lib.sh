# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
#
# Servers for the tests of memcache_pressure. Needs $build and meta/lib.sh.
# shellcheck disable=SC2154,SC2034 # $build, $scratch and $port are the including script's

servers=
trap 'servers_end; rm -rf "$scratch"' EXIT

servers_end()
{
	# shellcheck disable=SC2086 # one word a process
	[ -z "$servers" ] || kill $servers 2>/dev/null
	servers=
}

# A process that only waits to be reaped is gone: it has no program any more.
# until_gone SECONDS PID / until_file SECONDS PID FILE: false when it takes longer
until_gone()
{
	tries=$(($1 * 20))
	while [ -e "/proc/$2/exe" ]; do
		[ $((tries -= 1)) -gt 0 ] || return 1
		sleep 0.05
	done
}

until_file()
{
	tries=$(($1 * 20))
	while [ ! -s "$3" ]; do
		kill -0 "$2" 2>/dev/null && [ $((tries -= 1)) -gt 0 ] || return 1
		sleep 0.05
	done
}

# start_memcached COMMAND / start_ours COMMAND: started by way of COMMAND, or env. Both set $port and
# $pid. They listen on the loopback interface alone, on a free port.
start_memcached()
{
	rm -f "$scratch/port"
	MEMCACHED_PORT_FILENAME=$scratch/port "$@" memcached -u "$(id -un)" -l 127.0.0.1 -p -1 \
		-U 0 -L -t 1 -m 256 -c 2048 >"$scratch/memcached.log" 2>&1 &
	pid=$!
	servers="$servers $pid"
	until_file 30 $pid "$scratch/port" || return 1
	port=$(sed -n 's/^TCP INET: //p' "$scratch/port")
}

start_ours()
{
	: >"$scratch/ours"
	"$@" "$build/vmtests/memcache_pressure" --serve 0 >"$scratch/ours" &
	pid=$!
	servers="$servers $pid"
	until_file 30 $pid "$scratch/ours" || return 1
	port=$(cat "$scratch/ours")
}
