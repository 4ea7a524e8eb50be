# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Front ends without the packages that they need, and without their help."""

import os
import pathlib
import sys
import types

import numpy as np

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)

# As if nothing were installed: an entry of None makes the import fail.
for name in "torch", "torch_mlir", "jax":
    sys.modules[name] = None

import polyattn
from expect import raises


def test_missing():
    raises(ImportError, "polyattn.from_torch needs torch, which is not installed: pip install torch ",
           polyattn.from_torch, None, ())
    raises(ImportError, "polyattn.from_jax needs jax, which is not installed: pip install jax ",
           polyattn.from_jax, abs, ())
    raises(ImportError, 'torch.compile(backend="polyattn") needs torch', __import__, "polyattn.dynamo")
    # The framework is there, torch-mlir is not; then it is, but not its tool.
    sys.modules["torch"], sys.modules["jax"] = types.ModuleType("torch"), types.ModuleType("jax")
    for call in polyattn.from_torch, polyattn.from_jax:
        error = raises(ImportError, f"polyattn.{call.__name__} needs torch-mlir, which is not installed: "
                       "pip install torch-mlir", call, abs, ())
        assert error.name == "torch_mlir" and "./pa setup --with-frontends" in str(error)
    sys.modules["torch_mlir"] = types.ModuleType("torch_mlir")
    sys.modules["torch_mlir"].__path__ = [str(folder)]
    path, os.environ["PATH"] = os.environ["PATH"], ""
    executable, sys.executable = sys.executable, str(folder / "python")
    raises(ImportError, "needs torch-mlir-opt", polyattn.from_jax, abs, ())
    os.environ["PATH"], sys.executable = path, executable


def test_foreign_ir():
    def text(op):
        return f"func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {{\n  %0 = {op}\n  return %0 : tensor<2xf32>\n}}"

    unary = "(%x) : (tensor<2xf32>) -> tensor<2xf32>"
    for op, dialect, advice in (
            ("stablehlo.tanh %x : tensor<2xf32>", "stablehlo", "stablehlo-legalize-to-linalg"),
            (f'"stablehlo.tanh"{unary}', "stablehlo", "polyattn.from_jax"),
            (f'"chlo.erf"{unary}', "chlo", "polyattn.from_jax"),
            (f'"mhlo.tanh"{unary}', "mhlo", "--hlo-legalize-to-stablehlo"),
            (f'"torch.aten.tanh"{unary}', "torch", "polyattn.from_torch"),
            (f'"onnx.Tanh"{unary}', "onnx", "torch-mlir-import-onnx"),
            (f'"tm_tensor.scan"{unary}', "tm_tensor", "cumsum")):
        error = raises(polyattn.CompileError, f"dialect '{dialect}', which MLIR itself does not have",
                       polyattn.from_mlir, text(op))
        assert advice in str(error) and error.diagnostics == [], error
    path = folder / "foreign.mlir"
    path.write_text(text("stablehlo.tanh %x : tensor<2xf32>"))
    raises(polyattn.CompileError, f"'{path}' has ops of the dialect 'stablehlo'", polyattn.from_mlir, path)
    # Names of other dialects in attributes and what is simply wrong are no such thing.
    named = 'module attributes {mhlo.num_partitions = 1 : i32} {\n' + text('"nope.op"() : () -> tensor<2xf32>') + "}"
    error = raises(polyattn.CompileError, "unregistered dialect", polyattn.from_mlir, named)
    assert "mhlo" not in str(error) and error.diagnostics
    raises(polyattn.CompileError, "'none.mlir': cannot read", polyattn.from_mlir, "none.mlir")


def test_tosa_and_linalg():
    tosa = ("func.func @main(%x: tensor<2x3xf32>, %y: tensor<1x3xf32>) -> tensor<2x3xf32> {\n"
            "  %0 = tosa.add %x, %y : (tensor<2x3xf32>, tensor<1x3xf32>) -> tensor<2x3xf32>\n"
            "  %1 = tosa.tanh %0 : (tensor<2x3xf32>) -> tensor<2x3xf32>\n"
            "  return %1 : tensor<2x3xf32>\n}")
    x, y = np.random.rand(2, 3).astype("f4"), np.random.rand(1, 3).astype("f4")
    path = folder / "tosa.mlir"
    path.write_text(tosa)
    for source in tosa, path, str(path):
        module = polyattn.from_mlir(source)
        assert "tosa" not in module.dialects and "linalg" in module.dialects, module.dialects
        assert np.allclose(polyattn.compile(module)(x, y), np.tanh(x + y), atol=1e-6)
    raises(polyattn.CompileError, "tosa", polyattn.from_mlir,
           "func.func @main(%x: tensor<2xi32>) {\n  tosa.custom %x {domain_name = \"d\", implementation_attrs = \"\", "
           "operator_name = \"o\"} : (tensor<2xi32>) -> (tensor<2xi32>)\n  return\n}")


def test_constants():
    text = ("func.func @main(%x: tensor<2x3xT>, %w: tensor<2x3xT>, %s: T) -> (tensor<2x3xT>, tensor<2x3xT>) {\n"
            "  return %w, %x : tensor<2x3xT>, tensor<2x3xT>\n}")
    for dtype, mlir in ("f2", "f16"), ("f4", "f32"), ("f8", "f64"), ("i1", "i8"), ("i2", "i16"), ("i8", "i64"), ("?", "i1"):
        for value in np.arange(6).reshape(2, 3) % 2, np.ones((2, 3)), np.zeros((2, 3)):
            module = polyattn.parse(text.replace("T", mlir))
            module._freeze("main", {1: value.astype(dtype)})
            function = polyattn.compile(module)
            assert len(function.arguments) == 2
            x = np.arange(6).reshape(2, 3).astype(dtype)
            w, again = function(x, x[0, 0])
            assert np.array_equal(w, value.astype(dtype)) and np.array_equal(again, x), (dtype, w)
    # A copy, large or small, that leaves the text of the module short.
    for size in 16, 1 << 16:
        weight = np.random.rand(size).astype("f4")
        module = polyattn.parse(f"func.func @main(%w: tensor<{size}xf32>) -> tensor<{size}xf32> {{\n"
                                f"  return %w : tensor<{size}xf32>\n}}")
        before = weight.copy()
        module._freeze("main", {0: weight})
        weight[:] = 0
        assert len(module.summary()) < 1000 and polyattn.compile(module)().tolist() == before.tolist()
        again = polyattn.parse(str(module))  # The text holds it, all the same.
        assert polyattn.compile(again)().tolist() == before.tolist()
    module = polyattn.parse(text.replace("T", "f32"))
    raises(ValueError, "has no argument 3", module._freeze, "main", {3: weight})
    raises(TypeError, "argument 2 has type f32: only tensors", module._freeze, "main", {2: np.float32(1)})
    raises(TypeError, "argument 1: wrong element type: expected tensor<2x3xf32>, got 2x3xf64", module._freeze, "main",
           {1: np.ones((2, 3))})
    raises(ValueError, "argument 1: wrong shape: expected tensor<2x3xf32>, got 3x2xf32", module._freeze, "main",
           {0: np.ones((2, 3), "f4"), 1: np.ones((3, 2), "f4")})
    assert len(polyattn.compile(module).arguments) == 3  # Nothing was done by halves.
    raises(polyattn.CompileError, "no function 'nope'", module._freeze, "nope", {})
    called = polyattn.parse("func.func @f(%x: tensor<1xf32>) { return }\n"
                            "func.func @main(%x: tensor<1xf32>) { call @f(%x) : (tensor<1xf32>) -> ()\n return }")
    raises(polyattn.CompileError, "other functions use 'f'", called._freeze, "f", {0: np.ones(1, "f4")})


for name, test in list(globals().items()):
    if name.startswith("test_"):
        test()
print("ok")
