#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# In a guest of patch_test.sh: give QEMU's ivshmem, if there is one, to vfio-pci, and run what is
# installed.
# usage: patch_guest.sh OPTIONS-OF-RUN_KSELFTEST...

set -eu
for device in /sys/bus/pci/devices/*; do
	[ "$(cat "$device/vendor" "$device/device" | paste -s -d :)" = 0x1af4:0x1110 ] || continue
	modprobe vfio-pci
	echo vfio-pci >"$device/driver_override"
	basename "$device" >/sys/bus/pci/drivers_probe
	VFIO_SELFTESTS_BDF=$(basename "$device")
	export VFIO_SELFTESTS_BDF
done
exec ./run_kselftest.sh "$@"
