#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# lab/mutant on kernels of a few functions, made here: which bytes it changes for each kind, what it
# leaves, what it refuses; and lab/mutants' list against its own rules. No guest.

set -u
here=$(dirname "$(readlink -f "$0")")
lab=$here/..
# shellcheck source=vmtests/meta/lib.sh
. "$here/../../vmtests/meta/lib.sh"
echo 'KTAP version 1'

NOP=1f2003d5 BTI_C=5f2403d5 PACIASP=3f2303d5 ADD=00040091 RET=c0035fd6
ZERO=000080d2$RET ERROR=60018092$RET
ENDBR=f30f1efa NOP5=0f1f440000

# bytes HEX...: as a file has them
bytes()
{
	python3 -c 'import sys; sys.stdout.buffer.write(bytes.fromhex("".join(sys.argv[1:])))' "$@"
}

# little N SIZE: a number in hexadecimal digits, its lowest byte first
little()
{
	python3 -c 'import sys
print((int(sys.argv[1], 0) & (1 << 8 * int(sys.argv[2])) - 1).to_bytes(int(sys.argv[2]), "little").hex())' "$@"
}

zeros()	# SIZE
{
	printf "%0$((2 * $1))d" 0
}

# An arm64 Image: 64 bytes of header, then functions of 24 bytes each, then alternatives.
# 0x40 traced, 0x58 landed (traced, with a landing pad), 0x70 plain, 0x88 short, 0x90 patched
alternative=$(little -40 4)$(little 0 4)$(little 0 2)0404	# of 0x90, seen from 0xb8
bytes "$(zeros 56)41524d64$(zeros 4)" \
	"$NOP$NOP$PACIASP$ADD$ADD$RET" "$BTI_C$NOP$NOP$PACIASP$ADD$RET" \
	"$ADD$ADD$ADD$ADD$ADD$RET" "$PACIASP$RET" \
	"$ADD$ADD$ADD$ADD$ADD$RET" "$ADD$ADD$ADD$RET" "$alternative" >"$scratch/Image"
cat >"$scratch/arm64.syms" <<END
ffff800080000000 T _text
ffff800080000040 T traced
ffff800080000058 t landed.isra.0
ffff800080000070 t plain
ffff800080000070 t plain.cold
ffff800080000088 t short
ffff800080000090 T patched
ffff8000800000a8 t twice
ffff8000800000ac t twice
ffff8000800000b8 R __alt_instructions
ffff8000800000c4 R __alt_instructions_end
ffff800090000000 t of_module	[module]
ffff800099000000 T elsewhere
END

# An x86-64 vmlinux of one segment, 0xffffffff81000000 at 0x1000 of the file:
# 0 __fentry__, 0x10 traced, 0x20 quiet (with a nop for the tracer), 0x30 plain, 0x38 tiny
address=0xffffffff81000000
bytes "7f454c4602010100$(zeros 8)02003e0001000000$(little $address 8)$(little 64 8)$(zeros 8)" \
	"$(zeros 4)40003800010040000000$(zeros 2)" \
	"0100000005000000$(little 4096 8)$(little $address 8)$(zeros 8)$(little 64 8)$(little 64 8)$(zeros 8)" \
	"$(zeros $((4096 - 120)))" \
	"c3$(zeros 15)" "${ENDBR}e8$(little -25 4)4889f8c3$(zeros 3)" \
	"$ENDBR${NOP5}4889f8c3$(zeros 3)" "e8000000004889c3" "90c3$(zeros 6)" >"$scratch/vmlinux"
cat >"$scratch/amd64.syms" <<END
ffffffff81000000 T _text
ffffffff81000000 T __fentry__
ffffffff81000010 T traced
ffffffff81000020 T quiet
ffffffff81000030 T plain
ffffffff81000038 T tiny
ffffffff8100003a T end
END

# becomes NAME KERNEL SYMBOLS FUNCTION KIND OFFSET HEX: these bytes there, all others as they were
becomes()
{
	status_is 0 "$lab/mutant" "$scratch/$2" "$scratch/$3" "$4" "$5" "$scratch/mutant" &&
		python3 - "$scratch/$2" "$scratch/mutant" "$6" "$7" >>"$scratch/log" 2>&1 <<'END'
import sys
old, new = (open(name, "rb").read() for name in sys.argv[1:3])
at, code = int(sys.argv[3], 0), bytes.fromhex(sys.argv[4])
sys.exit(new != old[:at] + code + old[at + len(code):] and new[at:at + 16].hex())
END
	result "$1" $?
}

becomes arm64_zero Image arm64.syms plain zero 0x70 $ZERO
becomes arm64_error Image arm64.syms plain error 0x70 $ERROR
becomes arm64_nothing Image arm64.syms plain nothing 0x70 $RET
becomes arm64_traced_keeps_nops_and_landing_pad Image arm64.syms traced zero 0x48 $BTI_C$ZERO
becomes arm64_suffix Image arm64.syms landed zero 0x64 $BTI_C$ZERO
becomes x86_zero vmlinux amd64.syms quiet zero 0x1029 31c0c3
becomes x86_error vmlinux amd64.syms quiet error 0x1029 6af458c3
becomes x86_nothing vmlinux amd64.syms quiet nothing 0x1029 c3
becomes x86_traced_keeps_call vmlinux amd64.syms traced zero 0x1019 31c0c3
becomes x86_other_call_is_code vmlinux amd64.syms plain zero 0x1030 31c0c3

# refuses NAME PATTERN KERNEL SYMBOLS FUNCTION KIND
refuses()
{
	rm -f "$scratch/mutant"
	refused 1 "$1" "$2" "$lab/mutant" "$scratch/$3" "$scratch/$4" "$5" "$6" "$scratch/mutant"
	[ ! -e "$scratch/mutant" ]
	result "$1_writes_nothing" $?
}

refuses missing 'no function absent' Image arm64.syms absent zero
refuses of_a_module 'no function of_module' Image arm64.syms of_module zero
refuses ambiguous 'has 2 functions twice' Image arm64.syms twice zero
refuses kind 'absurd: not one of' Image arm64.syms plain absurd
refuses too_short 'short is too short' Image arm64.syms short zero
refuses x86_too_short 'tiny is too short' vmlinux amd64.syms tiny zero
refuses patched_at_boot 'itself patches the entry of patched' Image arm64.syms patched zero
refuses outside 'is not in the kernel' Image arm64.syms elsewhere zero
refuses other_file 'neither an arm64 Image' arm64.syms arm64.syms plain zero
sed 's/^[0-9a-f]*/0000000000000000/' "$scratch/arm64.syms" >"$scratch/hidden"
refuses hidden_addresses 'read by root' Image hidden plain zero

# A bzImage whose payload is that vmlinux: setup of one sector, the payload 16 bytes behind it.
if command -v zstd >/dev/null; then
	zstd -q -f "$scratch/vmlinux" -o "$scratch/payload"
	length=$(($(wc -c <"$scratch/payload") + 4))
	{
		bytes "$(zeros 497)01$(zeros 16)48647253$(zeros 66)$(little 16 4)$(little $length 4)" \
			"$(zeros $((1024 - 592 + 16)))"
		cat "$scratch/payload"
		bytes "$(little 0 4)"
	} >"$scratch/bzImage"
	status_is 0 "$lab/mutant" "$scratch/bzImage" "$scratch/mutant" &&
		cmp "$scratch/vmlinux" "$scratch/mutant" >>"$scratch/log" 2>&1
	result bzimage_is_unpacked $?
else
	skip bzimage_is_unpacked 'zstd is not installed'
fi

status_is 0 "$lab/mutants" -d && [ "$(grep -c -v '^stock' "$scratch/out")" -ge 25 ]
result list_is_readable $?
refused 2 unknown_function 'no such function\|no such mutants' "$lab/mutants" -d -l absent
echo 'plain | zero | nowhere | linear | nothing' >"$scratch/list"
refused 2 unknown_guest 'no guest nowhere' "$lab/mutants" -d -f "$scratch/list"
echo 'plain | zero | arm64-plain' >"$scratch/list"
refused 2 columns '3 columns, not 5' "$lab/mutants" -d -f "$scratch/list"
finish
