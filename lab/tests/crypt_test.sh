#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# dm_crypt in a guest, ended by signals at random moments: nothing is left of it. Prints KTAP.
# usage: crypt_test.sh BUILD [ROUNDS [KERNEL [SEED]]], default 3 rounds, 7:arm64, a seed of its own

set -u
build=$(cd "$1" && pwd) || exit 1
rounds=${2:-3} kernel=${3:-7:arm64} seed=${4:-$(date +%s)}
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
cp "$here/crypt_guest.sh" "$here/../../vmtests/meta/lib.sh" "$scratch/payload"
"$lab/boot" --kernel "$kernel" --timeout $((300 + rounds * 60)) --payload "$scratch/payload" \
	--out "$scratch/guest" -- ./crypt_guest.sh "$rounds" "$seed" 2>"$scratch/log"
status=$?

# The guest's own lines, numbered on; one that did not get to its end has no plan.
guest=$scratch/guest/output.log
[ -f "$guest" ] && sed -e '/^KTAP /d' -e '/^1\.\./d' "$guest"
number=$(grep -c -E '^(not )?ok ' "$guest")
if ! grep -q '^1\.\.' "$guest"; then
	[ ! -f "$scratch/guest/console.log" ] || tail -n 20 "$scratch/guest/console.log" >>"$scratch/log"
	result "guest_$arch" 1
fi
[ $status -eq 0 ] || failed=1
finish
