# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
#
# What tests in shell share: KTAP output and a scratch directory.

number=0
failed=0
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT

# result NAME STATUS: 0 is a pass; shows $scratch/log otherwise
result()
{
	number=$((number + 1))
	if [ "$2" -eq 0 ]; then
		echo "ok $number $1"
		return
	fi
	failed=1
	[ ! -f "$scratch/log" ] || sed 's/^/# /' "$scratch/log"
	echo "not ok $number $1"
}

skip()	# NAME REASON
{
	number=$((number + 1))
	echo "# $1: $2"
	echo "ok $number $1 # SKIP"
}

# python_with MODULE: the Python that has it, which on Debian is the one in /usr/bin
python_with()
{
	for python in python3 /usr/bin/python3; do
		"$python" -c "import $1" 2>/dev/null && echo "$python" && return
	done
	return 1
}

# tree PID: it and all that descend from it
tree()
{
	echo "$1"
	# shellcheck disable=SC2013 # words
	for child in $(cat "/proc/$1/task/$1/children" 2>/dev/null); do
		tree "$child"
	done
}

finish()
{
	echo "1..$number"
	exit $failed
}

# random LARGEST: a number from 0 into $drawn, by $seed; Park and Miller's generator, the same on every
# machine. Not in a subshell: that would draw the same number again.
random()
{
	seed=$((seed % 2147483646 * 48271 % 2147483647))
	# shellcheck disable=SC2034 # for the caller
	drawn=$((seed % ($1 + 1)))
}

# pause MILLISECONDS
pause()
{
	sleep "$(($1 / 1000)).$(printf '%03d' $(($1 % 1000)))"
}

# status_is STATUS COMMAND [ARGUMENTS]: whether it exits with that; its words go to $scratch/log
status_is()
{
	wanted=$1
	shift
	"$@" >"$scratch/out" 2>"$scratch/log" </dev/null
	status=$?
	[ $status -eq "$wanted" ] || {
		echo "exit $status, expected $wanted" >>"$scratch/log"
		return 1
	}
}

# said PATTERN: on stderr, by what status_is ran last
said()
{
	grep -q -e "$1" "$scratch/log"
}

# refused STATUS NAME PATTERN COMMAND [ARGUMENTS]: one line on stderr like PATTERN, and that status
refused()
{
	refused_status=$1 refused_name=$2 refused_pattern=$3
	shift 3
	status_is "$refused_status" "$@" && said "$refused_pattern" &&
		[ "$(wc -l <"$scratch/log")" -eq 1 ]
	result "$refused_name" $?
}
