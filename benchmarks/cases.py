# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""What is measured: shapes, and the kinds of attention that each shape is computed as."""

import dataclasses

import inputs

#: The bound of the scores that the inputs of each kind fill. Exact attention
#: gets scores of ordinary size; "bounded" is exact attention that knows them.
#: The others are what the degree takes for an error of 1e-2, of which rounding
#: to bf16 takes its part. "moments" has keys that point in all directions, so
#: that the second moments of its scores let degree 1 do at that bound; of the
#: others it is said that they do not.
KINDS = {
    "exact": {"f32": 4.0, "bf16": 4.0},
    "bounded": {"f32": 4.0, "bf16": 4.0},
    "degree 1": {"f32": 0.19, "bf16": 0.15},
    "degree 2": {"f32": 0.6, "bf16": 0.5},
    "moments": {"f32": 0.6},
}


@dataclasses.dataclass(frozen=True)
class Case:
    """One attention: `heads` of `n` queries against `keys` keys (as many, if not given), dimensions d = e."""

    heads: int
    n: int
    d: int = 64
    dtype: str = "f32"
    causal: bool = False
    keys: int = 0
    kind: str = "exact"
    scales: tuple = ()  # tokens of each scale of next-scale attention

    def __post_init__(self):
        object.__setattr__(self, "keys", self.keys or self.n)
        object.__setattr__(self, "scales", tuple(self.scales))

    @property
    def mask(self):
        """As the oracle takes it."""
        if self.scales:
            return "block_causal", {"scales": self.scales}
        return ("causal" if self.causal else "full"), {}

    @property
    def bound(self):
        return KINDS[self.kind][self.dtype]

    @property
    def scale(self):
        return self.d ** -0.5

    @property
    def is_low_rank(self):
        return self.kind.startswith("degree") or self.is_isotropic

    @property
    def degree(self):
        """Of the polynomial that a low-rank kind takes."""
        return 1 if self.is_isotropic else int(self.kind.split()[1])

    @property
    def is_isotropic(self):
        return self.kind == "moments"

    @property
    def series(self):
        """What stays the same where times only grow with `pairs`, about."""
        return self.d, self.dtype, self.causal, self.n == 1, bool(self.scales)

    @property
    def pairs(self):
        """Of query and key, masked or not."""
        return self.heads * self.n * self.keys

    @property
    def score_bytes(self):
        """What one copy of all scores takes in f32."""
        return 4 * self.pairs

    @property
    def exact_flops(self):
        """Two products per admitted pair; the same number for whoever computes it, and however."""
        pairs = self.n * (self.n + 1) / 2 if self.causal else self.n * self.keys
        if self.scales:
            pairs = sum(tokens * sum(self.scales[:i + 1]) for i, tokens in enumerate(self.scales))
        return 4 * self.heads * pairs * self.d

    @property
    def shape_name(self):
        lengths = f"{self.n}" if self.n == self.keys else f"{self.n} to {self.keys} keys"
        masked = f"{len(self.scales)} scales, " if self.scales else "causal, " if self.causal else ""
        return f"{masked}{self.heads} x {lengths}, d = {self.d}, {self.dtype}"

    @property
    def name(self):
        kind = f"low rank, {self.kind}, bound {self.bound}" if self.is_low_rank else self.kind
        return f"{'exact, bound known' if kind == 'bounded' else kind}, {self.shape_name}"

    def of_kind(self, kind):
        return dataclasses.replace(self, kind=kind)

    def inputs(self):
        """q, k, v as f32 arrays whose numbers are exact in the case's type."""
        narrow = self.dtype == "bf16"
        bound = self.bound * (0.99 if narrow else 1)  # rounding may lengthen rows
        make = inputs.isotropic_inputs if self.is_isotropic else inputs.bounded_inputs
        arrays = make(self.heads, self.n, self.d, bound, keys=self.keys)
        return tuple(inputs.from_bf16_bits(inputs.to_bf16_bits(x)) for x in arrays) if narrow else arrays


@dataclasses.dataclass(frozen=True)
class Group:
    """Kinds of attention on one shape. Peers compute it exactly, once for all kinds."""

    shape: Case
    kinds: tuple = ("exact",)


def quick_groups():
    """The README's table."""
    return [
        Group(Case(4, 1024)),
        Group(Case(4, 4096), ("exact", "bounded", "degree 1")),
        Group(Case(4, 4096, causal=True)),
        Group(Case(4, 4096, dtype="bf16"), ("exact", "degree 1")),
        Group(Case(32, 1, keys=4096)),
        Group(Case(256, 64, d=32)),
        Group(Case(4, 4096, d=16), ("exact", "degree 2")),
        Group(Case(1, 16384), ("exact", "degree 2", "moments")),
        Group(Case(1, 16384, causal=True), ("exact", "degree 2")),
    ]


#: Sides of the token maps of VAR (next-scale prediction) for images of 256, 512 and 1,024 pixels.
VAR_SIDES = {256: (1, 2, 3, 4, 5, 6, 8, 10, 13, 16), 512: (1, 2, 3, 4, 6, 9, 13, 18, 24, 32),
             1024: (1, 2, 3, 4, 5, 7, 9, 12, 16, 21, 27, 36, 48, 64)}


def next_scale_groups():
    for pixels, kinds in ((256, ("exact", "degree 1")), (512, ("exact", "degree 1")), (1024, ("exact", "degree 1", "degree 2"))):
        scales = tuple(side * side for side in VAR_SIDES[pixels])
        yield Group(Case(16, sum(scales), scales=scales), kinds)


LENGTHS = (16, 128, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536)


def sweep_groups():
    """Every combination, in curves over n: a curve's last times tell whether its next point is worth the wait."""
    every = ("exact", "bounded", "degree 1", "degree 2")
    for dtype in ("f32", "bf16"):
        for causal in (False, True):
            for d in (32, 64, 128):
                for n in LENGTHS:
                    yield Group(Case(2, n, d, dtype, causal), every)
            for n in LENGTHS:
                yield Group(Case(2, n, 16, dtype, causal), ("exact", "degree 2"))
        for keys in LENGTHS[1:]:
            yield Group(Case(32, 1, 64, dtype, keys=keys))
        for n in (16, 64, 128, 256):
            yield Group(Case(256, n, 32, dtype), every)
