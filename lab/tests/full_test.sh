#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The tests in a guest whose memory is nearly full: they pass, or skip by name, and nothing is killed
# for them. Prints KTAP. usage: full_test.sh BUILD [KERNEL [TESTS]], default 7:amd64 and those of
# vmtests/meta/odd_test.sh

set -u
build=$(cd "$1" && pwd) || exit 1
kernel=${2:-7:amd64} tests=${3:-}
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=vmtests/meta/lib.sh
. "$here/../../vmtests/meta/lib.sh"
# shellcheck source=lab/tests/lib.sh
. "$here/lib.sh"
MEMORY=640M

echo 'KTAP version 1'
guest_prepare "$kernel"
mkdir -p "$scratch/payload/vmtests/meta"
cp "$lab/../vmtests/meta/odd_test.sh" "$lab/../vmtests/meta/lib.sh" "$scratch/payload/vmtests/meta"
guest_tests --mem $MEMORY --timeout 3600 -- env VMTESTS_TIMEOUT_MUL=20 \
	./vmtests/meta/odd_test.sh . "$tests" nearly_full
finish
