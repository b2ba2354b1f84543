#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# In a guest, as root: dm_crypt is ended by signals at random moments, and afterwards (for SIGKILL:
# after the next start) the machine is as it was. Prints KTAP. Run by crypt_test.sh.
# usage: crypt_guest.sh ROUNDS SEED; the long form, with more than three rounds, also lets runs end,
# and interrupts the runner

set -u
rounds=$1 seed=$2
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=vmtests/meta/lib.sh
. "$here/lib.sh"
echo 'KTAP version 1'
program=$here/vmtests/dm_crypt
journal=/var/lib/vmtests/journal
export VMTESTS_FIO_JOBS="$here/fio-jobs" TMPDIR="$scratch/tmp"
mkdir "$TMPDIR"

# Everything that a run could leave. A module's own line has its use count.
state()
{
	cat /proc/mounts
	cut -d ' ' -f 1,3 /proc/modules | sort
	find /dev ! -path '/dev/pts/*' | sort
	ls /sys/block
	cat /proc/sysvipc/sem /proc/sysvipc/shm
	sysctl -a -r '^vm\.' 2>&1
	find /tmp /var/tmp /run /root ! -path "$scratch/state.*" ! -path "$scratch/log" | sort
	for comm in /proc/[0-9]*/comm; do
		case $(cat "$comm" 2>/dev/null) in
		dm_crypt | fio | cryptsetup | mkfs.ext4 | modprobe) echo "process $comm" ;;
		esac
	done
	[ ! -f $journal ] || cat $journal
}

unchanged()
{
	state >"$scratch/state.now"
	diff "$scratch/state.before" "$scratch/state.now" >>"$scratch/log"
}

# start COMMAND [ARGUMENTS]: in the background, with the signals that a shell's background ignores
start()
{
	began=$(date +%s.%N)
	env --default-signal=INT,QUIT "$@" >"$scratch/log" 2>&1 </dev/null &
	pid=$!
}

elapsed()	# in ms
{
	echo "$began $(date +%s.%N)" | awk '{ printf "%d\n", ($2 - $1) * 1000 }'
}

# The run that a killed one held the lock of has ended when the lock is free; then one more starts.
next_start()
{
	"$here/vmtests/vmtctl" locked -w true >>"$scratch/log" 2>&1
}

# round NAME SIGNAL VICTIM LONGEST COMMAND...: end VICTIM (the first process, or its child) by SIGNAL.
# The runner says 130 for an interruption of any kind.
round()
{
	name=$1 signal=$2 victim=$3 longest=$4
	shift 4
	random "$longest"
	start "$@"
	pause $drawn
	target=$pid
	[ "$victim" = first ] || target=$(cut -d ' ' -f 1 "/proc/$pid/task/$pid/children" 2>/dev/null)
	kill -s "$signal" ${target:+"$target"} 2>>"$scratch/log"
	wait $pid
	status=$?
	echo "SIG$signal to the $victim after $drawn of $longest ms: status $status" >>"$scratch/log"
	ok=0
	case $name:$signal:$status in
	*:0 | runner_*:130 | *:INT:130 | *:TERM:143 | *:KILL:137) ;;
	*) ok=1 ;;
	esac
	[ "$signal" != KILL ] || next_start || ok=1
	unchanged || ok=1
	result "$name" $ok
}

echo "# seed $seed"
# Once, so that what any program leaves loaded, and the journal, are there before.
"$here/vmtests/vmtctl" locked true
state >"$scratch/state.before"

# What is not there is named. Modules first: nothing of the rest can be asked for without modprobe.
mkdir "$scratch/bin"
missing=0
for tool in modprobe cryptsetup fio mkfs.ext4; do
	[ $tool = modprobe ] || {
		PATH=$scratch/bin "$program" >"$scratch/log" 2>&1
		[ $? -eq 4 ] && grep -q "SKIP no command $tool in" "$scratch/log" || missing=1
	}
	ln -s "$(command -v $tool)" "$scratch/bin/$tool"
done
result missing_programs_are_named $missing
rm -r "${scratch:?}/bin"

modprobe brd rd_nr=1 && modprobe null_blk nr_devices=0 &&
	"$program" -c seq-write >"$scratch/log" 2>&1
[ $? -eq 4 ] && grep -q 'no RAM disk: brd: is loaded.*null_blk: is loaded' "$scratch/log" &&
	[ -d /sys/module/brd ]
result foreign_ram_disks_are_left_alone $?
rmmod brd null_blk configfs

# When all layers are there, the check sees them; told to end, they are gone.
case_of="$program -r 1 -w 0 -c seq-write-inline"
# shellcheck disable=SC2086 # words
start $case_of
until grep -q "$TMPDIR" /proc/mounts || ! kill -0 $pid 2>/dev/null; do
	sleep 0.1
done
built=$(elapsed)
state >"$scratch/state.now"
seen=0
for trace in "$TMPDIR" dm_crypt '^/dev/mapper/vmtests-crypt' '^ram0' '^process ' '^mount '; do
	grep -q -e "$trace" "$scratch/state.now" || {
		echo "no $trace in the state" >>"$scratch/log"
		seen=1
	}
done
kill -s TERM $pid
wait $pid
[ $? -eq 143 ] && [ $seen -eq 0 ] && unchanged
result layers_are_seen_and_come_down $?

longest=$((2 * built))
whole=$longest
if [ "$rounds" -gt 3 ]; then
	# shellcheck disable=SC2086 # words
	start $case_of
	wait $pid && unchanged
	result undisturbed $?
	whole=$(($(elapsed) * 11 / 10))
fi
echo "# built after $built ms, moments up to $longest and $whole ms"

# The kernel itself starts who loads a cipher's modules, and that one outlives whom it was for: by two
# seconds here, as on a slow disk.
mkdir "$scratch/slow"
cat >"$scratch/slow/modprobe" <<EOF
#!/bin/sh
case \$* in *crypto-*) : >$scratch/slow/loading; sleep 2 ;; esac
exec $(command -v modprobe) "\$@"
EOF
chmod +x "$scratch/slow/modprobe"
usual=$(cat /proc/sys/kernel/modprobe)
echo "$scratch/slow/modprobe" >/proc/sys/kernel/modprobe
# shellcheck disable=SC2086 # words
start $case_of
until [ -e "$scratch/slow/loading" ] || ! kill -0 $pid 2>/dev/null; do
	:
done
kill -s KILL $pid
wait $pid
killed=$?
next_start
unfinished=$?
echo "$usual" >/proc/sys/kernel/modprobe
rm -r "${scratch:?}/slow"
[ $killed -eq 137 ] && [ $unfinished -eq 0 ] && unchanged
result killed_while_ciphers_are_loaded $?

number_of_round=0
while [ $number_of_round -lt "$rounds" ]; do
	number_of_round=$((number_of_round + 1))
	case $((number_of_round % 4)) in
	1) signal=INT victim=first ;;
	2) signal=TERM victim=first ;;
	3) signal=KILL victim=first ;;
	0) signal=KILL victim=child ;;
	esac
	# Every other one while layers are being built, which is soon over.
	reach=$longest
	[ $((number_of_round / 4 % 2)) -eq 0 ] || reach=$whole
	# shellcheck disable=SC2086 # words
	round "round_${number_of_round}_${signal}_$victim" $signal $victim "$reach" $case_of
done

if [ "$rounds" -gt 3 ]; then
	for signal in INT TERM; do
		round "runner_$signal" $signal first "$whole" "$here/run_vmtests.sh" \
			-t dm_crypt -r 1 -o "$scratch/state.results"
	done
	modprobe brd rd_nr=1
	"$program" -r 1 -w 0 -c direct-write >"$scratch/log" 2>&1 && grep -q '^ok' "$scratch/log"
	result null_blk_is_the_second_choice $?
	rmmod brd
	unchanged
	result null_blk_comes_down_too $?
fi
finish
