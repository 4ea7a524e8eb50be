#!/usr/bin/env python3
# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Writes the corpus of attn-raise: exports the functions of corpus/ from PyTorch and JAX as linalg or TOSA, each to a
file with what is expected of it.

    python test/Raise/Inputs/generate.py                       # all of it, into test/Raise/accept and test/Raise/reject
    python test/Raise/Inputs/generate.py --all --only 'sdpa|gqa' --into /tmp/corpus
    python test/Raise/Inputs/generate.py --headers             # only what is expected, without exporting again
    python test/Raise/Inputs/generate.py --record polyattn-opt # asks for the remarks of what is not raised, to be read

Needs torch, torch-mlir, jax, iree-base-compiler and transformers. Tests read the files only.
"""

import argparse
import importlib
import os
import pathlib
import re
import subprocess
import sys
import traceback
import warnings

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "corpus"))
MODULES = ["torch_accept", "torch_accept_masks", "torch_reject", "torch_tensor", "torch_lora", "jax_accept", "jax_reject", "jax_tensor", "torch_models", "mlir_cases"]
#: How remarks about adapters begin, which say so in remarks.txt.
ADAPTER = "adapter not raised: "
BIN = pathlib.Path(sys.executable).parent
TOSA_PASSES = "func.func(tosa-to-linalg-named,tosa-to-linalg,tosa-to-arith,tosa-to-tensor),canonicalize"
STABLEHLO = ("builtin.module(func.func(stablehlo-aggressive-simplification),stablehlo-legalize-to-linalg,inline,"
             "canonicalize,cse)")


def torch_sample(spec, torch):
    dtype = {"f16": torch.float16, "bf16": torch.bfloat16, "f64": torch.float64, "i64": torch.int64, "i32": torch.int32,
             "i1": torch.bool}.get(spec.dtype, torch.float32)
    return torch.zeros(spec.shape, dtype=dtype) if dtype in (torch.int64, torch.int32) else torch.ones(spec.shape, dtype=dtype)


def export_torch(case, route):
    import torch
    from torch_mlir import fx

    class Module(torch.nn.Module):
        def forward(self, *arguments):
            return case.function(*arguments)

    samples = tuple(torch_sample(spec, torch) for spec in case.inputs)
    sizes = {}  # sizes that are equal are one unknown
    dynamic = tuple({i: sizes.setdefault(spec.shape[i], torch.export.Dim(f"n{spec.shape[i]}", min=2, max=64))
                     for i in spec.dynamic} for spec in case.inputs)
    program = torch.export.export(Module(), samples, dynamic_shapes=(dynamic,) if sizes else None)
    return str(fx.export_and_import(program, output_type="tosa" if route == "tosa" else "linalg-on-tensors"))


def export_jax(case, route):
    import jax
    import jax.numpy as jnp

    dtypes = {"f16": jnp.float16, "bf16": jnp.bfloat16, "i32": jnp.int32, "i64": jnp.int32, "i1": jnp.bool_}
    samples = [jax.ShapeDtypeStruct(s.shape, dtypes.get(s.dtype, jnp.float32)) for s in case.inputs]
    text = jax.jit(case.function).lower(*samples).as_text()
    if route == "iree":
        command = [BIN / "iree-compile", "--iree-input-type=stablehlo", "--compile-to=input", "-"]
    else:
        command = [BIN / "torch-mlir-opt", f"--pass-pipeline={STABLEHLO}"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[:2000])
    return re.sub(r"\butil\.(func|return)\b", lambda m: "func.func" if m[1] == "func" else "return", done.stdout)


def tidy(text):
    """Without what says where a file came from, and in fewer bytes."""
    text = re.sub(r"func\.func (public|private) @main\b", "func.func @main", text)
    text = re.sub(r" \{jax\.[a-z_]+ = \"[^\"]*\"\}", "", text)
    text = re.sub(r"module @\S+( attributes \{[^{}]*\})?", "module", text)
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def header(case, route, path):
    passes = (TOSA_PASSES + "," if route == "tosa" else "") + "attn-raise"
    lines = [case.comment, "", f"ARGS: {' '.join(spec.text() for spec in case.inputs)}"]
    lines += ["OVERFLOWS: no maximum is subtracted"] if case.overflows else []
    run = f"RUN: polyattn-opt %s --pass-pipeline='builtin.module({passes})'"
    if path.parent.name == "accept":
        lines += [f"{run} | FileCheck %s", *(f"CHECK: {line}" for line in case.checks), "CHECK-NOT: math.exp"]
    else:
        lines += [f"{run} --remarks-filter-missed=polyattn 2>&1 | FileCheck %s"]
        said = remarks().get(path.stem)
        lines += [f"CHECK: {'' if said.startswith(ADAPTER) else 'attention not raised: '}{said}"] if said else []
        lines += ["CHECK-NOT: = attn."]
    return "".join(f"// {line}".rstrip() + "\n" for line in lines) + "\n"


def listed(name):
    """The words of a file of corpus/ without its comments."""
    lines = (HERE / "corpus" / name).read_text().splitlines()
    return {word for line in lines if not line.startswith("#") for word in line.split()}


def remarks():
    """What attn-raise says of each file that it leaves alone."""
    lines = (HERE / "corpus" / "remarks.txt").read_text().splitlines()
    return dict(line.split(": ", 1) for line in lines if line and not line.startswith("#"))


def path_of(case, route, into):
    """Where the file goes: what is attention and yet not raised is listed in missed.txt."""
    prefix = case.framework if route in ("linalg", "torch-mlir", "text") else route
    name = f"{prefix}-{case.name}"
    folder = "reject" if not case.checks else "missed" if name in listed("missed.txt") else "accept"
    return into / folder / f"{name}.mlir"


def write(case, route, into):
    path = path_of(case, route, into)
    export = {"torch": export_torch, "jax": export_jax, "mlir": lambda case, route: case.function()}[case.framework]
    text = tidy(export(case, route))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(header(case, route, path) + text)
    return path, len(text)


def rewrite_header(case, route, into):
    path = path_of(case, route, into)
    old = next(p for folder in ("accept", "missed", "reject") if (p := into / folder / path.name).exists())
    program = old.read_text().split("\n\n", 1)[1]
    old.unlink()
    path.parent.mkdir(exist_ok=True)
    path.write_text(header(case, route, path) + program)
    return path, len(program)


def record(opt, into):
    """The first remark of every file that is not raised goes into remarks.txt."""
    found = []
    for path in sorted([*into.glob("reject/*.mlir"), *into.glob("missed/*.mlir")]):
        passes = re.search(r"--pass-pipeline='([^']*)'", path.read_text())[1]
        done = subprocess.run([opt, path, f"--pass-pipeline={passes}", "--remarks-filter-missed=polyattn"],
                              capture_output=True, text=True, check=True)
        said = re.search(r'attention not raised: ([^"\n]*)', done.stderr + done.stdout) or \
            re.search(rf'({ADAPTER}[^"\n]*)', done.stderr + done.stdout)
        found += [f"{path.stem}: {said[1]}"] if said else []
    (HERE / "corpus" / "remarks.txt").write_text(
        "# What attn-raise says of files that it leaves alone: generate.py --record, then read by a human.\n" + "\n".join(found) + "\n")
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="names that match this pattern")
    parser.add_argument("--into", type=pathlib.Path, default=HERE.parent)
    parser.add_argument("--all", action="store_true", help="those of corpus/extra.txt, too")
    parser.add_argument("--modules", nargs="*", default=MODULES, help="of corpus/")
    parser.add_argument("--headers", action="store_true", help="write only what is expected again, not the programs")
    parser.add_argument("--record", metavar="OPT", help="write remarks.txt: what OPT's attn-raise says")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    from spec import CASES
    for module in options.modules:
        importlib.import_module(module)
    if options.record:
        return record(options.record, options.into)
    extra = set() if options.all else listed("extra.txt")
    failed = 0
    for case in CASES:
        for route in case.routes:
            name = path_of(case, route, options.into).stem
            if name in extra or not re.search(options.only, name):
                continue
            try:
                path, size = rewrite_header(case, route, options.into) if options.headers else write(case, route, options.into)
                print(f"{size:7} {path}", flush=True)
            except Exception as error:
                failed += 1
                print(f"FAILED {case.name} by {route}: {str(error)[:1500]}", file=sys.stderr, flush=True)
                if os.environ.get("TRACE"):
                    traceback.print_exc()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
