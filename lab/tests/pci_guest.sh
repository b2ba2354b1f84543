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
# One case of each way to the memory.
cases='pmds.contents resource_pages.contents devmem_pages.contents'

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

run()	# [OPTION...]
{
	tests=''
	for case in $cases; do
		tests="$tests pfnmap_test:pfnmap.$case"
	done
	./run_vmtests.sh "$@" -t "$tests" -o /results/pci
}

# all_pass OUTPUT: each of the cases, and none of them by a skip
all_pass()
{
	for case in $cases; do
		grep -q "^# ok [0-9]* pfnmap.$case\$" "$1" || return
	done
}

# What is missing is said, and where it is to be had.
missing()	# SENTENCE...
{
	vmtests/vmtctl with-device tools-testing-mm/pfnmap_test -r pfnmap.pmds.contents \
		-r pfnmap.vgem_pmds.contents >"$scratch/log" 2>&1
	for sentence; do
		grep -q "$sentence" "$scratch/log" || return
	done
}

modprobe -r vfio-pci
missing '^# no driver vfio-pci: modprobe vfio-pci$' \
	"SKIP.* $device has no driver: bind it to vfio-pci: a guest of QEMU" \
	'SKIP.* no vgem: modprobe vgem: a guest of QEMU'
result no_vfio_is_said $?
modprobe vfio-pci
echo 1 >"$devices/$device/remove"
missing '^# no ivshmem device, and no other is named$' \
	'^1\.\.0 # SKIP no PCI device is named in PFNMAP_DEVICE: a guest of QEMU'
result no_device_is_said $?
echo 1 >/sys/bus/pci/rescan

echo 1af4 1110 >$drivers/$old/new_id
driver_is $old
result device_has_a_driver $?

# Without -D, a device with a driver is left alone.
status_is 4 run && grep -q "$device is in use by $old: unbind it first" "$scratch/out" && untouched
result driver_is_respected $?

exec 3</dev/uio0
refused 2 open_device_is_refused "$device is in use: process $$ has /dev/uio0 open" run -D "$device"
untouched
result open_device_is_left_alone $?
exec 3<&-

status_is 0 run -D "$device" && all_pass "$scratch/out" && untouched
result taken_and_given_back $?

# held: start the whole test, until vfio-pci has the device; sets $pid
group=/sys/fs/cgroup/held
mkdir $group
held()
{
	sh -c "echo \$\$ >$group/cgroup.procs
		PFNMAP_DEVICE=$device exec vmtests/vmtctl with-device tools-testing-mm/pfnmap_test" \
		>"$scratch/out" 2>&1 &
	pid=$!
	: >"$scratch/log"
	while kill -0 $pid 2>/dev/null && ! driver_is vfio-pci 2>/dev/null; do
		:
	done
}

held
kill -TERM $pid
wait $pid
[ $? -eq 143 ] && untouched
result given_back_on_a_signal $?

# Killed while vfio-pci has the device: the next start gives it back.
held
echo 1 >$group/cgroup.kill
wait $pid
driver_is vfio-pci
result killed_while_it_had_the_device $?
: >"$scratch/log"
status_is 0 ./run_vmtests.sh -t meta_pass -o /results/pci && untouched
result given_back_after_a_kill $?
finish
