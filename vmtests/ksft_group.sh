#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# One group of tests as run_kselftest.sh calls it. "make install" installs this as ksft_GROUP.sh for
# each group, and the name says which group to run. The exit status is kselftest's: of that of
# run_vmtests.sh, 2 becomes 1, because newer kernels' run_kselftest.sh takes 2 for an expected
# failure, and so for a pass.
# usage: ksft_GROUP.sh [OPTIONS OF run_vmtests.sh]
#   run_kselftest.sh passes $KSELFTEST_KSFT_GROUP_SH_ARGS, or what it has for any test
#
# Results go to $VMTESTS_LABEL_DIR; without it to results/KERNEL-RELEASE in the directory of the journal
# where run_vmtests.sh is root's, and of the installed tree where it is not: kselftest's own directory
# may be one that holds nothing but programs.

set -u
here=$(dirname "$(readlink -f "$0")")
group=$(basename "$0" .sh)
group=${group#ksft_}

parent=$here/..
[ "$(id -u)" -ne 0 ] || parent=${VMTESTS_STATE_DIR:-/var/lib/vmtests}
label_dir=${VMTESTS_LABEL_DIR:-$parent/results/$(uname -r)}

# Beside this shell, so that a time limit reaches it and what it changed is put back before the end.
child=''
trap '[ -z "$child" ] || kill -TERM "$child" 2>/dev/null' INT TERM HUP
"$here/../run_vmtests.sh" -t "$group" -o "$label_dir" "$@" &
child=$!
status=0
wait "$child" || status=$?
while kill -0 "$child" 2>/dev/null; do
	wait "$child" || status=$?
done
[ $status -ne 2 ] || status=1
exit $status
