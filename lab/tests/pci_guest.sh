#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# In a guest with ivshmem and uio_pci_generic, as root: who may take the device from its driver, and
# that the driver has it back. Prints KTAP. Run by pci_test.sh.

set -u
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=vmtests/meta/lib.sh
. "$here/lib.sh"
echo 'KTAP version 1'
devices=/sys/bus/pci/devices
drivers=/sys/bus/pci/drivers
old=uio_pci_generic
# One case is as good as all of them: each takes the device and gives it back.
export VMTESTS_PFNMAP_CASE=pmds.contents

device=$(grep -l -x 0x1110 $devices/*/device | head -n 1)
device=$(basename "${device%/device}")

driver_is()
{
	[ "$(basename "$(readlink $devices/"$device"/driver)")" = "$1" ] || {
		echo "the driver of $device is $(readlink $devices/"$device"/driver), not $1" >>"$scratch/log"
		return 1
	}
}

untouched()
{
	driver_is $old && [ "$(cat $devices/"$device"/driver_override)" = '(null)' ]
}

take()
{
	./run_vmtests.sh -D "$device" -t pfnmap_test -o /results/pci
}

# What is missing is said, and where it is to be had.
missing()	# SENTENCE...
{
	VMTESTS_PFNMAP_CASE='pmds.contents vgem_pmds.contents' tools-testing-mm/pfnmap_test \
		>"$scratch/log" 2>&1
	for sentence; do
		grep -q "SKIP.* $sentence: a guest of QEMU" "$scratch/log" || return
	done
}

modprobe -r vfio-pci
missing 'no driver vfio-pci: modprobe vfio-pci' 'no vgem: modprobe vgem'
result no_vfio_is_said $?
modprobe vfio-pci
echo 1 >"$devices/$device/remove"
missing 'no ivshmem device, and no other is named'
result no_device_is_said $?
echo 1 >/sys/bus/pci/rescan

echo 1af4 1110 >$drivers/$old/new_id
driver_is $old
result device_has_a_driver $?

# Without -D, a device with a driver is left alone.
status_is 4 ./run_vmtests.sh -t pfnmap_test -o /results/pci &&
	grep -q "$device is in use by $old: unbind it first" "$scratch/out" && untouched
result driver_is_respected $?

exec 3</dev/uio0
refused 2 open_device_is_refused "$device is in use: process $$ has /dev/uio0 open" take
untouched
result open_device_is_left_alone $?
exec 3<&-

status_is 0 take && grep -q '^ok 1 pfnmap_test$' "$scratch/out" && untouched
result taken_and_given_back $?

# freeze 1, or 0 to go on: the test and all that comes of it
freeze()
{
	echo "$1" >$group/cgroup.freeze
	while ! grep -q "^frozen $1" $group/cgroup.events; do
		:
	done
}

# Killed while vfio-pci has the device: the next start gives it back. Where the test is can be told
# when it is frozen, and it is run until it is frozen there.
group=/sys/fs/cgroup/killed
mkdir $group
unset VMTESTS_PFNMAP_CASE
sh -c "echo \$\$ >$group/cgroup.procs
	while PFNMAP_DEVICE=$device tools-testing-mm/pfnmap_test; do :; done" >"$scratch/out" 2>&1 &
pid=$!
: >"$scratch/log"
while kill -0 $pid 2>/dev/null; do
	freeze 1
	! driver_is vfio-pci 2>/dev/null || break
	freeze 0
done
echo 1 >$group/cgroup.kill
wait $pid
driver_is vfio-pci
result killed_while_it_had_the_device $?
: >"$scratch/log"
status_is 0 ./run_vmtests.sh -t meta_pass -o /results/pci && untouched
result given_back_after_a_kill $?
finish
