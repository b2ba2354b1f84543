#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# lab/boot with real guests: what comes back when the guest ends well, panics, hangs or fills its
# disk, that the treatment is there, and dm-crypt on a RAM disk. Fetches a kernel and makes a root
# when the cache has none. usage: guest_test.sh [KERNEL], default 7:arm64

set -u
here=$(dirname "$(readlink -f "$0")")
lab=$here/..
kernel=${1:-7:arm64}
# shellcheck source=vmtests/meta/lib.sh
. "$here/../../vmtests/meta/lib.sh"
echo 'KTAP version 1'
export TMPDIR="$scratch/tmp"
mkdir "$TMPDIR"
PATH=$PATH:/usr/sbin:/sbin

case $kernel in
*:arm64*) arch=arm64 qemu='qemu-system-aarch64' ;;
*) arch=amd64 qemu='qemu-system-x86_64' ;;
esac
for program in $qemu mmdebstrap fakeroot cpio depmod; do
	command -v "$program" >/dev/null || {
		skip guests "$program is not installed"
		finish
	}
done

# guest NAME STATUS OPTIONS -- COMMAND: into $scratch/NAME, all that is asked of every guest
guest()
{
	name=$1 wanted=$2
	shift 2
	status_is "$wanted" "$lab/boot" --kernel "$kernel" --timeout 240 --out "$scratch/$name" "$@" &&
		[ -s "$scratch/$name/console.log" ] && [ -z "$(ls -A "$TMPDIR")" ]
}

fact()
{
	grep -q -x "$2" "$scratch/$1/facts" || {
		cat "$scratch/$1/facts" >>"$scratch/log"
		return 1
	}
}

mkdir -p "$scratch/payload/sub"
cat >"$scratch/payload/sub/tool" <<'END'
#!/bin/sh
echo "ran $1 in $(pwd) as $(id -u)"
mkdir -p /results/label/boot
echo kept >/results/label/boot/file
exit 7
END
chmod +x "$scratch/payload/sub/tool"
guest command 7 --payload "$scratch/payload" -- ./sub/tool "it's  one word" &&
	[ "$(cat "$scratch/command/output.log")" = "ran it's  one word in /opt/vmtests as 0" ] &&
	[ "$(cat "$scratch/command/results/label/boot/file")" = kept ]
result command_runs_in_the_payload $?

# The answer to a ping of oneself needs the loopback interface; another interface would be a
# network.
guest network 0 -- sh -c 'ls /sys/class/net && busybox ping -c 1 -W 5 127.0.0.1 >/dev/null &&
	cat /proc/self/maps >/results/maps.1 && cat /proc/self/maps >/results/maps.2 &&
	cat /proc/self/maps >/results/maps.3' &&
	[ "$(cat "$scratch/network/output.log")" = lo ]
result no_network_but_loopback $?

# The emulator keeps what it translated for each address of code.
grep -q 'r-xp .*/libc' "$scratch/network/results/maps.1" &&
	cmp "$scratch/network/results/maps.1" "$scratch/network/results/maps.2" >"$scratch/log" 2>&1 &&
	cmp "$scratch/network/results/maps.1" "$scratch/network/results/maps.3" >"$scratch/log" 2>&1
result code_has_one_address $?

# Not synced: what a test wrote before it brought the kernel down must be there all the same.
guest panic 110 -- sh -c 'echo before >/results/sample; echo c >/proc/sysrq-trigger' &&
	[ "$(cat "$scratch/panic/results/sample")" = before ] &&
	[ "$(cat "$scratch/panic/status")" = panic ] &&
	grep -q -a 'sysrq triggered crash' "$scratch/panic/console.log"
result panic_loses_nothing $?

guest hang 111 --timeout 30 -- sh -c 'echo before >/results/sample; exec sleep 1000' &&
	[ "$(cat "$scratch/hang/results/sample")" = before ] &&
	[ "$(cat "$scratch/hang/status")" = timeout ]
result hang_loses_nothing $?

guest full 112 --results-size 16M -- sh -c \
	'echo before >/results/sample; dd if=/dev/zero of=/results/big bs=1M' &&
	[ "$(cat "$scratch/full/results/sample")" = before ] &&
	[ "$(cat "$scratch/full/status")" = 'full 1' ]
result full_disk_loses_nothing $?

guest load 114 --load nonesuch -- true && said 'cannot load the module nonesuch'
result module_missing $?

fetched=$("$lab/fetch" "${kernel%%:*}" "${kernel#*:}" 2>/dev/null)
status_is 0 "$lab/boot" --kernel "$fetched/vmlinuz" --modules "$fetched/modules" --load brd \
	--arch $arch --timeout 240 --out "$scratch/own" -- sh -c 'uname -r; test -b /dev/ram0' &&
	[ "$(cat "$scratch/own/output.log")" = "$(cat "$fetched/version")" ]
result kernel_of_ones_own $?

cat >"$scratch/payload/crypt" <<'END'
#!/bin/sh
set -eu
modprobe brd rd_nr=1 rd_size=131072
head -c 64 /dev/urandom >/tmp/key
cryptsetup open --type plain --cipher aes-xts-plain64 --key-size 512 --key-file /tmp/key \
	--perf-no_read_workqueue --perf-no_write_workqueue /dev/ram0 crypt
cryptsetup status crypt
mke2fs -q -t ext4 /dev/mapper/crypt
mount /dev/mapper/crypt /mnt
fio --name=write --directory=/mnt --rw=write --bs=4k --size=32M --ioengine=sync \
	--fsync_on_close=1 --output-format=json --output=/results/fio.json
yes 'known in clear' | head -c 4M >/mnt/known
before=$(cksum </mnt/known)
umount /mnt
echo 3 >/proc/sys/vm/drop_caches
if grep -q -a "known in clear" /dev/ram0; then
	echo "the disk holds it in clear"
	exit 1
fi
mount /dev/mapper/crypt /mnt
[ "$before" = "$(cksum </mnt/known)" ]
umount /mnt
cryptsetup close crypt
END
chmod +x "$scratch/payload/crypt"
guest crypt 0 --payload "$scratch/payload" --load dm-crypt -- ./crypt &&
	grep -q 'flags: .*no_write_workqueue' "$scratch/crypt/output.log" &&
	grep -q '"bw_bytes"' "$scratch/crypt/results/fio.json"
status=$?
[ $status -eq 0 ] || cat "$scratch/crypt/output.log" >>"$scratch/log"
result dm_crypt_on_a_ram_disk $status

case $kernel in
*:arm64*)
	for cpu in plain bbml2 bbml2-off-by-revision; do
		has=no
		[ $cpu != bbml2 ] || has=yes
		guest cpu-$cpu 0 --cpu $cpu -- true && fact cpu-$cpu bbml2=$has
		result "cpu_$(echo $cpu | tr - _)" $?
	done
	;;
esac
finish
