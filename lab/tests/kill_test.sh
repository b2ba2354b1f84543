#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# make check-kill in a guest, where dm-crypt, RAM disks and modules can be left behind too. Prints
# KTAP. usage: kill_test.sh BUILD [ROUNDS [KERNEL [SEED]]], default 4 rounds, 7:amd64, a seed of its own

set -u
build=$(cd "$1" && pwd) || exit 1
rounds=${2:-4} kernel=${3:-7:amd64} seed=${4:-$(date +%s)}
here=$(dirname "$(readlink -f "$0")")
lab=$here/..
# shellcheck source=vmtests/meta/lib.sh
. "$here/../../vmtests/meta/lib.sh"
echo 'KTAP version 1'

case $kernel in
*:arm64*) arch=arm64 qemu=qemu-system-aarch64 ;;
*) arch=amd64 qemu=qemu-system-x86_64 ;;
esac
for tool in $qemu mmdebstrap fakeroot cpio; do
	command -v "$tool" >/dev/null || {
		skip "guest_$arch" "$tool is not installed"
		finish
	}
done
make --no-print-directory -C "$lab/.." O="$build" "lab-payload-$arch" >"$scratch/log" 2>&1 || {
	result "payload_$arch" 1
	finish
}
cp -a "$build/lab-payload/$arch" "$scratch/payload"
mkdir -p "$scratch/payload/vmtests/meta"
cp "$lab/../vmtests/meta/kill_test.sh" "$lab/../vmtests/meta/lib.sh" "$scratch/payload/vmtests/meta"
# An emulator takes ten times as long to get anywhere. Its timer may not tick while x86 looks.
"$lab/boot" --kernel "$kernel" --timeout $((600 + rounds * 120)) --payload "$scratch/payload" \
	--append no_timer_check --out "$scratch/guest" -- env VMTESTS_TIMEOUT_MUL=20 \
	./vmtests/meta/kill_test.sh . "$rounds" "$seed" 2>"$scratch/log"
status=$?

# The guest's own lines; one that did not get to its end has no plan.
guest=$scratch/guest/output.log
[ -f "$guest" ] && sed -e '/^KTAP /d' -e '/^1\.\./d' "$guest"
number=$(grep -s -c -E '^(not )?ok ' "$guest")
if ! grep -q -s '^1\.\.' "$guest"; then
	[ ! -f "$scratch/guest/console.log" ] ||
		tail -n 20 "$scratch/guest/console.log" >>"$scratch/log"
	result "guest_$arch" 1
fi
[ $status -eq 0 ] || failed=1
finish
