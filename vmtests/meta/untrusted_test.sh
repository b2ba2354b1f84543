#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# As root among other users: run_vmtests.sh starts no program that another user could have put into
# $PATH, and writes nothing where another user could lead it. What is led astray here is a program
# that leaves a mark, and a directory that must stay empty.
# usage: untrusted_test.sh BUILD

set -u
VMTESTS_BUILD=$(cd "$1" && pwd) || exit 1
export VMTESTS_BUILD
here=$(dirname "$(readlink -f "$0")")
runner=$here/../../run_vmtests.sh
# shellcheck source=vmtests/meta/lib.sh
. "$here/lib.sh"

OTHER=65534	# nobody
boot=$(cat /proc/sys/kernel/random/boot_id)
mark=$scratch/mark
target=$scratch/target

# programs DIR: those that the runner calls, each of which leaves a mark
programs()
{
	mkdir -p "$1"
	for program in awk cat cut date dirname env find grep head id ls paste printf readlink sed \
		sh sort tail tr uname wc perf fio numactl cryptsetup modprobe; do
		# shellcheck disable=SC2016 # the program expands it
		printf '#!/bin/sh\necho "$0" >>%s\nexec /usr/bin/%s "$@"\n' "$mark" $program \
			>"$1/$program"
		chmod 755 "$1/$program"
	done
}

# path_distrusted NAME DIR: with it in front of $PATH, none of its programs runs
path_distrusted()
{
	rm -f "$mark"
	PATH=$2:$PATH "$runner" -t meta_pass -o "$scratch/path" >"$scratch/log" 2>&1
	status=$?
	[ ! -e "$mark" ] || cat "$mark" >>"$scratch/log"
	[ $status -eq 0 ] && [ ! -e "$mark" ]
	result "$1" $?
}

# refused NAME CULPRIT LABEL: one line that names the culprit, exit 2, and nothing is written
refused()
{
	"$runner" -t meta_pass -o "$3" >"$scratch/out" 2>"$scratch/log"
	status=$?
	find "$target" -mindepth 1 >>"$scratch/log"
	[ $status -eq 2 ] && [ "$(wc -l <"$scratch/log")" -eq 1 ] &&
		grep -q -e "others can change $2: " "$scratch/log"
	result "$1" $?
}

accepted()	# NAME LABEL
{
	"$runner" -t meta_pass -o "$2" >"$scratch/log" 2>&1 && [ -s "$2/$boot/run.json" ]
	result "$1" $?
}

echo 'KTAP version 1'
[ "$(id -u)" -eq 0 ] || {
	skip untrusted 'needs root: an ordinary user can only harm himself'
	finish
}
chmod 755 "$scratch"
mkdir "$target"

programs "$scratch/open"
chmod 777 "$scratch/open"
path_distrusted path_that_all_can_write "$scratch/open"
programs "$scratch/sticky"
chmod 1777 "$scratch/sticky"
path_distrusted path_with_sticky_bit "$scratch/sticky"
programs "$scratch/others"
chown $OTHER "$scratch/others"
path_distrusted path_of_another "$scratch/others"
programs "$scratch/below/bin"
chown $OTHER "$scratch/below"
path_distrusted path_below_anothers "$scratch/below/bin"
ln -s "$scratch/open" "$scratch/link"
path_distrusted path_by_a_link "$scratch/link"
programs "$scratch/own"
rm -f "$mark"
PATH=$scratch/own:$PATH "$runner" -t meta_pass -o "$scratch/path" >"$scratch/log" 2>&1 && [ -s "$mark" ]
result own_path_is_used $?
cd "$scratch/open" && path_distrusted path_of_this_directory .
cd / || exit 1

# distrusted_without NAME PROGRAM STAND-IN: with that in the place of a program that the runner asks
distrusted_without()
{
	rm -f "$mark"
	# shellcheck disable=SC2016 # the inner shell expands it
	PATH=$scratch/open:$PATH unshare -m /bin/sh -c 'mount --bind "$0" "$1" && exec "$2" -t meta_pass -o "$3"' \
		"$3" "$(readlink -f "$(command -v "$2")")" "$runner" "$scratch/path" >"$scratch/log" 2>&1
	status=$?
	[ ! -e "$mark" ] || cat "$mark" >>"$scratch/log"
	[ $status -eq 0 ] && [ ! -e "$mark" ]
	result "$1" $?
}
# What knows no -uid, as a find(1) of busybox.
printf '#!/bin/sh\ncase " $* " in *" -uid "*) exit 1 ;; esac\n' >"$scratch/plain-find"
printf '#!/bin/sh\nexit 1\n' >"$scratch/failing"
chmod 755 "$scratch/plain-find" "$scratch/failing"
if unshare -m true 2>/dev/null; then
	distrusted_without path_without_find find /dev/null
	distrusted_without path_with_a_plain_find find "$scratch/plain-find"
	distrusted_without path_without_id id "$scratch/failing"
else
	skip path_without_find 'needs a mount namespace'
fi

mkdir -m 777 "$scratch/shared"
chmod 777 "$scratch/shared"
refused shared_directory "$scratch/shared" "$scratch/shared/label"
mkdir "$scratch/tmp"
chmod 1777 "$scratch/tmp"
accepted sticky_directory "$scratch/tmp/label"
ln -s "$target" "$scratch/tmp/link"
chown -h $OTHER "$scratch/tmp/link"
refused link_of_another "$scratch/tmp/link" "$scratch/tmp/link"
refused below_a_link_of_another "$scratch/tmp/link" "$scratch/tmp/link/label"
mkdir "$scratch/tmp/dir"
chown $OTHER "$scratch/tmp/dir"
refused directory_of_another "$scratch/tmp/dir" "$scratch/tmp/dir"
ln -s "$target" "$scratch/tmp/dir/$boot"
refused boot_led_astray "$scratch/tmp/dir" "$scratch/tmp/dir"
mkdir -p "$scratch/label/$boot"
chown $OTHER "$scratch/label/$boot"
ln -s "$target" "$scratch/label/$boot/ktap"
refused boot_of_another "$scratch/label/$boot" "$scratch/label"
mkdir "$scratch/elsewhere"
ln -s elsewhere "$scratch/own-link"
accepted own_link "$scratch/own-link/label"
ln -s loop "$scratch/loop"
"$runner" -t meta_pass -o "$scratch/loop/label" >"$scratch/out" 2>"$scratch/log"
[ $? -eq 2 ] && grep -q 'Too many levels of symbolic links' "$scratch/log"
result link_without_end $?
finish
