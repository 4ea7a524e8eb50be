# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Attention in; decisions, errors and times out. Run by ./pa demo.

--no-times leaves the times out. Fails where an error exceeds what was promised.
"""

import pathlib
import re
import statistics
import sys

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
sys.path += [str(HERE.parent / "benchmarks"), str(HERE.parent / "test")]

import block
import measure
import oracle
import polyattn

# What f32 arithmetic costs exact attention, relative to max|value|.
EXACT_ERROR = 1e-5
COLUMNS = "{:<9} {:<12} {:<10} {:>6} {:>6} {:>10} {:>10}"
TIME_COLUMNS = " {:>9} {:>9} {:>9}  {}"


class Example:
    """The module NAME.mlir, compiled twice: as attn-compile decides, and with its attention left exact."""

    def __init__(self, name, inputs, causal=False):
        self.name, self.inputs, self.causal = name, inputs, causal
        self.scale = inputs[0].shape[-1] ** -0.5
        self.module = polyattn.parse((HERE / f"{name}.mlir").read_text(), f"{name}.mlir")
        self.rewritten = polyattn.compile(self.module, threads=measure.THREADS)
        self.exact = polyattn.compile(self.module, pipeline="attn-schedule,attn-to-llvm", threads=measure.THREADS)
        self.decision = next(r for r in self.rewritten.remarks if r.category.endswith("attn-approximate") and r.kind in ("passed", "missed"))

    @property
    def is_rewritten(self):
        return self.decision.kind == "passed"

    @property
    def promised_error(self):
        return float(self.decision.args["OutputError"]) if self.is_rewritten else EXACT_ERROR

    def error(self, inputs, kernel=None):
        """Largest error on a sample of rows, against float64 and relative to max|value|.

        With a kernel: not of our result, but of attention with that kernel.
        """
        value = np.abs(inputs[2]).max()
        result = self.rewritten(*inputs) if kernel is None else None
        rows = np.unique(np.linspace(0, inputs[0].shape[-2] - 1, 24).astype(int))
        worst = 0.0
        for i in rows:
            given = self.oracle_row(inputs, i, kernel) if kernel else result[:, [i]]
            worst = max(worst, np.abs(given - self.oracle_row(inputs, i)).max())
        return worst / value

    def oracle_row(self, inputs, i, kernel=None):
        q, k, v = inputs
        keys = i + 1 if self.causal else k.shape[-2]
        return oracle.attention(q[:, [i]], k[:, :keys], v[:, :keys], self.scale, kernel)

    def times(self, rounds=3):
        """Milliseconds (ours, exact, PyTorch's or None), and how much faster than PyTorch, or else exact, ours is."""
        contenders = {"ours": lambda: self.rewritten(*self.inputs), "exact": lambda: self.exact(*self.inputs)}
        if measure.torch:
            contenders["torch"] = measure.torch_attention(*self.inputs, self.scale, self.causal)
        times = measure.interleaved(contenders, rounds)
        medians = {name: 1e3 * statistics.median(seconds) for name, seconds in times.items()}
        ratio = measure.median_ratio(times["torch" if measure.torch else "exact"], times["ours"])
        return medians["ours"], medians["exact"], medians.get("torch"), ratio

    def polynomial(self):
        """The coefficients that the rewrite chose, read from the rewritten module."""
        module = polyattn.parse(str(self.module))
        module.run("attn-approximate")
        return [float(c) for c in re.search(r"poly<\[(.*?)\]>", str(module))[1].split(",")]


def load_examples():
    minilm = np.load(HERE.parent / "data" / "minilm_layer5.npz")
    yield Example("minilm", [minilm[name] for name in "qkv"])
    yield Example("degree1", measure.bounded_inputs(4, 4096, 64, 0.19))
    yield Example("degree2", measure.bounded_inputs(1, 16384, 64, 0.6))
    yield Example("moments", measure.isotropic_inputs(1, 16384, 64, 0.6))
    yield Example("causal", measure.bounded_inputs(1, 16384, 64, 0.6), causal=True)


def show_head(with_times):
    line = COLUMNS.format("example", "shape", "attention", "degree", "rank", "certified", "measured")
    if with_times:
        line += TIME_COLUMNS.format("ours ms", "exact ms", "torch ms", "torch/ours" if measure.torch else "exact/ours")
    print("Errors are relative to max|value|; 'measured' is against float64 on a sample of rows.")
    print(f"Times are medians on {measure.THREADS} threads; 'exact' is our code without the rewrite, 'torch' is "
          f"scaled_dot_product_attention{'' if measure.torch else ' (no PyTorch here, so none)'}.\n" if with_times else "")
    print(line)


def show(example, with_times):
    """One line of the table, then the remark; True if the error keeps its promise."""
    args = example.decision.args
    facts = ("rewritten", args["Degree"], args["Rank"], f"{example.promised_error:.1e}")
    error = example.error(example.inputs)
    shape = "x".join(map(str, example.inputs[0].shape))
    line = COLUMNS.format(example.name, shape, *(facts if example.is_rewritten else ("exact", "-", "-", "-")), f"{error:.1e}")
    if with_times:
        ours, exact, torch, ratio = example.times()
        line += TIME_COLUMNS.format(f"{ours:.1f}", f"{exact:.1f}", f"{torch:.1f}" if torch else "-", f"{ratio:.2f}x")
    print(line)
    print(f"          {example.decision.location}: {args['Remark']}", flush=True)
    return error <= example.promised_error


def show_guard(example):
    """Inputs beyond the declared bound: the run-time check sends them to the exact code."""
    q, k, v = example.inputs
    inputs = [8 * q, k, v]
    error = example.error(inputs)
    wrong = example.error(inputs, example.polynomial())
    print(f"\n{example.name} with queries 8 times as long, beyond the bound it declares: the run-time check takes the "
          f"exact code.\n          measured {error:.1e}; the polynomial would have been off by {wrong:.1e}")
    return error <= EXACT_ERROR < wrong


def show_block(with_times):
    """A whole exported block: attention is found, its bound proved, and nothing is checked at run time."""
    name = "cosine_block.mlir"
    text = (HERE / name).read_text()
    model, module = block.Block(text), polyattn.parse(text, name)
    rewritten = polyattn.compile(module, threads=measure.THREADS)
    exact = polyattn.compile(module, pipeline="attn-import,attn-schedule,attn-to-llvm", threads=measure.THREADS)
    print(f"\n{name}, as PyTorch's exporter wrote it: LayerNorm, projections, cosine attention over {block.TOKENS:,} "
          "tokens, residual")
    decisions = {}
    for remark in rewritten.remarks:
        kind = remark.category.split(":")[-1]
        if kind in ("attn-raise", "attn-infer-bounds", "attn-approximate"):
            decisions[kind] = remark.args
            print(f"          {remark.location}: {remark.args['Remark']}")
    x = np.random.default_rng(0).standard_normal((1, block.TOKENS, block.HEADS * block.HEAD_DIM)).astype(np.float32)
    rows = np.linspace(0, block.TOKENS - 1, 24).astype(int)
    error = np.abs(rewritten(x)[0, rows] - model.rows(x[0], rows)).max()
    limit = model.error_limit(x[0], float(decisions["attn-approximate"]["OutputError"]))
    line = f"          largest error of the block {error:.1e}, certified {limit:.1e}"
    if with_times:
        times = measure.interleaved({"ours": lambda: rewritten(x), "exact": lambda: exact(x)}, 3)
        line += "; {:.1f} ms, with exact attention {:.1f} ms".format(
            *(1e3 * statistics.median(times[which]) for which in ("ours", "exact")))
    print(line)
    return error <= limit


def main():
    if sys.argv[1:] not in ([], ["--no-times"]):
        sys.exit(__doc__)
    with_times = not sys.argv[1:]
    show_head(with_times)
    kept, examples = [], {}
    for example in load_examples():
        examples[example.name] = example
        kept.append(show(example, with_times))
    kept.append(show_guard(examples["degree2"]))
    kept.append(show_block(with_times))
    print("\nEvery error is within what was promised." if all(kept) else "\nAN ERROR EXCEEDS WHAT WAS PROMISED.")
    sys.exit(0 if all(kept) else 1)


if __name__ == "__main__":
    main()
