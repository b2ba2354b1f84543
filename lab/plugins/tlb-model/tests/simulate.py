#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
A second simulation of a trace, for the first one to agree with: written from docs/tlb-model.md and
trace.h alone, with lists where tlb.c has time stamps.

usage: simulate.py PRESET TRACE

Prints what tlb_replay prints.
"""
import sys

PAGE = 12
SIZES = {"K": 10, "M": 20, "G": 30}


def size_log2(text):
    return (int(text[:-1]) << SIZES[text[-1]]).bit_length() - 1


class Array:
    """Sets of entries, each a list with the least recently used first."""

    def __init__(self, entries, ways, sizes):
        self.ways = ways
        self.sets = [[] for _ in range(entries // ways)]
        self.sizes = sizes

    def lookup(self, space, va):
        for size in self.sizes:
            entries = self.sets[(va >> size) % len(self.sets)]
            for entry in entries:
                if entry["size"] == size and entry["tag"] == (space, va >> size):
                    return entries, entry
        return None, None

    def holds(self, span):
        fitting = [size for size in self.sizes if size <= span]
        return max(fitting) if fitting else None

    def insert(self, size, space, va, content):
        entries = self.sets[(va >> size) % len(self.sets)]
        if len(entries) == self.ways:
            entries.pop(0)
        entries.append(dict(content, size=size, tag=(space, va >> size)))

    def flush(self):
        for entries in self.sets:
            entries.clear()


class Model:
    def __init__(self, preset):
        self.arrays = {("l1", "D"): [], ("l2", "D"): [], ("l1", "F"): [], ("l2", "F"): []}
        self.walk_caches = {}
        self.everything = []
        self.pages = {}
        self.epoch = 0
        self.counts = {"l1D": 0, "l2D": 0, "l1F": 0, "l2F": 0, "reads": 0, "D": 0, "F": 0}
        for line in open(preset):
            self.configure(line.split("#")[0].split())

    def configure(self, words):
        if not words or words[0] in ("name", "contiguous", "coalesce"):
            return
        if words[0] == "replacement":
            if words[1] != "lru":
                sys.exit("simulate.py: only lru")
            return
        if words[0] == "walk-cache":
            entries = int(words[1])
            ways = entries if words[2] == "full" else int(words[2])
            levels = [int(word) for word in words[3:]]
            array = Array(entries, ways, [PAGE + 9 * level for level in levels])
            self.everything.append(array)
            for level in levels:
                self.walk_caches.setdefault(level, array)
            return
        entries = int(words[2])
        ways = entries if words[3] == "full" else int(words[3])
        array = Array(entries, ways, sorted(size_log2(word) for word in words[4:]))
        self.everything.append(array)
        for kind in {"data": "D", "fetch": "F", "both": "DF"}[words[1]]:
            self.arrays[words[0], kind].append(array)

    def search(self, level, kind, space, va):
        for array in self.arrays[level, kind]:
            entries, entry = array.lookup(space, va)
            if not entry:
                continue
            if entry["epoch"] != self.epoch:
                now = self.pages.get((space, entry["page"]))
                entry["epoch"] = self.epoch
                if not now or now["desc"] != entry["desc"] or now["span"] != entry["span"]:
                    entries.remove(entry)
                    continue
            entries.remove(entry)
            entries.append(entry)
            return entry
        return None

    def fill(self, level, kind, space, va, content):
        best = None
        for array in self.arrays[level, kind]:
            size = array.holds(content["span"])
            if size is not None and (best is None or size > best[0]):
                best = size, array
        if best:
            best[1].insert(best[0], space, va, content)

    def walk(self, space, va, page):
        first = page["root"]
        for level in range(page["leaf"] + 1, page["root"] + 1):
            array = self.walk_caches.get(level)
            if not array:
                continue
            size = PAGE + 9 * level
            entries = array.sets[(va >> size) % len(array.sets)]
            found = [e for e in entries if e["size"] == size and e["tag"] == (space, va >> size)]
            if not found:
                continue
            entries.remove(found[0])
            if found[0]["desc"] == page["table"][level]:
                entries.append(found[0])
                first = level - 1
                break
        for level in range(first, page["leaf"], -1):
            if level in self.walk_caches:
                self.walk_caches[level].insert(PAGE + 9 * level, space, va,
                                               {"desc": page["table"][level]})
        self.counts["reads"] += first - page["leaf"] + 1

    def access(self, kind, space, va):
        self.counts[kind] += 1
        if self.search("l1", kind, space, va):
            return
        self.counts["l1" + kind] += 1
        content = self.search("l2", kind, space, va)
        if not content:
            self.counts["l2" + kind] += 1
            page = self.pages[space, va >> PAGE]
            self.walk(space, va, page)
            content = {"desc": page["desc"], "span": page["span"], "page": va >> PAGE,
                       "epoch": self.epoch}
            self.fill("l2", kind, space, va, content)
        self.fill("l1", kind, space, va, content)

    def line(self, words):
        if words[0] == "a":
            self.access(words[1], words[2], int(words[3], 16))
        elif words[0] == "t":
            self.pages[words[1], int(words[2], 16) >> PAGE] = {
                "desc": words[3], "span": int(words[4]), "leaf": int(words[5]),
                "root": int(words[6]), "table": [None] + words[7:]}
        elif words[0] == "d":
            self.epoch += 1
        elif words[0] == "f":
            for array in self.everything:
                array.flush()


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: simulate.py PRESET TRACE")
    model = Model(sys.argv[1])
    with open(sys.argv[2]) as trace:
        for line in trace:
            model.line(line.split())
    print(*(model.counts[name] for name in ("l1D", "l2D", "l1F", "l2F", "reads", "D", "F")))


main()
