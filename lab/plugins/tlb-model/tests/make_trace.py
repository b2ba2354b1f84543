#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
Write a trace (trace.h) of no guest: accesses of every kind to pages of every size in three address
spaces, some near each other and most far, with page tables that change and invalidations in between.
The same each time.
"""
import random

ACCESSES = 40000
LEVELS = 5
PAGE = 12
# By two bits of the address: log2 of what an entry may span, and the level of the leaf.
SIZES = [(12, 0), (16, 0), (21, 1), (30, 2)]
KERNEL = 0xffff << 48


class Writer:
    def __init__(self):
        self.random = random.Random(1)
        self.version = {}

    def translation(self, space, va):
        span, leaf = SIZES[va >> 40 & 3]
        tables = " ".join(f"{1 + (va >> (PAGE + 9 * level)):x}" for level in range(1, LEVELS))
        # Each descriptor of a group is another.
        desc = (self.version[space, va >> span] << 52) + (va >> PAGE + 9 * leaf & (1 << 40) - 1)
        print(f"t {space:x} {va:x} {desc:x} {span} {leaf} {LEVELS - 1} {tables}")

    def address(self, space):
        size = self.random.randrange(len(SIZES))
        pages = int(self.random.expovariate(1 / 80))
        # Large pages far enough apart to be different ones.
        stride = [1, 4, 128, 1 << 16][size]
        return (KERNEL if space == 0 else 0) + (size << 40) + (pages * stride << PAGE)

    def change(self, seen):
        """Another translation of some pages, then an invalidation."""
        changed = set()
        for space, va in self.random.sample(sorted(seen), min(20, len(seen))):
            leaf = space, va >> SIZES[va >> 40 & 3][0]
            self.version[leaf] += 1
            changed.add(leaf)
        for space, va in sorted(seen):
            if (space, va >> SIZES[va >> 40 & 3][0]) in changed:
                self.translation(space, va)
        print("d")

    def write(self):
        seen = set()
        for _ in range(ACCESSES):
            draw = self.random.random()
            if draw < 0.0002:
                self.change(seen)
            elif draw < 0.001:
                print("d")
            elif draw < 0.00105:
                print("f")
            space = self.random.choice([0, 0, 0, 1, 2])
            va = self.address(space)
            if (space, va) not in seen:
                seen.add((space, va))
                self.version.setdefault((space, va >> SIZES[va >> 40 & 3][0]), 1)
                self.translation(space, va)
            kind = self.random.choice("DDDDF")
            print(f"a {kind} {space:x} {va:x}")


Writer().write()
