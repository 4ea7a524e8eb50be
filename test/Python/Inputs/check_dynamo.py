# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Compares what torch.compile makes of models with the models themselves."""

import logging
import os
import pathlib
import subprocess
import sys
import tempfile

import torch
import torch.nn.functional as F

import polyattn
import polyattn.dynamo as dynamo
from torch_models import Block, Tokens, make

TOLERANCE = {torch.float32: 2e-6, torch.bfloat16: 2e-2, torch.float16: 2e-3}


class Log(logging.Handler):
    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage())


log = Log()
logging.getLogger("polyattn.dynamo").addHandler(log)
logging.getLogger("polyattn.dynamo").propagate = False


def flat(value):
    return torch.utils._pytree.tree_leaves(value)


def same(result, expected, name=""):
    results, expected = flat(result), flat(expected)
    assert len(results) == len(expected), name
    for r, e in zip(results, expected):
        if not isinstance(e, torch.Tensor):
            assert r == e, (name, r, e)
            continue
        assert (r.shape, r.dtype, r.stride()) == (e.shape, e.dtype, e.stride()), (name, r.stride(), e.stride())
        if not e.dtype.is_floating_point:
            assert torch.equal(r, e), name
        elif e.numel():
            error = ((r.double() - e.double()).abs().max() / e.double().abs().max().clamp(min=1)).item()
            assert error <= TOLERANCE[e.dtype], (name, error)


def fresh(model, **options):
    torch._dynamo.reset()
    dynamo.reset()
    log.lines.clear()
    return torch.compile(model, backend="polyattn", **options)


def compiled(count=1):
    reports = dynamo.reports()
    assert len(reports) == count and all(r.compiled and not r.reason for r in reports), list(map(str, reports))
    assert not log.lines, log.lines
    return reports


def check(name, model, *inputs, kwargs={}, **options):
    """One graph, compiled, with PyTorch's results; inputs as PyTorch leaves them."""
    function = fresh(model, **options)
    ours = [t.clone() if isinstance(t, torch.Tensor) else t for t in inputs]
    theirs = [t.clone() if isinstance(t, torch.Tensor) else t for t in inputs]
    for _ in range(2):
        same(function(*ours, **kwargs), model(*theirs, **kwargs), name)
        same(ours, theirs, name + ": inputs")
    (report,) = compiled()
    print(f"{name}: {report}")
    return function


@torch.no_grad()
def test_models():
    x = torch.randn(2, 24, 32)
    check("causal block", make(Block), x)
    check("grouped queries", make(Block, kv_heads=2), x)
    check("boolean mask", make(Block), x, torch.ones(24, 24, dtype=torch.bool).tril(3))
    for dtype in torch.bfloat16, torch.float16:
        check(str(dtype), make(Block, dtype=dtype), x.to(dtype))
    ids, keep = torch.randint(0, 50, (2, 9)), torch.rand(2, 9) > 0.3
    check("tokens", make(Tokens), ids, keep, kwargs={"scale": 3.0, "shift": torch.randn(16)})
    with torch.inference_mode():
        check("inference mode", make(Block), x)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        check("autocast", make(torch.nn.Linear, 32, 32), x)


@torch.no_grad()
def test_memory():
    def views(x):
        x.add_(1)
        return x * 2, x.t(), None, x.t() + 1, x, x[0], 7, x > 0, x.sum(), x.to(torch.int32), x * 2

    x = torch.randn(4, 6)
    check("views and writes", views, x)
    function = fresh(views)
    doubled, turned, *_ = function(x)
    x.zero_()
    assert turned.abs().sum() == 0 and doubled.abs().sum() > 0  # A view is one, a result is not.
    check("not contiguous", lambda a, b: a @ b + 1, torch.randn(6, 4).t(), torch.randn(3, 6)[:, ::1].t())
    check("steps", lambda a: a * 2, torch.randn(8, 8)[::2, 1::3])
    check("expanded", lambda a: a.exp(), torch.randn(4, 1).expand(4, 5))
    first = torch.randn(5)
    check("same input twice", lambda a, b: a * 2 + b, first, first)
    check("no elements", lambda a: a * 2, torch.randn(0, 3))
    check("one element", lambda a: a * 2, torch.tensor(3.0))
    # Results outlive what made them, and each other.
    function = fresh(lambda a: a + 1)
    one = function(torch.zeros(3))
    two = function(torch.ones(3))
    del function
    torch._dynamo.reset()
    one.add_(5)
    assert one.tolist() == [6, 6, 6] and two.tolist() == [2, 2, 2]


@torch.no_grad()
def test_parameters_change():
    x = torch.randn(2, 24, 32)
    for constants in "none", "small", "all":
        model = make(Block)
        function = fresh(model, options={"constants": constants})
        same(function(x), model(x))
        (report,) = compiled()
        assert report.num_constants == {"none": 0, "small": 8, "all": 8}[constants], report
        model.norm.weight.mul_(3)  # In place.
        same(function(x), model(x))
        model.q.weight.copy_(torch.randn(32, 32))
        same(function(x), model(x))
        model.kv.bias = torch.nn.Parameter(torch.randn(64))  # Another tensor.
        same(function(x), model(x))
        model.load_state_dict(make(Block).state_dict())
        same(function(x), model(x))
        if constants == "small":  # Their elements are looked at, so that nothing escapes.
            model.out.bias.data.fill_(1)
            same(function(x), model(x))
        assert all(r.compiled for r in dynamo.reports()) and not log.lines
        last = dynamo.reports()[-1]
        assert constants == "none" or last.compilations > 1 or len(dynamo.reports()) > 1
    # What keeps changing is constant no longer.
    model = make(Block)
    function = fresh(model)
    for step in range(8):
        model.norm.bias.add_(1)
        same(function(x), model(x))
    (report,) = compiled()
    assert report.compilations == 5 and report.num_constants == 0, report
    # A large one is known by its place and version.
    model = make(torch.nn.Linear, 128, 64)
    x = torch.randn(3, 128)
    function = fresh(model, options={"constants": "all"})
    same(function(x), model(x))
    model.weight.mul_(2)
    same(function(x), model(x))
    assert compiled()[0].compilations == 2


@torch.no_grad()
def test_lengths():
    model = make(Block)
    function = fresh(model)
    for length in 24, 17, 40, 5:
        x = torch.randn(2, length, 32)
        same(function(x), model(x), f"length {length}")
    compiled(2)  # One for 24, one for any.


def falls_back(reason, model, *inputs, **options):
    function = fresh(model, **options)
    for _ in range(2):
        same(function(*inputs), model(*inputs), reason)
    (report,) = dynamo.reports()
    assert not report.compiled and reason in report.reason and report.reason in str(report), report
    (line,) = log.lines  # Said once.
    assert line.startswith(f"graph {report.index} ({report.location}) runs in PyTorch: ") and reason in line, line
    return report


@torch.no_grad()
def test_fallbacks():
    x = torch.eye(4) + torch.rand(4, 4)
    report = falls_back("tm_tensor.scan", lambda a: a.cumsum(1), x)
    assert "check_dynamo.py:" in report.location, report
    falls_back("aten._linalg_check_errors", torch.linalg.inv, x)
    falls_back("does not lower aten.linalg_qr (", lambda a: torch.linalg.qr(a)[0], x)
    falls_back("torch.complex64", lambda a: torch.fft.fft(a).real, x)
    falls_back("torch.uint8", lambda a: a.to(torch.uint8) + 1, x)
    falls_back("not a pass pipeline: 'nope'", lambda a: a + 1, x, options={"pipeline": "nope"})
    layer = make(torch.nn.TransformerEncoderLayer, 32, 4, 64, batch_first=True)
    falls_back("aten._transformer_encoder_layer_fwd: failed to legalize operation 'torch.operator' that was explicitly "
               "marked illegal; after torch.backends.mha.set_fastpath_enabled(False)", layer, torch.randn(2, 16, 32))
    torch.backends.mha.set_fastpath_enabled(False)
    check("an encoder layer", layer, torch.randn(2, 16, 32))
    torch.backends.mha.set_fastpath_enabled(True)
    torch.manual_seed(1)
    function = fresh(lambda a: F.dropout(a, 0.5))
    first = function(x)
    torch.manual_seed(1)
    assert torch.equal(first, F.dropout(x, 0.5)) and "draws random numbers" in dynamo.reports()[0].reason
    with torch.enable_grad():
        weight = torch.randn(4, 4, requires_grad=True)
        report = falls_back("torch.no_grad()", lambda a, w: a @ w, x, weight)
        fresh(lambda a, w: a @ w)(x, weight).sum().backward()
        assert weight.grad is not None
        check("no gradients needed", lambda a, w: a @ w, x, weight.detach())


@torch.no_grad()
def test_without_torch_mlir():
    saved, sys.modules["torch_mlir"] = sys.modules["torch_mlir"], None
    try:
        falls_back("needs torch-mlir, which is not installed: pip install torch-mlir", lambda a: a + 1, torch.ones(2))
    finally:
        sys.modules["torch_mlir"] = saved


@torch.no_grad()
def test_errors():
    # A wrong index is PyTorch's error, for this call only.
    function = fresh(torch.nn.Embedding(10, 4))
    function(torch.tensor([1]))
    try:
        function(torch.tensor([10]))
        raise AssertionError("accepted")
    except IndexError as error:
        assert "out of range" in str(error)
    function(torch.tensor([9]))
    compiled()
    for options, message in (({"nope": 1}, "no option 'nope', but pipeline, constants, threads"),
                             ({"constants": "some"}, "expected 'none', 'small' or 'all', got 'some'"),
                             ({"threads": 0}, "expected a number of at least 1, got 0")):
        try:
            fresh(lambda a: a + 1, options=options)(torch.ones(2))
            raise AssertionError("accepted")
        except torch._dynamo.exc.BackendCompilerFailed as error:
            assert message in str(error), error


@torch.no_grad()
def test_breaks():
    def broken(a):
        a = a * 2
        torch._dynamo.graph_break()
        return a.cumsum(0) + 1

    x = torch.randn(3, 3)
    function = fresh(broken)
    same(function(x), broken(x))
    assert [r.compiled for r in dynamo.reports()] == [True, False] and len(log.lines) == 1


@torch.no_grad()
def test_threads():
    model, x = make(Block), torch.randn(2, 24, 32)
    function = fresh(model, options={"threads": 1})
    same(function(x), model(x))
    threads = torch.get_num_threads()
    function = fresh(model)
    for count in 1, 2:
        torch.set_num_threads(count)
        same(function(x), model(x))
    torch.set_num_threads(threads)


def test_entry_point():
    """Where the package is installed, torch.compile finds the backend by itself."""
    lines = (pathlib.Path(__file__).parents[3] / "python-bindings/pyproject.toml").read_text().splitlines()
    start = lines.index("[project.entry-points.torch_dynamo_backends]")
    with tempfile.TemporaryDirectory() as folder:
        info = pathlib.Path(folder, "polyattn-0.dist-info")
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: polyattn\nVersion: 0\n")
        (info / "entry_points.txt").write_text("[torch_dynamo_backends]\n" + lines[start + 1].replace('"', "") + "\n")
        program = ("import sys, torch\nassert 'polyattn' not in sys.modules\nwith torch.no_grad():\n"
                   "    y = torch.compile(lambda x: x + 1, backend='polyattn')(torch.ones(3))\n"
                   "(report,) = sys.modules['polyattn.dynamo'].reports()\nassert report.compiled and y.tolist() == [2] * 3")
        paths = os.pathsep.join([folder, *os.environ.get("PYTHONPATH", "").split(os.pathsep)])
        subprocess.run([sys.executable, "-c", program], check=True, env={**os.environ, "PYTHONPATH": paths})


wanted = sys.argv[1:]
for name, test in list(globals().items()):
    if name.startswith("test_") and (not wanted or name in wanted):
        test()
print("ok")
