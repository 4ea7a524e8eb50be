# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Attention beside PyTorch's scaled_dot_product_attention, in one process, taking turns. Run by ./pa bench."""

import argparse
import ast
import ctypes
import dataclasses
import json
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys
import time

import measure
import polyattn

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / os.environ.get("PA_BUILD_DIR", "build")
BEGIN, END = "<!-- bench: begin, written by ./pa bench --update-readme -->", "<!-- bench: end -->"


@dataclasses.dataclass(frozen=True)
class Case:
    """One attention, d = e = 64, f32. Without a bound it stays exact."""

    heads: int
    n: int
    bound: float = 0.0
    causal: bool = False
    quick: bool = True

    @property
    def name(self):
        kind = f"low rank, bound {self.bound}" if self.bound else "exact"
        return f"{kind}{', causal' if self.causal else ''}, {self.heads} x {self.n}"

    @property
    def text(self):
        tensor = f"tensor<{self.heads}x{self.n}x64xf32>"
        return (f"func.func @main(%q: {tensor}, %k: {tensor}, %v: {tensor}) -> {tensor} {{\n"
                f"  %o = attn.attention %q, %k, %v scale 0.125{' mask causal' if self.causal else ''}"
                f"{f' bound <{self.bound}, declared>' if self.bound else ''}\n"
                f"     : {tensor}, {tensor}, {tensor} -> {tensor}\n  return %o : {tensor}\n}}\n")

    def inputs(self):
        return measure.bounded_inputs(self.heads, self.n, 64, self.bound or 4.0)

    def compile(self, exact=False):
        pipeline = "attn-schedule,attn-to-llvm" if exact else "attn-compile"
        executable = polyattn.compile(self.text, pipeline=pipeline, threads=measure.THREADS)
        rewritten = any(remark.kind == "passed" for remark in executable.remarks)
        if rewritten != (bool(self.bound) and not exact):
            sys.exit(f"bench: {self.name}: not compiled as meant:\n" + "\n".join(map(repr, executable.remarks)))
        return executable


CASES = [
    Case(4, 1024), Case(4, 4096), Case(4, 4096, causal=True),
    Case(1, 4096, 0.19), Case(4, 4096, 0.19),
    Case(1, 16384, 0.6), Case(4, 16384, 0.6, quick=False),
    Case(1, 16384, 0.6, causal=True), Case(4, 16384, 0.6, causal=True, quick=False),
]


def time_case(case, rounds):
    inputs = case.inputs()
    ours = case.compile()
    contenders = {"ours": lambda: ours(*inputs)}
    if case.bound:
        exact = case.compile(exact=True)
        contenders["exact"] = lambda: exact(*inputs)
    if measure.torch:
        contenders["torch"] = measure.torch_attention(*inputs, 0.125, case.causal)
    times = measure.interleaved(contenders, rounds)
    result = {"case": case.name, "ms": {k: 1e3 * statistics.median(v) for k, v in times.items()}}
    result["ratios"] = {k: measure.median_ratio(v, times["ours"]) for k, v in times.items() if k != "ours"}
    return result


#===-- memory --------------------------------------------------------------===#


def peak_of_call(case):
    """Bytes that a call takes at its peak beyond inputs and output. To be run in a process of its own."""
    inputs = case.inputs()
    executable = case.compile()
    ctypes.CDLL(None).malloc_trim(0)  # what compilation has freed must not serve the call unseen
    before = memory("VmRSS")
    pathlib.Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    output = executable(*inputs)
    return max(0, memory("VmHWM") - before - output.nbytes)


def memory(key):
    status = pathlib.Path("/proc/self/status").read_text()
    return 1024 * int(re.search(rf"^{key}:\s+(\d+) kB", status, re.MULTILINE)[1])


def measure_memory():
    """MiB per case, each in a fresh process."""
    result = {}
    for case in (Case(4, 4096), Case(1, 16384, 0.6), Case(1, 16384, 0.6, causal=True)):
        command = [sys.executable, __file__, "--peak-of", str(dataclasses.astuple(case))]
        out = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout
        result[case.name] = int(out) / 2**20
    return result


#===-- start and compilation -----------------------------------------------===#


def measure_compile_seconds():
    texts = {case.name: case.text for case in (Case(4, 4096), Case(1, 16384, 0.6))}
    return {name: statistics.median(polyattn.compile(text).compile_seconds for _ in range(3)) for name, text in texts.items()}


def measure_start_ms():
    def once():
        start = time.perf_counter()
        subprocess.run([BUILD / "bin" / "polyattn-opt", "--version"], check=True, stdout=subprocess.DEVNULL)
        return 1e3 * (time.perf_counter() - start)

    return statistics.median(once() for _ in range(10))


#===-- reports -------------------------------------------------------------===#


def machine():
    cpu = platform.processor() or platform.machine()
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    if cpuinfo.exists():
        found = re.search(r"^model name\s*: (.*)", cpuinfo.read_text(), re.MULTILINE)
        cpu = found[1] if found else cpu
    return {"cpu": cpu, "threads": measure.THREADS, "torch": measure.torch.__version__ if measure.torch else None,
            "load": os.getloadavg()[0]}


def table_line(result):
    ms, ratios = result["ms"], result["ratios"]

    def cell(values, key, form):
        return form.format(values[key]) if key in values else "-"

    return [result["case"], f"{ms['ours']:.1f}", cell(ms, "exact", "{:.1f}"), cell(ms, "torch", "{:.1f}"),
            cell(ratios, "exact", "{:.2f}"), cell(ratios, "torch", "{:.2f}")]


HEAD = ["heads x n, d = 64, f32", "ours ms", "our exact ms", "torch ms", "exact / ours", "torch / ours"]


def print_line(cells):
    print("{:<42}{:>10}{:>14}{:>11}{:>14}{:>14}".format(*cells), flush=True)


def footnotes(report):
    info = report["machine"]
    peer = f"PyTorch {info['torch']} scaled_dot_product_attention" if info["torch"] else "no PyTorch, so no such column"
    yield f"{info['cpu']}, {info['threads']} threads, {peer}. Medians; ratios are medians of ratios within a round."
    yield "Memory beyond inputs and output, MiB: " + "; ".join(f"{k}: {v:.1f}" for k, v in report["peak_mib"].items()) + "."
    yield "Compilation to machine code, s: " + "; ".join(f"{k}: {v:.2f}" for k, v in report["compile_s"].items()) + "."
    yield f"polyattn-opt --version: {report['start_ms']:.0f} ms."


def update_readme(report):
    readme = ROOT / "README.md"
    rows = [HEAD, ["---"] + ["---:"] * (len(HEAD) - 1), *map(table_line, report["times"])]
    table = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    block = f"{BEGIN}\n{table}\n\n" + "\n".join(f"{line}  " for line in footnotes(report)) + f"\n{END}"
    text = readme.read_text()
    if BEGIN not in text or END not in text:
        sys.exit(f"bench: README.md lacks the lines '{BEGIN}' and '{END}'")
    start, end = text.index(BEGIN), text.index(END) + len(END)
    readme.write_text(text[:start] + block + text[end:])
    print("wrote the table into README.md")


def parse_arguments():
    parser = argparse.ArgumentParser(prog="./pa bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, without the longest cases")
    parser.add_argument("--json", type=pathlib.Path, default=BUILD / "bench.json", help="where results go (%(default)s)")
    parser.add_argument("--update-readme", action="store_true", help="put the table into README.md")
    parser.add_argument("--peak-of", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.quick and options.update_readme:
        parser.error("--update-readme wants the full run: leave out --quick")
    return options


def main():
    options = parse_arguments()
    if options.peak_of:
        return print(peak_of_call(Case(*ast.literal_eval(options.peak_of))))
    if not measure.torch:
        print("PyTorch is not installed, so there is no comparison with it (./pa setup --with-torch).\n")
    report = {"machine": machine(), "times": []}
    print_line(HEAD)
    for case in CASES:
        if case.quick or not options.quick:
            report["times"].append(time_case(case, rounds=3 if options.quick else 9))
            print_line(table_line(report["times"][-1]))
    report.update(peak_mib=measure_memory(), compile_s=measure_compile_seconds(), start_ms=measure_start_ms())
    print("\n" + "\n".join(footnotes(report)))
    options.json.write_text(json.dumps(report, indent=2) + "\n")
    print(f"wrote {options.json}")
    if options.update_readme:
        update_readme(report)


if __name__ == "__main__":
    main()
