# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""From the facts of one attention to a row for each run of heads that share bound and decision."""

from __future__ import annotations

import dataclasses
import re
from typing import Any, Dict, List, Optional, Tuple

Facts = Dict[str, Any]

#: Names of missed remarks in few words; others are taken apart at their capitals.
REASONS = {
    "NoBound": "no score bound is known", "BoundTooLarge": "score bound too large", "TooShort": "too short to pay",
    "ToleranceBelowRounding": "tolerance too tight", "NoState": "no state possible",
    "NoNativeState": "no native code for this type", "FeaturesOverflow": "features could overflow",
    "PolynomialKernel": "a polynomial already",
}


@dataclasses.dataclass
class Row:
    """Heads [first, first + count) of an attention; count is None if their number is not known."""

    first: int
    count: Optional[int]
    bound: Optional[Facts]
    #: The version that is evaluated where every run-time condition holds.
    version: Optional[Facts]
    reason: str
    #: Of the degree that was taken, or of the one that would be needed.
    degree: Optional[int]
    rank: Optional[float]
    costs: Optional[Facts]

    @property
    def certificate(self) -> Optional[Facts]:
        return self.version and self.version["certificate"]

    @property
    def heads(self) -> str:
        if self.count is None:
            return "all"
        last = self.first + self.count - 1
        return str(self.first) if self.count == 1 else f"{self.first} to {last}"

    @property
    def kind(self) -> str:
        """What was decided: 'certified', 'polynomial' (the model's own) or 'exact'."""
        if self.certificate:
            return "certified"
        return "polynomial" if self.version and self.version["degree"] is not None else "exact"


def rows(attention: Facts) -> List[Row]:
    versions = [v for v in attention["versions"] if not v["fallback"]]
    return [make_row(attention, versions, *run) for run in runs(attention["heads"], versions)]


def runs(heads: List[Facts], versions: List[Facts]) -> List[Tuple[int, Optional[int], Facts]]:
    """(first, count, description) of the longest runs of heads within one description and the same versions."""
    cuts = {v["first"] for v in versions if v["count"] is not None and v["first"] is not None}
    cuts |= {v["first"] + v["count"] for v in versions if v["count"] is not None and v["first"] is not None}
    found = []
    for run in heads:
        first, count = run["first"], run["count"]
        if count is None:
            found.append((first, None, run))
            continue
        places = sorted({first, first + count} | {cut for cut in cuts if first < cut < first + count})
        found += [(a, b - a, run) for a, b in zip(places, places[1:])]
    return found


def make_row(attention: Facts, versions: List[Facts], first: int, count: Optional[int], run: Facts) -> Row:
    version = next((v for v in versions if covers(v, first)), None)
    degree = version["degree"] if version and version["degree"] is not None else run.get("degree")
    rank = version["rank"] if version and version["rank"] is not None else run.get("rank")
    costs = next((c for c in attention["costs"].get("degrees", []) if c["degree"] == degree), None)
    return Row(first, count, run["bound"], version, reason(attention, first), degree, rank, costs)


def covers(version: Facts, head: int) -> bool:
    if version["first"] is None or version["count"] is None:
        return True
    return version["first"] <= head < version["first"] + version["count"]


def reason(attention: Facts, head: int) -> str:
    """Why what was not rewritten was not: of the head's own remarks, where heads were decided on their own."""
    names, concerned = {}, True
    for remark in attention["remarks"]:
        if remark["name"] == "Heads":
            first, last = (int(float(remark["metrics"][key])) for key in ("FirstHead", "LastHead"))
            concerned = first <= head <= last
        elif remark["kind"] == "missed" and concerned:
            names[remark["name"]] = None
    return "; ".join(REASONS.get(name, in_words(name)) for name in names)


def in_words(name: str) -> str:
    """'ExactBranch' -> 'exact branch'."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()
