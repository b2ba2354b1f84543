# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
#
# What tests in a guest share. Needs vmtests/meta/lib.sh and $build.
# shellcheck disable=SC2034,SC2154 # variables of who sources it

lab=$(dirname "$(readlink -f "$0")")/..

# guest_prepare KERNEL: leaves $kernel, $arch, and in $scratch/payload what the guest will have, for
# the caller to add to; ends the test where there can be no guest
guest_prepare()
{
	kernel=$1
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
	make --no-print-directory -C "$lab/.." O="$build" "lab-payload-$arch" \
		>"$scratch/log" 2>&1 || {
		result "payload_$arch" 1
		finish
	}
	cp -a "$build/lab-payload/$arch" "$scratch/payload"
}

# guest_tests OPTIONS-OF-LAB/BOOT... -- COMMAND...: a command that prints KTAP, as a part of this test;
# one that did not get to its end has no plan, and then the console's last words are shown
guest_tests()
{
	"$lab/boot" --kernel "$kernel" --payload "$scratch/payload" --out "$scratch/guest" "$@" \
		2>"$scratch/log"
	guest_status=$?
	guest_output=$scratch/guest/output.log
	guest_results=$(grep -s -c -E '^(not )?ok ' "$guest_output")
	[ ! -f "$guest_output" ] ||
		awk -v number="$number" '/^KTAP / || /^1\.\./ { next }
			/^(not )?ok / { sub(/[0-9]+/, ++number) } { print }' "$guest_output"
	number=$((number + ${guest_results:-0}))
	if ! grep -q -s '^1\.\.' "$guest_output"; then
		[ ! -f "$scratch/guest/console.log" ] ||
			tail -n 20 "$scratch/guest/console.log" >>"$scratch/log"
		result "guest_$arch" 1
	fi
	[ $guest_status -eq 0 ] || failed=1
}
