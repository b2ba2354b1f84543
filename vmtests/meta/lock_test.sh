#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# One run at a time changes a kernel. While one runs, others are refused from every place that shares
# the kernel with it: another state directory, a chroot, and namespaces of mounts, PIDs, the network
# and users. Who is refused learns by whom, and can wait.
# usage: lock_test.sh BUILD

set -u
VMTESTS_BUILD=$(cd "$1" && pwd) || exit 1
export VMTESTS_BUILD
here=$(dirname "$(readlink -f "$0")")
runner=$here/../../run_vmtests.sh
vmtctl=$VMTESTS_BUILD/vmtests/vmtctl
# shellcheck source=vmtests/meta/lib.sh
. "$here/lib.sh"
# meta_hang would end by its timeout, which is short.
export VMTESTS_TIMEOUT_MUL=100
UNSEEN='another run holds this machine: one that cannot be seen from this container'

# refused_from NAME MESSAGE COMMAND [ARGUMENTS]: a run that is started by that
refused_from()
{
	name=$1 message=$2
	shift 2
	refused 2 "$name" "$message" "$@" "$runner" -t meta_pass -o "$scratch/second"
}

# possible_from NAME MESSAGE COMMAND [ARGUMENTS]: the same, where this machine gives that
possible_from()
{
	if "$3" ${4:+"$4"} true 2>/dev/null; then
		refused_from "$@"
	else
		skip "$1" "$3 ${4:-} is refused here"
	fi
}

own_pids()
{
	unshare -p -f --mount-proc "$@"
}

# A container has its own of all of these.
container()
{
	# shellcheck disable=SC2016 # the inner shell expands it
	unshare -m -n -i -u -p -f sh -c 'mount -t proc proc /proc && mount -t sysfs sysfs /sys &&
		mount -t tmpfs -o mode=755 dev /dev && mknod /dev/null c 1 3 &&
		mount -t tmpfs -o mode=700 lib /var/lib && exec "$@"' sh "$@"
}

own_root()
{
	# shellcheck disable=SC2016 # the inner shell expands it
	unshare -m sh -c 'mount --rbind / "$0" && mount -t tmpfs -o mode=700 lib "$0/var/lib" &&
		exec chroot "$0" "$@"' "$scratch/root" "$@"
}

# What a user's own PIDs do not show are those of its real parent.
own_users()
{
	unshare -U -r "$@"
}

echo 'KTAP version 1'
mkdir "$scratch/root"
: >"$scratch/first.log"
"$runner" -t meta_hang -o "$scratch/first" >"$scratch/first.log" 2>&1 &
first=$!
until grep -q -e '# hanging' -e 'another run holds' "$scratch/first.log" || ! kill -0 $first 2>/dev/null; do
	pause 50
done
if grep 'another run holds' "$scratch/first.log" >"$scratch/log"; then
	wait $first
	result first_run 1
	finish
fi
first_is="another run holds this machine: pid $first, label $scratch/first, since 20[0-9-]* [0-9:]*: "
refused_from same_place "$first_is" env
refused_from other_state_directory "$first_is" env VMTESTS_STATE_DIR="$scratch/state"
possible_from own_mounts "$first_is" unshare -m
possible_from own_network "$first_is" unshare -n
possible_from own_pids "$UNSEEN" own_pids
possible_from own_users 'another run holds this machine: ' own_users
possible_from own_root "$first_is" own_root
possible_from container "$UNSEEN" container

# Wrong use is found first.
refused 2 wrong_use_first 'nothing is left to run' "$runner" -t meta_pass -x meta
refused 2 wrong_label_first 'the last part is the label' "$runner" -t meta_pass -o "$scratch/a label"

# Who waits runs afterwards.
"$runner" -w -t meta_pass -o "$scratch/waiting" >"$scratch/waiting.log" 2>&1 &
waiting=$!
until grep -q 'waiting for another run' "$scratch/waiting.log" || ! kill -0 $waiting 2>/dev/null; do
	pause 50
done
kill -TERM $first
wait $first
wait $waiting
status=$?
cp "$scratch/waiting.log" "$scratch/log"
[ $status -eq 0 ] && grep -q -e "^vmtctl: waiting for another run: pid $first, label" "$scratch/log" &&
	grep -q '^ok 1 meta_pass$' "$scratch/log"
result waits $?

# A run that died in a PID namespace of its own, where no lock says any more who took it, left one
# behind that does not listen: that is seen and ended.
left_in_container()
{
	# shellcheck disable=SC2016 # the inner shell expands it
	own_pids sh -c '"$0" locked sh -c "sleep 100 & wait" & pid=$!
		left=
		until [ "$left" ]; do left=$(pgrep -x sleep); done
		kill -KILL $pid; wait $pid
		"$0" locked true && ! grep -s "State:[[:space:]]*S" /proc/"$left"/status' \
		"$vmtctl" >"$scratch/log" 2>&1 &&
		said 'waiting for what a run that died left running'
}
if own_pids true 2>/dev/null; then
	left_in_container
	result left_in_container $?
else
	skip left_in_container 'a PID namespace is refused here'
fi
finish
