#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What a test has changed is put back whatever becomes of it: end each test of huge pages when it has
# changed something, and some time later, by a signal that it may act upon and by one that it may
# not, and see that after the next start of anything the pools and the switch of HVO are what they
# were.
# usage: teardown_test.sh BUILD

set -u
build=$1
tests=$build/tools-testing-mm
here=$(dirname "$0")
# shellcheck source=vmtests/meta/lib.sh
. "$here/../lib.sh"
# shellcheck source=vmtests/meta/mutants/settings.sh
. "$here/settings.sh"
moments='0 0.1 0.4'	# seconds after the first change
patience=60	# seconds for what was ended to be gone

# SIGNAL TEST MOMENT: by its session, for the framework gives each case a process group of its own
ended()
{
	setsid "$tests/$2" >/dev/null 2>&1 &
	session=$!
	while [ "$(settings)" = "$before" ] && kill -0 "$session" 2>/dev/null; do
		:
	done
	sleep "$3"
	pkill "-$1" -s "$session"
	wait "$session" 2>/dev/null
	timeout -k 1 "$patience" sh -c "while pgrep -s $session >/dev/null; do sleep 0.02; done"
}

if [ "$(id -u)" -ne 0 ]; then
	echo '1..0 # SKIP the tests need root'
	exit 4
fi
"$build/vmtests/vmtctl" locked true || exit 1
echo 'KTAP version 1'
before=$(settings)
for signal in KILL TERM; do
	for test in hvo_test hvo_race_test hugetlb_regress_test; do
		bad=0 changed=0
		for moment in $moments; do
			ended "$signal" "$test" "$moment"
			[ "$(settings)" = "$before" ] || changed=$((changed + 1))
			if ! "$build/vmtests/vmtctl" locked true 2>"$scratch/why" ||
				[ "$(settings)" != "$before" ]; then
				bad=1
				echo "# after SIG$signal at $moment s:"
				sed 's/^/# /' "$scratch/why"
				settings | sed 's/^/# /'
			fi
		done
		echo "# $changed times something was left to put back"
		# SIGKILL at the first change leaves it, or nothing was tried.
		[ "$signal" != KILL ] || [ "$changed" -gt 0 ] || bad=1
		result "$test.put_back_after_SIG$signal" $bad
	done
done
finish
