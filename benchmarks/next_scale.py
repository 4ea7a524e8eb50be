# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Next-scale attention at VAR's schedules: exact and through states, beside what PyTorch offers for it."""

import contenders
import harness
import report
import timing
from cases import next_scale_groups

LINE = "{:<64}{:>10}{:>18}{:>10}{:>18}{:>10}"


def cells(entry, ours):
    """Its time, and how many times ours."""
    if "ms" not in entry or "ms" not in ours:
        return ["-", "-"]
    return [f"{entry['ms']:.3g}", f"{timing.median_ratio(entry['seconds'], ours['seconds']):.2f}"]


def run(threads, effort, logs, only=""):
    groups = [group for group in next_scale_groups() if only in group.shape.shape_name]
    if not groups:
        raise SystemExit(f"bench: no case contains '{only}'; one is '{next(next_scale_groups()).shape.shape_name}'")
    result = {"machine": report.machine(threads), "groups": []}
    with harness.Harness(threads, effort, logs, contenders.NEXT_SCALE_PEERS, ()) as field:
        result.update(contenders=field.hellos, absent=field.absent)
        for module, reason in field.absent.items():
            print(f"{module} does not take part: {reason}")
        labels = [field.hellos[peer]["label"] if peer in field.hellos else peer for peer in contenders.NEXT_SCALE_PEERS]
        print(LINE.format("case: scales, heads x tokens", "ours ms", f"{labels[0]} ms", "/ ours", f"{labels[1]} ms", "/ ours"))
        for group in groups:
            record = report.group_record(group, field.measure(group), None)
            result["groups"].append(record)
            print_record(group, record)
    return result


def print_record(group, record):
    by_module = {e["module"]: e for e in record["entries"] if e["module"] != contenders.OURS}
    for ours in record["entries"]:
        if ours["module"] != contenders.OURS:
            continue
        name = group.shape.of_kind(ours["kind"]).name
        if ours.get("note", "").startswith("stayed exact"):
            name += ", stayed exact"
        row = [c for peer in contenders.NEXT_SCALE_PEERS for c in cells(by_module.get(peer, {}), ours)]
        print(LINE.format(name, f"{ours['ms']:.3g}" if "ms" in ours else "failed", *row), flush=True)
    for entry in record["entries"]:
        if "skipped" in entry:
            print(f"    {entry['label']} skipped: {entry['skipped']}", flush=True)
