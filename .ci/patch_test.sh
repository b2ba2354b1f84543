#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The patch of "make patch": the same twice, applies with git am, is clean to checkpatch, builds in the
# kernel tree with everything else of mm, and runs through run_kselftest.sh.
# usage: patch_test.sh BUILD [KSRC]   KSRC: a 7.x tree, only read; default: Debian's source package

set -u
mkdir -p "$1/patch" || exit 1
out=$(cd "$1/patch" && pwd)
ksrc=${2:-}
[ -z "$ksrc" ] || ksrc=$(cd "$ksrc" && pwd) || exit 1
cd "$(dirname "$0")/.." || exit 1
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

same_twice()
{
	scripts/make-patch "$ksrc" "$out/one" && scripts/make-patch "$ksrc" "$out/two" &&
		diff -r "$out/one" "$out/two"
}

refuses_another_tree()
{
	! scripts/make-patch "$out" "$out/none"
}

# In a copy: only what selftests are built from is needed.
applies()
{
	mkdir "$out/tree" &&
		(cd "$ksrc" && tar -cf - Makefile Kbuild scripts include arch/x86 arch/arm64 lib mm \
			tools usr) | tar -C "$out/tree" -xf - &&
		cd "$out/tree" && git init -q && git add -f tools/testing/selftests/mm &&
		git -c user.name=none -c user.email= commit -q -m 'the kernel tree' &&
		git -c user.name=none -c user.email= am "$out"/one/*.patch
}

# What the project's own configuration ignores; a new file in MAINTAINERS is the maintainers' choice.
checkpatch_clean()
{
	# shellcheck disable=SC2046 # one word an option
	perl "$ksrc/scripts/checkpatch.pl" --show-types $(sed '/^#/d' .checkpatch.conf) \
		--ignore FILE_PATH_CHANGES "$out"/one/*.patch
}

selftests()
{
	make -C "$out/tree/tools/testing/selftests" TARGETS=mm INSTALL_PATH="$out/installed" "$@"
}

builds()
{
	make -C "$out/tree" headers && selftests install
}

# The kernel tree's compiler flags, on our files only.
builds_without_warnings()
{
	! grep -n -e 'warning:' "$out/builds.log" | grep -e libmm -e "$(ours)"
}

ours()
{
	sed -n 's|^+++ b/tools/testing/selftests/mm/\([a-z0-9_]*_test\)\.c$|\1|p' "$out"/one/*.patch |
		paste -s -d '|' | sed 's/|/\\|/g'
}

# clean leaves the sources alone
cleans()
{
	selftests clean && cd "$out/tree" && git diff --exit-code HEAD --stat
}

# runs WRAPPER
runs()
{
	(cd "$out/installed" && ./run_kselftest.sh -t "mm:$1") >"$out/run.log" 2>&1
	cat "$out/run.log"
	grep -q "^ok 1 selftests: mm: $1" "$out/run.log"
}

echo 'KTAP version 1'
rm -rf "${out:?}" && mkdir "$out" || exit 1
if [ -z "$ksrc" ] && ! ksrc=$(scripts/kernel-source); then
	echo 'Bail out! no 7.x kernel tree'
	exit 1
fi
step same_twice same_twice
step refuses_another_tree refuses_another_tree
step checkpatch_clean checkpatch_clean
step applies eval '( applies )'
step builds builds
step builds_without_warnings builds_without_warnings
if [ "$(id -u)" -eq 0 ]; then
	step ksft_linear_map runs ksft_linear_map.sh
else
	skip ksft_linear_map 'the tests need root'
fi
step cleans eval '( cleans )'
rm -rf "$out/tree" "$out/installed"
echo "1..$number"
exit $failed
