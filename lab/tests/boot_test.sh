#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# lab/boot without a guest: wrong use, and every way in which QEMU can end. QEMU is played by a
# script that writes to the result disk what a guest would have written; lab/root by another.

set -u
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=vmtests/meta/lib.sh
. "$here/../../vmtests/meta/lib.sh"
echo 'KTAP version 1'

mkdir -p "$scratch/bin" "$scratch/root/tree/bin" "$scratch/tmp" "$scratch/payload"
cp -r "$here/.." "$scratch/lab"
boot=$scratch/lab/boot
: >"$scratch/root/tree/bin/busybox"
: >"$scratch/root/root.img"
: >"$scratch/Image"
printf '#!/bin/sh\necho "$*" >"%s"\necho "%s"\n' "$scratch/root-arguments" "$scratch/root" \
	>"$scratch/lab/root"
cat >"$scratch/bin/qemu-system-x86_64" <<'END'
#!/bin/sh
# FAKE_END: how to end. FAKE_FIFO: tells that QEMU runs, and its process.
before=''
for argument; do
	printf '%s\n' "$argument" "$before $argument" >>"$FAKE_ARGUMENTS"
	before=$argument
	case $argument in
	*id=results,*) disk=${argument##*file=} ;;
	file:*) console=${argument#file:} ;;
	esac
done
echo 'Linux version' >"$console"
write()
{
	printf '%s\n' "$2" >"$TMPDIR/fake"
	debugfs -w -R "rm $1" "$disk" >/dev/null 2>&1
	debugfs -w -R "write $TMPDIR/fake $1" "$disk" >/dev/null 2>&1
}
write sample 'kept sample'
case $FAKE_END in
exit*|full*|init*) write .lab/status "$FAKE_END"; write .lab/output.log 'what it printed' ;;
panic) echo '[ 1.0] Kernel panic - not syncing: test' >>"$console" ;;
refuse) echo 'qemu: no such machine' >&2; exit 1 ;;
hang) echo $$ >"$FAKE_FIFO"; exec sleep 600 ;;
esac
END
chmod +x "$scratch/bin"/* "$scratch/lab/root"
export PATH="$scratch/bin:$PATH:/usr/sbin:/sbin" TMPDIR="$scratch/tmp"
export FAKE_ARGUMENTS="$scratch/arguments" FAKE_FIFO="$scratch/fifo" FAKE_END=''
mkfifo "$FAKE_FIFO"
out=$scratch/out.d

# ends NAME HOW STATUS STATUS_LINE PATTERN: what is left, and that nothing else is
ends()
{
	FAKE_END=$2
	rm -rf "$out"
	: >"$FAKE_ARGUMENTS"
	status_is "$3" "$boot" --kernel "$scratch/Image" --arch amd64 --out "$out" -- true &&
		[ "$(cat "$out/status")" = "$4" ] &&
		grep -q 'Linux version' "$out/console.log" &&
		[ "$(cat "$out/results/sample")" = 'kept sample' ] && [ -z "$(ls -A "$TMPDIR")" ] &&
		{ [ -z "$5" ] || said "$5"; }
	result "$1" $?
}

ends command_passed 'exit 0' 0 'exit 0' ''
[ ! -s "$scratch/log" ] && [ "$(cat "$out/output.log")" = 'what it printed' ]
result quiet_when_all_is_well $?
ends command_failed 'exit 7' 7 'exit 7' ''
ends panic panic 110 panic 'Kernel panic - not syncing: test'
ends disk_full 'full 1' 112 'full 1' '--results-size'
ends qemu_failed refuse 113 'qemu 1' 'no such machine'
ends guest_lost nothing 114 lost 'without a word'
ends init_failed 'init cannot load the module nonesuch' 114 \
	'init cannot load the module nonesuch' 'what it printed'

# gone PID: a process that has ended
gone()
{
	! kill -0 "$1" 2>/dev/null
}

# The fake answers through the fifo when it runs; only then is there something to leave behind.
FAKE_END=hang
rm -rf "$out"
"$boot" --kernel "$scratch/Image" --arch amd64 --out "$out" --timeout 1 -- true 2>"$scratch/log" &
boot_pid=$!
read -r qemu_pid <"$FAKE_FIFO"
wait $boot_pid
status=$?
[ $status -eq 111 ] && [ "$(cat "$out/status")" = timeout ] && gone "$qemu_pid" &&
	[ "$(cat "$out/results/sample")" = 'kept sample' ] && [ -z "$(ls -A "$TMPDIR")" ]
result timeout $?

# interrupted NAME SIGNAL STATUS
interrupted()
{
	rm -rf "$out"
	# A shell starts what runs in the background with interrupts ignored.
	env --default-signal=INT "$boot" --kernel "$scratch/Image" --arch amd64 --out "$out" -- true \
		2>"$scratch/log" &
	boot_pid=$!
	read -r qemu_pid <"$FAKE_FIFO"
	kill -s "$2" $boot_pid
	wait $boot_pid
	status=$?
	[ $status -eq "$3" ] && gone "$qemu_pid" && [ -z "$(ls -A "$TMPDIR")" ]
	result "$1" $?
}

interrupted interrupt_leaves_nothing INT 130
interrupted termination_leaves_nothing TERM 143

# argument_given NAME LINE OPTIONS: QEMU got that argument
argument_given()
{
	name=$1 line=$2
	shift 2
	FAKE_END='exit 0'
	rm -rf "$out"
	: >"$FAKE_ARGUMENTS"
	status_is 0 "$boot" --kernel "$scratch/Image" --arch amd64 --out "$out" "$@" -- true &&
		grep -q -x -e "$line" "$FAKE_ARGUMENTS"
	result "$name" $?
}

# Of every amd64 guest.
console='console=ttyS0 panic=-1 vmtests.emulated=1 no_timer_check'

argument_given no_network '-nic none'
argument_given memory_in_gib 3072M --mem 3G
argument_given nodes_share_memory 'memory-backend-ram,id=node2,size=342M' --mem 1024 --smp 3 --nodes 3
argument_given nodes_share_cpus 'node,nodeid=1,cpus=1-2,memdev=node1' --smp 3 --nodes 2
argument_given empty_node 'node,nodeid=1,cpus=1-1' --nodes 2 --empty-node
argument_given empty_node_leaves_memory 'memory-backend-ram,id=node0,size=4096M' --nodes 2 --empty-node
argument_given cpu_property 'max,la57=off,pmu=on' --cpu la57-off,pmu=on
argument_given cpu_of_qemu 'Skylake-Server' --cpu qemu:Skylake-Server
argument_given device_as_it_is "pci-testdev,membar=2G" --device pci-testdev,membar=2G
argument_given object_with_quote "a'b" --object "a'b"
argument_given command_line "$console a b=1 c" --append 'a b=1' --append c
argument_given machine_option 'q35,kernel-irqchip=split' --machine kernel-irqchip=split
argument_given pci_device 'memory-backend-ram,id=pci,size=2048M,share=on' --pci-device 2G
argument_given pci_device_machine 'q35,kernel-irqchip=split' --pci-device 16
argument_given pci_device_iommu \
	'console=ttyS0 panic=-1 vmtests.emulated=1 intel_iommu=on no_timer_check intel_iommu=off' \
	--append intel_iommu=off --pci-device 16M
argument_given one_thread 'tcg,thread=single'
argument_given clock_of_instructions 'shift=3,sleep=off' --icount 3
: >"$scratch/tlb-model.so"
export TLB_MODEL="$scratch/tlb-model.so"
argument_given tlb_model \
	"$scratch/tlb-model.so,preset=$scratch/lab/plugins/tlb-model/presets/zen,ram=/proc/self/fd/8,trace=t" \
	--tlb-model zen,trace=t
argument_given tlb_model_ram 'memory-backend-file,id=ram,mem-path=/proc/self/fd/8,size=4096M,share=on' \
	--tlb-model zen
argument_given tlb_model_clock 'shift=0,sleep=off' --tlb-model zen
argument_given tlb_model_is_told \
	"$console vmtests.tlb_model=zen" --tlb-model zen
[ "$(cat "$scratch/root-arguments")" = amd64 ]
result root_of_this_release $?
argument_given release_boots '-nic none' --release trixie
[ "$(cat "$scratch/root-arguments")" = '--release trixie amd64' ]
result root_of_a_release $?
argument_given payload_disk 'virtio-blk-pci,drive=payload,serial=payload' --payload "$scratch/payload"

# not_started NAME PATTERN ARGUMENTS
not_started()
{
	name=$1 pattern=$2
	shift 2
	refused 115 "$name" "$pattern" "$boot" "$@"
}

own="--kernel $scratch/Image --arch amd64"
not_started no_kernel 'which --kernel'
not_started unknown_argument 'unknown argument: --bogus' --bogus
not_started value_missing '--cpu wants a value' --cpu
not_started kernel_form 'neither SERIES:FLAVOUR' --kernel 7
not_started kernel_flavour 'no such flavour: m68k' --kernel 7:m68k
not_started kernel_missing 'no such file' --kernel /nonesuch/Image --arch arm64
not_started kernel_without_arch 'needs --arch' --kernel "$scratch/Image"
not_started arch_unlike_flavour '7:arm64 is for arm64' --kernel 7:arm64 --arch amd64
not_started modules_of_fetched 'of one.s own' --kernel 7:arm64 --modules /
not_started image_missing 'no such file' --kernel 7:arm64 --image /nonesuch/Image
# shellcheck disable=SC2086 # two options
{
	not_started image_of_file '--image is for' $own --image "$scratch/Image"
	not_started modules_without_dep 'modules.dep' $own --modules "$scratch"
	not_started arch_unknown '--arch m68k: arm64 or amd64' --kernel "$scratch/Image" --arch m68k
	not_started cpu_of_other_arch 'no such CPU for amd64' $own --cpu bbml2
	not_started memory 'a number of MiB' $own --mem much
	not_started pci_device_size 'a number of MiB' $own --pci-device 0
	not_started timeout_zero 'not a number above 0' $own --timeout 0
	not_started nodes_above_cpus 'more nodes than CPUs' $own --smp 1 --nodes 2
	not_started empty_node_alone '--nodes 2 or more' $own --empty-node
	not_started payload_missing 'no such directory' $own --payload /nonesuch
	not_started icount 'not a number' $own --icount fast
	not_started preset_missing 'no such file' $own --tlb-model nonesuch
	not_started tlb_model_nodes 'one node only' $own --tlb-model zen --nodes 2
	TLB_MODEL=/nonesuch not_started tlb_model_missing 'try make tlb-model' $own --tlb-model zen
	mkdir -p "$scratch/used"
	: >"$scratch/used/file"
	not_started out_in_use 'is not empty' $own --out "$scratch/used"
}
finish
