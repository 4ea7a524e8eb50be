# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Attention beside that of other libraries. Without an option: every case, which takes hours, with plots.
docs/benchmarks.md explains what is measured. Run by ./pa bench."""

import argparse
import dataclasses
import json
import os
import pathlib
import sys
import time

import cases
import contenders
import footprint
import gradients
import harness
import linear
import lora
import model_e2e
import model_grid
import next_scale
import peak
import plots
import reach
import report
import stream
import tensor
import timing

BUILD = report.ROOT / os.environ.get("PA_BUILD_DIR", "build")

QUICK = harness.Effort(rounds=7, turn=0.05, budget=2, slowest=1)
FULL = harness.Effort(rounds=7, turn=0.1, budget=5, slowest=10)


def parse_arguments():
    parser = argparse.ArgumentParser(prog="./pa bench", description=__doc__)
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--quick", action="store_true", help="the README's table, in less than five minutes")
    mode.add_argument("--model", action="store_true", help="is the cost model right? both evaluation orders on a grid")
    mode.add_argument("--linear", action="store_true", help="is a state linear in the length, in time and in memory?")
    mode.add_argument("--reach", action="store_true", help="up to which score bounds is low rank taken, and does it run there?")
    mode.add_argument("--next-scale", action="store_true", help="VAR's schedules beside PyTorch with the block mask, and scale by scale")
    mode.add_argument("--model-e2e", action="store_true",
                      help="a whole model and its matrix products beside PyTorch (needs torch-mlir and transformers)")
    mode.add_argument("--tensor", action="store_true", help="tensor attention of order 3, exact and through a state, to a million tokens")
    mode.add_argument("--stream", action="store_true", help="one decoded token, and long steps, through a state")
    mode.add_argument("--gradients", action="store_true", help="gradients of attention beside PyTorch's backward pass")
    mode.add_argument("--lora", action="store_true", help="linear layers with low-rank adapters, and their gradients")
    parser.add_argument("--update-readme", action="store_true", help="with --quick: put the table into README.md")
    parser.add_argument("--only", metavar="TEXT", default="",
                        help="only shapes, or with --model-e2e, --tensor, --stream, --gradients or --lora cases, whose name contains this, such as 'd = 64, f32'")
    parser.add_argument("--threads", type=int, default=timing.CORES, help="of every contender (%(default)s)")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE",
                        help="where results go (bench.json, model.json, linear.json, reach.json, next-scale.json, model-e2e.json, tensor.json, stream.json, gradients.json or lora.json in the build folder)")
    options = parser.parse_args()
    if options.update_readme and (not options.quick or options.only):
        parser.error("--update-readme wants the whole of --quick, and nothing else")
    if options.only and (options.model or options.linear or options.reach):
        parser.error("--only chooses among shapes that are compared with peers; leave it out")
    if not 1 <= options.threads <= timing.CORES:
        parser.error(f"--threads: this process may use {timing.CORES} cores")
    return options


class Progress:
    """How far it is. Work is taken to grow with the pairs of query and key, up to where nobody waits for it."""

    def __init__(self, groups):
        self.left = [20 + min(200, g.shape.pairs * g.shape.d / 3e8) for g in groups]
        self.count, self.done, self.start = len(groups), 0.0, time.monotonic()

    def step(self):
        self.done += self.left.pop(0)
        seconds = time.monotonic() - self.start
        minutes = seconds * sum(self.left) / self.done / 60
        return f"{self.count - len(self.left)} of {self.count}, {seconds / 60:.1f} minutes, about {minutes:.0f} left"


def compare(options):
    every = list(cases.quick_groups() if options.quick else cases.sweep_groups())
    groups = [g for g in every if options.only in g.shape.shape_name]
    if not groups:
        sys.exit(f"bench: no shape contains '{options.only}'; one is '{every[0].shape.shape_name}'")
    warn_if_busy()
    result = {"machine": report.machine(options.threads), "groups": []}
    progress, probe = Progress(groups), peak.Probe(options.threads)
    with harness.Harness(options.threads, QUICK if options.quick else FULL, BUILD / "bench-logs") as field:
        result.update(contenders=field.hellos, absent=field.absent)
        for module, reason in field.absent.items():
            print(f"{module} does not take part: {reason} (./pa setup --with-peers installs all peers)")
        report.print_row(report.HEAD)
        for group in groups:
            record = report.group_record(group, field.measure(group), probe.gflops())
            result["groups"].append(record)
            for row in report.rows(record):
                report.print_row(row)
            report.print_peers(record)
            print(f"    [{progress.step()}]", flush=True)
            write(options, result, "bench.json")
    return result


def warn_if_busy():
    load = os.getloadavg()[0]
    if load > 0.5:
        print(f"The machine is busy (load {load:.1f}): expect times that are too long and ratios that scatter.")


def write(options, result, name):
    path = options.json or BUILD / name
    path.write_text(json.dumps(result, indent=1) + "\n")
    return path


def finish(options, result):
    """What is not a time of attention, plots, and an error if our own results are wrong."""
    if not options.only:
        result["footprint"] = footprint.measure(BUILD / "bin" / "polyattn-opt")
    print("\n" + "\n".join(report.footnotes(result)))
    print(f"wrote {write(options, result, 'bench.json')}")
    if not options.quick:
        for path in plots.write_all(result, BUILD / "bench-plots"):
            print(f"wrote {path}")
    if options.update_readme:
        report.update_readme(result)
    failed = [reason for module, reason in result["absent"].items() if module == contenders.OURS]
    ours = [e for g in result["groups"] for e in g["entries"] if e["module"] == contenders.OURS]
    failed += [e["skipped"] for e in ours if "skipped" in e and not e["skipped"].startswith(harness.SLOW)]
    if failed:
        sys.exit("bench: polyattn itself failed: " + "; ".join(failed))


def main():
    options = parse_arguments()
    if options.model:
        model_grid.run(options.threads, lambda records: write(options, records, "model.json"))
    elif options.linear:
        write(options, linear.run(options.threads), "linear.json")
    elif options.reach:
        write(options, reach.run(options.threads), "reach.json")
    elif options.next_scale:
        warn_if_busy()
        effort = dataclasses.replace(FULL, budget=60, slowest=60)
        write(options, next_scale.run(options.threads, effort, BUILD / "bench-logs", options.only), "next-scale.json")
    elif options.model_e2e:
        warn_if_busy()
        write(options, model_e2e.run(options.threads, BUILD / "bench-logs", options.only), "model-e2e.json")
    elif options.tensor:
        warn_if_busy()
        records = tensor.run(options.threads, options.only)
        write(options, records, "tensor.json")
        if path := plots.plot_tensor(records, BUILD / "bench-plots"):
            print(f"wrote {path}")
    elif options.stream:
        warn_if_busy()
        write(options, stream.run(options.threads, options.only), "stream.json")
    elif options.gradients:
        warn_if_busy()
        write(options, gradients.run(options.threads, options.only), "gradients.json")
    elif options.lora:
        warn_if_busy()
        write(options, lora.run(options.threads, options.only), "lora.json")
    else:
        finish(options, compare(options))


if __name__ == "__main__":
    main()
