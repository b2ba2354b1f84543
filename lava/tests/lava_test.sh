#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# lava/run.sh reports every verdict and sample by lava-test-case; definition and jobs agree with it.
# usage: lava_test.sh BUILD

set -u
VMTESTS_BUILD=$(cd "$1" && pwd) || exit 1
export VMTESTS_BUILD
here=$(dirname "$(readlink -f "$0")")
top=$here/../..
# shellcheck source=vmtests/meta/lib.sh
. "$top/vmtests/meta/lib.sh"
run=$here/../run.sh

# What lava-test-case is told, a line each; a reader that takes other options fails.
mkdir "$scratch/bin"
cat >"$scratch/bin/lava-test-case" <<'END'
#!/bin/sh
case $#:$2:${4:-}:${6:-} in
3:--result::) echo "$1 $3" ;;
7:--result:--measurement:--units) echo "$1 $3 $5 $7" ;;
*) echo "lava-test-case: $*" >&2; exit 1 ;;
esac >>"$REPORTED"
END
cat >"$scratch/bin/upload" <<'END'
#!/bin/sh
cp "$2" "$1/uploaded.tar.gz"
END
# What would change this machine's console is not run.
printf '#!/bin/sh\n' >"$scratch/bin/dmesg"
chmod +x "$scratch/bin/"*
REPORTED=$scratch/reported
export REPORTED

lava_run()	# [ARGUMENTS]
{
	rm -f "$REPORTED"
	(cd "$scratch" && PATH=$scratch/bin:$PATH "$run" "$@") >"$scratch/log" 2>&1
}

echo 'KTAP version 1'
lava_run -t 'boot_memory meta_pass meta_fail meta_skip' -x '' -T quick -r 3 -l try -m 2 -u ''
result runs $?
"$VMTESTS_BUILD/vmtests/vmcompare" -f lava "$scratch/results/try" >"$scratch/expected"
echo 'vmtests-run pass' >>"$scratch/expected"
diff "$scratch/expected" "$REPORTED" >"$scratch/log" 2>&1
result all_is_reported $?
grep -q -x 'meta_fail fail' "$REPORTED" && grep -q -x 'meta_skip skip' "$REPORTED" &&
	grep -q -x 'boot.memory.boot.mem_total pass [0-9]* bytes' "$REPORTED"
result verdicts_and_units $?
lava_run -t meta_pass -l up -u "upload $scratch" && grep -q -x 'vmtests-upload pass' "$REPORTED" &&
	mkdir "$scratch/there" && tar -C "$scratch/there" -xf "$scratch/uploaded.tar.gz" &&
	[ "$(find "$scratch/there/up" -name verdicts.jsonl | wc -l)" -eq 1 ]
result uploads $?
lava_run -t meta_pass -u false && grep -q -x 'vmtests-upload fail' "$REPORTED"
result failed_upload_is_reported $?
! lava_run -t nonesuch -l none && grep -q -x 'vmtests-run fail' "$REPORTED"
result failed_run_is_reported $?
! "$run" >"$scratch/log" 2>&1 && grep -q 'this is for LAVA' "$scratch/log"
result outside_lava $?

if python=$(python_with yaml); then
	"$python" - "$here/.." >"$scratch/log" 2>&1 <<-'END'
		import re, sys, yaml
		load = lambda name: yaml.safe_load(open(f"{sys.argv[1]}/{name}"))
		definition = load("vmtests.yaml")
		params = definition["params"]
		assert all(isinstance(value, str) for value in params.values()), params
		steps = " ".join(definition["run"]["steps"])
		assert set(re.findall(r"\$(\w+)", steps)) == set(params), steps
		for name in "job-qemu.yaml", "job-board.yaml":
		    job = load(name)
		    kinds = [next(iter(action)) for action in job["actions"]]
		    assert kinds == ["deploy", "boot", "test"], kinds
		    used = job["actions"][2]["test"]["definitions"][0]
		    assert used["path"] == "lava/vmtests.yaml"
		    assert set(used["parameters"]) <= set(params), used
	END
	result definition_and_jobs $?
else
	skip definition_and_jobs 'no python3-yaml'
fi
finish
