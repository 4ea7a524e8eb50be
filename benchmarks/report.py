# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Results as records for JSON, lines for people, and the README's table."""

import dataclasses
import os
import pathlib
import platform
import re
import statistics

import contenders
import timing
from cases import Case

ROOT = pathlib.Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- bench: begin, written by ./pa bench --update-readme -->", "<!-- bench: end -->"
TORCH = "torch_sdpa"


#===-- records -------------------------------------------------------------===#


def entry_record(entry):
    record = {"module": entry.module, "label": entry.label, "kind": entry.case.kind}
    if entry.skipped:
        return {**record, "skipped": entry.skipped}
    kept = {key: entry.answer[key] for key in ("variant", "tried", "refused", "note", "error")}
    return {**record, "ms": 1e3 * entry.seconds, "seconds": entry.times, **kept}


def group_record(group, entries, peak_gflops):
    shape = dataclasses.asdict(group.shape)
    return {"shape": shape, "peak_gflops": peak_gflops, "entries": [entry_record(entry) for entry in entries]}


def machine(threads):
    cpu = platform.processor() or platform.machine()
    info = pathlib.Path("/proc/cpuinfo")
    if info.exists():
        found = re.search(r"^model name\s*: (.*)", info.read_text(), re.MULTILINE)
        cpu = found[1] if found else cpu
    return {"cpu": cpu, "threads": threads, "load": os.getloadavg()[0]}


#===-- rows ----------------------------------------------------------------===#

HEAD = ["case: heads x length", "ours ms", "best peer", "its ms", "PyTorch ms", "best peer / ours", "PyTorch / ours"]


def rows(record):
    """One for each kind of ours: cells of the table, as text."""
    case = Case(**record["shape"])
    measured = [e for e in record["entries"] if "ms" in e]
    for ours in record["entries"]:
        if ours["module"] == contenders.OURS:
            peers = [e for e in measured if e["module"] != contenders.OURS and e["kind"] in ("exact", ours["kind"])]
            yield row(case.of_kind(ours["kind"]), ours, peers)


def row(case, ours, peers):
    if "ms" not in ours:
        return [case.name, "failed", *["-"] * 5]
    name = case.name + (", stayed exact" if ours["note"].startswith("stayed exact") else "")
    ratios = {e["module"]: timing.median_ratio(e["seconds"], ours["seconds"]) for e in peers}
    by_module = {e["module"]: e for e in peers}
    best = min(ratios, key=ratios.get, default=None)

    def time(entry):
        return f"{entry['ms']:.3g}" if entry["ms"] < 100 else f"{entry['ms']:.0f}"

    def cells(module):
        return (time(by_module[module]), f"{ratios[module]:.2f}") if module in ratios else ("-", "-")

    (best_ms, best_ratio), (torch_ms, torch_ratio) = cells(best), cells(TORCH)
    return [name, time(ours), by_module[best]["label"] if best else "-", best_ms, torch_ms, best_ratio, torch_ratio]


def print_row(cells):
    print("{:<66}{:>9}  {:<17}{:>9}{:>12}{:>18}{:>16}".format(*cells), flush=True)


def print_peers(record):
    """Everyone else on one line, then who is missing."""
    others = [e for e in record["entries"] if e["module"] != contenders.OURS]
    times = [f"{full_label(e)} {e['ms']:.3g}" for e in sorted((e for e in others if "ms" in e), key=lambda e: e["ms"])]
    print(f"    {'; '.join(times)}; FMA peak {record['peak_gflops']:.0f} GF/s")
    for entry in record["entries"]:
        if "skipped" in entry:
            print(f"    {full_label(entry)} skipped: {entry['skipped']}", flush=True)


def full_label(entry):
    return entry["label"] if entry["kind"] == "exact" else f"{entry['label']} {entry['kind']}"


#===-- the README ----------------------------------------------------------===#


def footnotes(report):
    info, peaks = report["machine"], [g["peak_gflops"] for g in report["groups"]]
    names = [f"{c['label']} {c['version']}".strip() for m, c in report["contenders"].items() if m != contenders.OURS]
    yield f"{info['cpu']}, {info['threads']} threads. Peers: {', '.join(names) or 'none'}."
    yield "Times are medians, ratios medians of ratios within a round; above 1 ours is faster."
    if peaks:
        yield (f"f32 FMAs on registers alone reach {statistics.median(peaks):.0f} GF/s (from {min(peaks):.0f} to "
               f"{max(peaks):.0f} in this run).")
    if "footprint" in report:
        cost = report["footprint"]
        memory = "; ".join(f"{name}: {mib:.1f}" for name, mib in cost["peak_mib"].items())
        compilation = "; ".join(f"{name}: {seconds:.2f}" for name, seconds in cost["compile_s"].items())
        yield f"Memory beyond inputs and output, MiB: {memory}."
        yield f"Compilation to machine code, s: {compilation}."
        yield f"polyattn-opt --version: {cost['start_ms']:.0f} ms."


def update_readme(report):
    """Puts the table between its marks."""
    readme = ROOT / "README.md"
    text = readme.read_text()
    if BEGIN not in text or END not in text:
        raise SystemExit(f"bench: README.md lacks the lines '{BEGIN}' and '{END}': put them where the table belongs")
    lines = [HEAD, ["---", "---:", "---", *["---:"] * 4], *(row for group in report["groups"] for row in rows(group))]
    table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    block = f"{BEGIN}\n{table}\n\n" + "\n".join(f"{line}  " for line in footnotes(report)) + f"\n{END}"
    start, end = text.index(BEGIN), text.index(END) + len(END)
    readme.write_text(text[:start] + block + text[end:])
    print("wrote the table into README.md")
