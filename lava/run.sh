#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Run vmtests on a board of LAVA and report by lava-test-case; vmtests.yaml calls it.
#
# usage: run.sh [-t TESTS] [-x EXCLUDED] [-T TIER] [-r REPEATS] [-l LABEL] [-m TIMEOUT_MUL]
#               [-u UPLOAD] [-o DIR]
#
# As in vmtests.yaml; an empty one is as if it was not there. DIR is where the label goes, by
# default results. Exit: 0 when everything was reported, whatever it says, 2 when something is missing.

set -u
tests='' excluded='' tier='' repeats='' label='' timeout_mul='' upload='' dir=results
while getopts t:x:T:r:l:m:u:o: option; do
	case $option in
	t) tests=$OPTARG ;;
	x) excluded=$OPTARG ;;
	T) tier=$OPTARG ;;
	r) repeats=$OPTARG ;;
	l) label=$OPTARG ;;
	m) timeout_mul=$OPTARG ;;
	u) upload=$OPTARG ;;
	o) dir=$OPTARG ;;
	*) exit 2 ;;
	esac
done

# The parts of lava-test-shell that report; in its absence the mistake is to have started this.
command -v lava-test-case >/dev/null || {
	echo 'lava/run.sh: no lava-test-case: this is for LAVA, use run_vmtests.sh elsewhere' >&2
	exit 2
}

here=$(dirname "$(readlink -f "$0")")
runner=$(command -v run_vmtests.sh) || runner=$here/../run_vmtests.sh
[ -x "$runner" ] || {
	echo 'lava/run.sh: no run_vmtests.sh: install vmtests in the image, from its package' >&2
	lava-test-case vmtests-run --result fail
	exit 2
}
tree=$(dirname "$(readlink -f "$runner")")
programs=${VMTESTS_BUILD:-$tree/build}
[ -x "$programs/vmtests/vmcompare" ] || programs=$tree

label=${label:-$(uname -r)}
[ -z "$timeout_mul" ] || export VMTESTS_TIMEOUT_MUL="$timeout_mul"
status=0
"$runner" -o "$dir/$label" ${tests:+-t "$tests"} ${excluded:+-x "$excluded"} ${tier:+-T "$tier"} \
	${repeats:+-r "$repeats"} || status=$?

# A line of the kernel's in the middle of a result would lose it.
console=$(cut -f 1 /proc/sys/kernel/printk)
dmesg -n 1
rm -f "$dir/lava.txt"
boot_dir=$dir/$label/$(cat /proc/sys/kernel/random/boot_id)
"$programs/vmtests/vmcompare" -f lava -o "$dir/lava.txt" "$boot_dir" || status=2
[ ! -f "$dir/lava.txt" ] || while read -r name result value unit; do
	lava-test-case "$name" --result "$result" ${value:+--measurement "$value" --units "$unit"}
done <"$dir/lava.txt"
# That the run came to its end: 0, 1 and 4 are about the tests, which have their own results.
case $status in
0 | 1 | 4) lava-test-case vmtests-run --result pass ;;
*) lava-test-case vmtests-run --result fail ;;
esac
dmesg -n "$console"

if [ -n "$upload" ]; then
	archive=$dir/$label.$(basename "$boot_dir").tar.gz
	result=fail
	# The command is the lab's, with options.
	# shellcheck disable=SC2086
	tar -C "$dir" -czf "$archive" "$label/$(basename "$boot_dir")" && $upload "$archive" &&
		result=pass
	lava-test-case vmtests-upload --result $result
fi
[ -s "$dir/lava.txt" ] || exit 2
