#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Manuals and completion say what the programs say of themselves with -h, and that fits a screen.
# usage: manual_test.sh BUILD

set -u
build=$(cd "$1" && pwd) || exit 1
here=$(dirname "$(readlink -f "$0")")
top=$here/../..
# shellcheck source=vmtests/meta/lib.sh
. "$here/lib.sh"
SCREEN_WIDTH=80
SCREEN_LINES=24

# "FILE [SECTION]|COMMAND": a manual, or one section of it, and whose it is
programs()
{
	cat <<-END
		run_vmtests.sh|$top/run_vmtests.sh
		vmcompare|$build/vmtests/vmcompare
		kmap|$build/vmtests/kmap
		vmtests-lab fetch|$top/lab/vmtests-lab fetch
		vmtests-lab root|$top/lab/vmtests-lab root
		vmtests-lab boot|$top/lab/vmtests-lab boot
		vmtests-lab matrix|$top/lab/vmtests-lab matrix
		vmtests-lab expect|$top/lab/vmtests-lab expect
		vmtests-lab cross|$top/lab/vmtests-lab cross
		vmtests-lab mutant|$top/lab/vmtests-lab mutant
		vmtests-lab mutants|$top/lab/vmtests-lab mutants
		vmtests-boots|$top/service/vmtests-boots
		vmtests-lab|$top/lab/vmtests-lab
	END
}

# Options in a help text, but for the help itself. Those of QEMU and vmcompare that are mentioned
# stand behind a possessive or a $VARIABLE.
options_said()
{
	sed "s/QEMU's -[a-z]*//g; s/as --allow cpu//; s/split -h//" "$1" |
		grep -o -E '(^|[[ ,|])--?[A-Za-z][a-z-]*' | grep -o -e '-.*' |
		grep -v -x -e -h -e --help | sort -u
}

# manual_part FILE [SECTION]: the part of a manual whose options are listed
manual_part()
{
	if [ $# -eq 1 ]; then
		sed '/^\.Sh SYNOPSIS/,/^\.Sh DESCRIPTION/d' "$top/man/$1.1"
	else
		sed -n "/^\.Ss $2\$/,\$p" "$top/man/$1.1" | sed '1d; /^\.S[hs] /,$d'
	fi
}

# Fl of each item: "-x", or "--word" where it is written "Fl -word".
options_listed()
{
	grep '^\.It .*Fl ' | grep -o -E 'Fl -?[A-Za-z][a-z-]*' | sed 's/^Fl /-/' |
		grep -v -x -e -h -e --help | sort -u
}

# Numbers behind "Exit:" and behind a comma there, and those that the manual lists.
exits_said()
{
	tr '\n' ' ' <"$1" | grep -o -i 'exit: .*' | grep -o -E '(^|[:,;] )[0-9]+' | grep -o '[0-9]*' |
		sort -u
}

exits_listed()
{
	sed -n '/^\.Sh EXIT STATUS/,/^\.Sh EX/p' "$top/man/$1.1" | sed -n 's/^\.It \([0-9]*\)$/\1/p' |
		sort -u
}

echo 'KTAP version 1'
programs >"$scratch/programs"
while IFS='|' read -r of command; do
	name=$(echo "$of" | tr ' .' '__')
	# shellcheck disable=SC2086 # a command and its part, without spaces in names
	$command -h >"$scratch/help" 2>"$scratch/log" && [ ! -s "$scratch/log" ]
	result "help_$name" $?
	awk -v width=$SCREEN_WIDTH -v lines=$SCREEN_LINES '
		length > width { print FNR ": " length " wide"; bad = 1 }
		END { if (NR > lines) { print NR " lines"; bad = 1 } exit bad }' \
		"$scratch/help" >"$scratch/log"
	result "help_fits_a_screen_$name" $?
	options_said "$scratch/help" >"$scratch/said"
	# shellcheck disable=SC2086 # a manual and its section
	[ "$of" = vmtests-lab ] || manual_part $of | options_listed |
		diff "$scratch/said" - >"$scratch/log"
	result "manual_has_options_$name" $?
	exits_said "$scratch/help" >"$scratch/exits"
	exits_listed "${of%% *}" | comm -23 "$scratch/exits" - >"$scratch/log"
	[ ! -s "$scratch/log" ] && [ -s "$scratch/exits" ]
	result "manual_has_exits_$name" $?
done <"$scratch/programs"

# Whether a manual that is mentioned is installed here is not this tree's fault.
if command -v mandoc >/dev/null; then
	mandoc -Tlint "$top"/man/*.1 2>&1 | grep -v -e 'referenced manual not found' -e 'mandoc.db' \
		>"$scratch/log"
	[ ! -s "$scratch/log" ]
	result manuals_lint $?
else
	skip manuals_lint 'no mandoc'
fi

# complete_line NAME EXPECTED WORD...: EXPECTED is among the completions of the last word
complete_line()
{
	name=$1 expected=$2
	shift 2
	# shellcheck disable=SC2016 # for bash
	PATH=$top:$top/lab:$top/service:$build/vmtests:$build/tools-testing-mm:$PATH VMTESTS_BUILD=$build \
		bash -c '. "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
			"$(complete -p "$1" | sed "s/.*-F \([^ ]*\) .*/\1/")"
			printf "%s\n" "${COMPREPLY[@]}"' "$top/completions/vmtests.bash" "$@" \
		>"$scratch/log" 2>&1
	grep -q -x -e "$expected" "$scratch/log"
	result "$name" $?
}

if command -v bash >/dev/null; then
	complete_line completes_groups hvo run_vmtests.sh -t h
	complete_line completes_tests kernel_gups run_vmtests.sh -x kernel_
	complete_line completes_tiers full run_vmtests.sh -T f
	complete_line completes_options -S run_vmtests.sh -
	complete_line completes_forms kcidb vmcompare -f k
	complete_line completes_long_options --fail-on vmcompare --f
	complete_line completes_directories "$scratch" vmcompare "${scratch%?}"
	complete_line completes_ranges linear kmap l
	complete_line completes_parts matrix vmtests-lab m
	complete_line completes_of_parts --results-size vmtests-lab boot --r
	complete_line completes_cpus bbml2 vmtests-lab boot --cpu b
	complete_line completes_flavours arm64-16k vmtests-lab fetch 7 arm64-1
	complete_line completes_presets neoverse-v3 vmtests-lab boot --tlb-model n
	complete_line completes_mutants mutants vmtests-lab mu
	complete_line completes_boots start vmtests-boots s
else
	skip completion 'no bash'
fi
# Every form that the program knows, and no other.
"$build/vmtests/vmcompare" -h | sed -n 's/.* a report: //p; s/.* for others: //p' |
	sed 's/(default)//' | tr -d ',' | tr ' ' '\n' | grep . | sort >"$scratch/said"
sed -n "s/.*_vmtests_reply '\(text .*\)' ;;/\1/p" "$top/completions/vmtests.bash" | tr ' ' '\n' |
	sort | diff "$scratch/said" - >"$scratch/log"
result completion_has_forms $?
finish
