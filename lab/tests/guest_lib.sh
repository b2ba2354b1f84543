# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
#
# What tests that run in a guest of their own share, besides vmtests/meta/lib.sh, which is to be
# sourced before.

lab=$(dirname "$(readlink -f "$0")")/..

# guest_prepare BUILD KERNEL: set arch, and make $scratch/payload for it; or end the test, for want of
# a tool or because nothing can be built
guest_prepare()
{
	case $2 in
	*:arm64*) arch=arm64 guest_qemu=qemu-system-aarch64 ;;
	*) arch=amd64 guest_qemu=qemu-system-x86_64 ;;
	esac
	for tool in $guest_qemu mmdebstrap fakeroot cpio; do
		command -v "$tool" >/dev/null || {
			skip "guest_$arch" "$tool is not installed"
			finish
		}
	done
	make --no-print-directory -C "$lab/.." O="$1" "lab-payload-$arch" >"$scratch/log" 2>&1 || {
		result "payload_$arch" 1
		finish
	}
	cp -a "$1/lab-payload/$arch" "$scratch/payload"
}

# guest_finish STATUS: end with the KTAP lines of the guest, which lab/boot left in $scratch/guest and
# ended with STATUS. One that did not get to its end has no plan, and is a failure of its own.
guest_finish()
{
	guest=$scratch/guest/output.log
	[ ! -f "$guest" ] || sed -e '/^KTAP /d' -e '/^1\.\./d' "$guest"
	number=$(grep -s -c -E '^(not )?ok ' "$guest")
	number=${number:-0}
	if ! grep -q -s '^1\.\.' "$guest"; then
		[ ! -f "$scratch/guest/console.log" ] ||
			tail -n 20 "$scratch/guest/console.log" >>"$scratch/log"
		result "guest_$arch" 1
	fi
	# shellcheck disable=SC2034 # for finish
	[ "$1" -eq 0 ] || failed=1
	finish
}
