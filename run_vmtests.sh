#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# run_vmtests.sh: the one entry on a target. Selects, runs, watches the kernel, collects. It knows
# no test: vmtests/vmtests.list does.

set -uf
unset CDPATH

PASS=0 FAIL=1 USAGE=2 SKIP=4 INTERRUPTED=130
# In seconds; hardware splits some GiB a second, an emulator some hundred MiB.
SPLIT_TIMEOUT=3600
# With -S: what more set-ups take, at most.
SPLIT_TIMEOUT_MUL=4
# In seconds: what lies at least between the beginnings of a benchmark's passes.
DEFAULT_PASS_SECONDS=8

die()
{
	echo "run_vmtests.sh: $*" >&2
	exit $USAGE
}

# A closed stream's number would go to the next file that is opened, and words meant for the one would
# be in the other.
[ -e /proc/self/fd/2 ] || exec 2>/dev/null
[ -e /proc/self/fd/1 ] || die 'standard output is closed, so nobody would see the results: use >/dev/null'
[ -e /proc/self/fd/0 ] || exec </dev/null

usage()
{
	cat <<'EOF'
usage: run_vmtests.sh [-l] [-t "groups or tests"] [-x "excluded"]
                      [-T quick|full] [-r repeats] [-o label-dir]
                      [-D device] [-n] [-d] [-p] [-S] [-R] [-w] [-h]

  -l  list the tests, and why each would be skipped here
  -t  run only these groups or tests        -x  leave these out
      both take functional and benchmarks; -t TEST:CASE is one case of a test
  -T  quick (default): minutes; settings come back, split blocks do not
      full: uses the whole machine; its tests also run when -t names them
  -r  repeats of each measurement, 1 to 1000 (default 10)
  -o  folder of the label (default results/KERNEL-RELEASE)
  -D  PCI device, as 0000:01:00.0, whose memory the pfnmap tests may overwrite:
      refused while it is in use; its driver has it back afterwards
  -n  no TAP: one line a test               -w  wait for another run to end
  -d  allow lasting changes: soft offline, module load, CPU hot-unplug
  -p  perf stat and perf record beside each benchmark
  -S  measure as LABEL-blocks, split the linear map to pages, measure again as
      LABEL-split: only a reboot undoes the split
  -R  go on with the label's newest run, which was killed or lost its kernel

KTAP on stdout. Results in LABEL-DIR/BOOT_ID, see docs/results.md.
Exit: 0 pass, 1 fail, 2 wrong use or results not writable, 4 nothing could run.
Environment: VMTESTS_TIMEOUT_MUL=N stretches timeouts, VMTESTS_PASS_SECONDS=N
repeats (8); VMTESTS_BUILD=DIR has the programs (default: build beside this).
EOF
}

# trusted DIR: only root can change what is in it, or put another folder in its place; in a folder
# like /tmp, which may be above it, entries stay with their owners. find(1) must name every one of
# them: one that fails, or knows no -uid, names none.
trusted()
{
	real=$(readlink -f "$1") && [ -d "$real" ] || return
	above=$real
	set -- /
	while [ -n "$above" ]; do
		set -- "$@" "$above/"
		above=${above%/*}
	done
	[ "$(find "$@" -maxdepth 0 -uid 0 \
		\( ! -perm /022 -o -perm -1000 ! -samefile "$real" \) 2>/dev/null)" = \
		"$(printf '%s\n' "$@")" ]
}

# trusted_path PATH: its trusted folders, each with a colon behind it
trusted_path()
{
	IFS=:
	for dir in $1; do
		[ "${dir#/}" = "$dir" ] || ! trusted "$dir" || printf '%s:' "$real"
	done
}

# As root, search only folders that nobody else can change; these are there on every system, and
# what they hold decides about the rest.
SYSTEM_PATH=/usr/sbin:/usr/bin:/sbin:/bin
callers_path=$PATH PATH=$SYSTEM_PATH
case $(id -u) in
[1-9]*) PATH=$callers_path ;;
*) PATH=$(trusted_path "$callers_path")$SYSTEM_PATH ;;
esac
export PATH
umask 022

here=$(dirname "$(readlink -f "$0")")
list=$here/vmtests/vmtests.list
programs=${VMTESTS_BUILD:-$here/build}
[ -x "$programs/vmtests/vmtctl" ] || programs=${VMTESTS_BUILD:-$here}
vmtctl=$programs/vmtests/vmtctl
splitter=$programs/vmtests/linear_map_split

listing='' wanted='' excluded='' tier='' repeats='' label_dir='' tap=1 no_tap='' destructive=''
device='' perf='' split='' resume='' wait=''
[ "${1:-}" != --help ] || set -- -h
while getopts ':lt:x:T:r:o:D:ndpSRwh' option; do
	case $option in
	l) listing=1 ;;
	t) wanted="$wanted $OPTARG" ;;
	x) excluded="$excluded $OPTARG" ;;
	T) tier=$OPTARG ;;
	r) repeats=$OPTARG ;;
	o) label_dir=$OPTARG ;;
	D) device=$OPTARG ;;
	n) tap='' no_tap=-N ;;
	d) destructive=1 ;;
	p) perf=-P ;;
	S) split=1 ;;
	R) resume=1 ;;
	w) wait=-w ;;
	h) usage || exit $USAGE; exit $PASS ;;
	:) die "-$OPTARG wants an argument; -h shows the usage" ;;
	*) die "unknown option -$OPTARG; -h shows the usage" ;;
	esac
done
[ $OPTIND -gt $# ] || die "arguments behind the options: tests are named with -t"

# is_count VALUE LARGEST: from 1, and not as 010, which is 8 to some programs and 10 to others
is_count()
{
	case $1 in '' | *[!0-9]* | 0* | ?????*) return 1 ;; esac
	[ "$1" -ge 1 ] && [ "$1" -le "$2" ]
}

case $tier in '' | quick | full) ;; *) die "-T $tier: quick or full" ;; esac
[ -z "$repeats" ] || is_count "$repeats" 1000 || die "-r $repeats: a whole number from 1 to 1000"
timeout_mul=${VMTESTS_TIMEOUT_MUL:-1}
is_count "$timeout_mul" 1000 || die "VMTESTS_TIMEOUT_MUL=$timeout_mul: a whole number from 1 to 1000"
pass_seconds=${VMTESTS_PASS_SECONDS:-$DEFAULT_PASS_SECONDS}
[ "$pass_seconds" = 0 ] || is_count "$pass_seconds" 1000 ||
	die "VMTESTS_PASS_SECONDS=$pass_seconds: a whole number from 0 to 1000"
label_dir=${label_dir:-results/$(uname -r)}
[ -z "$resume" ] || [ -z "$split" ] ||
	die "-R and -S: splitting and both measurements have to be done in one go: leave out -R"
[ -r "$list" ] || die "no $list: run this from an unpacked or installed vmtests"
[ -x "$vmtctl" ] || die "no $vmtctl: build first with 'make', or set VMTESTS_BUILD"

if [ -n "$device" ]; then
	"$vmtctl" device "$device" || exit $USAGE
	export PFNMAP_DEVICE="$device"
fi

# Lines of the registry without comments.
entries()
{
	grep -v -e '^#' -e '^[[:space:]]*$' "$list"
}

# named WORDS ALIAS...: one of the words is one of the aliases
named()
{
	words=$1
	shift
	for alias; do
		case " $words " in *" $alias "*) return 0 ;; esac
	done
	return 1
}

# Besides names and groups: all that give verdicts, or all that measure, as far as -T goes.
CLASSES='functional benchmarks'
known_words=" $CLASSES $(entries | awk '{ print $1, $2 }' | tr '\n' ' ')"
known_tests=" $(entries | awk '{ print $1 }' | tr '\n' ' ')"
for word in $wanted $excluded; do
	case $known_words in
	*" $word "*) continue ;;
	esac
	case $word in
	*:*) ;;
	*) die "unknown test or group '$word': -l lists them" ;;
	esac
	case $known_tests in
	*" ${word%%:*} "*) ;;
	*) die "unknown test '${word%%:*}' in '$word': -l lists them" ;;
	esac
	[ -n "${word#*:}" ] || die "$word names no case: TEST:CASE, as the test's output has it"
	! named "$excluded" "$word" || die "-x $word: single cases can be asked for, not left out"
done

# class_of PROGRAM: into $class
class_of()
{
	case $1 in
	tools-testing-mm/*) class=functional ;;
	*) class=benchmarks ;;
	esac
}

in_tier()	# TIER
{
	[ "$1" = quick ] || [ "$1" = "$tier" ]
}

# The words TEST:CASE of -t, but of tests that it names as a whole, too.
case_words=$(entries | while read -r name group _ _ _ program _; do
	class_of "$program"
	! named "$wanted" "$name" "$group" "$class" || continue
	for word in $wanted; do
		[ "${word%%:*}" != "$name" ] || echo "$word"
	done
done | paste -s -d ' ' -)

# cases_of NAME: those that are to run alone
cases_of()
{
	for each in $case_words; do
		[ "${each%%:*}" != "$1" ] || echo "${each#*:}"
	done
}

named_case()	# NAME
{
	case " $case_words" in
	*" $1:"*) return 0 ;;
	esac
	return 1
}

selected()	# NAME GROUP TIER PROGRAM
{
	class_of "$4"
	if named "$excluded" "$1" "$2" "$class"; then
		return 1
	elif named "$wanted" "$1" || named_case "$1"; then
		return 0
	elif named "$wanted" "$2"; then
		[ "$3" = ask ] || in_tier "$3"
	else
		{ [ -z "$wanted" ] || named "$wanted" "$class"; } && in_tier "$3"
	fi
}

# QUICK/FULL -> the one of this tier
of_tier()
{
	case $tier in
	quick) echo "${1%%/*}" ;;
	full) echo "${1##*/}" ;;
	esac
}

flag()		# FLAGS NAME -> value
{
	for each in $(echo "$1" | tr ',' ' '); do
		[ "${each%%=*}" != "$2" ] || echo "${each#*=}"
	done
}

needs_of()	# FLAGS
{
	flag "$1" needs | tr '+' ','
}

# What is left open takes the default, and tests see it all. With -S repeats are what is compared, so
# each has a set-up of its own, or they would have more in common than the two labels.
options_settle()
{
	tier=${tier:-quick} repeats=${repeats:-10}
	export VMTESTS_TIER="$tier" VMTESTS_REPEATS="$repeats" LIBMM_DESTRUCTIVE="$destructive"
	if [ "$tier" = full ]; then
		export LIBMM_THOROUGH=1
	else
		unset LIBMM_THOROUGH
	fi
	export VMTESTS_PASSES="${split:+$repeats}" VMTESTS_PASS_SECONDS="$pass_seconds"
	[ -z "$split" ] || timeout_mul=$((timeout_mul * SPLIT_TIMEOUT_MUL))
}

list_tests()
{
	printf '%-24s %-8s %-6s %s\n' NAME GROUP TIER HERE
	entries | while read -r name group test_tier _ flags _; do
		missing=''
		needs=$(needs_of "$flags")
		[ -z "$needs" ] || missing=$("$vmtctl" needs "$needs")
		[ -n "$missing" ] || [ "$test_tier" != full ] || [ "$tier" = full ] ||
			missing='runs by its own name or with -T full'
		printf '%-24s %-8s %-6s %s\n' "$name" "$group" "$test_tier" "${missing:-runs}" ||
			exit $USAGE
	done
}

if [ -n "$listing" ]; then
	options_settle
	list_tests || exit $USAGE
	exit $PASS
fi

# Asked once, before the lock is taken.
if [ -n "$split" ] && [ -z "${VMTESTS_LOCK_FD:-}" ]; then
	"$splitter" -c || exit
fi

# as_begun OPTION GIVEN BEGUN: an option that is given with -R must be that of the run
as_begun()
{
	[ -z "$2" ] || [ "$2" = "$3" ] ||
		die "-R: the run to go on with was begun with another $1: leave out $1, or -R for a new run"
}

# run_recall: take the options of the run to resume; $planned_names are the tests that it planned, and
# $planned_cases those of which it was to run these cases alone
run_recall()
{
	recalled=$("$vmtctl" resume "$label_dir") || exit $USAGE
	planned_names='' planned_cases=''
	while read -r name value; do
		case $name in
		tier) as_begun -T "$tier" "$value"; tier=$value ;;
		repeats) as_begun -r "$repeats" "$value"; repeats=$value ;;
		destructive) as_begun -d "$destructive" "$value"; destructive=$value ;;
		perf) as_begun -p "${perf:+1}" "$value"; perf=${value:+-P} ;;
		plan) planned_names=$value ;;
		cases) planned_cases=$value ;;
		esac
	done <<EOF
$recalled
EOF
}

planned_names='' planned_cases=''
[ -z "$resume" ] || run_recall
[ -n "$wanted$excluded" ] || case_words=$planned_cases
options_settle

# in_plan NAME GROUP TIER PROGRAM
in_plan()
{
	if [ -n "$planned_names" ] && [ -z "$wanted$excluded" ]; then
		named "$planned_names" "$1"
	else
		selected "$@"
	fi
}

plan=$(entries | while read -r name group test_tier timeout flags program args; do
	! in_plan "$name" "$group" "$test_tier" "$program" ||
		echo "$name $group $test_tier $timeout $flags $program $args"
done)
[ -n "$plan" ] || die "nothing is left to run: -t and -x leave no test"
names=$(echo "$plan" | cut -d ' ' -f 1 | paste -s -d ' ' -)
[ -z "$resume" ] || [ "$names:$case_words" = "$planned_names:$planned_cases" ] ||
	die "-R: the run to go on with was to run other tests (${planned_cases:-$planned_names}): leave out -t and -x, or -R for a new run"
planned=$(echo "$plan" | wc -l)

"$vmtctl" label "${label_dir%/}${split:+-blocks}" || exit $USAGE

# Become the only run, after what a dead one left has been put back.
if [ -z "${VMTESTS_LOCK_FD:-}" ]; then
	# shellcheck disable=SC2086 # -w is a word or nothing
	exec "$vmtctl" locked $wait -o "$label_dir" "$here/run_vmtests.sh" "$@"
fi
arguments="$*"
export VMTESTS_FIO_JOBS="$here/fio-jobs"

# The OOM killer takes a test, never the runner; vmtctl gives tests the old score back.
if VMTESTS_OOM_SCORE_ADJ=$(cat /proc/$$/oom_score_adj 2>/dev/null); then
	export VMTESTS_OOM_SCORE_ADJ
	(echo -1000 >/proc/$$/oom_score_adj) 2>/dev/null || unset VMTESTS_OOM_SCORE_ADJ
fi

# In one second at any moment: what takes longer runs in the background, where this shell waits for it.
interrupted='' child='' unheard=''
stop()
{
	interrupted=1
	[ -z "$child" ] || kill -TERM "$child" 2>/dev/null
}
trap stop INT TERM HUP

# attended COMMAND [ARGUMENTS]: in the background, and told of a signal to this shell
attended()
{
	[ -z "$interrupted" ] || return $INTERRUPTED
	"$@" &
	child=$!
	[ -z "$interrupted" ] || kill -TERM "$child" 2>/dev/null
	ended=0
	wait "$child" || ended=$?
	while kill -0 "$child" 2>/dev/null; do
		wait "$child" || ended=$?
	done
	child=''
	return $ended
}

# answer COMMAND [ARGUMENTS]: what it says, into a file that is in memory alone
answer()
{
	attended "$@" >"/proc/self/fd/$VMTESTS_ANSWER_FD"
}

answered()
{
	cat "/proc/self/fd/$VMTESTS_ANSWER_FD"
}

# printed TEXT: a line of the output. Where it cannot be written nobody sees the results.
printed()
{
	echo "$*" 2>/dev/null || unheard=1
}

say()
{
	printed "${tap:+# }$*"
}

# label_begin LABEL-DIR: open its results
label_begin()
{
	answer "$vmtctl" begin -o "$1" -T "$tier" -r "$repeats" -a "$arguments" -w "$names" -c "$case_words" \
		${destructive:+-d} ${perf:+-P} ${split:+-S} ${resume:+-R} \
		-p "$programs/vmtests" -p "$programs/tools-testing-mm" || return
	boot_dir=$(answered | sed -n 1p)
	run=$(answered | sed -n 2p)
	judged=$(answered | sed 1,2d)
	boot_dir=$(cd "$boot_dir" && pwd) || die "cannot enter $boot_dir"
	export VMTESTS_OUT="$boot_dir" VMTESTS_RUN="$run"
}

# The exit status of what was run until now.
status_now()
{
	if [ -n "$broken$unheard" ]; then
		echo $USAGE
	elif [ -n "$interrupted" ]; then
		echo $INTERRUPTED
	elif [ "$failed" -gt 0 ]; then
		echo $FAIL
	elif [ "$passed" -eq 0 ]; then
		echo $SKIP
	else
		echo $PASS
	fi
}

count_result()	# EXIT-STATUS
{
	case $1 in
	"$PASS") passed=$((passed + 1)) ;;
	"$SKIP") skipped=$((skipped + 1)) ;;
	"$FAIL") failed=$((failed + 1)) ;;
	"$USAGE") broken=1 ;;
	*) failed=$((failed + 1)) ;;
	esac
}

# judged_before NAME: its verdict, when an earlier part of this run has one
judged_before()
{
	[ -n "$judged" ] || return
	verdict=$(echo "$judged" | awk -v name="$1" '$2 == name')
	[ -n "$verdict" ] || return
	reason=${verdict#* * }
	case $verdict in
	pass*) count_result $PASS; verdict_again "$1" PASS ok ;;
	skip*) count_result $SKIP; verdict_again "$1" SKIP ok ' # SKIP' ;;
	timeout*) count_result $FAIL; verdict_again "$1" TIMEOUT 'not ok' ' # TIMEOUT' ;;
	*) count_result $FAIL; verdict_again "$1" FAIL 'not ok' ;;
	esac
}

# verdict_again NAME WORD KTAP [DIRECTIVE]: print it as vmtctl did, or would have
verdict_again()
{
	if [ -z "$tap" ]; then
		printed "$(printf '%-7s' "$2") $1 (earlier)${reason:+: $reason}"
		return
	fi
	[ -z "$reason" ] || printed "# $1: $reason"
	printed "$3 $number $1${4:-}"
}

# run_planned SUFFIX NAME TIMEOUT FLAGS PROGRAM [ARGUMENT...]: one test of the plan
run_planned()
{
	suffix=$1 name=$2 timeout=$3 flags=$4 program=$5
	shift 5
	set -- "$programs/$program" "$@"
	counted='' cases=$(cases_of "$name")
	class_of "$program"
	[ $class = functional ] || counted=$perf
	for each in $cases; do
		case $class in
		functional) set -- "$@" -r "$each" ;;
		benchmarks) set -- "$@" -c "$each" ;;
		esac
	done
	case ",$flags," in *,device,*) set -- "$vmtctl" with-device "$@" ;; esac
	# shellcheck disable=SC2086 # -N and -P are words or nothing
	attended "$vmtctl" run-test -b "$boot_dir" -i "$run" -k "$number" -m "$name" -s "$suffix" -c "$cases" \
		-t $(($(of_tier "$timeout") * timeout_mul)) -q "$(needs_of "$flags")" \
		-p "[$number/$planned]" -l "$about_left" -w $$ $no_tap $counted "$@"
}

# measure SUFFIX: every test of the plan; SUFFIX sets apart the names of one test's two results
measure()
{
	while read -r name _ _ timeout flags program args; do
		[ -z "$interrupted$broken$unheard" ] || break
		number=$((number + 1))
		about=$(of_tier "$(flag "$flags" about)")
		if judged_before "$name"; then
			about_left=$((about_left - ${about:-1}))
			continue
		fi
		# shellcheck disable=SC2086 # args are words
		run_planned "$1" "$name" "$timeout" "$flags" "$program" $args </dev/null
		count_result $?
		about_left=$((about_left - ${about:-1}))
	done <<EOF
$plan
EOF
}

# split_step NAME [OPTION]: as one more test, whose verdict goes to the first of the two labels
split_step()
{
	[ -z "$interrupted$broken$unheard" ] || return
	number=$((number + 1))
	# shellcheck disable=SC2086 # -N and -d are words or nothing
	attended "$vmtctl" run-test -b "$boot_dir" -i "$run" -k "$number" -m "$1" \
		-t $((SPLIT_TIMEOUT * timeout_mul)) -p "[$number/$planned]" -l "$about_left" \
		-w $$ $no_tap "$splitter" ${2:-} </dev/null
	split_status=$?
	count_result $split_status
	return $split_status
}

# Both labels measure memory that was in use once: a virtual machine's host gives it on first use.
split_rehearse()
{
	say "taking all free memory once, and giving it back"
	split_step linear_map_split_dry -d
}

split_map()
{
	say "splitting the linear map: only a reboot undoes it"
	split_step linear_map_split
}

label_end()	# EXIT-STATUS
{
	split_blocks=$("$vmtctl" end -b "$boot_dir" -i "$run" -x "$1") || broken=1
	[ -z "$split_blocks" ] || say "$split_blocks"
}

about_left=0
while read -r _ _ _ _ flags _; do
	about=$(of_tier "$(flag "$flags" about)")
	about_left=$((about_left + ${about:-1}))
done <<EOF
$plan
EOF

tests=$planned
if [ -n "$split" ]; then
	planned=$((2 * tests + 2)) about_left=$((2 * about_left))
	label_dir=${label_dir%/}
	first_label=$label_dir-blocks
else
	first_label=$label_dir
fi
label_begin "$first_label" || {
	[ -z "$interrupted" ] || exit $INTERRUPTED
	exit $USAGE
}
first_dir=$boot_dir
busy=$("$vmtctl" load)

if [ -n "$tap" ]; then
	printed 'KTAP version 1'
	printed "1..$planned"
fi
[ -z "$busy" ] || say "$busy"

if [ -n "$perf" ]; then
	answer "$vmtctl" perf-check || perf=''
	perf_lacks=$(answered)
	[ -z "$perf_lacks" ] || say "-p: $perf_lacks"
fi

number=0 passed=0 failed=0 skipped=0 broken=''
if [ -z "$split" ]; then
	measure ''
elif split_rehearse && [ -z "$interrupted$broken" ]; then
	measure -blocks
	if [ -z "$interrupted$broken" ] && split_map; then
		label_end "$(status_now)"
		if label_begin "$label_dir-split"; then
			measure -split
		elif [ -z "$interrupted" ]; then
			exit $USAGE
		fi
	fi
fi

label_end "$(status_now)"
status=$(status_now)

[ $number -eq "$planned" ] || [ -n "$broken" ] ||
	say "${interrupted:+interrupted: }$((planned - number)) tests were not started"
say "Totals: pass:$passed fail:$failed skip:$skipped"
if [ -x "$programs/vmtests/vmcompare" ] && [ -s "$boot_dir/samples.jsonl" ]; then
	set -- "$boot_dir"
	[ "$first_dir" = "$boot_dir" ] || set -- "$first_dir" "$boot_dir"
	answer "$programs/vmtests/vmcompare" "$@" &&
		answered | while IFS= read -r line; do say "$line"; done
fi
[ "$first_dir" = "$boot_dir" ] || say "results: $first_dir"
say "results: $boot_dir"
[ -z "$unheard" ] || die "standard output could not be written: the results are in $boot_dir"
exit "$status"
