#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Every test can fail: run it under a kernel that has a bug, as liar.c plays it, and see that it says
# so, in the case that the bug belongs to; and see that it is the lie and nothing else: a case that
# is not about it passes in the same run, or the whole test without it.
# Gigantic pages are hidden: what they show the smaller ones do, in a tenth of the time.
# What only page tables can show is lab/mutants's, in guests. For guests, which have no
# compiler, liar.so may lie beside this file.
# usage: mutants_test.sh BUILD ["TESTS"]

set -u
build=$1
wanted=${2:-}
here=$(dirname "$0")
out=$build/mutants
# The tests change settings of the machine: be the only one who does.
if [ "$(id -u)" -eq 0 ] && [ -z "${VMTESTS_LOCK_FD:-}" ]; then
	exec "$build/vmtests/vmtctl" locked "$0" "$@"
fi
# shellcheck source=vmtests/meta/lib.sh
. "$here/../lib.sh"
# shellcheck source=vmtests/meta/mutants/settings.sh
. "$here/settings.sh"
limit=60	# seconds; the slowest takes 3 on an idle machine

# lie | test | the case that must fail | one that must pass, - for the whole test without the lie, or
# nothing where a kernel has the bug | what it needs, as vmtests/needs.h has it
table='
leak | linear_map_test | unreadable.process_vm_readv.refused | -
splits | linear_map_split_test | split.one_page.is_what_the_formula_says | -
uncharged | linear_map_pressure_test | pressure.cgroup_full | -
switch | hvo_test | hvo.pmd_on.accounting | hvo.pmd_on.data_integrity | hvo
vmstat | hvo_test | hvo.pmd_on.surplus | hvo.pmd_off.accounting | hvo
flags | hvo_test | hvo.pmd_on.compound_flags | hvo.pmd_on.accounting | hvo
switch | hvo_remap_test | hvo_remap.pmd.optimized | hvo_remap.pmd.not_optimized | hvo,kcore
flags | hvo_race_test | hvo_race.kpageflags_on.churn | hvo_race.kpagecount_on.churn | hvo
switch | hvo_fault_test | hvo_fault.pmd_on.restore_without_memory | hvo_fault.pmd_off.restore_without_memory | hvo,destructive
loses | hugetlb_regress_test | hugetlb_regress.pmd.fork_copies | | hugetlb
mprotect | lazy_mmu_test | lazy_mmu.undisturbed.mprotect_whole | lazy_mmu.undisturbed.munmap_runs
madvise | lazy_mmu_test | lazy_mmu.undisturbed.dontneed_private | lazy_mmu.undisturbed.munmap_runs
munmap | lazy_mmu_test | lazy_mmu.undisturbed.munmap_runs | lazy_mmu.undisturbed.mprotect_whole
mremap | lazy_mmu_test | lazy_mmu.undisturbed.mremap_moves | lazy_mmu.undisturbed.munmap_runs
unlogged | lazy_mmu_test | lazy_mmu.undisturbed.fork_private | lazy_mmu.undisturbed.fork_shared
forgets | lazy_mmu_vmalloc_test | vmalloc.bpf_maps | vmalloc.thread_stacks
elsewhere | pfnmap_test | pfnmap.vgem_pmds.contents | pfnmap.vgem_pmds.private_refused | file:/sys/module/vgem/initstate
refaults | pfnmap_test | pfnmap.vgem_pages.populate | pfnmap.vgem_pages.contents | file:/sys/module/vgem/initstate
munmap | pfnmap_test | pfnmap.vgem_pages.munmap_pmd | pfnmap.vgem_pages.contents | file:/sys/module/vgem/initstate
madvise | pfnmap_test | pfnmap.vgem_pmds.dontfork | pfnmap.vgem_pmds.contents | file:/sys/module/vgem/initstate
'

# A line of the harness that names the case; old ones number it differently than new ones.
case_is()	# VERDICT LOG CASE
{
	grep -q "^$1 [0-9]* $3\$" "$2"
}

# TEST LOG: without the lie; once is enough for all lies about a test
passes()
{
	[ ! -f "$2.status" ] || return "$(cat "$2.status")"
	timeout -k 5 "$limit" "$build/tools-testing-mm/$1" >"$2" 2>&1
	echo $? >"$2.status"
	return "$(cat "$2.status")"
}

# LIE TEST LOG FAILING PASSING: pfnmap_test, which takes long, need do no more
lied_to()
{
	lie=$1 test=$2 log=$3
	case $test in
	pfnmap_test) set -- -r "$4" -r "$5" ;;
	*) set -- ;;
	esac
	HIDE=hugepages-1048576kB LIE=$lie LD_PRELOAD=$out/liar.so timeout -k 5 "$limit" \
		"$build/tools-testing-mm/$test" "$@" >"$log" 2>&1
}

# What the test has said, for who wants to know why.
explain()
{
	sed 's/^/# | /' "$1" | tail -n 60
}

# LIE TEST FAILING PASSING
judge()
{
	log=$out/$2.$1
	label=$2.fails_under_$1
	if [ "$4" = - ] && ! passes "$2" "$out/$2.true"; then
		echo "# fails without the lie, too"
		explain "$out/$2.true"
		result "$label" 1
	elif lied_to "$1" "$2" "$log" "$3" "$4"; then
		echo "# exit status 0 in spite of the lie"
		explain "$log"
		result "$label" 1
	elif ! case_is 'not ok' "$log" "$3"; then
		echo "# $3 has not failed"
		explain "$log"
		result "$label" 1
	elif [ -n "$4" ] && [ "$4" != - ] && ! case_is ok "$log" "$4"; then
		echo "# $4 has not passed"
		explain "$log"
		result "$label" 1
	else
		result "$label" 0
	fi
}

if [ "$(id -u)" -ne 0 ]; then
	echo 'KTAP version 1'
	echo '# the tests need root'
	echo '1..0 # SKIP'
	exit 4
fi
rm -rf "$out"
mkdir -p "$out" || exit 1
echo 'KTAP version 1'
if [ -f "$here/liar.so" ]; then
	cp "$here/liar.so" "$out" || exit 1
elif ! ${CC:-cc} -Wall -Wextra -Werror -O2 -D_GNU_SOURCE -shared -fPIC -o "$out/liar.so" \
	"$here/liar.c" -ldl; then
	echo 'Bail out! liar.c does not build'
	exit 1
fi

before=$(settings)
while IFS='|' read -r lie test fails passes needs; do
	[ -n "$lie" ] || continue
	# Without the blanks that make it a table.
	lie=${lie% } test=${test# } fails=${fails# } passes=${passes# } needs=${needs# }
	test=${test% } fails=${fails% } passes=${passes% }
	case " ${wanted:-$test} " in *" $test "*) ;; *) continue ;; esac
	reason=''
	[ -z "$needs" ] || reason=$("$build/vmtests/vmtctl" needs "$needs")
	if [ -n "$reason" ]; then
		skip "$test.fails_under_$lie" "$reason"
	else
		judge "$lie" "$test" "$fails" "$passes"
	fi
done <<END
$table
END
settings >"$scratch/log"
[ "$(cat "$scratch/log")" = "$before" ]
result put_back_after_failures $?
finish
