# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""A whole model through `attn-compile` beside PyTorch: MiniLM exported with torch-mlir, and its matrix products alone."""

import statistics

import harness
import timing

CONTENDERS = {"polyattn": "polyattn", "eager": "PyTorch eager", "compile": "torch.compile"}
ROUNDS, TURN = 7, 0.3
LINE = "| {:<26} | {:>10} | {:>13} | {:>13} | {:>14} | {:>16} |"


def cases():
    for batch in (1, 8):
        for tokens in (16, 64, 128, 256, 512):
            yield f"MiniLM, {batch} x {tokens} tokens", {"kind": "model", "batch": batch, "tokens": tokens}
    for tokens in (8192, 16384):
        yield f"cosine block, {tokens} tokens", {"kind": "cosine", "tokens": tokens}
    for m, k, n in ((1, 384, 1536), (256, 384, 384), (256, 384, 1536), (256, 1536, 384), (4096, 384, 1536), (4096, 1536, 384)):
        yield f"product {m} x {k} x {n}", {"kind": "product", "m": m, "k": k, "n": n}


def measure(workers, case):
    """Seconds of every round for each contender, or why it has none."""
    answers = {name: worker.ask(harness.PREPARE_SECONDS, do="prepare", case=case) for name, worker in workers.items()}
    times = {name: [] for name, answer in answers.items() if "skip" not in answer}
    for number in range(ROUNDS):
        order = list(times)
        for name in order[number % len(order):] + order[:number % len(order)] if order else []:
            calls = max(1, int(TURN / answers[name]["seconds"]))
            times[name].append(workers[name].ask(120, do="time", calls=calls)["seconds"])
    return {name: {"times": times.get(name, []), **answer} for name, answer in answers.items()}


def ratio(record, name):
    ours, theirs = record["polyattn"]["times"], record[name]["times"]
    return f"{timing.median_ratio(theirs, ours):.2f}" if ours and theirs else "-"


def milliseconds(entry):
    return f"{1e3 * statistics.median(entry['times']):.3g}" if entry["times"] else "-"


def run(threads, logs, only=""):
    chosen = [(name, case) for name, case in cases() if only in name]
    if not chosen:
        raise SystemExit(f"bench: no case contains '{only}'; one is '{next(cases())[0]}'")
    logs.mkdir(parents=True, exist_ok=True)
    workers = {name: harness.Worker(name, threads, logs / f"model-{name}.log", "model_worker.py") for name in CONTENDERS}
    result = {}
    try:
        print(LINE.format("case", "ours ms", "eager ms", "compile ms", "eager / ours", "compile / ours"))
        for name, case in chosen:
            record = result[name] = measure(workers, case)
            print(LINE.format(name, *(milliseconds(record[c]) for c in CONTENDERS), ratio(record, "eager"), ratio(record, "compile")),
                  flush=True)
            for contender, entry in record.items():
                if "skip" in entry:
                    print(f"    {CONTENDERS[contender]} does not take part: {entry['skip']}")
    except harness.Gone as reason:
        raise SystemExit(f"bench: {reason}")
    finally:
        for worker in workers.values():
            worker.end()
    return result
