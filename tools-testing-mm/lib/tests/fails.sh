#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Show that the tests can fail: run them on a kernel that is made to lie, and demand that those tests
# fail which are about the lie, and that others still pass.
#
# A lie is either a file in the place of one of the kernel's, mounted where only the test sees it, or a
# system call that strace lets return without having been made. Prints KTAP.
#
# usage: fails.sh BUILD     BUILD/tools-testing-mm/ has the tests; as root

set -u
[ $# -eq 1 ] || { sed -n 's/^# usage: /usage: /p' "$0" >&2; exit 2; }
tests=$1/tools-testing-mm
number=0 failed=0
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM

hvo=/proc/sys/vm/hugetlb_optimize_vmemmap

# result NAME VERDICT [REASON]
result()
{
	number=$((number + 1))
	[ $# -lt 3 ] || echo "# $3"
	case $2 in
	ok) echo "ok $number $1" ;;
	skip) echo "ok $number $1 # SKIP" ;;
	*)
		echo "not ok $number $1"
		sed 's/^/# | /' "$scratch/log" | tail -n 40
		failed=$((failed + 1))
		;;
	esac
}

# judge NAME FAILING PASSING: whether in the log a test failed that matches FAILING, and one passed
# that matches PASSING
judge()
{
	if ! grep -q -e "^\(not \)\{0,1\}ok [0-9]* .*$2" "$scratch/log"; then
		result "$1" skip "$(grep -m 1 -e '# SKIP' "$scratch/log" || echo 'nothing ran')"
	elif ! grep -q -e "^not ok [0-9]* .*$2" "$scratch/log"; then
		result "$1" 'not ok' "no test that matches '$2' has failed"
	elif ! grep -q -e "^ok [0-9]* [^#]*$3" "$scratch/log"; then
		result "$1" 'not ok' "no test that matches '$3' has passed"
	else
		result "$1" ok
	fi
}

# mounted NAME FILE PLACE PROGRAM FAILING PASSING: with FILE where the kernel has PLACE
mounted()
{
	if ! [ -e "$3" ]; then
		result "$1" skip "this kernel has no $3"
		return
	fi
	# shellcheck disable=SC2016 # for the inner shell
	unshare --mount sh -c 'mount --bind "$1" "$2" && exec "$3"' sh "$2" "$3" "$tests/$4" \
		>"$scratch/log" 2>&1
	judge "$1" "$5" "$6"
}

# dropped NAME INJECTION PROGRAM FAILING PASSING: with a system call that is not made
dropped()
{
	if ! command -v strace >/dev/null; then
		result "$1" skip 'strace is not installed'
		return
	fi
	strace -f -qqq -o /dev/null -e "inject=$2" "$tests/$3" >"$scratch/log" 2>&1
	judge "$1" "$4" "$5"
}

if [ "$(id -u)" -ne 0 ]; then
	echo '1..0 # SKIP only root can put files in the place of the kernel'\''s'
	exit 4
fi

echo 'TAP version 13'
echo '1..9'

# The switch of HVO takes every value and does nothing.
echo 0 >"$scratch/switch"
mounted hvo_switch_dead "$scratch/switch" $hvo hvo_test 'pmd_o[nf]*\.accounting$' \
	'pmd_o[nf]*\.data_integrity$'
echo 0 >"$scratch/switch"
mounted hvo_remap_switch_dead "$scratch/switch" $hvo hvo_remap_test 'pmd\.' 'pmd\.'

# Struct pages are not counted: the numbers stand still.
cat /proc/vmstat >"$scratch/vmstat"
mounted vmstat_stands_still "$scratch/vmstat" /proc/vmstat hvo_test 'pmd_on\.accounting$' \
	'pmd_off\.accounting$'

# No page is huge, whatever it is; large enough for the flags of 16 TiB of memory.
truncate -s 32G "$scratch/flags"
mounted kpageflags_blank "$scratch/flags" /proc/kpageflags hvo_test 'pmd_o[nf]*\.compound_flags$' \
	'pmd_o[nf]*\.data_integrity$'
mounted kpageflags_blank_race "$scratch/flags" /proc/kpageflags hvo_race_test \
	'kpageflags_o[nf]*\.churn$' 'kpagecount_o[nf]*\.churn$'

# Page tables that are not changed.
dropped mprotect_not_done mprotect:retval=0 lazy_mmu_test 'undisturbed\.mprotect_whole$' \
	'undisturbed\.munmap_runs$'
dropped madvise_not_done madvise:retval=0 lazy_mmu_test 'undisturbed\.dontneed_private$' \
	'undisturbed\.munmap_runs$'
dropped munmap_not_done munmap:retval=0 lazy_mmu_test 'undisturbed\.munmap_runs$' \
	'undisturbed\.mprotect_whole$'

# The second call of each test is a write to its first map.
dropped bpf_write_not_done bpf:retval=0:when=2 lazy_mmu_vmalloc_test 'bpf_maps$' 'thread_stacks$'

[ "$failed" -eq 0 ]
