#!/usr/bin/env python3
# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Random attention, compiled and compared with the oracle until time is up: what test/Integration/numerics* does for
fixed cases, for cases that nobody chose. A failure prints its program; the same --seed meets it again."""

import argparse
import os
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=None, help="of the first round; a random one if not given")
    parser.add_argument("--rounds", type=int, default=None, help="stop after so many rounds")
    parser.add_argument("--certificate-trials", type=int, default=0, metavar="N", help="nothing but certificates, until so many row problems were tried")
    parser.add_argument("--guard-cases", type=int, default=0, metavar="N", help="nothing but guards, until so many inputs were tried")
    parser.add_argument("--build-dir", default=os.path.join(ROOT, "build"), help="where polyattn was built")
    parser.add_argument("--qkv", nargs="*", default=[], help=".npz files of arrays *q, *k, *v to run as well")
    return parser.parse_args()


options = arguments()
sys.path[:0] = [os.path.join(ROOT, "test", "Integration", "Inputs", "numerics"), os.path.join(ROOT, "test"),
                os.path.join(options.build_dir, "python")]

import numpy as np  # noqa: E402

import certificate  # noqa: E402
import exact  # noqa: E402
import guard_cases  # noqa: E402
import inputs  # noqa: E402
import lora  # noqa: E402
import polynomial  # noqa: E402
import stream  # noqa: E402
import tensor  # noqa: E402
import trials  # noqa: E402
from harness import Family, Program, Shape, Variant  # noqa: E402


def pick(rng, choices):
    return choices[rng.integers(len(choices))]


def random_size(rng, most):
    """Small sizes and those around multiples of vectors and blocks are as likely as large ones."""
    size = pick(rng, [rng.integers(1, 8), 16 * rng.integers(1, 9) + rng.integers(-1, 2), int(most ** rng.random())])
    return int(np.clip(size, 1, most))


def random_shape(rng, most_dim):
    kv_heads = pick(rng, [1, 2, 3])
    heads = kv_heads * pick(rng, [1, 2, 4])
    batch = pick(rng, [(), (heads,), (2, heads), (1, 2, heads)])
    dtype = pick(rng, ["f32"] * 4 + ["f16", "bf16"])
    n, m = pick(rng, [(None, None)] * 3 + [(random_size(rng, 300), random_size(rng, 300))])
    return Shape(random_size(rng, most_dim), random_size(rng, 200), batch, kv_heads if batch else 1, dtype, n, m)


def lengths(rng, shape, count=4):
    if shape.n is not None:
        return [(shape.n, shape.m)]
    return [(random_size(rng, 1500), random_size(rng, 1500)) for _ in range(count)]


def random_mask(rng, masks):
    name, options = pick(rng, masks)
    most = pick(rng, [200, 1500])
    draw = {"align": lambda value: value, "scales": lambda value: random_scales(rng, most)}
    drawn = {key: draw.get(key, lambda value: int(rng.integers(1 if key == "length" else 0, most)))(value) for key, value in options}
    return name, tuple(drawn.items())


def random_scales(rng, most):
    """Squares as in models, equal scales, or any."""
    return pick(rng, [tuple(side * side for side in range(1, int(rng.integers(2, 14)))),
                      (int(rng.integers(1, 130)),) * int(rng.integers(1, 40)),
                      tuple(int(most ** x) for x in rng.random(rng.integers(1, 12)))])


def fuzz_exact(rng, family):
    shape = random_shape(rng, 256)
    scale = float(rng.normal() / np.sqrt(shape.d))
    program = Program(shape, [Variant(random_mask(rng, exact.MASKS), None, scale, weighted=bool(rng.random() < 0.3))])
    for n, m in lengths(rng, shape):
        # What 16-bit types cannot hold is no test of attention.
        make = inputs.normal if shape.dtype != "f32" else pick(rng, [inputs.normal, *inputs.ADVERSARIAL])
        weights = inputs.weights(rng, shape, m)
        exact.check_all(family, program, program.arrays(*make(rng, shape, n, m), weights), f"{shape} {make.__name__} n={n} m={m}")


def fuzz_polynomial(rng, family):
    degree = int(rng.integers(1, 6))
    shape = random_shape(rng, {1: 256, 2: 80, 3: 32, 4: 12, 5: 8}[degree])
    kernel = tuple(float(c) for c in np.append(1.0, rng.normal(size=degree) * 0.5 ** np.arange(degree)))
    scale = float(rng.normal() * 0.3)
    variants = [Variant(random_mask(rng, exact.MASKS), kernel, scale, evaluate, weighted=bool(rng.random() < 0.5))
                for evaluate in ("direct", "state")]
    program = Program(shape, variants)
    for n, m in lengths(rng, shape):
        arrays = program.arrays(*polynomial.scaled(rng, shape, n, m), inputs.weights(rng, shape, m))
        polynomial.check(family, program, arrays, f"{shape} n={n} m={m}")


def fuzz_certificate(rng, family, rounding):
    bound = float(rng.uniform(0.02, 1.6))
    rtol = float(10 ** rng.uniform(-3, -1.3))
    d = random_size(rng, 64 if bound < 0.2 else 16 if bound < 0.7 else 5)
    mask = random_mask(rng, exact.MASKS)
    shape = Shape(d, random_size(rng, 40), (2,), 1)
    try:
        c = certificate.Certified(shape, bound, rtol, mask, scale=float(rng.choice([-1, 1]) * rng.uniform(0.05, 1)), weighted=True)
    except certificate.NothingApproximated:
        return  # no certificate of that accuracy: refusing is right
    for n, m in lengths(rng, shape):
        make = pick(rng, [certificate.ball, certificate.sphere, certificate.clusters, certificate.lopsided, certificate.extremal])
        q, k, v, *w = make(rng, c, n, m)
        c.check(family, rounding, c.program.arrays(q, k, v, *w), f"{make.__name__} n={n} m={m}")


#: How long one program of certificate trials, or of guards, runs at most: about as long as it took to compile.
SECONDS = {"round": 2.0, "only": 4.0}


def everything(families, trial_family, guard_family):
    """One round after the other until time is up; returns how many."""
    until, rounds = time.monotonic() + 60 * options.minutes, 0
    while time.monotonic() < until and rounds != options.rounds and not any(f.failures for f in (*families, trial_family, guard_family)):
        rng = np.random.default_rng(options.seed + rounds)
        fuzz_exact(rng, families[0])
        fuzz_polynomial(rng, families[1])
        tensor.fuzz(rng, families[2:4])
        stream.fuzz(rng, families[4])
        lora.fuzz(rng, families[5])
        tensor.fuzz_certificate(rng, *families[6:8])
        fuzz_certificate(rng, *families[8:])
        trials.run_program(rng, trial_family, SECONDS["round"])
        guard_cases.run_program(rng, guard_family, SECONDS["round"])
        rounds += 1
    return rounds


def only(run_program, family, enough):
    """Programs of one kind, each from a seed of its own, until it is enough; returns how many."""
    rounds = 0
    while not enough() and rounds != options.rounds and not family.failures:
        run_program(np.random.default_rng(options.seed + rounds), family, SECONDS["only"])
        rounds += 1
    return rounds


def main():
    families = [Family("exact"), Family("polynomial"), Family("tensor"), Family("tensor state"), Family("stream"),
                Family("adapters"), Family("tensor certificate", "of the certificate"), Family("tensor guard"), *certificate.families()]
    trial_family, guard_family = trials.TrialFamily(), guard_cases.GuardFamily()
    files = [exact.real_file(file) for file in options.qkv]
    if options.seed is None:
        options.seed = int(np.random.SeedSequence().entropy % 10**9)
    rounds = 0
    if options.certificate_trials:
        rounds = only(trials.run_program, trial_family, lambda: trial_family.trials >= options.certificate_trials)
    if options.guard_cases:
        rounds = only(guard_cases.run_program, guard_family, lambda: guard_family.cases >= options.guard_cases)
    if not options.certificate_trials and not options.guard_cases:
        rounds = everything(families, trial_family, guard_family)
    good = all([family.report() for family in (*families, trial_family, guard_family, *files) if family.cases or family.failures])
    print(f"{rounds} rounds, the last with --seed={options.seed + rounds - 1}")
    sys.exit(not good)


main()
