#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Run vmtests as a tmt test with "result: custom": the verdicts go to $TMT_TEST_DATA/results.yaml,
# which JSON is, and the label beside it. $VMTESTS_ARGS are options of run_vmtests.sh.
# Exit: 0, or 1 when a test failed, or with something else when there are no results.

set -u
here=$(dirname "$(readlink -f "$0")")
data=${TMT_TEST_DATA:?run this by tmt}

runner=$(command -v run_vmtests.sh) || runner=$here/../run_vmtests.sh
runner=$(readlink -f "$runner")
[ -x "$runner" ] || {
	echo 'no run_vmtests.sh: install vmtests on this machine, or have its built tree in PATH (tmt -e)' >&2
	exit 2
}
tree=$(dirname "$runner")
programs=${VMTESTS_BUILD:-$tree/build}
[ -x "$programs/vmtests/vmcompare" ] || programs=$tree

status=0
# shellcheck disable=SC2086 # options are words
"$runner" ${VMTESTS_ARGS:-} -o "$data/label" || status=$?
"$programs/vmtests/vmcompare" -f tmt -o "$data/results.yaml" "$data/label" || exit 2
# That nothing could run is in the results: every test is a skip.
[ $status -ne 4 ] || status=0
exit $status
