#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# lab/matrix and lab/expect without a guest: the order, what is repeated after an interruption and
# what is not, what a cell is held to, and what vmcompare is given. lab/boot and lab/fetch are
# played by scripts.

set -u
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=vmtests/meta/lib.sh
. "$here/../../vmtests/meta/lib.sh"
echo 'KTAP version 1'

cp -r "$here/.." "$scratch/lab"
matrix=$scratch/lab/matrix
list=$scratch/list
dir=$scratch/matrix.d
cat >"$scratch/lab/fetch" <<'END'
#!/bin/sh
[ "$1" != 5.99 ] || { echo 'no kernel 5.99' >&2; exit 115; }
echo "/cache/kernels/$(cat "$FAKE_RELEASE")-$2"
END
cat >"$scratch/lab/boot" <<'END'
#!/bin/sh
# FAKE_STOP_AT: the call that ends like a lab error. FAKE_ENDS: status line by label.
arguments=$*
while [ $# -gt 0 ]; do
	case $1 in
	--out) out=$2; shift ;;
	--) shift; break ;;
	esac
	shift
done
name=$(basename "$out" .part)
echo "$name $arguments" >>"$FAKE_LOG"
name=${name#.}
label=${name%.*}
mkdir "$out" || exit 115
mkdir -p "$out/results/$label/id-$name"
[ "$(wc -l <"$FAKE_LOG")" -ne "${FAKE_STOP_AT:-0}" ] || exit "${FAKE_STOP_STATUS:-115}"
for word; do
	echo "word $word"
done >"$out/results/$label/id-$name/command"
cp "$FAKE_FACTS" "$out/facts"
status=$(sed -n "s/^$label //p" "$FAKE_ENDS")
echo "${status:-exit 0}" >"$out/status"
case $status in
panic | timeout) cp "$FAKE_CONSOLE" "$out/console.log" ;;
esac
case $status in
'') exit 0 ;;
panic) exit 110 ;;
'exit '*) exit "${status#exit }" ;;
esac
END
cat >"$scratch/vmcompare" <<'END'
#!/bin/sh
echo "$@"
exit "${FAKE_COMPARE:-0}"
END
chmod +x "$scratch/lab/boot" "$scratch/lab/fetch" "$scratch/vmcompare"
export FAKE_LOG="$scratch/boot.log" FAKE_FACTS="$scratch/facts" FAKE_ENDS="$scratch/ends"
export FAKE_CONSOLE="$scratch/console"
export FAKE_RELEASE="$scratch/release" FAKE_STOP_AT=0 VMCOMPARE="$scratch/vmcompare"
echo 7.2.13+deb14 >"$FAKE_RELEASE"
: >"$FAKE_CONSOLE"
cat >"$list" <<'END'
# a comment

a | 7:arm64 | plain | | | bbml2=no
b | 7:arm64 | bbml2 | --nodes 2 --mem 2G | x=1 y | bbml2=no
c | 6.12:amd64 | plain | | |
END
printf '%s\n' bbml2=no memtotal_kb=4000000 ram_kb=4194304 >"$FAKE_FACTS"

fresh()
{
	rm -rf "$dir"
	: >"$FAKE_LOG"
	: >"$FAKE_ENDS"
	FAKE_STOP_AT=0
}

# calls: the boots that were begun, in order, as LABEL.N
calls()
{
	sed 's/ .*//; s/^\.//' "$FAKE_LOG"
}

order_of()
{
	"$matrix" -f "$list" -d "$@" | grep -v '^#'
}

# --- the order
[ "$(order_of -n 4 -s 7)" = "$(order_of -n 4 -s 7)" ]
result same_seed_same_order $?
orders=$(for seed in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	order_of -s $seed | tr '\n' ' '
	echo
done | sort -u | wc -l)
[ "$orders" -eq 6 ]
result seeds_reach_every_order $?
order_of -n 5 -s 9 | awk '
	{ seen[$1 " " $2]++; if (int((NR - 1) / 3) + 1 != $2) bad = 1 }
	END { for (key in seen) { kinds++; if (seen[key] != 1) bad = 1 } exit bad || kinds != 15 }'
result rounds_hold_each_cell_once $?
# Another awk must give the same order: an order is recorded by its seed.
if command -v gawk >/dev/null && command -v mawk >/dev/null; then
	for awk in gawk mawk; do
		mkdir "$scratch/$awk"
		ln -s "$(command -v $awk)" "$scratch/$awk/awk"
		PATH=$scratch/$awk:$PATH "$matrix" -f "$list" -d -n 5 -s 2147483646 >"$scratch/$awk.order"
	done
	cmp -s "$scratch/gawk.order" "$scratch/mawk.order"
	result same_order_with_every_awk $?
else
	skip same_order_with_every_awk 'needs gawk and mawk'
fi

# --- what runs
fresh
status_is 0 "$matrix" -f "$list" -n 2 -s 7 -o "$dir" -p "$scratch" -- show '%l' "it's  a %l/x" &&
	[ "$(calls)" = "$(order_of -n 2 -s 7 | tr ' ' .)" ]
result boots_follow_the_order $?
[ ! -s "$scratch/log" ]
result quiet_without_a_terminal $?
printf 'KTAP version 1\n1..3\nok 1 a\nok 2 b\nok 3 c\n' | cmp -s - "$scratch/out"
result cells_are_reported $?
grep '^\.b\.1 ' "$FAKE_LOG" | grep -q -e '--kernel 7.2.13+deb14:arm64 --cpu bbml2 --append x=1 y' &&
	grep '^\.b\.1 ' "$FAKE_LOG" | grep -q -e "--payload $scratch/arm64 --nodes 2 --mem 2G --" &&
	grep '^\.c\.1 ' "$FAKE_LOG" | grep -q -e "--payload $scratch/amd64"
result boot_gets_the_cell $?
printf 'word show\nword b\nword it'\''s  a b/x\n' | cmp -s - "$dir/results/b/id-b.2/command"
result label_in_command $?
fresh
lines='echo "[
b 1"'
status_is 0 "$matrix" -f "$list" -s 7 -o "$dir" -- sh -c "$lines" &&
	printf 'word sh\nword -c\nword %s\n' "$lines" | cmp -s - "$dir/results/b/id-b.1/command"
result lines_in_command $?
fresh
echo 'own | /k/Image | plain | --arch arm64 --modules /k/m | |' >"$scratch/own"
status_is 0 "$matrix" -f "$scratch/own" -o "$dir" -p "$scratch" &&
	grep -q -e "--kernel /k/Image .* --payload $scratch/arm64 --arch arm64 --modules /k/m --" "$FAKE_LOG"
result kernel_of_ones_own $?
fresh
status_is 0 "$matrix" -f "$list" -n 2 -s 7 -o "$dir" -p "$scratch" -- show '%l' "it's  a %l/x"
[ "$(cd "$dir/results" && echo */*)" = 'a/id-a.1 a/id-a.2 b/id-b.1 b/id-b.2 c/id-c.1 c/id-c.2' ]
result results_are_gathered $?

# --- going on
cp "$FAKE_LOG" "$scratch/first"
status_is 0 "$matrix" -f "$list" -n 2 -o "$dir" -p "$scratch" -- show '%l' "it's  a %l/x" &&
	cmp -s "$FAKE_LOG" "$scratch/first"
result finished_is_not_repeated $?
fresh
FAKE_STOP_AT=3
status_is 115 "$matrix" -f "$list" -n 2 -s 7 -o "$dir" && [ ! -s "$scratch/out" ] &&
	[ "$(calls | wc -l)" -eq 3 ]
result lab_error_stops $?
FAKE_STOP_AT=0
status_is 0 "$matrix" -f "$list" -n 2 -o "$dir" &&
	[ "$(calls)" = "$(order_of -n 2 -s 7 | tr ' ' . | sed 3p)" ]
result goes_on_where_it_stopped $?
fresh
FAKE_STOP_AT=2 FAKE_STOP_STATUS=113
export FAKE_STOP_STATUS
status_is 115 "$matrix" -f "$list" -s 7 -o "$dir"
result qemu_failure_stops $?
fresh
# What a kill leaves: a boot half done.
"$matrix" -f "$list" -s 7 -o "$dir" >/dev/null
mv "$dir/boots/b.1" "$dir/boots/.b.1.part"
mv "$dir/results/b/id-b.1" "$dir/boots/.b.1.part/results/b/"
rm "$dir/boots/.b.1.part/status"
: >"$FAKE_LOG"
status_is 0 "$matrix" -f "$list" -o "$dir" && [ "$(calls)" = b.1 ] && [ ! -e "$dir/boots/.b.1.part" ]
result half_done_is_repeated $?
fresh
echo 'b panic' >"$FAKE_ENDS"
status_is 1 "$matrix" -f "$list" -s 7 -o "$dir" && grep -q '^not ok 2 b$' "$scratch/out" &&
	grep -q '^# boot 1: panic, see ' "$scratch/out" && grep -q '^ok 3 c$' "$scratch/out"
result panic_fails_the_cell $?
: >"$FAKE_ENDS"
: >"$FAKE_LOG"
status_is 1 "$matrix" -f "$list" -o "$dir" && [ ! -s "$FAKE_LOG" ]
result panic_is_not_tried_again $?
# Of the console, from the first cry to the end of its trace.
printf '%s\r\n' '[    1.000000] NMI watchdog: all is well' '[   12.345678] BUG: unable to handle page fault' \
	'[   12.345679]  __split_huge_pmd+0x1/0x2' '[   12.345680] ---[ end trace 0 ]---' \
	'[   12.345681] Kernel panic - not syncing' >"$FAKE_CONSOLE"
printf '%s\n' '#     BUG: unable to handle page fault' '#      __split_huge_pmd+0x1/0x2' \
	'#     ---[ end trace 0 ]---' >"$scratch/quoted"
for end in panic timeout; do
	fresh
	echo "b $end" >"$FAKE_ENDS"
	status_is 1 "$matrix" -f "$list" -s 7 -o "$dir"
	grep '^#     ' "$scratch/out" | cmp -s - "$scratch/quoted"
	result "${end}_is_quoted" $?
done
fresh
echo 'b exit 4' >"$FAKE_ENDS"
status_is 0 "$matrix" -f "$list" -s 7 -o "$dir" && grep -q '^ok 2 b # SKIP$' "$scratch/out"
result nothing_could_run_is_a_skip $?
fresh
# The command's own status may be one of lab/boot's.
echo 'b exit 113' >"$FAKE_ENDS"
status_is 1 "$matrix" -f "$list" -s 7 -o "$dir" && grep -q '^# boot 1: exit 113' "$scratch/out"
result command_status_like_the_labs $?

fresh
"$matrix" -f "$list" -s 7 -o "$dir" >/dev/null
status_is 2 "$matrix" -f "$list" -s 8 -o "$dir" && said 'holds another matrix' && said '^< # seed 7'
result another_seed_is_refused $?
echo 7.2.14+deb14 >"$FAKE_RELEASE"
status_is 2 "$matrix" -f "$list" -o "$dir" && said '7.2.14+deb14'
result another_kernel_is_refused $?
echo 7.2.13+deb14 >"$FAKE_RELEASE"

# --- comparing
fresh
status_is 0 "$matrix" -c -f "$list" -s 7 -o "$dir" -l 'a c' &&
	[ "$(cat "$scratch/out")" = "$dir/results/a $dir/results/c" ] &&
	cmp -s "$scratch/out" "$dir/report.txt"
result compares_in_the_order_of_the_list $?
FAKE_COMPARE=4
export FAKE_COMPARE
status_is 4 "$matrix" -c -f "$list" -o "$dir" -l 'a c'
result status_of_the_comparison $?
fresh
echo 'c exit 1' >"$FAKE_ENDS"
status_is 1 "$matrix" -c -f "$list" -s 7 -o "$dir" -l 'a c' && said 'c: boot 1: exit 1'
result failed_boot_before_the_comparison $?

# --- what a cell is held to
expect=$scratch/lab/expect
mkdir -p "$scratch/boots/base.1" "$scratch/boots/cell.1"
printf '%s\n' memtotal_kb=4000436 ram_kb=4194304 >"$scratch/boots/base.1/facts"
cell=$scratch/boots/cell.1
printf '%s\n' bbml2=yes nodes=2 release=7.2.13+deb14-arm64 memtotal_kb=4008628 ram_kb=4194304 \
	>"$cell/facts"
cat >"$cell/census.json" <<'END'
{"schema": 1, "ranges": [
  {"name": "vmalloc", "levels": 4, "leaves": {"pte": {"mapped": 9, "contiguous": 0}}},
  {"name": "linear", "levels": 5, "va_bits": 52, "leaves": {
    "pud": {"mapped": 2, "contiguous": 0}, "pmd": {"mapped": 1020, "contiguous": 976},
    "pte": {"mapped": 2048, "contiguous": 1520}}}]}
END

# holds NAME EXPECTATION...
holds()
{
	name=$1
	shift
	status_is 0 "$expect" "$cell" "$scratch/boots" "$@" && [ ! -s "$scratch/out" ]
	result "expects_$name" $?
}

# fails NAME EXPECTATION PATTERN
fails()
{
	status_is 1 "$expect" "$cell" "$scratch/boots" "$2" && grep -q -e "$3" "$scratch/out"
	result "rejects_$1" $?
}

holds facts bbml2=yes nodes=2 release=7. 'nodes>=2' 'nodes<=2'
holds census pud=2 'pmd>=900' contpmd=976 'pte<=2048' levels=5 va_bits=52
holds gain gain:base=1/512
holds level_not_there pgd=0 contpgd=0
fails fact bbml2=no 'bbml2 is yes, expected =no'
fails fact_missing hvo=on 'no fact hvo'
fails release release=6.1 'release is 7.2.13'
fails census 'pud>=3' 'pud is 2, expected >=3'
fails above 'contpmd<=975' 'contpmd is 976'
fails mixed_leaves pte=all "not all: there are {'pud': 2, 'pmd': 1020}"
# 5 % of the 8192 kB that 4 GiB gives is 409: 8602 kB is too much.
sed -i s/4008628/4009038/ "$cell/facts"
fails gain_above gain:base=1/512 'MemTotal is +8602 kB from base.s, expected +8192 kB'
sed -i s/4009038/4008218/ "$cell/facts"
fails gain_below gain:base=1/512 'MemTotal is +7782 kB'
fails gain_over_nothing gain:other=1/512 'other left no facts'
sed -i '/"linear"/,$d' "$cell/census.json"
fails census_unreadable pud=2 'unreadable'
rm "$cell/census.json"
fails census_missing pud=2 'is kmap in the payload'
rm "$cell/facts"
fails guest_died bbml2=yes 'no fact bbml2'
status_is 2 "$expect" "$cell" "$scratch/boots" bbml2
result expectation_malformed $?
echo 'a | 7:arm64 | plain | | | bbml2=yes' >"$scratch/wrong"
fresh
status_is 1 "$matrix" -f "$scratch/wrong" -o "$dir" &&
	grep -q '^# bbml2 is no, expected =yes$' "$scratch/out" && grep -q '^not ok 1 a$' "$scratch/out"
result cell_that_is_not_as_expected_fails $?

# --- lists made of lists
cross=$scratch/lab/cross
cat >"$scratch/crossed" <<'END'
a-x-y | 7:arm64 | plain | | CASE=x.y | bbml2=no
a-z | 7:arm64 | plain | | CASE=z | bbml2=no
b-x-y | 7:arm64 | bbml2 | --nodes 2 --mem 2G | x=1 y CASE=x.y | bbml2=no
b-z | 7:arm64 | bbml2 | --nodes 2 --mem 2G | x=1 y CASE=z | bbml2=no
c-x-y | 6.12:amd64 | plain | | CASE=x.y |
c-z | 6.12:amd64 | plain | | CASE=z |
END
status_is 0 "$cross" "$list" CASE x.y z && tr -s ' ' <"$scratch/out" | sed 's/ $//' |
	cmp -s - "$scratch/crossed"
result crossed_with_values $?
status_is 0 "$matrix" -f "$scratch/crossed" -d
result crossed_list_is_a_list $?
status_is 0 "$cross" -l "$(sed -n '$s/[ 	]*|.*//p' "$list")" "$list" CASE x &&
	[ "$(wc -l <"$scratch/out")" -eq 1 ]
result crossed_one_cell $?
refused 2 cross_of_other_cell 'no such cell' "$cross" -l nonesuch "$list" CASE x
refused 2 cross_without_values 'at least one VALUE' "$cross" "$list" CASE
refused 2 cross_of_nothing 'no such file' "$cross" /nonesuch CASE x
refused 2 cross_name 'not the name of a variable' "$cross" "$list" a=b x
refused 2 cross_value 'letters, digits' "$cross" "$list" CASE 'x y'

# --- wrong use
refused 2 no_list 'which LIST' "$matrix"
refused 2 list_missing 'no such file' "$matrix" -f /nonesuch
refused 2 boots_zero 'not a number above 0' "$matrix" -f "$list" -n 0
refused 2 seed_zero 'not a number from 1' "$matrix" -f "$list" -s 0
refused 2 seed_above 'not a number from 1' "$matrix" -f "$list" -s 2147483647
refused 2 unknown_label 'no such cell' "$matrix" -f "$list" -l 'a z'
refused 2 unknown_option 'unknown option -z' "$matrix" -z
refused 2 value_missing '-n wants a value' "$matrix" -n
refused 2 payload_missing 'no such directory' "$matrix" -f "$list" -p /nonesuch
echo 'a | 7:arm64 | plain' >"$scratch/wrong"
refused 2 columns '3 columns, not 6' "$matrix" -f "$scratch/wrong"
echo 'a b | 7:arm64 | plain | | |' >"$scratch/wrong"
refused 2 label_with_space 'letters, digits' "$matrix" -f "$scratch/wrong"
printf 'a | 7:arm64 | plain | | |\na | 7:arm64 | bbml2 | | |\n' >"$scratch/wrong"
refused 2 label_twice 'label a again' "$matrix" -f "$scratch/wrong"
echo 'a | 7:arm64 | plain | | | gain:z=1/512' >"$scratch/wrong"
refused 2 gain_over_no_cell 'not among the cells' "$matrix" -f "$scratch/wrong"
echo 'a | 5.99:arm64 | plain | | |' >"$scratch/wrong"
refused 115 series_missing 'no kernel 5.99' "$matrix" -f "$scratch/wrong" -o "$scratch/none"
[ ! -e "$scratch/none" ]
result nothing_is_begun_without_its_kernel $?
finish
