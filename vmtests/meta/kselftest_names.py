#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
What a lab makes of the output of run_kselftest.sh: a line "NAME RESULT" for each test.

Reads TAP on standard input by python3-tap and treats it as the labs' parsers are known to:
- what a test printed as diagnostics before its result is a TAP document again, and so on; its
  tests' names are put behind that of the outer test;
- of a name all but letters, digits, _ and - becomes _, and [12] is dropped;
- "not ok" is a fail whatever directive follows; what stands behind "# SKIP" becomes part of the
  name, which is why it must not be there;
- a name that was there before gets a suffix.
"""
import re
import sys

from tap import parser


def slug(text):
    text = re.sub(r"\[\d{1,5}\]", "", text)
    return re.sub(r"[^A-Za-z0-9_-]+", "_", text).strip("_").replace("_-", "__")


def name_of(line):
    name = line.description
    if name.startswith("selftests:"):
        name = name[len("selftests:"):]
    if line.ok and line.skip:
        name += " " + re.sub("(?i)^skip", "", line.directive.text)
    return slug(name.strip()) or "unknown"


def result_of(line):
    if not line.ok:
        return "fail"
    return "skip" if line.skip else "pass"


def walk(text, prefix):
    inner = []
    for line in parser.Parser().parse_text(text):
        if line.category == "diagnostic":
            inner.append(line.text[1:].strip())
        elif line.category == "test":
            name = prefix + name_of(line)
            yield from walk("\n".join(inner) + "\n", name + "_")
            yield name, result_of(line)
            inner = []


def main():
    seen = {}
    for name, result in walk(sys.stdin.read(), ""):
        seen[name] = seen.get(name, 0) + 1
        suffix = f"_dup{seen[name]}" if seen[name] > 1 else ""
        print(name + suffix, result)


main()
