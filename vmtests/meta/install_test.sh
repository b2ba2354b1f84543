#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# An installed tree runs without the source beside it.
# usage: install_test.sh BUILD

set -u
build=$(cd "$1" && pwd) || exit 1
unset VMTESTS_BUILD
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=vmtests/meta/lib.sh
. "$here/lib.sh"

echo 'KTAP version 1'
(cd "$here/../.." && make --no-print-directory O="$build" DESTDIR="$scratch/root" prefix=/usr install) \
	>"$scratch/log" 2>&1
result install $?
[ "$(readlink "$scratch/root/usr/bin/run_vmtests.sh")" = /usr/lib/vmtests/run_vmtests.sh ]
result link_without_destdir $?
(cd "$scratch" && root/usr/lib/vmtests/run_vmtests.sh -t meta_pass -o "$scratch/label") \
	>"$scratch/log" 2>&1
result installed_runs $?
finish
