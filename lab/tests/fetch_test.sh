#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# lab/fetch without a mirror: which kernel a series means, what is said when there is none, and
# which mirror the machine's apt sources name. apt is played by two scripts.

set -u
here=$(dirname "$(readlink -f "$0")")
lab=$here/..
# shellcheck source=vmtests/meta/lib.sh
. "$here/../../vmtests/meta/lib.sh"
echo 'KTAP version 1'

codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
mkdir -p "$scratch/bin" "$scratch/etc/sources.list.d"
cat >"$scratch/bin/apt-get" <<'END'
#!/bin/sh
[ ! -e "$FAKE_DOWN" ] || { echo 'E: Could not resolve host' >&2; exit 100; }
echo update >>"$FAKE_LOG"
END
cat >"$scratch/bin/apt-cache" <<'END'
#!/bin/sh
cat "$FAKE_NAMES"
END
chmod +x "$scratch/bin"/*
export FAKE_DOWN="$scratch/down" FAKE_LOG="$scratch/apt.log" FAKE_NAMES="$scratch/names"
export PATH="$scratch/bin:$PATH" XDG_CACHE_HOME="$scratch/cache" APT_SOURCES="$scratch/etc"
cat >"$FAKE_NAMES" <<END
linux-image-6.1.0-50-arm64
linux-image-6.1.0-50-arm64-dbg
linux-image-6.1.0-50-rt-arm64
linux-image-6.12.9+deb13-arm64
linux-image-6.12.107+deb13-arm64
linux-image-6.12.107+deb13-arm64-unsigned
linux-image-6.12.108+deb13-cloud-arm64
linux-image-7.2.13+deb14-arm64
linux-image-7.2.9+deb14-arm64
linux-image-7.10.1+deb15-arm64-16k
linux-image-7.2.13+deb14-rt-arm64
linux-image-arm64
END
for kernel in 6.1.0-50-arm64 6.1.0-50-arm64-rt 6.12.107+deb13-arm64 7.2.13+deb14-arm64 \
	7.2.9+deb14-arm64 7.10.1+deb15-arm64-16k 7.2.13+deb14-arm64-rt; do
	mkdir -p "$XDG_CACHE_HOME/vmtests/kernels/$kernel"
	echo "$kernel" >"$XDG_CACHE_HOME/vmtests/kernels/$kernel/version"
done

# picked NAME SERIES FLAVOUR DIRECTORY
picked()
{
	status_is 0 "$lab/fetch" "$2" "$3" && [ "$(basename "$(cat "$scratch/out")")" = "$4" ] &&
		said "$2 $3 is $4"
	result "$1" $?
}

deb822()
{
	rm -rf "$scratch"/etc/sources.list*
	mkdir "$scratch/etc/sources.list.d"
	cat >"$scratch/etc/sources.list.d/debian.sources"
}

one_line()
{
	rm -rf "$scratch"/etc/sources.list*
	mkdir "$scratch/etc/sources.list.d"
	cat >"$scratch/etc/sources.list"
}

# mirror_is NAME LINE: the first line of the private apt sources
mirror_is()
{
	status_is 0 "$lab/fetch" -u 7 arm64 &&
		[ "$(head -n 1 "$XDG_CACHE_HOME/vmtests/apt/arm64/sources.list")" = "$2" ]
	result "$1" $?
}

export SUITES=one
one_line <<END
# deb http://commented.invalid/debian $codename main
deb http://other.invalid/debian other main
deb [arch=amd64 signed-by=/keys/a.gpg] http://mirror.invalid/debian $codename contrib main
END
mirror_is one_line_sources 'deb [arch=arm64 signed-by=/keys/a.gpg] http://mirror.invalid/debian one main'
one_line <<END
deb http://mirror.invalid/debian $codename main
END
mirror_is one_line_without_options 'deb [arch=arm64] http://mirror.invalid/debian one main'
deb822 <<END
Types: deb
URIs: http://off.invalid/debian
Suites: $codename
Components: main
Enabled: no

Types: deb
# a comment
URIs: http://security.invalid/debian
Suites: $codename-security
Components: main

Types: deb
URIs: http://mirror.invalid/debian http://second.invalid/debian
Suites: $codename $codename-updates
Components: main non-free
Signed-By: /keys/b.gpg
END
mirror_is deb822_sources 'deb [arch=arm64 signed-by=/keys/b.gpg] http://mirror.invalid/debian one main'

picked newest_of_major 7 arm64 7.2.13+deb14-arm64
picked newest_of_minor 6.12 arm64 6.12.107+deb13-arm64
picked minor_is_no_prefix 6.1 arm64 6.1.0-50-arm64
picked whole_release 7.2.9+deb14 arm64 7.2.9+deb14-arm64
picked flavour_16k 7 arm64-16k 7.10.1+deb15-arm64-16k
picked flavour_rt 7 arm64-rt 7.2.13+deb14-arm64-rt

# A newer kernel on the mirror must not slip under a comparison that has begun.
echo linux-image-7.2.14+deb14-arm64 >>"$FAKE_NAMES"
picked stays_with_what_it_picked 7 arm64 7.2.13+deb14-arm64
mkdir "$XDG_CACHE_HOME/vmtests/kernels/7.2.14+deb14-arm64"
echo 7.2.14+deb14-arm64 >"$XDG_CACHE_HOME/vmtests/kernels/7.2.14+deb14-arm64/version"
status_is 0 "$lab/fetch" -u 7 arm64 && said 'is 7.2.14+deb14-arm64'
result picks_again_when_asked $?

: >"$FAKE_LOG"
status_is 0 "$lab/fetch" 7.2 arm64 && [ ! -s "$FAKE_LOG" ]
result lists_are_updated_once $?

status_is 115 "$lab/fetch" 5.99 arm64 && said 'no kernel 5.99 for arm64 in: one' &&
	said '^    6.12.107+deb13$' && ! said 16k && [ ! -s "$scratch/out" ]
result missing_series_names_what_there_is $?

status_is 0 "$lab/fetch" -l && grep -q -x '7.2.13+deb14 arm64-rt' "$scratch/out" &&
	! grep -q -e unsigned -e cloud -e dbg "$scratch/out"
result list $?

: >"$FAKE_DOWN"
status_is 115 "$lab/fetch" -u 7 arm64 && said 'Could not resolve' && said 'mirror'
result mirror_unreachable $?

one_line </dev/null
rm "$FAKE_DOWN"
status_is 115 "$lab/fetch" -u 7 arm64 && said "no line for Debian $codename main"
result no_mirror $?

refused 2 no_arguments 'which SERIES' "$lab/fetch"
refused 2 unknown_flavour 'no such flavour: m68k' "$lab/fetch" 7 m68k
refused 2 series_not_a_number 'not: latest' "$lab/fetch" latest arm64
refused 2 unknown_option 'unknown option -z' "$lab/fetch" -z
refused 2 list_with_arguments 'no other arguments' "$lab/fetch" -l 7
finish
