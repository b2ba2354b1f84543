#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# screenshots.sh VMCOMPARE GENERATE [KEEP]: does headless Chromium show the page, on a desktop, on a
# phone and in the dark, without overflow and without a request? Pictures stay in KEEP.
set -u
vmcompare=$1
generate=$2
if ! command -v chromium >/dev/null || ! command -v gnuplot >/dev/null; then
	echo "SKIP screenshots: chromium or gnuplot is not installed" >&2
	exit 0
fi
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' INT TERM
keep=${3:-$dir}

"$generate" "$dir/base" plain 5 10 6 1 || exit 1
"$generate" "$dir/new" bbml2 5 10 6 2 1.1 pte=2048 memtotal=4008628 || exit 1
"$vmcompare" -f html -o "$keep/report.html" "$dir/base" "$dir/new" || exit 1
# Chromium's own windows are 500 pixels wide at least; a frame can be as narrow as a phone.
cat >"$keep/phone.html" <<END
<body style="margin:0"><iframe src="report.html" width="390" height="1600" style="border:0"></iframe>
END

# shot NAME PAGE WIDTH [OPTION]
shot()
{
	chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
		--disable-background-networking --disable-component-update --disable-sync \
		--hide-scrollbars --user-data-dir="$dir/profile.$1" ${4:+"$4"} \
		--window-size="$3",1600 --screenshot="$keep/$1.png" "file://$keep/$2" 2>/dev/null
	[ -s "$keep/$1.png" ] || { echo "FAIL chromium made no picture of $1" >&2; exit 1; }
}

shot desktop report.html 1200
"$generate" "$dir/third" third 5 10 6 3 1.2 || exit 1
"$vmcompare" -f html -o "$keep/trend.html" "$dir/base" "$dir/new" "$dir/third" || exit 1
shot trend trend.html 1200
shot phone phone.html 500
shot dark report.html 1200 --blink-settings=preferredColorScheme=0
if cmp -s "$keep/desktop.png" "$keep/dark.png"; then
	echo "FAIL the dark page is the light one" >&2
	exit 1
fi
if grep -Eiq '<script|(src|href)="?(https?:)?//|@import|url\(' "$keep/report.html"; then
	echo "FAIL the page loads something" >&2
	exit 1
fi
[ "$(grep -c '<svg' "$keep/report.html")" -ge 8 ] || { echo "FAIL pictures are missing" >&2; exit 1; }
trends=$(grep -c 'trend over the labels' "$keep/trend.html")
[ "$trends" = 7 ] || { echo "FAIL $trends of 7 metrics have a trend's picture" >&2; exit 1; }
echo "4 screenshots"
