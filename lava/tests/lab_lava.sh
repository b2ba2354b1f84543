#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# LAVA from end to end, without a server: lava-run makes of lava/vmtests.yaml what it gives to a board,
# and a guest of the lab is the board. LAVA's own lava-test-runner runs the definition in it, and
# what LAVA took for results is compared, line by line, with the results that were uploaded. Prints
# KTAP.
# usage: lab_lava.sh PAYLOADS OUT KERNEL REPEATS TIMEOUT_MUL [TESTS]
#   the last three are parameters of the definition
#
# Called by lava-run, with nothing but $VMTESTS_LAVA set: be the board, whose console has a shell.

set -u
kernel='' payload='' out='' job=''
here=$(dirname "$(readlink -f "$0")")
top=$here/../..
PROMPT='lava-test: # '
DOWNLOADS=/var/lib/lava/dispatcher/tmp # not for the dispatcher's configuration to say

# Everything that was typed until now, in a guest that has LAVA's overlay.
guest()
{
	rm -rf "$out/payload"
	cp -a "$payload" "$out/payload" && mkdir "$out/payload/overlay" &&
		find "$DOWNLOADS/$job" -name 'overlay-*.tar.gz' \
			-exec tar -C "$out/payload/overlay" -xzf {} \; &&
		cp "$out/typed" "$out/payload/overlay/typed" || exit
	"$top/lab/boot" --kernel "$kernel" --payload "$out/payload" --out "$out/guest" \
		--timeout 7000 -- sh -c 'cp -a overlay/lava-* / && . overlay/typed' </dev/null
	# A board that died says nothing more; LAVA need not wait for it.
	[ "$(cat "$out/guest/status")" = 'exit 0' ] || exit
	cat "$out/guest/output.log"
}

console()
{
	: >"$out/typed"
	printf '%s' "$PROMPT"
	while IFS= read -r line; do
		printf '%s\n' "$line" >>"$out/typed"
		case $line in
		*/lava-test-runner\ *) guest ;;
		esac
		printf '%s' "$PROMPT"
	done
}

if [ $# -eq 0 ]; then
	# shellcheck source=/dev/null # written below
	. "${VMTESTS_LAVA:?run this by make lab-lava}"
	console
	exit
fi

payloads=$1 out=$2 kernel=$3 repeats=$4 timeout_mul=$5 tests=${6:-}
# shellcheck source=vmtests/meta/lib.sh
. "$top/vmtests/meta/lib.sh"
# shellcheck source=lab/lib.sh
. "$top/lab/lib.sh"
arch=$(flavour_arch "${kernel#*:}") || exit 2

echo 'KTAP version 1'
if ! command -v lava-run >/dev/null || ! command -v git >/dev/null; then
	skip lava 'no lava-run, or no git: try make deps lab-lava'
	finish
fi
if [ "$(id -u)" -ne 0 ]; then
	skip lava 'not root: the dispatcher keeps its files where only root can write'
	finish
fi
python=$(python_with 'yaml, jsonschema') || {
	skip lava 'no python3-yaml or python3-jsonschema'
	finish
}

rm -rf "$out" && mkdir -p "$out/repository/lava" || exit 2
out=$(cd "$out" && pwd)
job=vmtests-$$
quoted()
{
	printf "'%s'\n" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")"
}
{
	echo "out=$(quoted "$out")"
	echo "kernel=$(quoted "$kernel")"
	echo "payload=$(quoted "$payloads/$arch")"
	echo "job=$(quoted "$job")"
} >"$out/board.sh"
sed "s|@COMMAND@|$here/lab_lava.sh|" "$here/device.yaml" >"$out/device.yaml"
sed "s|@ARCH@|$arch|; s|@REPOSITORY@|$out/repository|; s|@TESTS@|$tests|; s|@REPEATS@|$repeats|
	s|@TIMEOUT_MUL@|$timeout_mul|" "$here/job.yaml" >"$out/job.yaml"
echo 'dispatcher_ip: 127.0.0.1' >"$out/dispatcher.yaml"

# The jobs that are given as examples, by LAVA's own rules for jobs; and one with a word too many.
valid()	# JOB
{
	# Not where the suite's Python is, but where LAVA is.
	/usr/bin/python3 -c 'import sys, yaml
from lava_common.schemas import validate
validate(yaml.safe_load(open(sys.argv[1])))' "$1" >"$scratch/log" 2>&1
}
for example in qemu board; do
	valid "$top/lava/job-$example.yaml"
	result job_$example $?
done
{
	cat "$top/lava/job-qemu.yaml"
	echo 'nonesuch: yes'
} >"$out/wrong.yaml"
! valid "$out/wrong.yaml" && grep -q nonesuch "$scratch/log"
result a_wrong_job_is_seen $?

# What a board is given comes from a repository, which is this tree's definition as it is.
cp "$top/lava/vmtests.yaml" "$top/lava/run.sh" "$out/repository/lava/" && (
	cd "$out/repository" && git init -q . && git add . &&
		git -c user.name=vmtests -c user.email=vmtests@localhost commit -q -m vmtests
) >"$scratch/log" 2>&1
result repository $?

VMTESTS_LAVA=$out/board.sh lava-run --job-id "$job" --output-dir "$out/lava" \
	--device "$out/device.yaml" --dispatcher "$out/dispatcher.yaml" "$out/job.yaml" \
	>"$out/lava.log" 2>&1
status=$?
rm -rf "$out/payload"
tail -n 30 "$out/lava.log" >"$scratch/log"
result lava_job $status

# Those of the definition, as lines of vmcompare's.
"$python" - "$out/lava.log" >"$out/reported.txt" 2>"$scratch/log" <<'END'
import sys, yaml
for line in open(sys.argv[1], encoding="utf-8"):
    if '"lvl": "results"' not in line:
        continue
    got = yaml.safe_load(line)["msg"]
    if got["definition"] != "0_vmtests":
        continue
    fields = [got["case"], got["result"]]
    if "measurement" in got:
        fields += [got["measurement"], got["units"]]
    print(*fields)
END
result results_are_read $?
grep '^vmtests-' "$out/reported.txt" | paste -s -d , - >"$scratch/log"
[ "$(cat "$scratch/log")" = 'vmtests-run pass,vmtests-upload pass' ]
result run_and_upload $?
grep -v '^vmtests-' "$out/reported.txt" >"$out/lava.txt"
mkdir "$out/uploaded" && tar -C "$out/uploaded" -xzf "$out"/guest/results/*.tar.gz \
	>"$scratch/log" 2>&1
result archive $?
compare()	# FILE
{
	"$python" -W ignore "$top/vmtests/compare/tests/export_check.py" lava "$1" \
		"$out/uploaded/lava" >"$scratch/log" 2>&1
}
compare "$out/lava.txt"
status=$?
tail -n 1 "$scratch/log" | sed 's/^/# /'
result line_by_line $status
sed '$d' "$out/lava.txt" >"$out/short.txt"
! compare "$out/short.txt"
result a_missing_line_is_seen $?
finish
