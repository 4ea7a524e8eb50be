# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Inputs with a known score bound, and bf16 as 16-bit patterns."""

import numpy as np


def bounded_inputs(heads, n, d, bound, seed=0, keys=None):
    """q [heads, n, d] and k, v [heads, keys or n, d] whose scores at scale 1/sqrt(d) fill [-bound, bound], and whose
    values go with the keys.

    Rows lie around a few directions and their opposites: of directions that have nothing in common all scores would be
    close to 0, and so would be the difference that a kernel makes.
    """
    random = np.random.default_rng(seed)
    directions = random.standard_normal((heads, 3, d), np.float32)
    norm = np.float32(np.sqrt(0.999 * bound * np.sqrt(d)))
    mean_values = random.standard_normal((6, d), np.float32)

    def rows(count):
        which = random.integers(6, size=count)
        sign = np.where(which < 3, 1, -1).astype(np.float32)[:, None]
        x = sign * directions[:, which % 3] + np.float32(0.1) * random.standard_normal((heads, count, d), np.float32)
        return norm * x / np.linalg.norm(x, axis=-1, keepdims=True), which

    (q, _), (k, which) = rows(n), rows(keys or n)
    v = mean_values[which] + np.float32(0.1) * random.standard_normal(k.shape, np.float32)
    # numpy's indexing leaves other orders of memory behind, which calls would have to copy from.
    return tuple(map(np.ascontiguousarray, (q, k, v)))


def isotropic_inputs(heads, n, d, bound, seed=0, keys=None):
    """The same shapes and bound, with rows in random directions and values that go with the keys."""
    random = np.random.default_rng(seed)
    norm = np.float32(np.sqrt(0.99 * bound * np.sqrt(d)))

    def rows(count):
        x = random.standard_normal((heads, count, d), np.float32)
        return norm * x / np.linalg.norm(x, axis=-1, keepdims=True)

    q, k = rows(n), rows(keys or n)
    return q, k, np.sign(k) + np.float32(0.1) * random.standard_normal(k.shape, np.float32)


def to_bf16_bits(x):
    """The 16 bits of each number rounded to bf16, nearest or else even; for finite f32 numbers."""
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def from_bf16_bits(bits):
    return (bits.astype(np.uint32) << 16).view(np.float32)
