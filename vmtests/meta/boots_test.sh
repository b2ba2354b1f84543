#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# vmtests-boots, as vmtests.service calls it after each boot: it measures as many boots as asked for,
# goes on with one whose kernel died, and gives up where nothing goes on. Another boot is played by
# another boot_id in a mount namespace; a reboot, by a line in a file.
# usage: boots_test.sh BUILD

set -u
VMTESTS_BUILD=$(cd "$1" && pwd) || exit 1
export VMTESTS_BUILD
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=vmtests/meta/lib.sh
. "$here/lib.sh"
boots=$here/../../service/vmtests-boots
export VMTESTS_BOOTS_STATE="$scratch/asked"
export VMTESTS_RUNNER="$here/../../run_vmtests.sh" VMTESTS_REBOOT="$scratch/reboot"
export VMTESTS_TIMEOUT_MUL=100 VMTESTS_ENABLED=true
printf '#!/bin/sh\necho reboot >>"%s/rebooted"\n' "$scratch" >"$VMTESTS_REBOOT"
chmod +x "$VMTESTS_REBOOT"

# in_boot ID COMMAND [ARGUMENTS]: as if it were run in that boot
in_boot()
{
	echo "$1" >"$scratch/boot_id"
	shift
	# shellcheck disable=SC2016 # the inner shell expands it
	unshare -m sh -c 'mount --bind "$0" /proc/sys/kernel/random/boot_id && exec "$@"' \
		"$scratch/boot_id" "$@"
}

# status_in BOOT STATUS ARGUMENTS...: vmtests-boots exits with that
status_in()
{
	boot=$1 wanted=$2
	shift 2
	in_boot "$boot" "$boots" "$@" >"$scratch/log" 2>&1
	status=$?
	[ $status -eq "$wanted" ] || {
		echo "exit $status, expected $wanted" >>"$scratch/log"
		return 1
	}
}

refused()	# NAME MESSAGE ARGUMENTS...
{
	name=$1 message=$2
	shift 2
	"$boots" "$@" >"$scratch/out" 2>"$scratch/log"
	[ $? -eq 2 ] && grep -q -e "$message" "$scratch/log" && [ ! -e "$VMTESTS_BOOTS_STATE" ]
	result "$name" $?
}

reboots()
{
	[ "$(grep -s -c reboot "$scratch/rebooted")" -eq "$1" ]
}

echo 'KTAP version 1'
in_boot probe true 2>/dev/null || {
	skip boots 'another boot_id cannot be mounted: needs root'
	finish
}
refused relative_label 'an absolute path' start -o label
refused no_boots '-n 0: a whole number' start -o /label -n 0
refused many_boots '-n 1001' start -o /label -n 1001
refused no_resume_by_hand '-R: not with' start -o /label -- -R
refused option 'unknown option -Z' start -Z
VMTESTS_ENABLED=false
refused not_enabled "is not enabled, .* 'systemctl enable vmtests'" start -o /label
VMTESTS_ENABLED=true
"$boots" step >"$scratch/log" 2>&1 && [ ! -s "$scratch/log" ]
result nothing_asked_for $?

label=$scratch/three
status_in boot-1 0 start -o "$label" -n 3 -b "echo prepared >>$scratch/prepared" -- -t 'meta_pass' -r 2 &&
	"$boots" status | grep -q "^2 boots left of $label\$" && reboots 1
result first_boot $?
status_in boot-1 2 step && grep -q 'has this boot already: reboot' "$scratch/log"
result the_same_boot_again $?
status_in boot-2 0 step && status_in boot-3 0 step && reboots 2 && [ ! -e "$VMTESTS_BOOTS_STATE" ] &&
	[ "$(grep -c prepared "$scratch/prepared")" -eq 2 ] &&
	[ "$(cat "$label"/boot-[123]/verdicts.jsonl | grep -c '"result":"pass"')" -eq 3 ]
result three_boots $?

# The kernel dies in meta_hang; the next boot finishes the run, and the asked-for boot.
label=$scratch/died
: >"$scratch/out"
in_boot boot-4 "$boots" start -o "$label" -- -t 'meta_hang meta_mixed' -n >"$scratch/out" 2>&1 &
pid=$!
until [ -s "$label/boot-4/started.jsonl" ] && grep -q meta_hang "$label/boot-4/started.jsonl"; do
	kill -0 $pid 2>/dev/null || break
done
# shellcheck disable=SC2046 # words
kill -KILL $(tree $pid) 2>/dev/null
wait $pid 2>/dev/null
status_in boot-5 1 step && [ ! -e "$VMTESTS_BOOTS_STATE" ] &&
	grep -q 'kernel died during meta_hang' "$label"/boot-4/verdicts.jsonl
result a_boot_that_died $?

# A machine that dies before anything is begun does so three times, and not for ever.
# shellcheck disable=SC2016 # the program expands it
printf '#!/bin/sh\nkill -KILL $PPID\n' >"$scratch/deadly"
chmod +x "$scratch/deadly"
VMTESTS_RUNNER=$scratch/deadly in_boot boot-6 "$boots" start -o "$scratch/deadly.d" >/dev/null 2>&1
for boot in boot-7 boot-8; do
	VMTESTS_RUNNER=$scratch/deadly in_boot $boot "$boots" step >/dev/null 2>&1
done
status_in boot-9 2 step && grep -q 'given up: 3 boots in a row' "$scratch/log"
result given_up $?
"$boots" stop && "$boots" status | grep -q '^nothing is asked for$'
result stopped $?

make --no-print-directory -C "$here/../.." O="$VMTESTS_BUILD" DESTDIR="$scratch/root" prefix=/usr \
	install-service >"$scratch/log" 2>&1
unit=$scratch/root/etc/systemd/system/vmtests.service
grep -q '^ExecStart=/usr/lib/vmtests/vmtests-boots step$' "$unit" &&
	[ -x "$scratch/root/usr/lib/vmtests/vmtests-boots" ]
result installed $?
if command -v systemd-analyze >/dev/null; then
	# Its program and manual are not on this machine; a path that is says nothing about the rest.
	sed 's|^ExecStart=.*|ExecStart=/bin/true|' "$unit" >"$scratch/vmtests.service"
	systemd-analyze --man=no verify "$scratch/vmtests.service" >"$scratch/log" 2>&1
	! grep -q 'vmtests.service' "$scratch/log"
	result systemd_understands_the_unit $?
else
	skip systemd_understands_the_unit 'no systemd-analyze'
fi
finish
