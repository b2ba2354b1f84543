#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# lab/mutants without a guest: what it makes of what a guest leaves, what it leaves out, the score, and
# that it goes on where it was stopped. fetch, mutant and boot are played by scripts.

set -u
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=vmtests/meta/lib.sh
. "$here/../../vmtests/meta/lib.sh"
echo 'KTAP version 1'

lab=$scratch/lab
mkdir -p "$lab" "$scratch/kernel" "$scratch/payload"
cp "$here/../mutants" "$here/../lib.sh" "$here/../check.list" "$here/../pfnmap.list" "$lab"
export FAKE="$scratch"

cat >"$lab/fetch" <<'END'
#!/bin/sh
echo "$FAKE/kernel"
END
cat >"$lab/mutant" <<'END'
#!/bin/sh
[ $# -eq 2 ] && echo stock >"$2" && exit
[ "$3" != absent ] || { echo "lab/mutant: the kernel has no function absent" >&2; exit 1; }
echo "$3" >"$5"
END
# A guest whose kernel is named by its image.
cat >"$lab/boot" <<'END'
#!/bin/sh
image='' append=''
while [ "$1" != -- ]; do
	case $1 in
	--out) out=$2 ;;
	--image) image=$(cat "$2") ;;
	--append) append=$2 ;;
	esac
	shift 2
done
for last; do :; done
mkdir -p "$out/results"
echo "$image: $append: $*" | tr '\n' ' ' >>"$FAKE/boots"
echo >>"$FAKE/boots"
starts='[    9.5] vmtests: one_test starts'
case $image in
'') echo 'ffff800080000000 T _text' >"$out/results/kallsyms"; status='exit 0' ;;
stock) status='exit 1'
	printf '%s\n' 'ok 1 one_test' '# not ok 1 bad.case' 'not ok 2 bad_test' >"$out/output.log" ;;
failing) status='exit 1'
	printf '%s\r\n' "$starts" 'lab: the command exited with 1' \
		'[    9.9] vmtests: next_test starts' >"$out/console.log"
	printf '%s\n' '# ok 1 one.good' '# not ok 2 one.case' >"$out/output.log" ;;
dying) status=panic
	echo "$starts" >"$out/console.log"
	printf '%s\n' '# not ok 1 bad.case' '# #  RUN           one.last ...' >"$out/output.log" ;;
hanging) status=timeout
	echo "$starts" >"$out/console.log"; : >"$out/output.log" ;;
stillborn) status=panic; : >"$out/console.log" ;;
broken) status='full 0'; : >"$out/console.log"; : >"$out/output.log" ;;
*) status='exit 0'; echo "$starts" >"$out/console.log"; : >"$out/output.log" ;;
esac
echo "$status" >"$out/status"
END
chmod +x "$lab"/fetch "$lab"/mutant "$lab"/boot

# sweep STATUS LIST-LINES [ARGUMENTS]: what it prints goes to $scratch/out
sweep()
{
	wanted=$1
	for function in $2; do
		echo "$function | zero | arm64-plain | linear | it is $function"
	done >"$scratch/list"
	shift 2
	status_is "$wanted" "$lab/mutants" -f "$scratch/list" -o "$scratch/dir" -p "$scratch/payload" "$@"
}

# verdict FUNCTION PATTERN
verdict()
{
	grep -q "^$1 .* $2\$" "$scratch/out" || {
		cat "$scratch/out" >>"$scratch/log"
		return 1
	}
}

all='failing dying hanging stillborn'
sweep 0 "$all"
result sweep $?
verdict failing 'caught: one_test: one.case'
result caught_names_test_and_case $?
verdict dying 'caught: one_test: kernel died in one.last'
result caught_when_kernel_dies $?
verdict hanging 'caught: one_test: hung'
result caught_when_kernel_hangs $?
verdict stillborn 'did not boot: kernel died'
result not_booted $?
grep -q '^caught 3 of 3 (100 %); did not boot: 1$' "$scratch/out"
result score_without_unbooted $?
grep -q '^# arm64-plain: bad.case fails on the stock kernel' "$scratch/out" &&
	grep -q '^failing: .* linear bad.case bad_test *$' "$scratch/boots"
result guest_is_told_what_fails_on_stock $?
grep -q '^stock: .* all $' "$scratch/boots" && [ "$(grep -c '^stock' "$scratch/boots")" -eq 1 ]
result stock_runs_once_to_the_end $?
[ "$(grep -c 'oops=panic' "$scratch/boots")" -eq 5 ]
result same_command_line_for_stock $?
[ -s "$scratch/kernel/kallsyms" ] && grep -q '^: nokaslr' "$scratch/boots"
result symbols_are_kept $?

before=$(wc -l <"$scratch/boots")
sweep 1 "$all surviving" && [ "$(wc -l <"$scratch/boots")" -eq $((before + 1)) ] &&
	grep -q '^caught 3 of 4 (75 %)' "$scratch/out" &&
	grep -q '^survived: surviving, zero, arm64-plain: it is surviving$' "$scratch/out"
result goes_on_and_fails_below_85_percent $?
sweep 0 "$all" -l dying && [ "$(wc -l <"$scratch/boots")" -eq $((before + 2)) ]
result only_is_anew $?

sweep 115 absent && said 'no function absent'
result absent_function_is_an_error $?
sweep 115 broken && said 'says nothing about its kernel' && [ ! -e "$scratch/dir/broken.zero.arm64-plain/verdict" ]
result full_disk_is_an_error $?
finish
