# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Reads x86 assembly and lists what its innermost loops with multiply-adds consist of, one line for each kind of loop.

Loops of a polynomial or of features have few multiply-adds; those of products have a whole register block of them, or
several where they are unrolled.
"""

import collections
import re
import sys


def innermost_loops(lines):
    """The instructions from each label to a jump back to it, if there is no other jump or label between."""
    labels, start = {}, 0
    for i, line in enumerate(lines):
        if label := re.match(r"(\.L\w+):", line):
            labels = {label[1]: i}
        elif jump := re.match(r"j\w+\s+(\.L\w+)", line):
            if jump[1] in labels:
                yield lines[labels[jump[1]] + 1:i + 1]
            labels = {}


def kind(instruction):
    name = instruction.split()[0]
    if "%rsp" in instruction:
        return "stack"
    if name.startswith("vfmadd"):
        return "multiply-add"
    if name.startswith("tdp"):
        return "tile product"
    if name.startswith("vbroadcastss"):
        return "broadcast"
    if re.match(r"vmov[au]p[sd]\s.*\(.*\), %", instruction) or name == "tileloadd":
        return "load"
    if re.match(r"(add|sub|inc|dec|cmp|test|lea|j\w+)[qlb]?$", name):
        return "loop control"
    return "other"


seen = set()
text = [line.split("#")[0].strip() for line in sys.stdin]
for loop in innermost_loops([line for line in text if line and not line.startswith(("//", ".p2align"))]):
    counts = collections.Counter(map(kind, loop))
    products = counts["multiply-add"] + counts["tile product"]
    summary = ", ".join(f"{counts[k]} {k}" for k in ("multiply-add", "tile product", "load", "broadcast", "stack", "other") if counts[k])
    # As many as a register block has.
    if products >= 16 and counts["broadcast"] + counts["tile product"] >= 4 and summary not in seen:
        seen.add(summary)
        print(f"inner loop: {summary}")
