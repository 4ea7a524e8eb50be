#!/usr/bin/env python3
# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Damaged programs through attn-raise and the whole pipeline: mutants of the corpus (test/Raise) or of given files.

A mutant that verifies must compile, with and without attn-raise, or give a diagnostic without it; where attention was
raised, and in every tenth other one, both programs run and must agree as test/Raise/Inputs/check_raise.py has it. A
crash, a hang (20 seconds of computing), an error of attn-raise, an assertion that stops the raised program only, or a
difference is a failure: its program is written to --out, with the command that repeats it. Mutant number i depends on
--seed, i and the files only."""

import argparse
import collections
import functools
import glob
import itertools
import math
import multiprocessing
import multiprocessing.connection
import os
import re
import signal
import subprocess
import sys
import time
import traceback
import typing

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutants", type=int, default=500, metavar="N", help="how many that verify")
    parser.add_argument("--first", type=int, default=0, metavar="I", help="number of the first mutant")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--limit", type=float, default=20.0, metavar="SECONDS", help="what computes for longer hangs")
    parser.add_argument("--pass", dest="raising", default="attn-raise", help="the pass under test")
    parser.add_argument("--pipeline", default="attn-to-llvm", help="what follows it, and runs alone for comparison")
    parser.add_argument("--whole", default="", metavar="PIPELINE", help="test this instead of --pass and --pipeline, such as attn-compile")
    parser.add_argument("--check", action="store_true", help="run the given files as they are")
    parser.add_argument("--build-dir", default=os.path.join(ROOT, "build"), help="where polyattn was built")
    parser.add_argument("--out", default=None, help="folder for failures (BUILD/fuzz-raise)")
    parser.add_argument("files", nargs="*", help="programs whose entry is @main, instead of the corpus")
    return parser.parse_args()


options = arguments()
sys.path[:0] = [os.path.join(ROOT, "test", "Raise", "Inputs"), os.path.join(options.build_dir, "python")]

import ctypes  # noqa: E402

import numpy as np  # noqa: E402

import mutate_ir  # noqa: E402

PR_SET_PDEATHSIG = 1  # of prctl: die with the parent

#: Every sample is mutated as it is, and after passes that other exporters and users run first.
BEFORE = ["", "linalg-generalize-named-ops", "canonicalize,cse", "linalg-generalize-named-ops,canonicalize,linalg-fuse-elementwise-ops,cse",
          "linalg-generalize-named-ops,linalg-fold-unit-extent-dims,canonicalize,cse"]


# ===-- one mutant, in a process of its own -------------------------------------===#


def compiled(module, passes):
    """The executable, or None and why."""
    import polyattn
    try:
        return polyattn.compile(module, pipeline=passes, opt_level=0), ""
    except polyattn.CompileError as error:
        return None, str(error)


def judge(text, words, raising, pipeline, whole, compare, say):
    """What comes of a program: a word for the table and why. `same` is one that was not raised, and if `compare` is
    true gave the same results; `stops` one that an assertion of its own stops at run time; `undefined` one whose results
    depend on what tensor.empty holds or stands behind a tensor; `rounds` one whose results differ by no more than what
    it loses by rounding and overflow. `say` is told which stage is under way, so that a crash can be placed."""
    import check_raise
    import polyattn

    say("parse")
    try:
        module = polyattn.parse(text)
    except polyattn.CompileError:
        return "invalid", ""
    if contradicts_itself(text):
        return "invalid", ""
    if not whole:
        say("raise")
        try:
            polyattn.parse(text).run(raising)
        except polyattn.CompileError as error:
            return "failure", f"{raising}: {error}"
    tested = whole or f"{raising},{pipeline}"
    say("compile raised")
    raised, error = compiled(module, tested)
    count = sum(r.kind == "passed" and r.name == "Raised" for r in raised.remarks) if raised else 0
    if raised and not (count or compare):
        return "same", ""
    say("compile")
    plain, _ = compiled(module, pipeline)
    if not raised and plain:
        return "failure", f"compiles without {tested} only: {error}"
    if not raised or not plain:
        return ("compiles raised only" if raised else "refused"), ""
    double = functools.cache(lambda: exact(text, pipeline))
    program = check_raise.Program.of(plain, raised, words, text)
    say("run")
    if "?x" in text and not is_within(text, pipeline, program.arguments(np.random.default_rng(0), 1.0)):
        return "undefined", ""
    found = run_both(program, say, double)
    if found.wrong:
        say("run")
        return ("failure", found.wrong) if is_defined(text, pipeline, found.inputs) else ("undefined", "")
    return ("stops" if found.stops else "rounds" if found.rounds else "raised" if count else "same"), ""


def exact(text, pipeline):
    """The program in f64, or None if it cannot be had."""
    import polyattn
    double = in_double(text)
    try:
        return double and compiled(polyattn.parse(double), pipeline)[0]
    except polyattn.CompileError:
        return None


def stopped(program, executable, inputs):
    """The diagnostic of the assertion that stops the program at run time, or an empty text."""
    import polyattn
    try:
        program.results(executable, inputs)
    except polyattn.CheckError as error:
        return str(error)
    return ""


class Found(typing.NamedTuple):
    """What comes of running both programs."""
    wrong: str = ""  # what, if something is
    inputs: list = None  # that show it
    stops: str = ""  # the diagnostic that stops the program as it is
    rounds: bool = False  # do results differ by what the program itself loses by rounding and overflow?


def run_both(program, say, exact=lambda: None):
    """Raised, a program that stops may stop or not: what stands at an index that does not exist is nobody's to say.
    `exact` gives the program in f64, which tells what is lost by rounding."""
    rng, stops, rounds = np.random.default_rng(0), "", False
    for magnitude in (0.05, 1.0, 8.0):
        program.overflows |= magnitude > 0.05  # what was a maximum may be anything: NaN of large scores only is allowed
        inputs = program.arguments(rng, magnitude)
        say("run")
        with np.errstate(all="ignore"):
            stops = stopped(program, program.plain, inputs) or stops
            say("run raised")
            wrong = stopped(program, program.raised, inputs)
            if stops:
                continue
            if wrong:
                return Found(f"magnitude {magnitude}: stops when it is raised only: {wrong}", inputs)
            found = program.check(rng, inputs)
            if (isinstance(found, str) or found[1] > 1) and is_rounding(program, exact(), inputs, magnitude > 0.05):
                rounds = True
            elif isinstance(found, str):
                return Found(f"magnitude {magnitude}: {found}", inputs)
            elif found[1] > 1:
                return Found(f"magnitude {magnitude}: differs by {found[0]:.3g}, {found[1]:.3g} of what is allowed", inputs)
    return Found(stops=stops, rounds=rounds)


# ===-- what programs lose by rounding ----------------------------------------===#

NARROW = r"(?<=[x<(,\s])(bf16|f16|f32)(?![\w\"])"


def to_double(data, kind):
    """Numbers of a narrower type, from their bytes."""
    return from_bits(np.frombuffer(data, "<u2" if kind != "f32" else "<u4"), kind)


def from_bits(bits, kind):
    if kind == "bf16":
        return (bits.astype("<u4") << 16).view("<f4").astype("<f8")
    return bits.view("<f2" if kind == "f16" else "<f4").astype("<f8")


def in_double(text):
    """The program with f64 for every narrower float type, or None where bits matter."""
    if "dense_resource" in text or "arith.bitcast" in text:
        return None

    def number(found, kind):
        bits = np.array([int(found[0], 16)], "<u2" if kind != "f32" else "<u4")
        return f"0x{from_bits(bits, kind).view('<u8')[0]:016X}"

    def constant(found):
        elements, rest, kind = found.groups()
        if raw := re.fullmatch(r'"0x([0-9A-Fa-f]*)"', elements):
            return f'dense<"0x{to_double(bytes.fromhex(raw[1]), kind).tobytes().hex()}"> : {rest}{kind}>'
        return f"dense<{re.sub(r'0x[0-9A-F]+', lambda x: number(x, kind), elements)}> : {rest}{kind}>"

    text = re.sub(r"dense<([^>]*)> : (tensor<[0-9x]*)(bf16|f16|f32)>", constant, text)
    text = re.sub(r"(0x[0-9A-F]+) : (bf16|f16|f32)\b", lambda x: f"{number((x[1],), x[2])} : {x[2]}", text)
    text = re.sub(NARROW, "f64", text)
    return re.sub(r'"arith\.(?:extf|truncf)"\((%[\w#]+)\)(?: <\{[^}]*\}>)? : \(([^)]*f64[^)]*)\) -> \2', r'"arith.bitcast"(\1) : (\2) -> \2', text)


def agree(truth, plain, raised, allowed, may_overflow):
    """Is what is raised no further away from the program as it is than twice what that loses by rounding, and near the
    truth where that overflows, if it may?"""
    top = np.max(np.abs(truth[np.isfinite(truth)]), initial=0.0) or 1.0
    over = may_overflow & np.isfinite(truth) & ~np.isfinite(plain)
    if not np.all(np.isfinite(raised) == (np.isfinite(plain) | over)):
        return False
    # An infinite value times a weight is infinite, or NaN where the weight is so small that it is 0.
    if not may_overflow and not np.array_equal(plain[~np.isfinite(raised)], raised[~np.isfinite(raised)], equal_nan=True):
        return False
    sane = np.isfinite(truth) & np.isfinite(plain)
    lost, apart = (np.max(np.abs(plain - other)[sane], initial=0.0) for other in (truth, raised))
    return apart <= max(2 * lost, allowed * top) and np.max(np.abs(raised - truth)[over], initial=0.0) <= 1e-3 * top


def is_rounding(program, exact, inputs, may_overflow):
    """Do results differ by rounding and overflow of the program as it is only? `exact` computes in f64, or is None."""
    import check_raise
    if not exact:
        return False
    double = [check_raise.from_type(x, spec.dtype).astype(np.float64) if spec.dtype in check_raise.UNIT else x
              for x, spec in zip(inputs, program.plain.arguments)]
    results = [program.results(one, numbers) for one, numbers in
               ((exact, double), (program.plain, inputs), (program.raised, inputs))]
    return all(agree(*three, check_raise.ALLOWED.get(spec.dtype, 0.0), may_overflow)
               for *three, spec in zip(*results, program.plain.results))


# ===-- what programs read that nobody wrote ----------------------------------===#


def unwritten(rng, kind, most):
    """What may stand in a tensor of this type that nobody wrote, as the text of a constant of its elements. Integers
    below `most`, floats below 10 times that, no two alike; 0 means zeros, and NaN floats that are NaN."""
    *sizes, element = kind[len("tensor<"):-1].split("x")
    if "?" in sizes:  # one number for all
        sizes = []
    count = math.prod(int(size) for size in sizes)
    if element == "i1":
        return rng.choice(["true", "false"])
    if element[0] == "i":
        numbers = rng.integers(0, 3 if math.isnan(most) else max(most, 1), count)
        numbers = numbers.astype(f"i{8 if element == 'index' else int(element[1:]) // 8}")
    else:
        numbers = np.full(count, np.nan) if math.isnan(most) else rng.uniform(-10 * most, 10 * most, count)
        if element == "bf16":
            numbers = (numbers.astype("f4").view("u4") >> 16).astype("u2")
        else:
            numbers = numbers.astype(f"f{int(element[1:]) // 8}")
    if not sizes and "?" in kind:
        return f"0x{numbers.tobytes()[::-1].hex()}" if element[0] != "i" else str(numbers[0])
    return f'"0x{numbers.tobytes().hex()}"' if count else ""


def filled(text, rng, most):
    """The program with numbers in every tensor.empty; those of unknown size get a single one each."""
    def constant(found):
        name, sizes, types, kind = found.groups()
        element = kind[len("tensor<"):-1].split("x")[-1]
        number = unwritten(rng, kind, most)
        if not sizes:
            return f'{name} = "arith.constant"() <{{value = dense<{number}> : {kind}}}> : () -> {kind}'
        kept = f"%kept{name[1:]}"
        value = number if element == "i1" else f"{number} : {element}"
        return (f'{kept} = "arith.constant"() <{{value = {value}}}> : () -> {element}\n'
                f'{name} = "tensor.splat"({kept}, {sizes}) : ({element}, {types}) -> {kind}')
    return re.sub(r'(%\w+) = "tensor\.empty"\(([^)]*)\) : \(([^)]*)\) -> (tensor<[^>]*>)', constant, text)


#: Sizes and the type that expand_shape gives; no verifier asks whether they are the same.
EXPANDED = r"static_output_shape = array<i64: ([^>]*)>\}> : \([^)]*\) -> tensor<([0-9?x]*)x\w+>"
EXPAND = (r'^ *%\w+ = "tensor\.expand_shape"\((%\w+), ([^)]*)\) <\{reassociation = \[\[(.*?)\]\], '
          r'static_output_shape = array<i64: (.*?)>\}> : \((tensor<[^>]*>).*$')
OUTSIDE = "Runtime op verification failed"


def contradicts_itself(text):
    return any(sizes.replace(f"{-2**63}", "?").split(", ") != shape.split("x") for sizes, shape in re.findall(EXPANDED, text))


def with_sizes_checked(text):
    """The program with assertions that a tensor is as long as the sizes that it is expanded to say."""
    count = itertools.count()

    def checked(found):
        source, given, groups, sizes, kind = found.groups()
        given, sizes, lines = iter(given.split(", ")), sizes.split(", "), []

        def op(name, operands, attributes, types):
            properties = f" <{{{attributes}}}>" if attributes else ""
            lines.append(f'%size{next(count)} = "{name}"({operands}){properties} : {types}')
            return lines[-1].split(" ")[0]

        def number(value):
            return op("arith.constant", "", f"value = {value} : index", "() -> index")

        for dim, group in enumerate(groups.split("], [")):
            parts = [next(given) if int(sizes[int(i)]) < 0 else number(sizes[int(i)]) for i in group.split(", ")]
            product = functools.reduce(lambda a, b: op(
                "arith.muli", f"{a}, {b}", "overflowFlags = #arith.overflow<none>", "(index, index) -> index"), parts)
            size = op("tensor.dim", f"{source}, {number(dim)}", "", f"({kind}, index) -> index")
            holds = op("arith.cmpi", f"{product}, {size}", "predicate = 0 : i64", "(index, index) -> i1")
            lines.append(f'"cf.assert"({holds}) <{{msg = "{OUTSIDE}"}}> : (i1) -> ()')
        return "\n".join([*lines, found[0]])
    return re.sub(EXPAND, checked, text, flags=re.MULTILINE)


def is_within(text, pipeline, inputs):
    """Does no structured op read past the end of a tensor, and no tensor claim to be longer than it is? With unknown
    sizes either may be."""
    import check_raise
    import polyattn
    module = polyattn.parse(with_sizes_checked(text))
    module.run("generate-runtime-verification")
    checked = compiled(module, pipeline)[0]
    return not checked or OUTSIDE not in stopped(
        check_raise.Program.of(checked, checked, None, text), checked, inputs)


def is_defined(text, pipeline, inputs):
    """Results of these inputs do not depend on what tensor.empty holds, nor on what stands behind a tensor."""
    import check_raise
    import polyattn

    fillings = (2, 3, 100, 0, math.nan)
    programs = [compiled(polyattn.parse(filled(text, np.random.default_rng(i), most)), pipeline)[0] for i, most in enumerate(fillings)]
    programs = [program for program in programs if program]
    if not is_within(text, pipeline, inputs):
        return False
    if len(programs) < 2:
        return True
    program = check_raise.Program.of(programs[0], programs[0], None, text)
    with np.errstate(all="ignore"):
        if any(stopped(program, other, inputs) for other in programs):
            return False
        one, *others = [program.results(other, inputs) for other in programs]
        return all(np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for other in others for a, b in zip(one, other))


def work(pipe):
    """Judges what comes through the pipe, until the parent is no more."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    while True:
        arguments = pipe.recv()
        try:
            found = judge(*arguments, say=lambda stage: pipe.send(("stage", stage)))
        except Exception:  # of the fuzzer itself
            found = "failure", traceback.format_exc()
        pipe.send(("done", found))


def cpu_seconds(pid):
    """What a process has computed so far, however busy the machine is."""
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Worker:
    """A process that may crash or hang; then another takes its place."""

    def __init__(self):
        self.process, self.job = None, None

    def submit(self, job, *arguments):
        if not self.process:
            self.pipe, other = multiprocessing.Pipe()
            self.process = multiprocessing.Process(target=work, args=(other,), daemon=True)
            self.process.start()
            other.close()
        self.pipe.send(arguments)
        self.job, self.stage = job, "start"
        self.started = cpu_seconds(self.process.pid), time.monotonic()

    def hangs(self):
        """Has it computed for too long, or waited for very long?"""
        computed, waited = self.started
        return (cpu_seconds(self.process.pid) > computed + options.limit or
                time.monotonic() > waited + 30 * options.limit)

    def stop(self):
        self.process.kill()
        self.process.join()
        self.process = None

    def poll(self):
        """What came of the job, or None as long as it runs."""
        try:
            while self.pipe.poll():
                kind, value = self.pipe.recv()
                if kind == "done":
                    return value
                self.stage = value
        except (EOFError, ConnectionResetError):
            self.process.join()
            code, self.process = self.process.exitcode, None
            return "crash", f"{self.stage} (exit code {code})"
        if self.hangs():
            self.stop()
            return "hang", self.stage
        return None


def judge_all(jobs):
    """Yields (job, outcome) of every (job, arguments of judge)."""
    jobs = iter(jobs)
    workers = [Worker() for _ in range(options.jobs)]
    busy = []
    while True:
        for worker in workers:
            if worker not in busy and (new := next(jobs, None)) is not None:
                worker.submit(*new)
                busy.append(worker)
        if not busy:
            return
        multiprocessing.connection.wait([worker.pipe for worker in busy], timeout=1.0)
        for worker in list(busy):
            if (found := worker.poll()) is not None:
                busy.remove(worker)
                yield worker.job, found


# ===-- all of them ---------------------------------------------------------===#


class Sample:
    def __init__(self, path):
        self.path = path
        text = open(path).read()
        words = re.search(r"^// ARGS: ?(.*)$", text, re.M)
        self.words = words[1].split() if words else None
        self.overflows = "// OVERFLOWS:" in text
        self.tosa = "tosa." in text
        self.programs = {}

    def program(self, before):
        """The sample in generic form, behind passes."""
        if before not in self.programs:
            import check_raise
            passes = ",".join(p for p in (check_raise.TOSA if self.tosa else "", before) if p)
            command = [os.path.join(options.build_dir, "bin", "polyattn-opt"), self.path, "--mlir-print-op-generic",
                       "--mlir-print-local-scope", f"--pass-pipeline=builtin.module({passes})"]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                sys.exit(f"fuzz_raise: {' '.join(command)}\n{done.stderr}")
            self.programs[before] = done.stdout
        return self.programs[before]


def save(folder, name, sample, text, what):
    path = os.path.join(folder, f"{name}.mlir")
    os.makedirs(folder, exist_ok=True)
    words = sample.words
    lines = [what.replace("\n", " ")[:400], f"From {os.path.basename(sample.path)}.",
             f"Again: scripts/fuzz_raise.py {f'--whole {options.whole} ' if options.whole else ''}--check {path}"] + ([f"ARGS: {' '.join(words)}"] if words is not None else [])
    lines += ["OVERFLOWS: as the sample"] if sample.overflows else []
    with open(path, "w") as file:
        file.write("".join(f"// {line}\n" for line in lines) + "\n" + text)
    return path


#: Outcomes without attn-raise being at fault: the program as it is does the same, or there is nothing to run.
OWN_FAULT = ("parse", "compile", "run")


def outcome_of(found):
    """A word for the table, and whether it is a failure of raising."""
    kind, reason = found
    if kind in ("crash", "hang"):
        stage = reason.split(" (")[0]
        return f"{kind} of the program as it is: {stage}" if stage in OWN_FAULT else kind, stage not in OWN_FAULT
    return kind, kind == "failure"


def mutants(samples):
    """Jobs for judge_all, for ever."""
    for i in itertools.count(options.first):
        rng = np.random.default_rng([options.seed, i])
        sample = samples[int(rng.integers(len(samples)))]
        text, done = mutate_ir.mutate(sample.program(BEFORE[int(rng.integers(len(BEFORE)))]), rng)
        text = ("// OVERFLOWS:\n" if sample.overflows else "") + text
        yield ((i, sample, text, done), text, sample.words, options.raising, options.pipeline, options.whole, i % 10 == 0)


def check_files():
    jobs = ((path, open(path).read(), Sample(path).words, options.raising, options.pipeline, options.whole, True)
            for path in options.files)
    failed = False
    for path, found in judge_all(jobs):
        failed |= outcome_of(found)[1]
        print(f"{path}: {found[0]} {found[1]}")
    return 1 if failed else 0


def fuzz():
    folder = options.out or os.path.join(options.build_dir, "fuzz-raise")
    files = options.files or sorted(glob.glob(os.path.join(ROOT, "test", "Raise", "[ar][ce]*", "*.mlir")))
    counts, failures, started = collections.Counter(), [], time.monotonic()
    valid = tried = 0
    for (i, sample, text, done), found in judge_all(mutants([Sample(path) for path in files])):
        kind, failed = outcome_of(found)
        tried += 1
        valid += kind != "invalid"
        counts[kind] += 1
        if failed:
            what = f"{found[0]}: {found[1]}"
            failures.append(save(folder, f"{options.seed}-{i}", sample, text, f"{what}. After {', '.join(done)}."))
            print(f"FAILED {failures[-1]}: {what[:300]}", flush=True)
        if tried % 500 == 0:
            print(f"{tried} mutants, {valid} verify, {len(failures)} failures, {time.monotonic() - started:.0f} s", flush=True)
        if valid >= options.mutants:
            break
    print(f"seed {options.seed}, from mutant {options.first}: {tried} of {len(files)} files, {valid} verify, "
          f"{time.monotonic() - started:.0f} s")
    for kind, count in counts.most_common():
        print(f"{count:7} {kind}")
    print(f"{len(failures)} failures" + (f", in {folder}" if failures else ""))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(check_files() if options.check else fuzz())
