# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Causal attention of a stream of tokens, in memory that does not grow with it."""

from __future__ import annotations

import math
import sys
from typing import Any, Dict, Iterable, List, Optional, Sequence, Tuple, Union

import numpy as np

Arrays = Union[np.ndarray, Sequence[np.ndarray]]


class Stream:
    """Causal attention with a polynomial kernel, where all that came before is one state of fixed size.

        stream = polyattn.Stream(heads=8, head_dim=64, kernel=[1.0, 1.0, 0.5])
        o = stream(q, k, v)                     # a prompt: [8, n, 64]
        o = stream(q, k, v)                     # its next tokens, n = 1 or any other number

    Outputs are those of attention over the whole stream, however it is cut into calls. `kernel` has the coefficients
    c0, c1, ... of the weight of a score s, c0 + c1 s + ..., with s = scale * q . k; `scale` is 1/sqrt(head_dim) unless
    given. `key_heads` is the number of heads of keys and values, which groups of query heads share; `batch` stands
    before the heads in all shapes. With `order` p > 1 there are p sets of keys and values, as in `attn.tensor_attention`.
    `state_dtype` is "f32" or "f64": f64 for streams longer than some 100,000 tokens. `normalised=False` leaves out the
    division by the sum of weights. `weighted` streams take key_weights in every call.

    `states`, arrays [*batch, key_heads, value_dim + 1, r] with r = C(head_dim + degree, degree), one for each set, are
    all there is: they can be saved, set, and added (`merge`). A stream goes on in its states' own memory where nobody
    else holds them; else it makes new ones, so that a copy of a stream (`copy.copy`) shares them until it goes on, and
    arrays once taken from `states` never change. Calls of one stream must not overlap. The ops are `attn.state_step`, `attn.state_update`, `attn.state_apply`.
    """

    def __init__(self, heads: int, head_dim: int, kernel: Sequence[float], *, scale: Optional[float] = None,
                 key_heads: Optional[int] = None, value_dim: Optional[int] = None, batch: Sequence[int] = (),
                 order: int = 1, dtype: str = "f32", state_dtype: str = "f32", weighted: bool = False,
                 normalised: bool = True, threads: Optional[int] = None) -> None:
        key_heads = heads if key_heads is None else key_heads
        value_dim = head_dim if value_dim is None else value_dim
        scale = 1 / math.sqrt(max(head_dim, 1)) if scale is None else scale
        for name, size in {"heads": heads, "key_heads": key_heads, "head_dim": head_dim, "value_dim": value_dim}.items():
            if size < 1:
                raise ValueError(f"{name} must be at least 1, got {size}")
        if heads % key_heads:
            raise ValueError(f"heads must be a multiple of key_heads, got {heads} and {key_heads}")
        if len(kernel) < 2:
            raise ValueError(f"kernel needs at least two coefficients, c0 and c1; got {list(kernel)}")
        if not all(map(math.isfinite, (*kernel, scale))):
            raise ValueError(f"kernel and scale must be finite, got {list(kernel)} and {scale}")
        if not 1 <= order <= 4:
            raise ValueError(f"order must be 1, 2, 3 or 4, got {order}")
        if dtype not in ("f16", "bf16", "f32", "f64"):
            raise ValueError(f"dtype must be 'f16', 'bf16', 'f32' or 'f64', got {dtype!r}")
        if state_dtype not in ("f32", "f64") or (dtype == "f64" and state_dtype == "f32"):
            raise ValueError(f"state_dtype must be 'f32' or 'f64', the latter for dtype 'f64'; got {state_dtype!r}")
        self._order, self._weighted, self._threads = order, weighted, threads
        self._shape = (*batch, key_heads, value_dim + 1, math.comb(head_dim + len(kernel) - 1, head_dim))
        self._dtype = np.dtype(np.float32 if state_dtype == "f32" else np.float64)
        self._text = _module((*batch, heads), (*batch, key_heads), head_dim, value_dim, self._shape, order, dtype, state_dtype,
                             weighted, _reading(kernel, scale, normalised))
        self._compiled: Dict[str, Any] = {}
        self._states: Tuple[np.ndarray, ...] = ()
        self.reset()

    def reset(self) -> None:
        """Forgets all tokens."""
        self._keep(np.zeros(self._shape, self._dtype) for _ in range(self._order))

    def _keep(self, states: Iterable[np.ndarray], own: bool = True) -> None:
        """`own`: their memory is nobody else's, as far as their references tell."""
        self._states, self._own = tuple(states), own

    def _are_mine(self) -> bool:
        return self._own and _COUNTS_REFERENCES and _references(self._states) == _ONE_REFERENCE

    @property
    def states(self) -> Tuple[np.ndarray, ...]:
        """The state of each key set."""
        return tuple(list(self._states))  # another tuple: what a caller holds shows in the arrays' references

    @states.setter
    def states(self, states: Sequence[np.ndarray]) -> None:
        states = tuple(np.asarray(s) for s in states)
        if len(states) != self._order:
            raise ValueError(f"expected {self._order} states, one for each set of keys, got {len(states)}")
        for state in states:
            if state.shape != self._shape or state.dtype != self._dtype:
                raise ValueError(f"expected states of shape {self._shape} and type {self._dtype}, "
                                 f"got {state.shape} and {state.dtype}")
        self._keep(states, own=False)

    def merge(self, other: "Stream") -> None:
        """Takes in all keys of another stream, as if they had come here."""
        before = self._states
        self.states = other.states
        self._keep(a + b for a, b in zip(before, other.states))

    def __call__(self, query: np.ndarray, keys: Arrays, values: Arrays, key_weights: Optional[Arrays] = None) -> np.ndarray:
        """New tokens: the output of each, which sees itself and all before it. [..., heads, n, dim], any n."""
        new = self._sets(keys, values, key_weights)
        if self._are_mine():
            return self._function("step_in_place")(query, *new, *self._states)
        output, *states = self._function("step")(query, *new, *self._states)
        self._keep(states)
        return output

    def absorb(self, keys: Arrays, values: Arrays, key_weights: Optional[Arrays] = None) -> None:
        """New keys and values without queries, such as a document that later queries are about."""
        new = self._sets(keys, values, key_weights)
        if self._are_mine():
            self._function("update_in_place")(*new, *self._states)
            return
        result = self._function("update")(*new, *self._states)
        self._keep(result if isinstance(result, tuple) else (result,))

    def read(self, query: np.ndarray) -> np.ndarray:
        """What queries see of all tokens so far; the stream stays as it is."""
        return self._function("apply")(query, *self._states)

    def _sets(self, keys: Arrays, values: Arrays, key_weights: Optional[Arrays]) -> List[np.ndarray]:
        if self._weighted != (key_weights is not None):
            raise ValueError("this stream takes key_weights in every call" if self._weighted else
                             "key_weights need a stream with weighted=True")
        groups = [keys, values] + ([key_weights] if self._weighted else [])
        arrays = []
        for name, group in zip(("keys", "values", "key_weights"), groups):
            group = list(group) if isinstance(group, (list, tuple)) else [group]
            if len(group) != self._order:
                raise ValueError(f"expected {self._order} arrays of {name}, got {len(group)}")
            arrays += group
        return arrays

    def _function(self, name: str) -> Any:
        if name not in self._compiled:
            from . import compile
            self._compiled[name] = compile(self._text, name, "builtin.module(attn-to-llvm)", threads=self._threads)
        return self._compiled[name]

    def __copy__(self) -> "Stream":
        other = object.__new__(Stream)
        other.__dict__.update(self.__dict__)
        other._keep(list(self._states), self._own)
        return other

    def __deepcopy__(self, memo: Dict[int, Any]) -> "Stream":
        other = self.__copy__()
        other._keep(s.copy() for s in self._states)
        return other


def _references(states: Tuple[Any, ...]) -> int:
    return max(map(sys.getrefcount, states))


# Only where references are counted can a stream know that it alone holds its states.
_COUNTS_REFERENCES = sys.implementation.name == "cpython" and getattr(sys, "_is_gil_enabled", lambda: True)()
_ONE_REFERENCE = _references((np.zeros(1),)) if _COUNTS_REFERENCES else 0


def _reading(kernel: Sequence[float], scale: float, normalised: bool) -> str:
    def literal(x: float) -> str:
        text = repr(float(x))
        return text if "." in text else text.replace("e", ".0e")
    return f"scale {literal(scale)} kernel poly<[{', '.join(map(literal, kernel))}]>{'' if normalised else ' unnormalised'}"


def _module(query_heads: Sequence[int], key_heads: Sequence[int], d: int, e: int, state: Sequence[int], order: int, dtype: str,
            state_dtype: str, weighted: bool, reading: str) -> str:
    def tensor(*shape: Optional[int], dtype: str = dtype) -> str:
        return f"tensor<{''.join('?x' if s is None else f'{s}x' for s in shape)}{dtype}>"
    q, k, v = tensor(*query_heads, None, d), tensor(*key_heads, None, d), tensor(*key_heads, None, e)
    w, s, o = tensor(*key_heads, None, dtype="f32"), tensor(*state, dtype=state_dtype), tensor(*query_heads, None, e)
    types = {"k": k, "v": v, "w": w, "s": s}
    letters = "kvws" if weighted else "kvs"

    def names(letter: str) -> str:
        return ", ".join(f"%{letter}{t}" for t in range(order))

    def listed(letter: str) -> str:
        return f"({names(letter)} : {', '.join([types[letter]] * order)})"
    arguments = ", ".join(f"%{letter}{t}: {types[letter]}" for letter in letters for t in range(order))
    weights = f"key_weights{listed('w')} " if weighted else ""
    updates = "".join(f"  %u{t} = attn.state_update %s{t}, %k{t}, %v{t} {f'key_weights(%w{t} : {w}) ' if weighted else ''}"
                      f": {s}, {k}, {v}\n" for t in range(order))
    states = ", ".join([s] * order)
    # The same in the memory that states are in.
    memory = arguments.replace(f": {s}", f": {s.replace('tensor', 'memref')}").replace("%s", "%m")
    opened = "".join(f"  %s{t} = bufferization.to_tensor %m{t} restrict writable : {s.replace('tensor', 'memref')} to {s}\n"
                     for t in range(order))

    def put(value: str) -> str:
        return "".join(f"  bufferization.materialize_in_destination {value.format(t, t + 1)} in restrict writable %m{t} "
                       f": ({s}, {s.replace('tensor', 'memref')}) -> ()\n" for t in range(order))
    step = (f"  %r:{order + 1} = attn.state_step %q keys{listed('k')} values{listed('v')} {weights}states{listed('s')} "
            f"{reading} : {q}\n")
    return (f"func.func @step_in_place(%q: {q}, {memory}) -> {o} {{\n{opened}{step}{put('%r#{1}')}  return %r#0 : {o}\n}}\n"
            f"func.func @update_in_place({memory}) {{\n{opened}{updates}{put('%u{0}')}  return\n}}\n"
            f"func.func @step(%q: {q}, {arguments}) -> ({o}, {states}) {{\n"
            f"{step}"
            f"  return {', '.join(f'%r#{i}' for i in range(order + 1))} : {o}, {states}\n}}\n"
            f"func.func @update({arguments}) -> ({states}) {{\n{updates}  return {names('u')} : {states}\n}}\n"
            f"func.func @apply(%q: {q}, {', '.join(f'%s{t}: {s}' for t in range(order))}) -> {o} {{\n"
            f"  %o = attn.state_apply %q states{listed('s')} {reading} : {q}\n  return %o : {o}\n}}\n")
