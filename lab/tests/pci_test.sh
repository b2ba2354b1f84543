#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# run_vmtests.sh -D in a guest with a device that has a driver: refused while the device is used,
# taken otherwise, and given back however the test ends. Prints KTAP.
# usage: pci_test.sh BUILD

set -u
build=$(cd "$1" && pwd) || exit 1
here=$(dirname "$(readlink -f "$0")")
lab=$here/..
# shellcheck source=vmtests/meta/lib.sh
. "$here/../../vmtests/meta/lib.sh"
echo 'KTAP version 1'

for tool in qemu-system-aarch64 mmdebstrap fakeroot cpio; do
	command -v "$tool" >/dev/null || {
		skip guest "$tool is not installed"
		finish
	}
done

make --no-print-directory -C "$lab/.." O="$build" lab-payload-arm64 >"$scratch/log" 2>&1 || {
	result payload 1
	finish
}
cp -a "$build/lab-payload/arm64" "$scratch/payload"
cp "$here/pci_guest.sh" "$here/../../vmtests/meta/lib.sh" "$scratch/payload"
"$lab/boot" --kernel 7:arm64 --machine iommu=smmuv3 \
	--object memory-backend-ram,id=iv,size=16M,share=on --device ivshmem-plain,memdev=iv \
	--load vfio-pci --load vfio_iommu_type1 --load uio_pci_generic \
	--payload "$scratch/payload" --out "$scratch/guest" -- ./pci_guest.sh 2>"$scratch/log"
status=$?

# The guest's own lines, numbered on; one that did not get to its end has no plan.
guest=$scratch/guest/output.log
[ -f "$guest" ] && sed -e '/^KTAP /d' -e '/^1\.\./d' "$guest"
number=$(grep -c -E '^(not )?ok ' "$guest")
if ! grep -q '^1\.\.' "$guest"; then
	[ ! -f "$scratch/guest/console.log" ] || tail -n 20 "$scratch/guest/console.log" >>"$scratch/log"
	result guest 1
fi
[ $status -eq 0 ] || failed=1
finish
