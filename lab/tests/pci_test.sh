#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# run_vmtests.sh -D in a guest with a device that has a driver: refused while the device is used,
# taken otherwise, and given back however the test ends. Prints KTAP.
# usage: pci_test.sh BUILD

set -u
build=$(cd "$1" && pwd) || exit 1
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=vmtests/meta/lib.sh
. "$here/../../vmtests/meta/lib.sh"
# shellcheck source=lab/tests/lib.sh
. "$here/lib.sh"
echo 'KTAP version 1'

guest_prepare 7:arm64
cp "$here/pci_guest.sh" "$here/../../vmtests/meta/lib.sh" "$scratch/payload"
guest_tests --pci-device 16M --load uio_pci_generic -- ./pci_guest.sh
finish
