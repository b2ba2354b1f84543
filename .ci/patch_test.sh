#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The series of "make patch": the same twice, small, free of words that a kernel tree does not know,
# and clean to checkpatch. Each patch applies with git am and builds by itself, and what is installed
# in the end runs through run_kselftest.sh, here and with -g in a guest. Prints KTAP.
# usage: patch_test.sh [-g] BUILD [KSRC [FAMILY...]]
#   KSRC     a 7.x tree, only read; default, or empty: Debian's source package
#   FAMILY   default: all there are

set -u
guest=false
[ "$1" != -g ] || { guest=true && shift; }
mkdir -p "$1/patch" || exit 1
out=$(cd "$1/patch" && pwd)
ksrc=${2:-}
shift "$(($# < 2 ? $# : 2))"
[ -z "$ksrc" ] || ksrc=$(cd "$ksrc" && pwd) || exit 1
cd "$(dirname "$0")/.." || exit 1
selftests=$out/tree/tools/testing/selftests
jobs=$(nproc)
number=0 failed=0

step()
{
	name=$1
	shift
	number=$((number + 1))
	if "$@" >"$out/$name.log" 2>&1; then
		echo "ok $number $name"
	else
		failed=1
		tail -n 40 "$out/$name.log" | sed 's/^/# /'
		echo "not ok $number $name"
	fi
}

skip()
{
	number=$((number + 1))
	echo "# $1: $2"
	echo "ok $number $1 # SKIP"
}

# refuses WORD ARGUMENTS: make-patch ends with one line that has the word
refuses()
{
	word=$1
	shift
	scripts/make-patch "$@" >"$out/refused" 2>&1
	status=$?
	cat "$out/refused"
	[ "$status" -eq 2 ] && [ "$(wc -l <"$out/refused")" -eq 1 ] && grep -q -e "$word" "$out/refused"
}

refusals()
{
	refuses KSRC= '' hvo "$out/none" && refuses FAMILY= "$ksrc" '' "$out/none" &&
		refuses OUT= "$ksrc" hvo '' && refuses 'hvo linear_map' "$ksrc" unknown "$out/none" &&
		refuses 'no kernel tree' "$out" hvo "$out/none" &&
		refuses lazy_mmu_test "$ksrc" hvo "$out/none" lazy_mmu_test && [ ! -e "$out/none" ]
}

# Only what selftests are built from is needed. The first commit has what patches change.
tree()
{
	mkdir "$out/tree" &&
		(cd "$ksrc" && tar -cf - Makefile Kbuild scripts include arch/x86 arch/arm64 \
			drivers/dma lib mm tools usr) | tar -C "$out/tree" -xf - &&
		git -C "$out/tree" init -q && git -C "$out/tree" config user.name none &&
		git -C "$out/tree" config user.email none &&
		git -C "$out/tree" add -f tools/testing/selftests &&
		git -C "$out/tree" commit -q -m 'the kernel tree' && git -C "$out/tree" tag base &&
		make -C "$out/tree" O="$out/objects" headers && selftests
}

# The tests of devices link the library of vfio.
selftests()
{
	make -C "$selftests" -j"$jobs" O="$out/objects" TARGETS='mm vfio' \
		INSTALL_PATH="$out/installed" "$@"
}

# same_twice FAMILY
same_twice()
{
	scripts/make-patch "$ksrc" "$1" "$out/$1" && scripts/make-patch "$ksrc" "$1" "$out/again" &&
		diff -r "$out/$1" "$out/again"
	status=$?
	rm -rf "$out/again"
	return "$status"
}

# insertions DIR: of all its patches
insertions()
{
	cat "$1"/*.patch | git apply --numstat | awk '{ sum += $1 } END { print sum }'
}

# at_most LINES DIR
at_most()
{
	lines=$(insertions "$2")
	echo "$2: $lines insertions, at most $1"
	[ "$lines" -le "$1" ]
}

# small FAMILY: what somebody would review
small()
{
	case $1 in
	hvo) scripts/make-patch "$ksrc" hvo "$out/part" 'hvo_test hvo_remap_test' &&
		at_most 3000 "$out/part" && at_most 4500 "$out/hvo" ;;
	linear_map) at_most 5000 "$out/$1" ;;
	lazy_mmu) at_most 2800 "$out/$1" ;;
	hugetlb) at_most 1500 "$out/$1" ;;
	pfnmap) at_most 4000 "$out/$1" ;;
	*) insertions "$out/$1" ;;
	esac
	status=$?
	rm -rf "$out/part"
	return "$status"
}

# The name of mm's runner stands in headers and context of a diff, nowhere else.
free_of_our_words()
{
	! sed -n -e '/^---$/,/^diff --git/d' -e '/^diff --git/d' -e '/^[-+][-+][-+] [ab\/]/d' -e '/^@@/d' \
		-e '/^+/p' -e '/^[^-+ ]/p' "$out/$1"/*.patch |
		sed '/^ \.\.\..* | /d' | grep -n -e VMTESTS_ -e /var/lib -e docs/ -e lab/ -e vmtests
}

# patches FAMILY: without the letter
patches()
{
	find "$out/$1" -name '*.patch' ! -name '0000-*' | sort
}

# What the project's own configuration ignores; a new file in MAINTAINERS is the maintainers' choice.
checkpatch_clean()
{
	# shellcheck disable=SC2046 # one word an option and a file
	perl "$ksrc/scripts/checkpatch.pl" --show-types $(sed '/^#/d' .checkpatch.conf) \
		--ignore FILE_PATH_CHANGES $(patches "$1")
}

# Patch by patch.
builds()
{
	git -C "$out/tree" checkout -q -f -B "$1" base || return 1
	rm -rf "$out/installed"
	for patch in $(patches "$1"); do
		echo "== $patch"
		git -C "$out/tree" am -q "$patch" && selftests || return 1
	done
	selftests install
}

# ours FAMILY: programs
ours()
{
	sed -n 's|^+++ b/tools/testing/selftests/mm/\([a-z0-9_]*_test\)\.c$|\1|p' "$out/$1"/*.patch |
		sort -u
}

# The kernel tree's compiler flags, on our files only.
without_warnings()
{
	{ ours "$1" && printf '%s\n' libmm/ linear_map pfnmap; } >"$out/ours"
	! grep 'warning:' "$out/builds_$1.log" | grep -F -f "$out/ours"
}

# listed FAMILY: its tests as run_kselftest.sh knows them
listed()
{
	for test in $(ours "$1"); do
		grep -x "mm:$test" "$out/installed/kselftest-list.txt"
	done
	[ "$1" != pfnmap ] || echo mm:ksft_pfnmap.sh
}

# runs FAMILY: its last test; the others run in guests
runs()
{
	(cd "$out/installed" && ./run_kselftest.sh -t "$(listed "$1" | tail -n 1)") >"$out/run.log" 2>&1
	cat "$out/run.log"
	grep -q '^ok 1 selftests: mm: ' "$out/run.log"
}

# runs_in_guest FAMILY
runs_in_guest()
{
	rm -rf "$out/guest" "$out/payload" && mkdir "$out/payload" "$out/payload/mm" || return 1
	cp -R "$out/installed/kselftest" "$out/installed/run_kselftest.sh" \
		"$out/installed/kselftest-list.txt" "$out/payload" || return 1
	for test in $(ours "$1"); do
		cp "$out/installed/mm/$test" "$out/payload/mm" || return 1
	done
	cp "$out/installed/mm"/*.sh "$out/installed/mm/settings" "$out/payload/mm"
	cp .ci/patch_guest.sh "$out/payload"
	# shellcheck disable=SC2046 # one word an option
	lab/boot --kernel 7:amd64 --mem 2G $([ "$1" != pfnmap ] || echo --pci-device 16M) \
		--payload "$out/payload" --out "$out/guest" --timeout 3600 -- \
		./patch_guest.sh -o 1800 $(listed "$1" | sed 's/^/-t /')
	status=$?
	grep -e 'ok ' "$out/guest/output.log"
	[ "$status" -eq 0 ] && grep -q '^ok ' "$out/guest/output.log"
}

# clean leaves the sources alone
cleans()
{
	selftests clean && git -C "$out/tree" diff --exit-code HEAD --stat
}

echo 'KTAP version 1'
rm -rf "${out:?}" && mkdir "$out" || exit 1
if [ -z "$ksrc" ] && ! ksrc=$(scripts/kernel-source); then
	echo 'Bail out! no 7.x kernel tree'
	exit 1
fi
[ $# -gt 0 ] || set -- hvo linear_map lazy_mmu hugetlb pfnmap all
step refusals refusals
step tree tree
cp -a "$out/objects" "$out/built"
for family; do
	step "same_twice_$family" same_twice "$family"
	# There is nothing to test when there is no series.
	[ -f "$out/$family/0000-cover-letter.patch" ] || continue
	step "small_$family" small "$family"
	step "words_$family" free_of_our_words "$family"
	step "checkpatch_$family" checkpatch_clean "$family"
	rm -rf "$out/objects" && cp -a "$out/built" "$out/objects"
	step "builds_$family" builds "$family"
	step "warnings_$family" without_warnings "$family"
	if [ "$(id -u)" -eq 0 ]; then
		step "runs_$family" runs "$family"
	else
		skip "runs_$family" 'the tests need root'
	fi
	if $guest && [ "$family" != all ]; then
		step "guest_$family" runs_in_guest "$family"
	fi
	step "cleans_$family" cleans "$family"
done
rm -rf "$out/tree" "$out/objects" "$out/built" "$out/installed" "$out/payload"
echo "1..$number"
exit $failed
