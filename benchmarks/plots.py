# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Curves from bench.json: times over the length, and the rate of arithmetic beside what the machine can do."""

import collections
import re
import statistics

import contenders
from cases import Case

try:
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt
except ImportError:
    matplotlib = None

#: Ours are thick and dark, the more approximate the warmer; peers thin.
STYLES = {
    "polyattn exact": {"color": "#0b3c5d", "linewidth": 2.4, "marker": "o"},
    "polyattn bounded": {"color": "#328cc1", "linewidth": 2.4, "marker": "s"},
    "polyattn degree 1": {"color": "#e0a100", "linewidth": 2.4, "marker": "^"},
    "polyattn degree 2": {"color": "#c1440e", "linewidth": 2.4, "marker": "v"},
    "PyTorch SDPA": {"color": "#6b4c9a"}, "torch.compile": {"color": "#a58bc9"}, "OpenVINO": {"color": "#3e9651"},
    "ONNX Runtime": {"color": "#8c8c8c"}, "JAX": {"color": "#d17ba0"}, "IREE": {"color": "#948b3d"},
    "PyTorch low rank degree 1": {"color": "#e0a100", "linestyle": ":"},
    "PyTorch low rank degree 2": {"color": "#c1440e", "linestyle": ":"},
}
OTHER = {"linewidth": 1.2, "marker": ".", "markersize": 5}


def write_all(report, folder):
    """The files written; none without matplotlib."""
    if matplotlib is None:
        print("no plots: matplotlib is not installed (./pa setup --with-peers)")
        return []
    folder.mkdir(parents=True, exist_ok=True)
    panels = [panel for panel in collect(report["groups"]).items() if len(panel[1]) > 1]
    files = [plot_times(key, records, folder) for key, records in panels]
    for dtype in sorted({key[2] for key, _ in panels}):
        files.append(plot_rates([panel for panel in panels if panel[0][2] == dtype], dtype, folder))
    return files


def collect(groups):
    """(heads, d, dtype, causal, decode) -> records by length."""
    panels = collections.defaultdict(list)
    for record in groups:
        case = Case(**record["shape"])
        panels[case.heads, case.d, case.dtype, case.causal, case.n == 1].append(record)
    for records in panels.values():
        records.sort(key=length)
    return panels


def length(record):
    return record["shape"]["keys"]


def panel_title(heads, d, dtype, causal, decode):
    return f"{'one query, ' if decode else 'causal, ' if causal else ''}{heads} heads, d = {d}, {dtype}"


def curve_name(entry):
    return entry["label"] if entry["module"] in contenders.PEERS else f"{entry['label']} {entry['kind']}"


def stayed_exact(entry):
    return entry.get("note", "").startswith("stayed exact")


#===-- time against length -------------------------------------------------===#


def plot_times(key, records, folder):
    figure, axes = plt.subplots(figsize=(9, 5.5), layout="constrained")
    curves = collections.defaultdict(list)
    for record in records:
        for entry in record["entries"]:
            if "ms" in entry:
                curves[curve_name(entry)].append((length(record), entry["ms"]))
    for name in [name for name in STYLES if name in curves]:
        axes.plot(*zip(*curves[name]), label=name, **{**OTHER, **STYLES[name]})
    for kind, n in crossovers(records).items():
        color = STYLES[f"polyattn {kind}"]["color"]
        axes.axvline(n, color=color, linestyle="--", linewidth=0.8)
        axes.annotate(f"{kind}: state from {n}", (n, 0.02), xycoords=("data", "axes fraction"), rotation=90,
                      fontsize=7, color=color, ha="right")
    axes.set(xscale="log", yscale="log", xlabel="keys", ylabel="ms a call", title=panel_title(*key))
    axes.set_xticks([length(r) for r in records], [str(length(r)) for r in records], rotation=45)
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    figure.legend(loc="outside right upper", fontsize=7)
    return save(figure, folder, "time " + panel_title(*key))


def crossovers(records):
    """The length from which on each kind is evaluated through a state, from the remark on one that was not yet."""
    ours = [entry for record in records for entry in record["entries"] if entry["module"] == contenders.OURS]
    notes = {entry["kind"]: entry["note"] for entry in ours if stayed_exact(entry)}
    found = {kind: re.search(r"pays from n = (\d+)", note) for kind, note in notes.items()}
    return {kind: int(match[1]) for kind, match in found.items() if match and int(match[1]) <= 2 * length(records[-1])}


#===-- rate of arithmetic --------------------------------------------------===#


def plot_rates(panels, dtype, folder):
    """GF/s of each of our kinds, one panel for each dimension, and the rate of f32 FMAs on registers."""
    dimensions = sorted({key[1] for key, _ in panels})
    figure, all_axes = plt.subplots(1, len(dimensions), figsize=(max(9, 4.2 * len(dimensions)), 4.5), sharey=True,
                                    squeeze=False, layout="constrained")
    for d, axes in zip(dimensions, all_axes[0]):
        chosen = [panel for panel in panels if panel[0][1] == d]
        for key, records in chosen:
            plot_panel_rates(axes, key, records)
        peaks = [r["peak_gflops"] for _, records in chosen for r in records]
        axes.axhline(statistics.median(peaks), color="black", linewidth=1, label="f32 FMAs on registers")
        axes.axhspan(min(peaks), max(peaks), color="black", alpha=0.07)
        axes.set(xscale="log", yscale="log", xlabel="keys", title=f"d = {d}, {dtype}")
        axes.grid(alpha=0.3)
    all_axes[0][0].set_ylabel("GF/s of arithmetic that the evaluation needs")
    handles = {label: handle for axes in all_axes[0] for handle, label in zip(*axes.get_legend_handles_labels())}
    figure.legend(handles.values(), handles, loc="outside lower center", ncols=5, fontsize=8,
                  title="solid: full mask, dashed: causal, dotted: one query, dash-dotted: 256 heads", title_fontsize=8)
    return save(figure, folder, f"rate {dtype}")


def plot_panel_rates(axes, key, records):
    heads, _, _, causal, decode = key
    line = "--" if causal else ":" if decode else "-." if heads > 100 else "-"
    curves = collections.defaultdict(list)
    for record in records:
        for entry in record["entries"]:
            if entry["module"] == contenders.OURS and "ms" in entry and not stayed_exact(entry):
                rate = flops(Case(**record["shape"]), entry) / (1e6 * entry["ms"])
                curves[curve_name(entry)].append((length(record), rate))
    for name, curve in curves.items():
        style = {**STYLES[name], "linewidth": 1.5, "markersize": 4}
        axes.plot(*zip(*curve), label=name, **{**style, "linestyle": line})


def flops(case, entry):
    """Of exact attention, or of building and reading a state; what is direct beside a prefix state is not counted."""
    if not entry["kind"].startswith("degree"):
        return case.exact_flops
    rank = int(entry["note"].split("rank ")[1])
    return case.heads * (case.n + case.keys) * 2 * rank * (case.d + 1)


# ===-- tensor attention ----------------------------------------------------===#


def plot_tensor(records, folder, d=32):
    """Order 3: time over the length, exact and through a state; of each library the fastest way. None without matplotlib."""
    if matplotlib is None:
        print("no plot: matplotlib is not installed (./pa setup --with-peers)")
        return None
    folder.mkdir(parents=True, exist_ok=True)
    curves = collections.defaultdict(dict)
    for record in records:
        if record["d"] != d:
            continue
        for name, seconds in record["seconds"].items():
            library = "ours" if name == "ours" else re.match(r"PyTorch low rank|PyTorch|JAX", name)[0]
            curve = f"{library} {record['kind']}{', causal' if record['causal'] else ''}" if library != "PyTorch low rank" else library
            ms = 1e3 * statistics.median(seconds)
            curves[curve][record["n"]] = min(ms, curves[curve].get(record["n"], ms))
    if not curves:
        print(f"no plot: no case of d = {d} ran")
        return None
    figure, axes = plt.subplots(figsize=(9, 5.5), layout="constrained")
    for name, points in sorted(curves.items()):
        ours = {"linewidth": 2.4, "marker": "o", "color": "#0b3c5d" if "exact" in name else "#c1440e"} if "ours" in name else {}
        axes.plot(*zip(*sorted(points.items())), label=name, **{**OTHER, **ours, "linestyle": "--" if "causal" in name else "-"})
    axes.set(xscale="log", yscale="log", xlabel="tokens", ylabel="ms a call", title=f"order 3, one head, d = {d}, f32")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    return save(figure, folder, f"tensor d = {d}")


def save(figure, folder, title):
    path = folder / (title.replace(",", "").replace(" = ", "").replace(" ", "-") + ".png")
    figure.savefig(path, dpi=130)
    plt.close(figure)
    return path
