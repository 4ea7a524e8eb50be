# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""The PyTorch cases of the corpus, raised and compiled, against PyTorch itself in f64.

    check_frameworks.py FOLDER...

What is allowed is that of check_raise.py: a few units in the last place plus what results move by when inputs move by one
unit. Where the program needs NaN for large scores (OVERFLOWS) f64 does not, so NaN is no failure there.
"""

import importlib
import inspect
import os
import pathlib
import re
import sys
import warnings

import numpy as np
import torch

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE / "corpus")]

import check_raise  # noqa: E402
import generate  # noqa: E402


def to_torch(x, dtype):
    x = check_raise.from_type(x, dtype)
    return torch.from_numpy(np.asarray(x, np.float64) if np.asarray(x).dtype.kind == "f" else np.asarray(x))


def expected(case, program, inputs):
    """In f64, unless the function names a narrower type itself."""
    out = case.function(*(to_torch(x, spec.dtype) for x, spec in zip(inputs, program.plain.arguments)))
    return [x.double().numpy() for x in (out if isinstance(out, tuple) else (out,))]


def check(case, path):
    program = check_raise.Program(str(path), "attn-raise")
    rng = np.random.default_rng(11)
    worst = 0.0
    for magnitude in (1.0, 0.05):
        inputs = program.arguments(rng, magnitude)
        truth, found = expected(case, program, inputs), program.results(program.raised, inputs)
        moved = [expected(case, program, program.moved(rng, inputs)) for _ in range(3)]
        for i, (a, b, spec) in enumerate(zip(truth, found, program.raised.results)):
            if program.overflows:
                b = np.where(np.isnan(b), a, b)
            spread = max(check_raise.distance(a, other[i]) for other in moved)
            # Programs round scores and weights to their own type, which truth does not.
            allowed = 16 * check_raise.ALLOWED[spec.dtype] + check_raise.SPREAD * (spread if np.isfinite(spread) else 0.0)
            worst = max(worst, check_raise.distance(a, b) / allowed)
    return worst


def main():
    warnings.filterwarnings("ignore")
    torch.set_default_dtype(torch.float64)  # of what functions make themselves
    for module in ("torch_accept", "torch_accept_masks", "torch_reject", "torch_tensor"):
        importlib.import_module(module)
    from spec import CASES
    count, worst, failed = 0, 0.0, False
    for case in CASES:
        if re.search(r"torch\.b?float16", inspect.getsource(case.function)):
            continue  # rounds to a type of its own choice
        for route in case.routes:
            for folder in map(pathlib.Path, sys.argv[1:]):
                path = generate.path_of(case, route, folder)
                if not path.exists():
                    continue
                part = check(case, path)
                count, worst = count + 1, max(worst, part)
                if part > 1:
                    failed = True
                    print(f"FAILED {os.path.relpath(path, folder)}: {part:.3g} of what is allowed")
    print(f"{count} programs, worst {worst:.3g} of what is allowed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
