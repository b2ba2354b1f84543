#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What vmcompare exports is what was measured: in a real run, and results that are hard to export.
# usage: export_test.sh BUILD

set -u
VMTESTS_BUILD=$(cd "$1" && pwd) || exit 1
export VMTESTS_BUILD
here=$(dirname "$(readlink -f "$0")")
top=$here/../../..
# shellcheck source=vmtests/meta/lib.sh
. "$top/vmtests/meta/lib.sh"
vmcompare=$VMTESTS_BUILD/vmtests/vmcompare

echo 'KTAP version 1'
if ! python=$(python_with jsonschema); then
	skip exports 'no python3-jsonschema'
	finish
fi

# Two runs in the first label, so that one boot has several; the tests end in every way there is.
for _ in 1 2; do
	"$top/run_vmtests.sh" -o "$scratch/first" \
		-t "boot_memory meta_pass meta_fail meta_skip meta_crash meta_hang" \
		>"$scratch/log" 2>&1
done
"$top/run_vmtests.sh" -o "$scratch/second" -t boot_memory -r 3 >"$scratch/log" 2>&1
result real_runs $?
[ "$(cat "$scratch"/first/*/verdicts.jsonl | grep -c '"timeout"')" -eq 2 ]
result with_every_outcome $?

# A label with a name that is longer than a report shows, two boots, a name that KCIDB's paths do
# not take, text that is not ASCII, and values at the ends of what a double holds.
made=$scratch/a-label-with-a-name-that-is-longer-than-a-report-has-room-for
boot_make()	# ID RELEASE
{
	mkdir -p "$made/$1"
	printf '{"schema":1,"label":"%s","boot_id":"%s","runs":[],"kernel":{"release":"%s"},%s}\n' \
		"$(basename "$made")" "$1" "$2" '"cpu":{},"memory":{}' >"$made/$1/run.json"
	printf '{"test":"a+b","run":7,"result":"%s","reason":"\\u00e9 \\"%s\\"","seconds":3661.5}\n' \
		fail 'quoted' >"$made/$1/verdicts.jsonl"
	rep=0
	for value in 0 1e-300 1.7976931348623157e308 -3 0.1; do
		printf '{"bench":"a/b","case":"c.d+e","metric":"m","unit":"pages","better":"lower",'
		printf '"value":%s,"rep":%d,"run":7,"t":1}\n' "$value" $rep
		rep=$((rep + 1))
	done >"$made/$1/samples.jsonl"
}
boot_make boot-1 6.1
boot_make boot-2 6.2

for form in kcidb squad lava tmt; do
	# shellcheck disable=SC2086 # labels without spaces
	"$vmcompare" -f $form -o "$scratch/export" "$scratch/first" "$scratch/second" "$made" \
		>"$scratch/log" 2>&1 && [ ! -s "$scratch/log" ] &&
		"$python" -W ignore "$here/export_check.py" $form "$scratch/export" \
			"$scratch/first" "$scratch/second" "$made" >"$scratch/log" 2>&1
	status=$?
	tail -n 1 "$scratch/log" | sed "s/^/# $form: /"
	result ${form}_is_complete $status
	# The check itself: an export of one label less must not pass.
	"$vmcompare" -f $form -o "$scratch/export" "$scratch/first" "$made"
	! "$python" -W ignore "$here/export_check.py" $form "$scratch/export" \
		"$scratch/first" "$scratch/second" "$made" >"$scratch/log" 2>&1
	result ${form}_check_can_fail $?
done

"$vmcompare" -f kcidb --origin my_lab "$made" >"$scratch/log" &&
	grep -q '"origin": "my_lab"' "$scratch/log" && ! grep -q '"vmtests:' "$scratch/log"
result origin $?
"$vmcompare" -f tmt "$made" >"$scratch/log" && grep -q '"01:01:02"' "$scratch/log"
result tmt_duration $?

# refused NAME MESSAGE ARGUMENT...
refused()
{
	name=$1 message=$2
	shift 2
	"$vmcompare" "$@" >"$scratch/out" 2>"$scratch/log"
	[ $? -eq 2 ] && grep -q -e "$message" "$scratch/log" && [ ! -s "$scratch/out" ]
	result "$name" $?
}
refused bad_origin '1 to 64 of \[a-z0-9_\]' -f kcidb --origin My-Lab "$made"
refused no_judgement 'exports results and judges none' -f squad --fail-on regression "$made"
"$vmcompare" -f kcidb "$made" >/dev/full 2>"$scratch/log"
[ $? -eq 2 ]
result full_disk $?
# tmt's test, as tmt runs it: a folder for its data, and arguments in the environment.
mkdir "$scratch/data"
TMT_TEST_DATA=$scratch/data VMTESTS_ARGS='-t boot_memory -t meta_fail' "$top/tmt/run.sh" \
	>"$scratch/log" 2>&1
[ $? -eq 1 ] && "$python" -W ignore "$here/export_check.py" tmt "$scratch/data/results.yaml" \
	"$scratch/data/label" >"$scratch/log" 2>&1
result tmt_run_fails $?
rm -r "$scratch/data/label"
TMT_TEST_DATA=$scratch/data VMTESTS_ARGS='-t meta_skip' "$top/tmt/run.sh" >"$scratch/log" 2>&1 &&
	grep -q '"result": "skip"' "$scratch/data/results.yaml"
result tmt_run_skips $?
if yaml=$(python_with yaml); then
	"$yaml" - "$top/tmt/main.fmf" >"$scratch/log" 2>&1 <<-'EOF'
		import os, sys, yaml
		test = yaml.safe_load(open(sys.argv[1]))["/test"]
		assert test["result"] == "custom"
		assert os.access(os.path.join(os.path.dirname(sys.argv[1]), test["test"]), os.X_OK)
	EOF
	result tmt_metadata $?
else
	skip tmt_metadata 'no python3-yaml'
fi

# A line that a panic cut off is not in the export, and that is said.
printf '{"test":"a' >>"$made/boot-1/verdicts.jsonl"
"$vmcompare" -f lava "$made" >"$scratch/out" 2>"$scratch/log" &&
	grep -q '1 damaged last line dropped' "$scratch/log" && [ -s "$scratch/out" ]
result torn_line_is_said $?
finish
