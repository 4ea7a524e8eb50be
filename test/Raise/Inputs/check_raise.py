# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Compiles every program of the corpus with and without attn-raise and compares what they return on random inputs.

    check_raise.py [--pass attn-raise] [--jobs N] FILE-OR-FOLDER...

Inputs are drawn as the file's ARGS line says, at three magnitudes, with fully masked rows where a mask is an argument.
What is allowed is a few units in the last place plus what the program as it is moves by when its inputs move by one
unit: scores of several tens are that sensitive. NaN and infinity must be where they were, except in files with a line
OVERFLOWS, whose exp has no maximum subtracted: there NaN may become a number. Prints one line for each type of results:
how many programs, how many of them raised, the worst difference relative to the largest entry of a result, and the worst
difference as a fraction of what is allowed.
"""

import argparse
import concurrent.futures
import glob
import os
import re
import sys
import zlib

import numpy as np

import polyattn

TOSA = "func.func(tosa-to-linalg-named,tosa-to-linalg,tosa-to-arith,tosa-to-tensor),canonicalize"
MAGNITUDES = (1.0, 0.05, 8.0)
TYPES = {"f16": np.float16, "f32": np.float32, "f64": np.float64, "bool": np.bool_, "i64": np.int64, "i32": np.int32,
         "i8": np.int8, "i16": np.int16}
#: One unit in the last place, and what is allowed in any case relative to the largest entry of the result.
UNIT = {"f16": 2.0 ** -11, "f32": 2.0 ** -24, "f64": 2.0 ** -53, "bf16": 2.0 ** -8}
ALLOWED = {"f32": 4e-6, "f16": 2e-3, "bf16": 2e-2, "f64": 1e-14}
SPREAD = 16  # moved inputs are a sample of what rounding can do


def bf16_bits(x):
    bits = np.asarray(x, np.float32).view(np.uint32).astype(np.uint64)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def bf16_values(x):
    x = x.view(np.uint16)  # where the package ml_dtypes is installed, results have its type
    return (x.astype(np.uint32) << 16).view(np.float32)


def draw(rng, kind, shape, magnitude):
    """An argument in f64, booleans or integers, by the words of spec.py."""
    count = re.fullmatch(r"(ids|lengths)<(\d+)>", kind)
    if count:
        low = 1 if count[1] == "lengths" else 0
        return rng.integers(low, int(count[2]) + low, shape)
    if kind in ("mask", "keep", "keep_first", "drop"):
        x = rng.random(shape) < 0.6
        if kind == "mask":
            x &= rng.random(shape[:-1] + (1,)) < 0.7  # some rows have no key
        elif kind in ("keep", "drop"):
            x[..., rng.integers(shape[-1])] = True
        else:
            x[..., 0] = True
        return ~x if kind == "drop" else x
    if kind == "zeros_and_ones":
        return (rng.random(shape) < 0.6).astype(float)
    if kind == "additive":
        return np.where(rng.random(shape) < 0.6, 0.0, -10000.0)
    x = rng.normal(size=shape)
    return {"normal": magnitude * x, "small": 0.5 * x, "positive": 0.1 + np.abs(x)}[kind]


class Program:
    """One program, compiled in both ways; `words` says what its arguments are, or is None."""

    def __init__(self, path, raising):
        text = open(path).read()
        words = re.search(r"^// ARGS: ?(.*)$", text, re.M)
        if not words:
            raise ValueError(f"{path}: no line // ARGS:")
        module = polyattn.parse(text)
        if "tosa." in text:
            module.run(TOSA)
        self.plain = polyattn.compile(module, pipeline="attn-to-llvm", opt_level=0)
        self.raised = polyattn.compile(module, pipeline=f"{raising},attn-to-llvm", opt_level=0)
        self.count = sum(r.kind == "passed" and r.name == "Raised" for r in self.raised.remarks)
        self.words, self.overflows = words[1].split(), "// OVERFLOWS:" in text

    @classmethod
    def of(cls, plain, raised, words, text):
        self = cls.__new__(cls)
        self.plain, self.raised, self.count = plain, raised, 0
        self.words, self.overflows = words, "// OVERFLOWS:" in text
        return self

    def arguments(self, rng, magnitude):
        specs = self.plain.arguments
        words = self.words if self.words is not None else ["normal"] * len(specs)
        if len(words) != len(specs):
            raise ValueError(f"{len(specs)} arguments, but ARGS has {len(words)} words")
        return [to_type(draw(rng, *self.shaped(word, spec), magnitude), spec.dtype) for word, spec in zip(words, specs)]

    @staticmethod
    def shaped(word, spec):
        """Kind and shape: that of the type, or where sizes are dynamic that of the word."""
        sized = re.fullmatch(r"(.*)<((?:\d+x)+\d+)>", word)
        sizes = tuple(map(int, sized[2].split("x"))) if sized else (7,) * len(spec.shape)
        return sized[1] if sized else word, tuple(size if size is not None else sizes[i] for i, size in enumerate(spec.shape))

    def moved(self, rng, arguments):
        """Arguments with every float changed by up to a unit of its type."""
        result = []
        for x, spec in zip(arguments, self.plain.arguments):
            if spec.dtype in UNIT:
                values = from_type(x, spec.dtype).astype(np.float64)
                x = to_type(values * (1 + 2 * UNIT[spec.dtype] * rng.choice([-1, 1], values.shape)), spec.dtype)
            result.append(x)
        return result

    def results(self, executable, arguments):
        out = executable(*arguments)
        return [from_type(np.asarray(x), spec.dtype)
                for x, spec in zip(out if isinstance(out, tuple) else (out,), executable.results)]

    def check(self, rng, arguments):
        """The largest difference and its part of what is allowed, or what is wrong."""
        kinds = [spec.dtype for spec in self.plain.results]
        plain, raised = self.results(self.plain, arguments), self.results(self.raised, arguments)
        spread = np.max([[distance(a, b) for a, b in zip(plain, self.results(self.plain, self.moved(rng, arguments)))]
                         for _ in range(3)], axis=0)
        worst = part = 0.0
        for i, (a, b, kind) in enumerate(zip(plain, raised, kinds)):
            if self.overflows:
                b = np.where(np.isnan(a), a, b)
            apart = distance(a, b)
            if not np.isfinite(apart):
                return f"result {i}: {describe(a, b)}"
            worst = max(worst, apart)
            part = max(part, apart / (ALLOWED.get(kind, 0.0) + SPREAD * (spread[i] if np.isfinite(spread[i]) else 0.0) + 1e-300))
        return worst, part


def to_type(x, dtype):
    return bf16_bits(x) if dtype == "bf16" else np.asarray(x).astype(TYPES[dtype])


def from_type(x, dtype):
    return bf16_values(x) if dtype == "bf16" else x


def distance(a, b):
    """The largest difference relative to the largest finite entry; infinite if NaN or infinity stands elsewhere."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    sane = np.isfinite(a)
    if not np.array_equal(np.where(sane, 0.0, a), np.where(np.isfinite(b), 0.0, b), equal_nan=True):
        return np.inf
    top = np.max(np.abs(a[sane]), initial=0.0)
    return np.max(np.abs(a - b)[sane], initial=0.0) / (top or 1.0)


def describe(a, b):
    """One place where one is a number and the other not."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    wrong = ~((a == b) | (np.isnan(a) & np.isnan(b)) | (np.isfinite(a) & np.isfinite(b)))
    where = tuple(int(i) for i in np.argwhere(wrong)[0])
    return f"{np.sum(wrong)} entries, such as {list(where)}: {a[where]} becomes {b[where]}"


def check_file(path, raising, rounds=2):
    """(name, type, raised, worst, part, failures)"""
    try:
        program = Program(path, raising)
    except polyattn.CompileError as error:  # whose diagnostics do not travel between processes
        return "", "", 0, 0.0, 0.0, [f"{path}: {error}"]
    kind = program.plain.results[0].dtype
    name = os.path.splitext(os.path.basename(path))[0]
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    worst = part = 0.0
    failures = []
    with np.errstate(all="ignore"):
        for magnitude in MAGNITUDES * rounds:
            found = program.check(rng, program.arguments(rng, magnitude))
            if isinstance(found, str):
                failures.append(f"{path}: magnitude {magnitude}: {found}")
                continue
            worst, part = max(worst, found[0]), max(part, found[1])
            if found[1] > 1:
                failures.append(f"{path}: magnitude {magnitude}: differs by {found[0]:.3g}, {found[1]:.3g} of what is allowed")
    return name, kind, program.count, worst, part, failures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pass", dest="raising", default="attn-raise")
    parser.add_argument("--jobs", type=int, default=min(4, os.cpu_count() or 1))
    parser.add_argument("--each", action="store_true", help="a line for every file")
    parser.add_argument("files", nargs="+", help="files, or folders of them")
    options = parser.parse_args()
    files = [file for path in options.files
             for file in (sorted(glob.glob(os.path.join(path, "*.mlir"))) if os.path.isdir(path) else [path])]
    total, failures = {}, []
    with concurrent.futures.ProcessPoolExecutor(options.jobs) as pool:
        pending = {pool.submit(check_file, path, options.raising): path for path in files}
        for done in concurrent.futures.as_completed(pending):
            try:
                name, kind, count, worst, part, wrong = done.result()
            except Exception as error:  # the pool itself breaks where a compiler crashes
                failures.append(f"{pending[done]}: {type(error).__name__}: {error}")
                continue
            failures += wrong
            if not name:
                continue
            if options.each:
                print(f"{name}: {count} raised, worst {worst:.3g}, {part:.3g} of what is allowed")
            sums = total.setdefault(kind, [0, 0, 0.0, 0.0])
            total[kind] = [sums[0] + 1, sums[1] + (count > 0), max(sums[2], worst), max(sums[3], part)]
    for kind, (programs, raised, worst, part) in sorted(total.items()):
        print(f"{kind}: {programs} programs, {raised} raised, worst {worst:.3g}, {part:.3g} of what is allowed")
    for failure in sorted(failures):
        print(f"FAILED {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
