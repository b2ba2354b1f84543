# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# What the lab's programs share: messages, the cache, and Debian's archive as the machine knows it.
# Sourced after $program is set.

# Exit status of every program of the lab for what is neither a usage error nor a guest's doing.
LAB_ERROR=115

# die MESSAGE: what was tried, what the answer was, what to do
die()
{
	echo "${program:?}: $*" >&2
	exit "$LAB_ERROR"
}

# usage_error MESSAGE: for arguments; the synopsis is the comment at the head of the program
usage_error()
{
	echo "${program:?}: $* (try $program -h)" >&2
	exit "${USAGE_STATUS:-2}"
}

# show_help FILE: the first part, up to an empty line, of the comment behind the licence line
show_help()
{
	awk 'NR > 3 && !/^#/ { exit } NR > 3 { sub(/^# ?/, ""); print }' "$1"
}

# need_tool PROGRAM PACKAGE
need_tool()
{
	command -v "$1" >/dev/null 2>&1 ||
		PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null 2>&1 ||
		die "$1 is not installed: apt-get install $2"
}

# cache_dir: where kernels and roots are kept; it can be deleted at any time when no guest runs
cache_dir()
{
	echo "${XDG_CACHE_HOME:-$HOME/.cache}/vmtests"
}

# cache_lock NAME: hold the lock of one part of the cache until this shell ends
cache_lock()
{
	mkdir -p "$(cache_dir)" || die "cannot create $(cache_dir): set XDG_CACHE_HOME"
	exec 9>"$(cache_dir)/$1.lock" || die "cannot write $(cache_dir)/$1.lock"
	flock -n 9 && return
	echo "$program: waiting for another one to finish with the cache" >&2
	flock 9 || die "cannot lock $(cache_dir)/$1.lock"
}

# flavour_arch FLAVOUR: Debian's name of the architecture that a kernel flavour is for
flavour_arch()
{
	case $1 in
	arm64 | arm64-16k | arm64-64k | arm64-rt) echo arm64 ;;
	amd64 | amd64-rt) echo amd64 ;;
	*) return 1 ;;
	esac
}

host_codename()
{
	# shellcheck source=/dev/null
	(. /etc/os-release && echo "${VERSION_CODENAME:-}")
}

# archive_entry: "URI KEYRING" of the machine's own line for its Debian release, from either format
# of apt's sources. KEYRING is "-" where the line names none and apt's trusted keys apply.
archive_entry()
{
	codename=$(host_codename)
	entry=$(cat "${APT_SOURCES:-/etc/apt}"/sources.list.d/*.sources 2>/dev/null |
		awk -v codename="$codename" '
		function end_stanza(   i, n, word)
		{
			n = split(suites, word)
			for (i = 1; i <= n; i++)
				if (word[i] == codename && (" " components " ") ~ / main / &&
				    types ~ /deb/ && enabled != "no" && !found++)
					print uri, key == "" ? "-" : key
			types = suites = components = uri = key = enabled = ""
		}
		/^#/ { next }
		/^[ \t]*$/ { end_stanza(); next }
		{
			name = tolower($1)
			value = $0
			sub(/^[^:]*:[ \t]*/, "", value)
		}
		name == "types:" { types = value }
		name == "uris:" { split(value, uris); uri = uris[1] }
		name == "suites:" { suites = value }
		name == "components:" { components = value }
		name == "enabled:" { enabled = tolower(value) }
		name == "signed-by:" && value ~ /^\// { key = value }
		END { end_stanza() }')
	[ -n "$entry" ] || entry=$(cat "${APT_SOURCES:-/etc/apt}"/sources.list \
		"${APT_SOURCES:-/etc/apt}"/sources.list.d/*.list 2>/dev/null |
		awk -v codename="$codename" '
		$1 == "deb" {
			key = "-"
			if (match($0, /\[[^]]*\]/)) {
				options = substr($0, RSTART + 1, RLENGTH - 2)
				$0 = substr($0, 1, RSTART - 1) substr($0, RSTART + RLENGTH)
				if (match(options, /signed-by=[^ ]*/))
					key = substr(options, RSTART + 10, RLENGTH - 10)
			}
			if ($3 == codename && (" " $0 " ") ~ / main /) {
				print $2, key
				exit
			}
		}')
	[ -n "$entry" ] ||
		die "no line for Debian $codename main in apt's sources: the lab needs one"
	echo "$entry"
}

# archive_lines ARCH SUITE...: one-line apt sources for these suites of the machine's mirror
archive_lines()
{
	arch=$1
	shift
	entry=$(archive_entry) || exit
	uri=${entry% *}
	key=${entry##* }
	options="arch=$arch"
	[ "$key" = - ] || options="$options signed-by=$key"
	for suite; do
		echo "deb [$options] $uri $suite main"
	done
}
