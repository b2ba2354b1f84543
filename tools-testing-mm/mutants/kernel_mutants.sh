#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Every test of the linear map can fail: break a real kernel, boot it in a guest, and see that the test
# says so, in the case that the bug belongs to.
#
# A kernel is broken by overwriting the entry of one of its functions, in arm64's uncompressed Image,
# with "return 0": it does nothing and reports success. Where the function lies, a guest of the same
# kernel without address randomization tells (/proc/kallsyms).
# usage: kernel_mutants.sh PAYLOAD OUT [KERNEL]
#   PAYLOAD  an arm64 tree of the suite, as "make install" leaves it
#   OUT      folder for the broken kernels and the guests' output
#   KERNEL   as lab/boot takes it: default 7:arm64

set -u
payload=$1 out=$2 kernel=${3:-7:arm64}
cd "$(dirname "$0")/../.." || exit 2
# shellcheck source=tools-testing-mm/mutants/lib.sh
. tools-testing-mm/mutants/lib.sh

# function that does nothing | cpu | test | the case that must fail
table='
set_direct_map_invalid_noflush | plain | linear_map_test | linear_map.secretmem_invalid_while_held
set_direct_map_invalid_noflush | bbml2 | linear_map_split_test | split.one_page.is_what_the_formula_says
set_memory_ro | plain | linear_map_code_test | filter.interpreted.alias_is_read_only_while_attached
'

# guest NAME OPTIONS... -- COMMAND
guest()
{
	name=$1
	shift
	rm -rf "${out:?}/$name"
	lab/boot --mem 1G --payload "$payload" --out "$out/$name" "$@" >"$out/$name.lab" 2>&1
}

# word FILE OFFSET: four bytes as hexadecimal digits, in the order of the file
word()
{
	od -An -v -tx1 -j "$2" -N 4 "$1" | tr -d ' \n'
}

# break_function IMAGE OFFSET: skip what a call may land on (bti c, nop), then mov w0, #0; ret
break_function()
{
	at=$2
	while :; do
		case $(word "$1" "$at") in
		5f2403d5 | 1f2003d5) at=$((at + 4)) ;;
		*) break ;;
		esac
	done
	printf '\000\000\200\122\300\003\137\326' |
		dd of="$1" bs=1 seek="$at" conv=notrunc 2>/dev/null
}

echo 'KTAP version 1'
mkdir -p "$out" || exit 1
dir=$(lab/fetch "${kernel%%:*}" "${kernel##*:}") || exit 1
if [ "$(od -An -c -j 56 -N 4 "$dir/vmlinuz" | tr -d ' \n')" != 'ARMd' ]; then
	echo "Bail out! $dir/vmlinuz is not an uncompressed arm64 Image"
	exit 1
fi
if ! guest symbols --kernel "$kernel" --append nokaslr -- \
	grep -w -e _text -e set_direct_map_invalid_noflush -e set_memory_ro /proc/kallsyms; then
	sed 's/^/# /' "$out/symbols.lab"
	echo 'Bail out! no guest to ask for symbols'
	exit 1
fi

# symbol NAME: its offset in the image
symbol()
{
	sed -n "s/^\([0-9a-f]*\) . $1\$/\1/p" "$out/symbols/output.log" | head -n 1
}

text=$(symbol _text)
while IFS=' |' read -r function cpu test case; do
	[ -n "$function" ] || continue
	label=$test.fails_without_$function
	address=$(symbol "$function")
	if [ -z "$address" ]; then
		echo "# the kernel has no function $function"
		result 'not ok' "$label"
		continue
	fi
	cp "$dir/vmlinuz" "$out/Image.$function" || exit 1
	break_function "$out/Image.$function" $((0x${address#ffff} - 0x${text#ffff}))
	guest "$label" --kernel "$out/Image.$function" --arch arm64 --modules "$dir/modules" \
		--cpu "$cpu" -- "tools-testing-mm/$test"
	if grep -q "^not ok [0-9]* $case\$" "$out/$label/output.log"; then
		result ok "$label"
	else
		sed 's/^/# /' "$out/$label.lab" "$out/$label/output.log"
		result 'not ok' "$label"
	fi
done <<END
$table
END
finish
