#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# dm_crypt in a guest, ended by signals at random moments: nothing is left of it. Prints KTAP.
# usage: crypt_test.sh BUILD [ROUNDS [KERNEL [SEED]]], default 3 rounds, 7:arm64, a seed of its own

set -u
build=$(cd "$1" && pwd) || exit 1
rounds=${2:-3} kernel=${3:-7:arm64} seed=${4:-$(date +%s)}
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=vmtests/meta/lib.sh
. "$here/../../vmtests/meta/lib.sh"
# shellcheck source=lab/tests/lib.sh
. "$here/lib.sh"
echo 'KTAP version 1'

guest_prepare "$kernel"
cp "$here/crypt_guest.sh" "$here/../../vmtests/meta/lib.sh" "$scratch/payload"
guest_tests --timeout $((600 + rounds * 120)) -- ./crypt_guest.sh "$rounds" "$seed"
finish
