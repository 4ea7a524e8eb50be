# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Exercises the Python package on the functions that polyattn-run is tested with."""

import gc
import json
import pathlib
import sys
import tempfile
import threading

import numpy as np

import polyattn
from expect import raises

functions_path, attention_path = sys.argv[1:]
functions = polyattn.parse_file(functions_path)


def test_modules():
    module = polyattn.parse_file(pathlib.Path(functions_path))
    assert "func.func @identity" in str(module)
    assert module.run("canonicalize") == []
    error = raises(polyattn.CompileError, "is not a valid module", polyattn.parse, "func.func @x(", name="x.mlir")
    (diagnostic,) = error.diagnostics
    assert diagnostic.severity == "error" and diagnostic.location.startswith("x.mlir:1:"), diagnostic
    assert str(diagnostic) in str(error)
    raises(polyattn.CompileError, "cannot read", polyattn.parse_file, "none.mlir")
    raises(polyattn.CompileError, "not a pass pipeline", module.run, "nope")
    raises(polyattn.CompileError, "no function 'nope'", polyattn.compile, module, entry="nope")
    raises(ValueError, "threads", polyattn.compile, module, threads=0)
    # An error of a pass, with the place and the note.
    module = polyattn.parse("func.func @f(%x: i32) -> tensor<*xi32> {\n"
                            "  %0 = builtin.unrealized_conversion_cast %x : i32 to tensor<*xi32>\n"
                            "  return %0 : tensor<*xi32>\n}", name="f.mlir")
    error = raises(polyattn.CompileError, "failed", module.run, "one-shot-bufferize")
    assert [d for d in error.diagnostics if d.location.startswith("f.mlir:2:") and d.notes], error.diagnostics


def test_results():
    doubled, x, again, h, b, s = polyattn.compile(functions, entry="several")(
        np.array([1.5, -2], "f4"), np.array([5, -7, 9], "i1"), -70000, 0.25)
    assert doubled.tolist() == again.tolist() == [3, -4] and b.tolist() == [5, -7, 9]
    assert (x, h, s) == (-7, 0.25, -70000) and isinstance(h, np.float16)
    again[0] = 7  # Results share no memory.
    assert doubled[0] == 3
    assert polyattn.compile(functions, entry="nothing")(np.zeros(2, "f4")) is None
    flags, flag = polyattn.compile(functions, entry="bools")(np.array([True, False, False, True]), True)
    assert flags.dtype == np.bool_ and flags.tolist() == [True, False, False, True] and not flag


def test_arguments_stay():
    fill = polyattn.compile(functions, entry="overwrite")
    argument = np.arange(4, dtype="f4")
    argument.flags.writeable = False
    zeros, same = fill(argument)
    assert not zeros.any() and argument.tolist() == same.tolist() == [0, 1, 2, 3]
    same[0] = 9
    assert argument[0] == 0
    # The result of the identity outlives its argument and the executable.
    identity = polyattn.compile(functions, entry="identity")
    argument = np.arange(8, dtype="f4").reshape(2, 4)
    result = identity(argument)
    argument[:] = -1
    del identity
    gc.collect()
    assert result.ravel().tolist() == list(range(8))
    memrefs = polyattn.compile(functions, entry="memrefs")
    source, target = np.arange(3, dtype="f4"), np.zeros(3, "f4")
    memrefs(source, target)
    assert target.tolist() == [0, 1, 2]
    target.flags.writeable = False
    raises(ValueError, "the array must be writable", memrefs, source, target)
    raises(TypeError, "row-major", memrefs, np.zeros(6, "f4")[::2], np.zeros(3, "f4"))


def test_dynamic_and_strided():
    scale = polyattn.compile(functions, entry="scale")
    assert [a.dtype for a in scale.arguments] == ["f32", "i32"]
    assert scale.arguments[0].shape == (None, 4) and scale.arguments[1].is_scalar
    for rows in (0, 1, 5):
        x = np.random.default_rng(rows).random((rows, 4), "f4")
        np.testing.assert_array_equal(scale(x, 3), 3 * x)
    x = np.arange(40, dtype="f4").reshape(4, 10)
    np.testing.assert_array_equal(scale(x.T, np.int32(2)), 2 * x.T)
    np.testing.assert_array_equal(scale(x[:, ::3], 2), 2 * x[:, ::3])


def test_wrong_arguments():
    scale = polyattn.compile(functions, entry="scale")
    good = np.zeros((2, 4), "f4")
    raises(TypeError, "takes 2 arguments, got 1", scale, good)
    raises(TypeError, "expected tensor<?x4xf32>, got 2x4xf64", scale, good.astype("f8"), 1)
    raises(TypeError, "unsupported type", scale, good.astype("c8"), 1)
    raises(TypeError, "unsupported type", scale, good.astype(">f4"), 1)
    raises(TypeError, "unsupported type", scale, good.astype(object), 1)
    raises(TypeError, "expected i32, got float", scale, good, 1.5)
    raises(TypeError, "expected i32, got bool", scale, good, True)
    raises(ValueError, "does not fit i32", scale, good, 2**40)
    raises(ValueError, "wrong number of dimensions", scale, good[0], 1)
    raises(ValueError, "expected tensor<?x4xf32>, got 2x3xf32", scale, np.zeros((2, 3), "f4"), 1)
    raises(ValueError, "neither 0 nor 1", polyattn.compile(functions, entry="bools"),
           np.array([0, 1, 2, 0], "u1").view(np.bool_), True)


def test_bf16():
    halves = polyattn.compile(functions, entry="halves")
    bits = np.array([0x3F80, 0xC040], np.uint16)
    assert halves(bits).view(np.uint16).tolist() == bits.tolist()
    try:
        from ml_dtypes import bfloat16
    except ImportError:
        return
    result = halves(bits.view(bfloat16))
    assert result.dtype == bfloat16 and result.tolist() == [1, -3]


def test_attention():
    rng = np.random.default_rng(5)
    q, k, v = (rng.standard_normal((4, n, 16), "f4") for n in (33, 65, 65))
    text = pathlib.Path(attention_path).read_text()
    scores = 0.25 * np.einsum("hid,hjd->hij", q.astype("f8"), k)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    want = (weights / weights.sum(-1, keepdims=True)) @ v
    for threads in (None, 1, 2):
        attention = polyattn.compile(text, threads=threads)
        np.testing.assert_allclose(attention(q, k, v), want, rtol=0, atol=1e-5)
    assert attention.compile_seconds > 0
    for remark in attention.remarks:
        assert remark.kind in ("passed", "missed", "failed", "analysis") and remark.name and remark.message, remark
        assert remark.location.startswith("<input>:2:") and isinstance(remark.args, dict), remark
        assert remark.label == "", remark
    assert attention.remarks, "the pipeline says what it did with the attention"


def test_labels():
    """Names that a model gives to places reach the remarks."""
    text = pathlib.Path(attention_path).read_text()
    line = next(line for line in text.splitlines() if "->" in line and "tensor" in line and "func" not in line)
    module = polyattn.parse(text.replace(line, line + ' loc("layer.3"("model.py":7:1))'), name="a.mlir")
    (remark,) = module.run("attn-approximate")
    assert (remark.label, remark.location) == ("layer.3", "model.py:7:1"), remark
def test_slices():
    """Operands with gaps: query, key and value as parts of one tensor, every other column."""
    packed, part = "tensor<3x?x96xf32>", "tensor<3x?x16xf32>"
    text = f"func.func @main(%x: {packed}) -> {part} {{\n  %c1 = arith.constant 1 : index\n  %n = tensor.dim %x, %c1 : {packed}\n"
    for index, name in enumerate("qkv"):
        text += f"  %{name} = tensor.extract_slice %x[0, 0, {32 * index}] [3, %n, 16] [1, 1, 2] : {packed} to {part}\n"
    text += f"  %o = attn.attention %q, %k, %v scale 0.25 : {part}, {part}, {part} -> {part}\n  return %o : {part}\n}}\n"
    x = np.random.default_rng(5).standard_normal((3, 70, 96)).astype("f4")
    q, k, v = (x[:, :, start:start + 32:2].astype("f8") for start in (0, 32, 64))
    weights = np.exp(0.25 * q @ np.swapaxes(k, -1, -2))
    want = weights / weights.sum(axis=-1, keepdims=True) @ v
    np.testing.assert_allclose(polyattn.compile(text)(x), want, rtol=0, atol=1e-5)
    (op,) = polyattn.profile(text, [(x,)])["ops"].values()
    norms = [np.linalg.norm(a, axis=-1).max(axis=-1) for a in (q, k)]
    np.testing.assert_allclose([head["bound"] for head in op["heads"]], 0.25 * norms[0] * norms[1], rtol=1e-12)


def test_profile():
    module = polyattn.parse_file(attention_path)
    q, k, v = (np.full((4, length, 16), x, "f4") for length, x in ((3, -1), (5, 2), (5, 3)))
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "profile.json"
        profile = polyattn.profile(module, [(q, k, v), (2 * q, k, v)], path=path, threads=1)
        assert json.loads(path.read_text()) == profile and profile["format"] == "polyattn-profile"
        (key, op), = profile["ops"].items()
        assert key == "main/0:q4x?x16:k4x?x16:v16:f32:full:0.25" and op["calls"] == 2 and len(op["heads"]) == 4, profile
        # |q| = 8, |k| = 8, all keys alike.
        head = op["heads"][3]
        assert head["bound"] == 16 and head["centred_bound"] == 0 and head["least_score"] == -16, profile
        more = polyattn.profile(module, [(q, k, v)], path=path, merge=True)
        assert next(iter(more["ops"].values()))["calls"] == 1
        assert next(iter(json.loads(path.read_text())["ops"].values()))["calls"] == 3
        # The module itself is as it was, and the file fits it.
        assert "attn.record" not in str(module)
        module.run(f"attn-apply-profile{{file={path} margin=1.25}}")
        assert "bound <2.000000e+01, profiled" in str(module), str(module)
    raises(ValueError, "head 0: key holds NaN", polyattn.profile, module, [(q, np.nan * k, v)])
    # What a failed run has recorded is gone.
    raises(TypeError, "takes 3 arguments, got 2", polyattn.profile, module, [(q, k, v), (q, k)])
    assert next(iter(polyattn.profile(module, [(q, k, v)])["ops"].values()))["calls"] == 1
    assert polyattn.profile(functions, [()], entry="constant")["ops"] == {}


def test_threads():
    """Contexts are independent, calls too."""
    shared = polyattn.compile(functions, entry="scale")
    failures = []

    def work(seed):
        try:
            x = np.random.default_rng(seed).random((50, 4), "f4")
            own = polyattn.compile(polyattn.parse_file(functions_path), entry="scale")
            for factor in range(20):
                np.testing.assert_array_equal(own(x, factor), np.float32(factor) * x)
                np.testing.assert_array_equal(shared(x, factor), np.float32(factor) * x)
            polyattn.compile(functions, entry="constant")()
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures


for name, test in list(globals().items()):
    if name.startswith("test_"):
        test()
