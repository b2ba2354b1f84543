#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A/A: the same benchmarks twice in a row, as two labels. In 19 of 20 rows the two medians must
# differ by no more than the row's own stated noise: twice the standard deviation of its repeats, the
# larger of both runs', as a share of the median. A row that differs by more moves between runs for a
# reason that its repeats do not show. Where half of the rows have a noise of half their value or
# more the machine is too busy to judge any of them, and this is a skip; it is not in make check.
# usage: aa_test.sh BUILD [TESTS]

set -u
VMTESTS_BUILD=$(cd "$1" && pwd) || exit 1
export VMTESTS_BUILD
here=$(dirname "$(readlink -f "$0")")
runner=$here/../../run_vmtests.sh
# shellcheck source=vmtests/meta/lib.sh
. "$here/lib.sh"

# Benchmarks that leave the kernel's own map and the hugetlb pools as they are.
tests=${2:-$(awk '$3 == "quick" && $6 ~ /^vmtests\// && $2 != "hvo" && $2 != "linear" {
	printf "%s ", $1 }' "$here/../vmtests.list")}

# rows FIRST SECOND: a line a row; its first word is "moved", "same", or "noisy": not moved either
rows()
{
	python3 - "$@" <<'EOF'
import collections, glob, json, statistics, sys

def load(label):
    rows = collections.defaultdict(list)
    for path in glob.glob(label + "/*/samples.jsonl"):
        for line in open(path):
            sample = json.loads(line)
            rows[sample["bench"], sample["case"], sample["metric"]].append(sample["value"])
    return rows

def noise(values):
    median = statistics.median(values)
    if len(values) < 2 or not median:
        return 0
    return 2 * statistics.stdev(values) / abs(median)

first, second = load(sys.argv[1]), load(sys.argv[2])
for row in sorted(first.keys() | second.keys()):
    a, b = first.get(row), second.get(row)
    # A state, not a duration: memory in use has no repeats, and no noise of its own to state.
    if a and b and len(a) == len(b) == 1:
        continue
    if not a or not b:
        print("moved", *row, "is missing in one run")
        continue
    base, new = statistics.median(a), statistics.median(b)
    change = new / base - 1 if base else (0 if new == base else float("inf"))
    allowed = max(noise(a), noise(b))
    print("moved" if abs(change) > allowed else "same" if allowed < 0.5 else "noisy", *row,
          "%+.2f%% of %.2f%%" % (change * 100, allowed * 100))
EOF
}

echo 'KTAP version 1'
for label in first second; do
	"$runner" -t "$tests" -o "$scratch/$label" >"$scratch/log" 2>&1
	result "measured_$label" $?
done
rows "$scratch/first" "$scratch/second" >"$scratch/log"
total=$(wc -l <"$scratch/log")
moved=$(grep -c '^moved' "$scratch/log") noisy=$(grep -c '^noisy' "$scratch/log")
sed 's/^/# /' "$scratch/log"
echo "# $moved of $total rows moved, $noisy are too noisy to tell"
if [ "$total" -gt 0 ] && [ $((noisy * 2)) -ge "$total" ]; then
	skip nineteen_of_twenty_hold 'this machine is too busy'
	finish
fi
[ "$total" -gt 0 ] && [ $((moved * 20)) -le "$total" ]
result nineteen_of_twenty_hold $?
finish
