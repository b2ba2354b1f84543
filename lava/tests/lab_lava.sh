#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# LAVA from end to end, without a server: lava-run boots a guest of the lab as if lab/boot were its
# QEMU, which runs vmtests, and what LAVA took for results is compared, line by line, with what the
# guest left on its disk. Prints KTAP.
# usage: lab_lava.sh BUILD PAYLOADS OUT KERNEL COMMAND...
#   COMMAND is run in the guest, and leaves its label in /results/lava
#
# Called by lava-run, with nothing but $VMTESTS_LAVA set: be the guest.

set -u
kernel='' payload='' out='' vmcompare='' command=''
here=$(dirname "$(readlink -f "$0")")
top=$here/../..

# The guest, and then its results on the console, each line whole.
guest()
{
	"$top/lab/boot" --kernel "$kernel" --payload "$payload" --out "$out/guest" --timeout 7000 \
		-- sh -c "$command"
	echo "lab/boot: exit $?"
	echo 'vmtests: begin'
	"$vmcompare" -f lava "$out"/guest/results/lava/* | sed 's/^/vmtests: /'
	echo 'vmtests: end'
}

if [ $# -eq 0 ]; then
	# shellcheck source=/dev/null # written below
	. "${VMTESTS_LAVA:?run this by make lab-lava}"
	guest
	exit
fi

build=$1 payloads=$2 out=$3 kernel=$4
shift 4
# shellcheck source=vmtests/meta/lib.sh
. "$top/vmtests/meta/lib.sh"
# shellcheck source=lab/lib.sh
. "$top/lab/lib.sh"
arch=$(flavour_arch "${kernel#*:}") || exit 2

echo 'KTAP version 1'
if ! command -v lava-run >/dev/null; then
	skip lava 'no lava-run: try make deps lab-lava'
	finish
fi
python=$(python_with 'yaml, jsonschema') || {
	skip lava 'no python3-yaml or python3-jsonschema'
	finish
}

rm -rf "$out" && mkdir -p "$out" || exit 2
out=$(cd "$out" && pwd)
quoted()
{
	printf "'%s'\n" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")"
}
{
	echo "out=$(quoted "$out")"
	echo "kernel=$(quoted "$kernel")"
	echo "payload=$(quoted "$payloads/$arch")"
	echo "vmcompare=$(quoted "$build/vmtests/vmcompare")"
	echo "command=$(quoted "$*")"
} >"$out/guest.sh"
sed "s|@COMMAND@|$here/lab_lava.sh|" "$here/device.yaml" >"$out/device.yaml"
sed "s|@ARCH@|$arch|" "$here/job.yaml" >"$out/job.yaml"
echo '{}' >"$out/dispatcher.yaml"

VMTESTS_LAVA=$out/guest.sh lava-run --job-id "vmtests-$$" --output-dir "$out/lava" \
	--device "$out/device.yaml" --dispatcher "$out/dispatcher.yaml" "$out/job.yaml" \
	>"$out/lava.log" 2>&1
status=$?
tail -n 30 "$out/lava.log" >"$scratch/log"
result lava_job $status

# Those of the suite, as lines of vmcompare's; a name is kept whole beside LAVA's own.
"$python" - "$out/lava.log" >"$out/lava.txt" 2>"$scratch/log" <<'END'
import sys, yaml
for line in open(sys.argv[1], encoding="utf-8"):
    if '"lvl": "results"' not in line:
        continue
    got = yaml.safe_load(line)["msg"]
    if got["definition"] != "vmtests":
        continue
    fields = [got["extra"]["test_case_id"], got["result"]]
    if got.get("measurement") not in (None, "null"):
        fields += [got["measurement"], got["units"]]
    print(*fields)
END
result results_are_read $?
"$python" -W ignore "$top/vmtests/compare/tests/export_check.py" lava "$out/lava.txt" \
	"$out/guest/results/lava" >"$scratch/log" 2>&1
status=$?
tail -n 1 "$scratch/log" | sed 's/^/# /'
result line_by_line $status
sed '$d' "$out/lava.txt" >"$out/short.txt"
! "$python" -W ignore "$top/vmtests/compare/tests/export_check.py" lava "$out/short.txt" \
	"$out/guest/results/lava" >"$scratch/log" 2>&1
result a_missing_line_is_seen $?
finish
