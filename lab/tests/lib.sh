# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
#
# What the tests of the lab share: KTAP output and a scratch folder.

number=0
failed=0
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
echo 'KTAP version 1'

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

# skip NAME REASON
skip()
{
	number=$((number + 1))
	echo "# $1: $2"
	echo "ok $number $1 # SKIP"
}

finish()
{
	echo "1..$number"
	exit $failed
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
