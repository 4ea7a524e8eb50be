# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""The facts of a report as one HTML page that needs no other file."""

from __future__ import annotations

import functools
import html
import json
import pathlib
from typing import Any, Dict, Iterable, List, Optional, Sequence, Tuple

from . import plots
from .rows import Row, rows

Facts = Dict[str, Any]
#: Label, and whether the column holds numbers.
Columns = Sequence[Tuple[str, bool]]

OVERVIEW: Columns = (("heads", False), ("score bound", True), ("from", False), ("decision", False),
                     ("degree", True), ("rank", True), ("error", True), ("direct", True), ("state", True),
                     ("pays from n", True))
DEGREES: Columns = (("degree", True), ("rank", True), ("state, MiB", True), ("error", True), ("time", True),
                    ("pays from n", True))
TIMES_NOTE = "million cycles of one core"


def render(facts: Facts, title: str) -> str:
    attentions = facts["attentions"]
    sections = [section(number, attention) for number, attention in enumerate(attentions)]
    style = (pathlib.Path(__file__).parent / "style.css").read_text(encoding="utf-8")
    return "\n".join([
        "<!DOCTYPE html>", '<html lang="en">', "<head>", '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}: polyattn report</title>", f"<style>\n{style}</style>", "</head>", "<body>",
        header(facts, title), "<main>", overview(attentions), *sections, others(facts["remarks"]), "</main>", "</body>",
        "</html>", ""])


def escape(value: Any) -> str:
    return html.escape(str(value), quote=True)


#===-- numbers -------------------------------------------------------------===#


def number(value: Optional[float], digits: int = 3) -> str:
    """Whole numbers up to a million in full; empty for None."""
    if value is None:
        return ""
    if value == int(value) and abs(value) < 1e6:
        return f"{int(value):,}"
    return f"{value:.{digits}g}"


def rounded_up(value: Optional[float]) -> str:
    """An error that is shown must not be less than what is proved."""
    if value is None:
        return ""
    text = f"{value:.2e}"
    if float(text) < value:
        mantissa, exponent = text.split("e")
        text = f"{float(mantissa) + 0.01:.2f}e{exponent}"
    return f"{float(text):.3g}"


def cycles(value: Optional[float]) -> str:
    if value is None:
        return ""
    return f"{value / 1e6:,.0f}" if value >= 1e9 else f"{value / 1e6:.3g}"


def size(value: Optional[int]) -> str:
    return "?" if value is None else f"{value:,}"


def plural(count: Optional[int], one: str, many: str) -> str:
    return f"{size(count)} {one if count == 1 else many}"


#===-- tables --------------------------------------------------------------===#


def table(columns: Columns, body: str, note: str) -> str:
    """On a phone it folds: every line becomes a block of labels and values."""
    head = "".join(f'<th{numeric(is_number)}>{escape(label)}</th>' for label, is_number in columns)
    return (f"<table><thead><tr>{head}</tr></thead>\n{body}</table>"
            f'<p class="soft">{escape(note)}</p>')


def cells(columns: Columns, values: Iterable[str]) -> str:
    """A line of cells that are HTML already; on a phone each shows its label."""
    line = ""
    for (label, is_number), value in zip(columns, values):
        content = value and f"<span>{value}</span>"
        line += f'<td{numeric(is_number)} data-label="{escape(label)}">{content}</td>'
    return f"<tr>{line}</tr>\n"


def numeric(is_number: bool) -> str:
    return ' class="number"' if is_number else ""


#===-- the whole module ----------------------------------------------------===#


def header(facts: Facts, title: str) -> str:
    target, attentions = facts["target"], facts["attentions"]
    rewritten = sum(any(row.kind == "certified" for row in rows(attention)) for attention in attentions)
    lines = [f"{plural(len(attentions), 'attention', 'attentions')}, {rewritten} of them rewritten, wholly or in part, "
             f"to a certified polynomial. Tolerance {number(facts['rtol'])} of max|value|.",
             f"Times are predicted, in {TIMES_NOTE}, for {target['name']}: {target['cores']} cores, "
             f"{target['vectorBits']}-bit vectors. Only ratios decide."]
    return (f"<header><h1>{escape(title)}</h1>" + "".join(f'<p class="soft">{escape(line)}</p>' for line in lines) +
            "</header>")


def overview(attentions: List[Facts]) -> str:
    if not attentions:
        return "<section><h2>No attention</h2><p>The module has no op that could be approximated.</p></section>"
    bodies = []
    for index, attention in enumerate(attentions):
        lines = "".join(cells(OVERVIEW, overview_values(attention, row)) for row in rows(attention))
        bodies.append(f'<tbody><tr><th class="group" colspan="{len(OVERVIEW)}"><a href="#a{index}">'
                      f"{escape(name_of(index, attention))}</a></th></tr>\n{lines}</tbody>\n")
    note = ("Errors are certified, relative to max|value|. Direct and state: predicted time of the whole attention. "
            "Heads that stay exact show the degree that their bound would need and the time of its state. Pays from n: "
            "the length from which on that state is predicted to win.")
    return f"<section><h2>Decisions</h2>{table(OVERVIEW, ''.join(bodies), note)}</section>"


def overview_values(attention: Facts, row: Row) -> Iterable[str]:
    costs, bound, certificate = row.costs or {}, row.bound or {}, row.certificate or {}
    yield escape(row.heads)
    yield number(bound.get("value"))
    yield escape(bound.get("source", "none known")) + moments(bound)
    yield badge(row)
    yield needed_degree(attention, row) if row.kind == "exact" else number(row.degree)
    yield number(row.rank)
    yield rounded_up(certificate.get("outputError"))
    yield cycles(attention["costs"].get("directNow"))
    yield cycles(costs.get("now"))
    yield number(costs.get("breakEven"))


def moments(bound: Facts) -> str:
    """What is known of centred scores, if anything."""
    known = bound.get("moments")
    return known and (f' <span class="soft">centred {number(known["centredBound"])}, second moment '
                      f'{number(known["secondMoment"])}</span>') or ""


def needed_degree(attention: Facts, row: Row) -> str:
    """Of the polynomial that would do at the row's bound."""
    if row.degree is not None:
        return f'<span class="soft">needs</span> {number(row.degree)}'
    could_know = row.bound and attention["kernel"] == "exp" and attention["sizes"]["headDim"]
    return '<span class="soft">none will do</span>' if could_know else ""


def badge(row: Row) -> str:
    if row.kind == "exact":
        why = f' <span class="soft">{escape(row.reason)}</span>' if row.reason else ""
        return f'<span class="badge exact">exact</span>{why}'
    kept = row.certificate and {"proved": "proved", "guarded": "checked at run time", "trusted": "trusted"}.get(
        row.certificate["assumption"], row.certificate["assumption"])
    text = kept or {"state": "through a state", "direct": "directly"}.get(row.version["evaluation"], "")
    name = {"certified": "certified", "polynomial": "own polynomial"}[row.kind]
    return f'<span class="badge {row.kind}">{name}</span> <span class="soft">{escape(text)}</span>'


def others(remarks: List[Facts]) -> str:
    """Remarks about no attention of the module as it is decided on."""
    return f"<section><h2>Other remarks</h2>{remark_list(remarks)}</section>" if remarks else ""


#===-- one attention -------------------------------------------------------===#


def name_of(index: int, attention: Facts) -> str:
    name = attention["name"] or f"attention {index + 1}"
    return name + (f" in @{attention['function']}" if attention["function"] else "")


def section(index: int, attention: Facts) -> str:
    right = remark_sections(attention["remarks"]) + certificates(attention["versions"])
    return (f'<section id="a{index}"><h2>{escape(name_of(index, attention))}</h2>'
            f'<p class="soft">{escape(attention["location"])}<br>{escape(shape_text(attention))}</p>\n'
            f'<div class="beside"><div>{figure(attention)}</div><div>{right}</div></div>'
            f"{degree_table(attention)}</section>")


def shape_text(attention: Facts) -> str:
    sizes = attention["sizes"]
    parts = [plural(sizes["queryHeads"], "head", "heads")]
    if sizes["keyHeads"] != sizes["queryHeads"]:
        parts[0] += f" on {plural(sizes['keyHeads'], 'head', 'heads')} of keys"
    parts += [plural(sizes["numQueries"], "query", "queries"), plural(sizes["numKeys"], "key", "keys"),
              f"d = {size(sizes['headDim'])}"]
    if sizes["valueDim"] != sizes["headDim"]:
        parts.append(f"e = {size(sizes['valueDim'])}")
    parts += [attention["elementType"], f"mask {attention['mask']}", f"scale {number(attention['scale'], 4)}"]
    return ", ".join(parts)


def own_length(attention: Facts) -> Optional[int]:
    return attention["sizes"]["numKeys"]


def chosen_degree(attention: Facts) -> Optional[int]:
    """The lowest degree that some heads take."""
    taken = [v["degree"] for v in attention["versions"] if not v["fallback"]]
    return min((degree for degree in taken if degree is not None), default=None)


def figure(attention: Facts) -> str:
    if "direct" not in attention["costs"]:
        return '<p class="soft">No times are predicted: a dimension is unknown or 0.</p>'
    svg = drawn(json.dumps(attention["costs"]), own_length(attention), chosen_degree(attention))
    caption = "Predicted times. A dot is where the state begins to pay."
    if attention["whyNoState"]:
        caption = f"Predicted time. There is no state: {attention['whyNoState']}."
    return (f'<figure role="img" aria-label="predicted times against the length">{svg}'
            f"<figcaption>{escape(caption)}</figcaption></figure>")


@functools.lru_cache(maxsize=None)
def drawn(costs: str, length: Optional[int], degree: Optional[int]) -> str:
    """Layers of a model are mostly alike, so that one drawing serves many."""
    return plots.draw(json.loads(costs), length, degree)


def degree_table(attention: Facts) -> str:
    degrees = attention["costs"].get("degrees")
    if not degrees:
        return ""
    body = "".join(cells(DEGREES, degree_values(entry)) for entry in degrees)
    direct = attention["costs"]["directNow"]
    note = "The state is that of one head; errors are what can be certified at the score bound."
    if direct is not None:
        note += f" Time is that at the attention's own lengths in {TIMES_NOTE}; direct takes {cycles(direct)}."
    return "<h3>By degree</h3>" + table(DEGREES, f"<tbody>{body}</tbody>", note)


def degree_values(entry: Facts) -> Iterable[str]:
    yield number(entry["degree"])
    yield number(entry["rank"])
    yield f"{entry['stateBytes'] / 2**20:.2g}"
    yield rounded_up(entry["certifiedError"]) or "none"
    yield cycles(entry["now"])
    yield number(entry["breakEven"]) or "never"


def remark_sections(remarks: List[Facts]) -> str:
    """Why first, then where the bound came from, then how it is evaluated."""
    decisions = [r for r in remarks if r["kind"] != "analysis"]
    schedule = [r for r in remarks if r["kind"] == "analysis" and r["pass"].endswith("attn-schedule")]
    origin = [r for r in remarks if r["kind"] == "analysis" and not r["pass"].endswith("attn-schedule")]
    parts = (("Why", decisions), ("Where the bound comes from", origin), ("Evaluation", schedule))
    return "".join(f"<h3>{title}</h3>{remark_list(list_)}" for title, list_ in parts if list_)


def remark_list(remarks: List[Facts]) -> str:
    lines = "".join(f'<li class="{escape(r["kind"])}"><strong>{escape(r["name"])}</strong> '
                    f'<span class="soft">{escape(r["kind"])}, {escape(r["pass"].rpartition(":")[2])}</span><br>'
                    f'{escape(r["text"] or metrics(r))}</li>\n' for r in remarks)
    return f'<ul class="remarks">{lines}</ul>'


def metrics(remark: Facts) -> str:
    return ", ".join(f"{key} {value}" for key, value in remark["metrics"].items())


def certificates(versions: List[Facts]) -> str:
    parts = []
    for version in versions:
        certificate = version["certificate"]
        if not certificate:
            continue
        heads = "" if version["first"] in (0, None) else f" from head {version['first']}"
        parts.append(f"<h3>Certificate{heads}</h3><dl><dt>Promises</dt><dd>{escape(certificate['promises'])}</dd>"
                     f"<dt>Assumes</dt><dd>{escape(certificate['assumes'])}</dd>"
                     f"<dt>Kept by</dt><dd>{escape(certificate['keptBy'])}</dd></dl>")
    return "".join(parts)
