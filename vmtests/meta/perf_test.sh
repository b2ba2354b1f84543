#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# run_vmtests.sh -p, with a perf of our own in $PATH: what is asked of it, what is kept of what it
# says, and that nothing it does or lacks changes a test's verdict. Then with the real one, where
# there is one.
# usage: perf_test.sh BUILD

set -u
VMTESTS_BUILD=$(cd "$1" && pwd) || exit 1
export VMTESTS_BUILD
here=$(dirname "$(readlink -f "$0")")
runner=$here/../../run_vmtests.sh
# shellcheck source=vmtests/meta/lib.sh
. "$here/lib.sh"
real_path=$PATH

mkdir "$scratch/bin" "$scratch/none"
export PERF_STUB="$scratch/stub"
cat >"$scratch/bin/perf" <<'EOF'
#!/bin/sh
# The part of perf that vmtctl uses; $PERF_STUB.fails says what does not work.
# The fingerprint asks with an environment of its own.
[ "$1" != --version ] || { echo 'perf version 0'; exit; }
echo "$*" >>"$PERF_STUB.calls"
fails=$(cat "$PERF_STUB.fails" 2>/dev/null)
case $1 in
report)
	cat "$PERF_STUB.report"
	exit ;;
esac
output='' previous=''
for word; do
	[ "$previous" != -o ] || output=$word
	previous=$word
done
if [ -z "$output" ]; then	# the probe
	[ "$fails" != probe ]
	exit
fi
[ "$fails" != start ] || exit 1
trap 'cp "$PERF_STUB.$1" "$output"; exit 130' INT
while read -r command; do
	echo "$command" >>"$PERF_STUB.told"
	echo ack
done
EOF
chmod +x "$scratch/bin/perf"
cat >"$PERF_STUB.stat" <<'EOF'
# started on some day
{"counter-value" : "12.5", "unit" : "msec", "event" : "task-clock", "pcnt-running" : 100.00}
EOF
: >"$PERF_STUB.record"
cat >"$PERF_STUB.report" <<'EOF'

 53.85% |[k] copy_page_to_iter
 9.50%  |[k] a name [with] spaces
 8.00%  |[.] main
 101.0% |[k] too_much
 x%     |[k] no_number
 7%      [k] no_separator
 0.10%  |[k] last
EOF
PATH=$scratch/bin:$real_path

# run NAME STATUS TEST: under -p; what the stub shall fail at is in $PERF_STUB.fails
run()
{
	rm -f "$PERF_STUB.calls" "$PERF_STUB.told"
	"$runner" -p -t "$3" -o "$scratch/$1" >"$scratch/log" 2>&1
	run_status=$?
	[ $run_status -eq "$2" ] || echo "exit $run_status, expected $2" >>"$scratch/log"
	[ $run_status -eq "$2" ]
}

kept()	# NAME FILE
{
	cat "$scratch/$1"/*/perf/"$2"
}

echo 'KTAP version 1'
run good 0 meta_pass
result beside_a_test $?
kept good 0.meta_pass.stat.json >"$scratch/got" && cmp -s "$scratch/got" "$PERF_STUB.stat"
result counters_kept $?
cat >"$scratch/wanted" <<'EOF'
{"symbol": "copy_page_to_iter", "percent": 53.85}
{"symbol": "a name [with] spaces", "percent": 9.5}
{"symbol": "last", "percent": 0.1}
EOF
kept good 0.meta_pass.symbols.jsonl >"$scratch/got"
diff "$scratch/wanted" "$scratch/got" >"$scratch/log"
result kernel_symbols_kept $?
[ "$(find "$scratch"/good/*/perf -type f | wc -l)" -eq 2 ]
result nothing_else_kept $?
[ "$(sort "$PERF_STUB.told" | uniq -c | tr -s ' \n' ' ')" = ' 2 disable 2 enable ' ] &&
	[ "$(grep -c -e '-a .*-D -1 --control' "$PERF_STUB.calls")" -eq 2 ]
result counts_only_the_test $?

# A crash stays one: perf stat around a program would return 0.
run crash 1 meta_crash && grep -q 'killed by signal 11' "$scratch/log" &&
	kept crash 0.meta_crash.stat.json | grep -q task-clock
result crash_stays_a_crash $?

echo start >"$PERF_STUB.fails"
run dies 0 meta_pass && [ "$(grep -c 'did not start' "$scratch/log")" -eq 2 ]
result perf_that_dies $?
echo probe >"$PERF_STUB.fails"
run refused 0 meta_pass && [ "$(grep -c '^# -p: perf cannot count on all CPUs' "$scratch/log")" -eq 1 ] &&
	[ -z "$(find "$scratch/refused" -name perf)" ]
result perf_that_may_not $?
rm "$PERF_STUB.fails"

PATH=$scratch/none "$VMTESTS_BUILD/vmtests/vmtctl" perf-check >"$scratch/log"
[ $? -eq 4 ] && grep -q perf "$scratch/log"
result no_perf $?

PATH=$real_path
if missing=$("$VMTESTS_BUILD/vmtests/vmtctl" perf-check); then
	run real 0 pgtable_ops && kept real 0.pgtable_ops.stat.json | grep -q task-clock &&
		kept real 0.pgtable_ops.symbols.jsonl | grep -q '"symbol"'
	result real_perf $?
	"$VMTESTS_BUILD/vmtests/vmcompare" -f html -o "$scratch/html" "$scratch/real" \
		>"$scratch/log" 2>&1
	grep -q task-clock "$scratch/html"
	result report_shows_it $?
else
	skip real_perf "$missing"
fi
finish
