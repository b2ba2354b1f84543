#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# run.sh VMCOMPARE GENERATE: the program from outside. -u as a third argument rewrites the golden
# files; read the difference before committing it.
set -u
vmcompare=$1
generate=$2
update=${3:-}
here=$(dirname "$0")
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' INT TERM
failed=0
count=0

# check NAME CONDITION...
check()
{
	name=$1
	shift
	count=$((count + 1))
	"$@" && return
	echo "FAIL $name" >&2
	sed 's/^/  /' "$dir/out" "$dir/err" | head -20 >&2
	failed=$((failed + 1))
}

# runs CODE ARGUMENT...: does vmcompare exit with CODE?
runs()
{
	want=$1
	shift
	"$vmcompare" "$@" >"$dir/out" 2>"$dir/err"
	got=$?
	[ "$got" = "$want" ] || { echo "exit $got, not $want: $*" >&2; return 1; }
}

# golden NAME ARGUMENT...: is the output the golden file's, and no line wider than 78?
golden()
{
	name=$1
	shift
	"$vmcompare" "$@" >"$dir/out" 2>"$dir/err" || return 1
	[ "$update" = -u ] && cp "$dir/out" "$here/golden/$name"
	diff -u "$here/golden/$name" "$dir/out" >&2
}

says() { grep -q -- "$1" "$dir/out" "$dir/err"; }
# flat TEXT: the same where the report may have broken the line
flat() { tr '\n' ' ' <"$dir/out" | tr -s ' ' | grep -q -- "$1"; }
options() { [ "$(sed -n 's/^ *differs config //p' "$dir/out" | tr '\n' '|')" = "$1" ]; }
# ends LINES TEXT: does one of the last lines begin with it?
ends() { tail -"$1" "$dir/out" | grep -q "^$2"; }
begins() { head -1 "$dir/out" | grep -q "^$1"; }
quiet() { ! [ -s "$dir/err" ]; }
narrow() { [ "$(awk 'length > n { n = length } END { print n }' "$dir/out")" -le 78 ]; }
spaced() { says "<bytes" && ! says "<bytes[0-9]"; }
# inert: nothing that a terminal obeys but tabs and newlines
inert() { ! cat "$dir/out" "$dir/err" | tr -d '\t' | LC_ALL=C grep -q "[[:cntrl:]]"; }
printable() { ! LC_ALL=C grep -q "[^[:print:]]" "$dir/out" "$dir/err"; }

"$generate" "$dir/plain" plain 5 10 3 1
"$generate" "$dir/bbml2" bbml2 5 10 3 2 1.1 pte=2048 memtotal=4008628
"$generate" "$dir/third" third 5 10 4 3
"$generate" "$dir/single" single 1 10 2 4
"$generate" "$dir/other" other 1 10 2 5
"$generate" "$dir/emulated" emulated 5 10 2 6 1.1 emulated=1 pte=2048
"$generate" "$dir/emubase" emubase 5 10 2 7 1 emulated=1
"$generate" "$dir/fio" fio 5 10 3 8 1 fio=fio-3.36
"$generate" "$dir/tainted" tainted 5 10 3 9 1 tainted=512
"$generate" "$dir/block" block 1 10 2 10 1 boot=same
"$generate" "$dir/split" split 1 10 2 11 1.2 boot=same
"$generate" "$dir/nothing" nothing 2 10 0 12
"$generate" "$dir/wide" wide 5 10 3 13 1 pte=148701
mkdir "$dir/empty"

# custom LABEL UNIT REPEATS...: a label of one row, lower is better, whose boots have these repeats.
# The boots of labels of the same $ids are the same.
custom()
{
	label=$1
	unit=$2
	shift 2
	boot=0
	rm -rf "${dir:?}/$label"
	for repeats in "$@"; do
		id=c$boot-${ids:-$label}
		boot=$((boot + 1))
		rep=0
		mkdir -p "$dir/$label/$id"
		sed "s/\"boot_id\": *\"[^\"]*\"/\"boot_id\": \"$id\"/
			s/\"label\": *\"[^\"]*\"/\"label\": \"$label\"/" \
			"$dir/single/b000-4/run.json" >"$dir/$label/$id/run.json"
		for value in $repeats; do
			printf '{"bench":"a/b","case":"c","metric":"m","unit":"%s",' "$unit"
			printf '"better":"lower","value":%s,"rep":%d,"run":0,"t":1}\n' "$value" $rep
			rep=$((rep + 1))
		done >"$dir/$label/$id/samples.jsonl"
	done
}

check "two labels" golden pair.txt "$dir/plain" "$dir/bbml2"
check "78 columns" narrow
check "one label" golden single.txt "$dir/plain"
check "a matrix" golden matrix.txt "$dir/plain" "$dir/bbml2" "$dir/third"
check "78 columns of a matrix" narrow
# kernel_pgtable_bytes fills its column, and the value 1.134Mi its own.
check "full columns" runs 0 "$dir/wide" "$dir/plain"
check "keep a space" spaced
check "full columns of a matrix" runs 0 "$dir/wide" "$dir/plain" "$dir/third"
check "keep a space in it" spaced
check "Markdown" golden pair.md -f markdown "$dir/plain" "$dir/bbml2"
# A trend of 2 % a label in the first metric, none in the others.
for i in 1 2 3 4; do
	"$generate" "$dir/trend$i" "trend$i" 5 10 3 "2$i" "1.0$((2 * i))"
done
check "a trend" runs 0 "$dir"/trend[1-4]
check "78 columns of a trend" narrow
check "says its labels" says "^trend trend1 > trend2 > trend3 > trend4$"
check "is found and priced" says "^ ns_per_page <ns/page .*+[12]\.[0-9]*%  *+0\.[89].* worse$"
check "where it is alone" says "^3 rows without a trend; -v lists them$"
check "all rows of it" runs 0 -v "$dir"/trend[1-3]
check "from three labels on" says "^trend trend1"
check "evidence of each label" says "^    trend3: n 5/5, between"
check "unasked from four" runs 0 "$dir"/trend[1-3]
check "unasked" eval '! says "^trend trend1"'
check "a trend of boots in two labels" runs 2 -v "$dir/trend1" "$dir/trend2" "$dir/trend1"
check "a trend in Markdown" runs 0 -f markdown "$dir"/trend[1-4]
check "has its table" says "^## Trend$"
check "evidence" runs 0 -v "$dir/plain" "$dir/bbml2"
check "78 columns of evidence" narrow
check "n, spreads and p" says "^    n 5/5, between .*%/.*%, within .*%/.*%, p .*, Holm"

# The map of the whole 4 GiB by PTEs costs 8192 kB; what splits later is not missing in MemTotal.
check "the treatment in words" runs 0 "$dir/plain" "$dir/bbml2"
check "of both sides" flat "bbml2 maps 4GiB with 2044 PMD (1984 contiguous) and 2048 PTE leaves; plain maps 4GiB with 1048576 PTE leaves"
check "and MemTotal" flat "kB: +8192; page tables explain +8176 to +8192 page"
"$generate" "$dir/less" less 5 10 3 15 1 pte=2048 memtotal=4004532
check "MemTotal that is not explained" runs 0 "$dir/plain" "$dir/less"
check "is said" flat "+4096; page tables explain +8176 to +8192, not -4080"
"$generate" "$dir/same" same 5 10 3 16 1 pte=2048
check "MemTotal that does not change" runs 0 "$dir/plain" "$dir/same"
check "but should" flat "kB: +0; page tables explain +8176 to +8192, not -8176"

"$generate" "$dir/split1" split1 5 10 3 17 1 pte=2560
"$generate" "$dir/split2" split2 5 10 3 18 1 pte=4096
check "splits after boot" runs 0 "$dir/split1" "$dir/split2"
check "explain no MemTotal" eval '! says MemTotal'
"$generate" "$dir/conf1" conf1 2 2 1 17 1 "config=$(printf 'CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_HZ=250\nCONFIG_KFENCE=y')"
"$generate" "$dir/conf2" conf2 2 2 1 18 1 "config=$(printf 'CONFIG_HZ=250\nCONFIG_A=m\nCONFIG_TEXT="a b"')"
check "configurations" runs 0 "$dir/conf1" "$dir/conf2"
check "in one order" options 'KFENCE: y -> n|A: y -> m|TEXT: n -> "a b"|'
"$generate" "$dir/conf3" conf3 2 2 1 19 1 "config=$(seq -f "CONFIG_N%g=y" 30)"
check "many options" runs 0 "$dir/conf1" "$dir/conf3"
check "are counted" says "^ *and 21 more options"
check "many options with -v" runs 0 -v "$dir/conf1" "$dir/conf3"
check "are listed" says "config N30: n -> y"

check "one picture with one boot" runs 0 -f html "$dir/single"
check "without gnuplot's comment" quiet

check "a regression is asked for" runs 1 --fail-on regression "$dir/plain" "$dir/bbml2"
check "a regression is not asked for" runs 0 "$dir/plain" "$dir/bbml2"
echo '{"test":"t","run":0,"result":"pass","reason":"","seconds":1,"pass":1,"fail":0,"skip":0}' \
	>"$dir/plain/b000-1/verdicts.jsonl"
sed 's/"pass","reason"/"fail","reason"/' "$dir/plain/b000-1/verdicts.jsonl" \
	>"$dir/third/b000-3/verdicts.jsonl"
check "a test that fails now" runs 1 --fail-on regression "$dir/plain" "$dir/third"
check "is named" says "test t: fails in 0 of 5 boots of plain, 1 of 5 of third"
sed 's/"pass","reason":""/"skip","reason":"no"/' "$dir/plain/b000-1/verdicts.jsonl" \
	>"$dir/bbml2/b000-2/verdicts.jsonl"
check "a test that skips now" runs 0 "$dir/plain" "$dir/bbml2"
check "says so" says "note  test t: skipped in all boots of bbml2"
rm "$dir/bbml2/b000-2/verdicts.jsonl"
# load is that of the start; 2 CPUs are busy with more than 2.
cp -r "$dir/single" "$dir/busy"
cp -r "$dir/other" "$dir/idle"
sed -i 's/"run": 0,/& "load": 14.5,/' "$dir/busy/b000-4/run.json"
sed -i 's/"run": 0,/& "load": 2.0,/' "$dir/idle/b000-5/run.json"
for form in text markdown json html; do
	check "a busy machine in $form" runs 0 -f $form "$dir/busy" "$dir/idle"
	check "is warned of in $form" flat "WARNING: the machine was busy when 1 of 1 boots of single began: load 14.5 on 2 CPUs"
	check "an idle one in $form is not" eval '! flat "boots of other began"'
done
check "A/A" runs 0 --aa "$dir/plain"
check "A/A rate" says "A/A: .* alarms in .* splits"
# The order of ranks takes no longer than it must: 50 repeats took 12 s of processor time.
"$generate" "$dir/many1" many1 1 50 187 3 1 boot=same
"$generate" "$dir/many2" many2 1 50 187 4 1 boot=same
quick() { prlimit --cpu=6 "$vmcompare" "$@" >"$dir/out" 2>"$dir/err"; }
check "50 repeats of a boot are quick" quick "$dir/many1" "$dir/many2"
for target in samples.jsonl dmesg.txt; do
	rm -rf "$dir/bad"
	cp -r "$dir/single" "$dir/bad"
	echo evidence >"$dir/bad/b000-4/dmesg.txt"
	cp "$dir/bad/b000-4/$target" "$dir/kept"
	ln "$dir/bad/b000-4/$target" "$dir/hard"
	ln -s "bad/b000-4/$target" "$dir/soft"
	for name in "bad/b000-4/$target" hard soft; do
		check "-o of $target as $name" runs 2 -o "$dir/$name" "$dir/other" "$dir/bad"
		check "is refused" says "would overwrite it"
		check "and not done" cmp "$dir/kept" "$dir/bad/b000-4/$target"
	done
	rm "$dir/hard" "$dir/soft"
done
check "-o of an old report" runs 0 -o "$dir/kept" "$dir/single"
mkdir "$dir/bin"
printf '#!/bin/sh\nhead -c 300000000 /dev/zero\nexec sleep 60\n' >"$dir/bin/gnuplot"
chmod +x "$dir/bin/gnuplot"
flooded() { PATH="$dir/bin:$PATH" timeout 30 "$vmcompare" -f html "$dir/single" >"$dir/out" 2>"$dir/err"; }
check "a gnuplot that does not end" flooded
check "is ended" says "No pictures: gnuplot wrote more than 256 MB"
cp -r "$dir/single" "$dir/littered"
(cd "$dir/littered" && seq -f 'stray%g' 20000 | xargs touch)
check "a label full of strays" runs 0 "$dir/littered"
check "names the first" says "stray1 is no boot: ignored"
check "and counts the rest" says "19992 more entries are no boots: ignored"
check "in few lines" [ "$(wc -l <"$dir/out")" -lt 40 ]
check "an unfair difference that is none" runs 2 --allow nonsense "$dir/plain" "$dir/fio"
check "says which there are" says "there are arch, cpu, smt, .*, binaries, tools, memory, tainted, mixed"
rm -rf "$dir/bad"
cp -r "$dir/single" "$dir/bad"
printf '{"test":"t","run":0,"result":"fail","reason":"","seconds":1}' >"$dir/bad/b000-4/verdicts.jsonl"
check "verdicts without their last newline" runs 0 "$dir/other" "$dir/bad"
check "are all kept" says "test t: fails in 0 of 1 boots of other, 1 of 1 of single"
check "one boot a side" runs 0 "$dir/single" "$dir/other"
check "has no verdict" says "4 without verdict\|3 without verdict"
check "says why first" begins "NO VERDICT on 3 rows: fewer than 3 boots a side"
check "and last" ends 4 "NO VERDICT on 3 rows"
check "and what it takes" flat "It takes 3 boots of each label, better 5"
for form in markdown html; do
	check "one boot a side in $form" runs 0 -f $form "$dir/single" "$dir/other"
	check "says why twice in $form" [ "$(grep -c "NO VERDICT on 3 rows" "$dir/out")" = 2 ]
done
check "one boot a side in JSON" runs 0 -f json "$dir/single" "$dir/other"
check "says why in JSON" flat '"no_verdict": \[ "NO VERDICT on 3 rows'
custom two1 ns 100 101
custom two2 ns 200 202 201
check "two boots a side" runs 0 "$dir/two1" "$dir/two2"
check "have no verdict" flat "NO VERDICT on 1 row: fewer than 3 boots a side (2 and 3)"
custom two1 bytes 100 100
custom two2 bytes 200 200
check "two boots of an exact count" runs 0 "$dir/two1" "$dir/two2"
check "have a verdict" says "^0 better, 1 worse"
check "one label with a failed test" runs 0 "$dir/third"
check "mentions it" says "test t: fails in 1 of 5 boots of third"
# The case n3 is only in third; where plain skipped it, that is why.
for boot in "$dir"/plain/*; do
	mkdir "$boot/ktap"
	printf 'TAP version 13\n1..2\nok 1 n0\n# no widget\nok 2 n3 # SKIP\n' \
		>"$boot/ktap/0.linear_map_churn.ktap"
done
check "a case that was skipped" runs 0 "$dir/plain" "$dir/third"
check "is why its row is missing" flat "note linear/churn n3: 1 row missing in plain, where the case was skipped: no widget"
check "once a case" [ "$(grep -c "was skipped" "$dir/out")" = 1 ]
check "missing is missing" runs 0 "$dir/plain" "$dir/third"
check "missing is counted" says "1 missing"
check "emulated" runs 0 "$dir/emubase" "$dir/emulated"
check "says so first" says "^EMULATED CPU"
check "counts only" says "1 better, 0 worse, 0 same, 0 unsure, 0 missing, 2 without"
for label in emubase emulated; do
	cp -r "$dir/$label" "$dir/model-$label"
	sed -i 's/"metric": *"/&model_/' "$dir/model-$label"/*/samples.jsonl
	sed -i "s/\"label\": *\"/&model-/" "$dir/model-$label"/*/run.json
done
for form in text markdown json html; do
	check "modelled rows in $form" runs 0 -f $form "$dir/model-emubase" "$dir/model-emulated"
	check "are called so in $form" flat "modelled: rows"
done
check "others are not" runs 0 "$dir/emubase" "$dir/emulated"
check "called so" eval '! flat "modelled: rows"'
check "another fio" runs 4 "$dir/plain" "$dir/fio"
check "is unfair" says "UNFAIR *tool fio.*--allow tools"
check "voids the verdicts" says "0 better, 0 worse, 0 same, 0 unsure, 0 missing, 4 without"
check "unless allowed" runs 0 --allow tools "$dir/plain" "$dir/fio"
check "a tainted run" runs 4 "$dir/plain" "$dir/tainted"
check "within one boot" runs 0 "$dir/block" "$dir/split"
check "said to be, first" begins "WITHIN ONE BOOT: both labels"
check "78 columns of it" narrow
check "for the boot only" flat "the verdicts hold for this boot, not for the kernel"
cp -r "$dir/plain" "$dir/blind"
for file in "$dir"/blind/*/run.json; do
	sed -i 's/"linear":/"image":/' "$file"
	mv "${file%/*}" "${file%/*}.x"
	sed -i 's/"boot_id": "\([^"]*\)"/"boot_id": "\1.x"/' "${file%/*}.x/run.json"
done
cp -r "$dir/blind" "$dir/blinder"
sed -i 's/"boot_id": "\([^"]*\)"/"boot_id": "\1.y"/' "$dir"/blinder/*/run.json
check "no census" runs 0 "$dir/blind" "$dir/blinder"
check "is no treatment" says "none seen, but neither side says how"
"$generate" "$dir/x86" x86-blocks 1 10 2 10 1 boot=same split=96
"$generate" "$dir/x86split" x86-split 1 10 2 11 1.2 boot=same split=8000
check "split by -S" runs 0 "$dir/x86" "$dir/x86split"
check "both maps" flat "base 7.906GiB by 2M, 96MiB by 4k new 192MiB by 2M, 7.812GiB by 4k"
check "within its boot" begins "WITHIN ONE BOOT"
"$generate" "$dir/paired" paired 5 12 3 1 1.1
check "every boot in both" runs 0 "$dir/plain" "$dir/paired"
check "is said first too" begins "WITHIN BOOTS: every boot is in both labels"
"$generate" "$dir/partly" partly 3 10 3 1
check "some boots in both" runs 2 "$dir/plain" "$dir/partly"
check "are refused" says "share 3 boots of 5 and 3"
check "a boot of its own" runs 0 "$dir/plain" "$dir/bbml2"
check "says nothing of it" eval '! says WITHIN'
check "within one boot, closely" runs 0 -v "$dir/block" "$dir/split"
check "counts repeats" says "^    repeats 10/10, between -/-"
check "within one boot in Markdown" runs 0 -f markdown "$dir/block" "$dir/split"
check "says so" says "^\*\*WITHIN ONE BOOT"
check "within one boot in HTML" runs 0 -f html "$dir/block" "$dir/split"
check "without a word of gnuplot's" quiet
check "says so there" says "<b>WITHIN ONE BOOT"
check "within one boot again" runs 0 "$dir/block" "$dir/split"
check "finds the split" says "worse"
# One repeat of ten that the machine delayed says nothing of the split.
"$generate" "$dir/delayed" split 1 10 2 11 1.2 boot=same outlier=4
check "counts its verdicts" says "^0 better, 1 worse, 1 same, 0 unsure"
check "an outlier among the repeats" runs 0 "$dir/block" "$dir/delayed"
check "changes no verdict" says "^0 better, 1 worse, 1 same, 0 unsure"
check "and the change by little" says "^ ns_per_page .* +2[12]\.[0-9]*%  *+[12][0-9]\.[0-9]  *+2[0-9]\.[0-9] worse$"
check "says how" flat "(Hodges-Lehmann, Mann-Whitney)"
check "shows medians" says "^ ns_per_page .* 121\.[0-9]  *+2[12]"
check "an outlier in Markdown" runs 0 -f markdown "$dir/block" "$dir/delayed"
check "shows medians too" says "| 121\.[0-9] | +2[12]"
check "an outlier with evidence" runs 0 -v "$dir/block" "$dir/delayed"
check "names the test" flat "Mann-Whitney p <0.0001"
check "78 columns of that" narrow
# Zero has no logarithm: the shift is one of values, in units of base's median.
for label in block split; do
	cp -r "$dir/$label" "$dir/zero-$label"
	sed -i '1s/"value":[0-9.]*/"value":0/' "$dir/zero-$label"/*/samples.jsonl
	sed -i "s/\"label\": *\"/&zero-/" "$dir/zero-$label"/*/run.json
done
check "repeats that reach zero" runs 0 "$dir/zero-block" "$dir/zero-split"
check "have a change" says "^ ns_per_page .* +2[12]\.[0-9]*%  *+[12][0-9]\.[0-9]  *+2[0-9]\.[0-9] worse$"
# The least p of 4 against 4 is 2/70, which Holm's first level of two rows is below.
for repeats in 3 4; do
	"$generate" "$dir/block$repeats" block 1 $repeats 2 10 1 boot=same
	"$generate" "$dir/split$repeats" split 1 $repeats 2 11 1.2 boot=same
done
check "three repeats in short" runs 0 "$dir/block3" "$dir/split3"
check "say so near the top" flat "NO VERDICT on 3 rows: too few repeats of one boot (3 at most)"
check "and what they take" flat "4 a side for a row alone and 5 for the first of 3 rows: run_vmtests.sh -r 5"
check "last too" ends 3 "NO VERDICT"
check "three repeats" runs 0 -v "$dir/block3" "$dir/split3"
check "are too few" flat "3/3, between -/-, within [^ ]*, p -, Holm -: too few repeats"
check "for any verdict" says "0 same, 0 unsure, 0 missing, 3 without"
check "four repeats" runs 0 "$dir/block4" "$dir/split4"
check "cannot reach Holm's level" says "0 worse, 1 same, 1 unsure"
# Five repeats of ten a tick of the clock later: p is small, but the interval holds 0.
for label in block split; do
	cp -r "$dir/$label" "$dir/tied-$label"
	sed -i "s/\"label\": *\"/&tied-/" "$dir/tied-$label"/*/run.json
done
sed -i '1,10s/"value":[0-9.]*/"value":100/' "$dir"/tied-*/*/samples.jsonl
sed -i '2,6s/"value":[0-9.]*/"value":101/' "$dir"/tied-split/*/samples.jsonl
check "ties" runs 0 -v "$dir/tied-block" "$dir/tied-split"
check "give no verdict that the interval denies" flat "Holm 0.0[0-9]*: too many ties"
sed -i '1,10s/"value":[0-9.]*/"value":100/' "$dir"/tied-split/*/samples.jsonl
check "repeats that are all equal" runs 0 -v "$dir/tied-block" "$dir/tied-split"
check "are the same" says "^ ns_per_page .* +0\.00%  *+0\.00  *+0\.00 same$"

# Where base is zero or below, the change has a sign, if no size.
custom from0 bytes 0 0 0
custom to-32768 bytes -32768 -32768 -32768
custom from-32768 bytes -32768 -32768 -32768
custom around0 bytes 0 1 -1
custom around-32768 bytes -32768 -32769 -32767
check "from zero to less" runs 0 --fail-on regression "$dir/from0" "$dir/to-32768"
check "is better" says "^1 better, 0 worse"
check "from less to zero" runs 1 --fail-on regression "$dir/from-32768" "$dir/from0"
check "is worse, by its size" says " +100%  *+100  *+100 worse"
check "from about zero to less" runs 0 --fail-on regression "$dir/around0" "$dir/around-32768"
check "is better too" says "^1 better, 0 worse"
check "from less to about zero" runs 1 --fail-on regression "$dir/around-32768" "$dir/around0"
check "is worse too" says " +100%  *+100  *+100 worse"

# -m is a size, the same in both directions: 95.1 is 4.9 % below 100, which is 5.2 % above it.
custom near1 ns 100 100.1 99.9
custom near2 ns 95.1 95.2 95
check "-m 5 forth" runs 0 -m 5 "$dir/near1" "$dir/near2"
check "finds what is larger" says "^1 better"
check "-m 5 back" runs 0 -m 5 "$dir/near2" "$dir/near1"
check "finds it too" says "^0 better, 1 worse"
check "-m 6 forth" runs 0 -m 6 "$dir/near1" "$dir/near2"
check "calls what is smaller the same" says "^0 better, 0 worse, 1 same"
check "-m 6 back" runs 0 -m 6 "$dir/near2" "$dir/near1"
check "as well" says "^0 better, 0 worse, 1 same"

# What rounding explains is no difference: the same repeats in another order, and 0.1 + 0.2.
for unit in ns ops/s 1 bytes; do
	custom forth "$unit" "0.1 0.7 0.3" "0.1 0.7 0.3" "0.1 0.7 0.3"
	custom back "$unit" "0.3 0.7 0.1" "0.7 0.3 0.1" "0.3 0.1 0.7"
	check "the same repeats of $unit in another order" runs 0 -v "$dir/forth" "$dir/back"
	check "are the same $unit" says " +0\.00%  *+0\.00  *+0\.00 same$"
done
custom forth ns 0.3 0.3 0.3
custom back ns 0.30000000000000004 0.30000000000000004 0.30000000000000004
check "a difference in the last bit" runs 0 -v "$dir/forth" "$dir/back"
check "is none" says " +0\.00%  *+0\.00  *+0\.00 same$"
ids=pair custom forth ns "0.1 0.7 0.3" "0.2 1.4 0.6" "0.3 2.1 0.9"
ids=pair custom back ns "0.3 0.7 0.1" "1.4 0.6 0.2" "0.9 0.3 2.1"
check "the same in pairs" runs 0 -v "$dir/forth" "$dir/back"
check "are the same pairs" says " +0\.00%  *+0\.00  *+0\.00 same$"
# A row that reaches zero keeps its pairs, on values: boots differ by more than the change.
ids=pair custom zpairs bytes "0 0" "1000 1000" "3000 3000" "9000 9000"
ids=pair custom zpairs2 bytes "99 101" "1101 1101" "3100 3100" "9099 9099"
check "pairs that reach zero" runs 0 -f json "$dir/zpairs" "$dir/zpairs2"
check "are pairs" says '"method": "paired-linear"'
check "and show the change" says '"verdict": "worse"'
ids=pair custom back ns "0.33 0.77 0.11" "1.54 0.66 0.22" "0.99 0.33 2.31"
check "pairs that all differ by a tenth" runs 0 -v "$dir/forth" "$dir/back"
check "have no spread" flat "p -, Holm -: no spread to judge by"
check "an empty label" runs 2 "$dir/empty"
check "a label of skips" runs 0 "$dir/nothing"
check "nothing to compare with" runs 2 "$dir/plain" "$dir/empty"
check "compared with itself" runs 2 "$dir/plain" "$dir/plain"
check "no such label" runs 2 "$dir/none"
check "no label" runs 2
check "a full disk" runs 2 -o /dev/full "$dir/plain"

# extras LABEL CYCLES P99: perf and fio files for every boot of a label
extras()
{
	for boot in "$dir/$1"/*; do
		mkdir -p "$boot/perf" "$boot/fio"
		{
			printf '# started on a day\n\n'
			printf '{"counter-value":"%s","event":"cycles:k","pcnt-running":100.0}\n' "$2"
			printf '{"counter-value":"7","event":"shared","pcnt-running":49.5}\n'
			printf '{"counter-value":"<not counted>","event":"absent"}\n'
		} >"$boot/perf/0.churn.stat.json"
		printf '{"symbol":"%s","percent":%s}\n' clear_page_erms 12.5 \
			'<b>\u001b[31m' 3 >"$boot/perf/0.churn.symbols.jsonl"
		for rep in 0 1 warmup0; do
			printf '{"jobs":[{"read":{"clat_ns":{"percentile":{"99.000000":%s}}}}]}\n' \
				"$3" >"$boot/fio/0.seq-read.$rep.json"
		done
		printf 'not JSON\n' >"$boot/fio/0.seq-read.warmup0.json"
	done
}

check "no extras" runs 0 -v "$dir/plain" "$dir/third"
check "no section" eval '! says "perf counters\|fio completion"'
cp -r "$dir/plain" "$dir/before"
cp -r "$dir/third" "$dir/after"
extras before 1000 4000
extras after 1250 3000
check "extras" runs 0 -v "$dir/before" "$dir/after"
check "78 columns of extras" narrow
check "extras without control characters" printable
check "the base counter" says "^ cycles:k  *1000$"
check "the new counter" says "^   third  *1250 *+25.0%$"
check "the base percentile" says "^ read p99  *4000$"
check "the new percentile" says "^   third  *3000 *-25.0%$"
check "the symbol" says "^ clear_page_erms  *12.5$"
check "multiplexed is named" says "counter shared of churn left out: multiplexed"
check "not counted is named" says "counter absent of churn left out: <not"
check "and not shown" eval '! says "^ shared\|^ absent"'
check "extras are asked for" runs 0 "$dir/before" "$dir/after"
check "in text" eval '! says "^perf counters"'
check "extras in HTML" runs 0 -f html "$dir/before" "$dir/after"
check "are escaped" eval 'says "&lt;b&gt;?.31m" && ! says "<b>?"'
check "have counters" says "cycles:k.*1250.*+25.0%"
# refused NAME FILE MESSAGE TEXT: is this file below a boot refused by that name?
refused()
{
	rm -rf "$dir/bad"
	cp -r "$dir/before" "$dir/bad"
	printf '%s\n' "$4" >"$dir/bad/b000-1/$2"
	check "$1" runs 2 "$dir/bad"
	check "$1 by name" says "$2.*$3"
}

refused "a counter of words" perf/0.t.stat.json "is not a number" '{"event":"e","counter-value":"many"}'
refused "a negative counter" perf/0.t.stat.json negative '{"event":"e","counter-value":"-1"}'
refused "a counter of NaN" perf/0.t.stat.json "not finite" '{"event":"e","counter-value":"nan"}'
refused "no counter" perf/0.t.stat.json "no \"event\"" '{"event":"e"}'
refused "too hot a symbol" perf/0.t.symbols.jsonl "more than 100" '{"symbol":"s","percent":101}'
refused "a symbol of nothing" perf/0.t.symbols.jsonl "no \"symbol\"" '[]'
refused "percentile 101" fio/0.j.0.json "percentile of read" \
	'{"jobs":[{"read":{"clat_ns":{"percentile":{"101":1}}}}]}'
ln -sf /etc/passwd "$dir/bad/b000-1/fio/0.j.0.json"
check "a link in fio" runs 2 "$dir/bad"
check "is not followed either" says "a symbolic link"

if python3 -c 'import jsonschema' 2>"$dir/err"; then
	check "JSON" runs 0 -f json "$dir/before" "$dir/after"
	check "has its schema" python3 -W ignore -m jsonschema -i "$dir/out" \
		"$here/../../../docs/compare.schema.json"
	check "JSON within one boot" runs 0 -f json "$dir/block" "$dir/delayed"
	check "has its schema as well" python3 -W ignore -m jsonschema -i "$dir/out" \
		"$here/../../../docs/compare.schema.json"
	check "names the method" says '"method": "repeats-shift"'
	check "on values" runs 0 -f json "$dir/zero-block" "$dir/zero-split"
	check "has its schema once more" python3 -W ignore -m jsonschema -i "$dir/out" \
		"$here/../../../docs/compare.schema.json"
	check "names that method" says '"method": "repeats-shift-linear"'
	check "on repeats all equal" runs 0 -f json "$dir/tied-block" "$dir/tied-split"
	check "is exact" says '"method": "exact"'
	check "JSON with trends" runs 0 -f json "$dir"/trend[1-4]
	check "has its schema too" python3 -W ignore -m jsonschema -i "$dir/out" \
		"$here/../../../docs/compare.schema.json"
else
	echo "SKIP the JSON schema: no python3-jsonschema" >&2
fi

# A crash tears what explains a verdict, never the verdict.
rm -rf "$dir/bad"
cp -r "$dir/before" "$dir/bad"
printf '{"counter-value":"5","event":"torn"}\n{"counter-va' >"$dir/bad/b000-1/perf/0.t.stat.json"
printf '{"jobs":[{"read":' >"$dir/bad/b000-1/fio/0.j.0.json"
printf '\033[31m' >"$dir/bad/b001-1/fio/0.j.0.json"
check "torn perf and fio files" runs 0 -v "$dir/bad" "$dir/after"
check "are counted" says "b000-1: 2 damaged files"
check "are named" says "0.t.stat.json:"
check "are left out whole" eval '! says "^ torn"'
check "without control characters" printable
check "beside what is whole" says "^ cycles:k  *1000$"

# line NAME MESSAGE TEXT: is a samples.jsonl with this line refused by that name?
line()
{
	rm -rf "$dir/bad"
	cp -r "$dir/single" "$dir/bad"
	printf '%s\n' "$3" >>"$dir/bad/b000-4/samples.jsonl"
	check "$1" runs 2 "$dir/bad"
	check "$1 by name" says "$2"
	check "$1 in place" says "samples.jsonl:22"
	check "$1 without control characters" printable
}

# sample VALUE [UNIT [METRIC]]
sample()
{
	printf '{"bench":"a/b","case":"c","metric":"%s","unit":"%s",' "${3:-m}" "${2:-bytes}"
	printf '"better":"lower","value":%s,"rep":0,"run":0,"t":1}' "$1"
}

line "NaN" "invalid token" "$(sample NaN)"
line "infinity" "real number overflow" "$(sample 1e999)"
line "an integer of 22 digits" "too big integer" "$(sample 1001189187833778017628)"
line "a negative duration" "negative duration" "$(sample -1 ns)"
line "mixed units" "has unit us here and ns/page elsewhere" \
	'{"bench":"linear/churn","case":"n0","metric":"ns_per_page","unit":"us","better":"lower","value":1,"rep":90,"run":0,"t":1}'
line "a repeated key" "duplicate object key" '{"bench":"a/b","bench":"a/b"}'
line "a missing key" 'no "value"' \
	'{"bench":"a/b","case":"c","metric":"m","unit":"1","better":"lower","rep":0,"run":0,"t":1}'
line "terminal escapes" "is not a name" "$(sample 1 bytes '\\u001b[31m')"
line "HTML" "is not a name" "$(sample 1 bytes '<script>')"
line "a long line" "line longer than" "$(head -c 10000000 /dev/zero | tr '\0' x)"

rm -rf "$dir/bad"
cp -r "$dir/single" "$dir/bad"
printf '{"bench":"a/b","ca' >>"$dir/bad/b000-4/samples.jsonl"
check "a torn last line" runs 0 "$dir/bad"
check "is counted" says "1 damaged last line dropped"
mkfifo "$dir/fifo"
rm "$dir/bad/b000-4/samples.jsonl"
ln -s /etc/passwd "$dir/bad/b000-4/samples.jsonl"
check "a symbolic link" runs 2 "$dir/bad"
check "is not followed" says "a symbolic link"
rm "$dir/bad/b000-4/samples.jsonl"
mkfifo "$dir/bad/b000-4/samples.jsonl"
check "a FIFO" runs 2 "$dir/bad"
rm "$dir/bad/b000-4/samples.jsonl"
truncate -s 1T "$dir/bad/b000-4/samples.jsonl"
check "a huge file" runs 2 "$dir/bad"
rm "$dir/bad/b000-4/samples.jsonl"
mkdir "$dir/bad/$(printf 'a\nb\033[31m')"
check "a folder with a newline" runs 0 "$dir/bad"
check "is ignored aloud" says "is no boot: ignored"
check "and cleaned" printable
mkdir "$dir/outside"
cp -r "$dir/other/." "$dir/outside"
rm -rf "$dir/bad"
cp -r "$dir/single" "$dir/bad"
ln -s "$dir/outside/b000-5" "$dir/bad/b000-5"
check "a boot out of the tree" runs 0 "$dir/bad"
check "is no boot of it" says "b000-5 is no boot: ignored"
check "and not counted" flat "1 boot,"

# What a kernel, a firmware or a test wrote is shown, never obeyed.
evil='<script>alert(1)</script><img src=x onerror=alert(2)>"&\\u001b]0;title\\u0007\\u001b[2J'
rm -rf "$dir/bad"
cp -r "$dir/single" "$dir/bad"
sed -i -E "s|\"(release\|version\|model\|cmdline\|thp)\": *\"[^\"]*\"|\"\1\": \"$(echo "$evil" | sed 's/["&]/\\&/g; s/\"/\\\\"/g')\"|" \
	"$dir/bad/b000-4/run.json"
printf '{"test":"t","run":0,"result":"fail","reason":"%s","seconds":null,"pass":0,"fail":1,"skip":0}\n' \
	"$(echo "$evil" | sed 's/"/\\"/g')" >"$dir/bad/b000-4/verdicts.jsonl"
printf '\033]0;title\007<script>alert(3)</script>\n' >"$dir/bad/b000-4/dmesg.txt"
grep -q 'script' "$dir/bad/b000-4/run.json" || { echo "no evil fingerprint" >&2; failed=$((failed + 1)); }
for format in text markdown json html; do
	check "an evil fingerprint in $format" runs 0 -v -f $format "$dir/bad" "$dir/other"
	check "obeys no escape in $format" inert
done
check "shows the fingerprint" says "&lt;script&gt;alert"
check "and no tag in HTML" eval '! says "<script>alert" && ! says "<img src=x"'
mv "$dir/bad" "$dir/$(printf 'new\nline\033[31m')"
check "a label with a newline" runs 0 "$dir/$(printf 'new\nline\033[31m')"
check "and with an escape" inert
rm -rf "$dir/bad"
cp -r "$dir/single" "$dir/bad"
sed 's/"schema": 1/"schema": 2/' "$dir/single/b000-4/run.json" >"$dir/bad/b000-4/run.json"
check "another schema" runs 2 "$dir/bad"
check "is named" says "schema version 2"
cp -r "$dir/single" "$dir/twice"
cp -r "$dir/twice/b000-4" "$dir/twice/copy"
check "a copied boot" runs 2 "$dir/twice"
check "would count twice" says "the same boot as"

echo "$count checks of vmcompare, $failed failed"
[ "$failed" = 0 ]
