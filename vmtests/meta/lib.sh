# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
#
# What the tests of the runner share: KTAP output and a scratch folder.

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
