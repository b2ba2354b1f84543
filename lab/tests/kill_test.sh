#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# make check-kill in a guest, where dm-crypt, RAM disks and modules can be left behind too. Prints
# KTAP. usage: kill_test.sh BUILD [ROUNDS [KERNEL [SEED]]], default 4 rounds, 7:amd64, a seed of its own

set -u
build=$(cd "$1" && pwd) || exit 1
rounds=${2:-4} kernel=${3:-7:amd64} seed=${4:-$(date +%s)}
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=vmtests/meta/lib.sh
. "$here/../../vmtests/meta/lib.sh"
# shellcheck source=lab/tests/lib.sh
. "$here/lib.sh"
echo 'KTAP version 1'

guest_prepare "$kernel"
mkdir -p "$scratch/payload/vmtests/meta"
cp "$lab/../vmtests/meta/kill_test.sh" "$lab/../vmtests/meta/lib.sh" "$scratch/payload/vmtests/meta"
# Every guest has some of the rounds, so that what is known is seen before the last, and of one that
# is lost the others remain.
GUEST_ROUNDS=10
echo "# seed $seed"
while [ "$rounds" -gt 0 ]; do
	now=$((rounds < GUEST_ROUNDS ? rounds : GUEST_ROUNDS))
	rm -rf "$scratch/guest"
	# An emulator takes ten times as long to get anywhere, the less the smaller its memory.
	guest_tests --mem 1G --timeout $((600 + now * 240)) -- env VMTESTS_TIMEOUT_MUL=20 \
		./vmtests/meta/kill_test.sh . $now "$seed"
	random 1000000
	seed=$drawn rounds=$((rounds - now))
done
finish
