# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Runs programs on thousands of random and adversarial rows: no value may leave the bound that attn-infer-bounds states.

Every row of the input is one vector. What NaN enters on the way is left out, as docs/bounds.md says. Prints how close
the largest observed norm comes to its bound.
"""

import os
import re
import subprocess
import sys

import numpy as np

opt, run, folder, *forms = sys.argv[1:]
os.makedirs(folder, exist_ok=True)

ROWS = 2048
TYPES = {"f32": np.float32, "f16": np.float16}


# ===-- programs ------------------------------------------------------------===#


class Program:
    """Text of one function on rows of `width` elements, op by op."""

    def __init__(self, width, dtype="f32"):
        self.width, self.dtype = width, dtype
        self.lines, self.results, self.count = [], [], 0
        self.shapes = {"%x": (ROWS, width)}

    def type(self, shape, dtype=None):
        return "tensor<" + "".join(f"{size}x" for size in shape) + (dtype or self.dtype) + ">"

    def value(self, shape):
        self.count += 1
        name = f"%v{self.count}"
        self.shapes[name] = tuple(shape)
        return name

    def constant(self, array):
        array = np.asarray(array)
        name = self.value(array.shape)
        text = np.array2string(array, separator=",", threshold=10**9, floatmode="unique", max_line_width=10**9,
                               formatter={"float_kind": lambda x: f"{x:.9e}"}).replace("\n", "")
        self.lines.append(f"{name} = arith.constant dense<{text}> : {self.type(array.shape)}")
        return name

    def scalar(self, number):
        self.count += 1
        self.lines.append(f"%s{self.count} = arith.constant {number:.9e} : {self.dtype}")
        return f"%s{self.count}"

    def generic(self, inputs, shape, body, out=None, maps=None, reduce=False, loops=None):
        """`inputs` are read along the loops that their sizes fit: all, the rows only, or the columns only."""
        rank = len(loops or shape)
        loops_text = ", ".join(f"d{i}" for i in range(rank))
        maps = maps or [self.map_of(self.shapes[v], loops or shape) for v in inputs] + [
            self.map_of(shape, loops or shape)]
        kinds = ["parallel"] * rank
        if reduce:
            kinds[-1] = "reduction"
        if out is None:
            out = self.value(shape)
            self.lines.append(f"{out} = tensor.empty() : {self.type(shape)}")
        result = self.value(shape)
        maps_text = ", ".join(f"affine_map<({loops_text}) -> ({m})>" for m in maps)
        kinds_text = ", ".join(f'"{kind}"' for kind in kinds)
        types = ", ".join(self.type(self.shapes[v]) for v in inputs)
        arguments = ", ".join(f"%i{k}: {self.dtype}" for k in range(len(inputs)))
        self.lines.append(
            f"{result} = linalg.generic {{indexing_maps = [{maps_text}], iterator_types = [{kinds_text}]}}"
            f" ins({', '.join(inputs)} : {types}) outs({out} : {self.type(shape)}) {{"
            f"\n  ^bb0({arguments}, %o: {self.dtype}):\n  "
            + "\n  ".join(line.replace("@", self.dtype) for line in body)
            + f"\n  linalg.yield %r : {self.dtype}\n}} -> {self.type(shape)}")
        return result

    @staticmethod
    def map_of(shape, loops):
        if shape == tuple(loops):
            return ", ".join(f"d{i}" for i in range(len(loops)))
        if shape == tuple(loops[:len(shape)]):
            return ", ".join(f"d{i}" for i in range(len(shape)))
        return ", ".join(f"d{i + len(loops) - len(shape)}" for i in range(len(shape)))

    def each(self, inputs, *body):
        return self.generic(inputs, self.shapes[inputs[0]], body)

    def row_sum(self, v, *term):
        shape = self.shapes[v]
        start = self.value(shape[:-1])
        zero = self.scalar(0.0)
        empty = self.value(shape[:-1])
        self.lines.append(f"{empty} = tensor.empty() : {self.type(shape[:-1])}")
        self.lines.append(f"{start} = linalg.fill ins({zero} : {self.dtype}) outs({empty} : "
                          f"{self.type(shape[:-1])}) -> {self.type(shape[:-1])}")
        maps = [", ".join(f"d{i}" for i in range(len(shape))), ", ".join(f"d{i}" for i in range(len(shape) - 1))]
        last = "%r = arith.addf %o, " + ("%t : @" if term else "%i0 : @")
        return self.generic([v], shape[:-1], [*term, last], start, maps, True, shape)

    def matmul(self, v, weights):
        w = self.constant(weights)
        shape = (self.shapes[v][0], weights.shape[1])
        zero, empty, start, result = self.scalar(0.0), self.value(shape), self.value(shape), self.value(shape)
        kind = self.type(shape)
        self.lines.append(f"{empty} = tensor.empty() : {kind}")
        self.lines.append(f"{start} = linalg.fill ins({zero} : {self.dtype}) outs({empty} : {kind}) -> {kind}")
        self.lines.append(f"{result} = linalg.matmul ins({v}, {w} : {self.type(self.shapes[v])}, "
                          f"{self.type(weights.shape)}) outs({start} : {kind}) -> {kind}")
        return result

    def heads(self, v, count):
        rows, width = self.shapes[v]
        result = self.value((rows, count, width // count))
        self.lines.append(f"{result} = tensor.expand_shape {v} [[0], [1, 2]] output_shape {list(self.shapes[result])}"
                          f" : {self.type((rows, width))} into {self.type(self.shapes[result])}")
        return result

    def slice(self, v, offset, size):
        rows, width = self.shapes[v]
        result = self.value((rows, size))
        self.lines.append(f"{result} = tensor.extract_slice {v}[0, {offset}] [{rows}, {size}] [1, 1] : "
                          f"{self.type((rows, width))} to {self.type((rows, size))}")
        return result

    def concat(self, a, b):
        sa, sb = self.shapes[a], self.shapes[b]
        result = self.value((sa[0], sa[1] + sb[1]))
        self.lines.append(f"{result} = tensor.concat dim(1) {a}, {b} : ({self.type(sa)}, {self.type(sb)}) -> "
                          f"{self.type(self.shapes[result])}")
        return result

    def text(self):
        types = ", ".join(self.type(self.shapes[v]) for v in self.results)
        body = "\n".join(self.lines)
        return (f"func.func @main(%x: {self.type((ROWS, self.width))}) -> ({types}) {{\n{body}\n"
                f"return {', '.join(self.results)} : {types}\n}}\n")


def squares(p, v):
    return p.row_sum(v, "%t = arith.mulf %i0, %i0 : @")


def l2_normalize(p, v, eps=1e-12):
    floor = p.scalar(eps)
    norm = p.each([squares(p, v)], "%n = math.sqrt %i0 : @", f"%r = arith.maximumf %n, {floor} : @")
    return p.each([v, norm], "%r = arith.divf %i0, %i1 : @")


def rms_norm(p, v, eps=1e-6):
    count, small = p.scalar(p.shapes[v][-1]), p.scalar(eps)
    inverse = p.each([squares(p, v)], f"%m = arith.divf %i0, {count} : @", f"%s = arith.addf %m, {small} : @",
                     "%r = math.rsqrt %s : @")
    return p.each([v, inverse], "%r = arith.mulf %i0, %i1 : @")


def centre(p, v):
    count = p.scalar(p.shapes[v][-1])
    mean = p.each([p.row_sum(v)],
                  f"%r = arith.divf %i0, {count} : @")
    return p.each([v, mean], "%r = arith.subf %i0, %i1 : @")


def twice_centred_norm(p, v, eps=1e-5):
    """The variance is that of one subtraction of the mean, and another one is normalised: as torch's layer norm."""
    count, small = p.scalar(p.shapes[v][-1]), p.scalar(eps)
    first, second = centre(p, v), centre(p, v)
    inverse = p.each([squares(p, first)], f"%m = arith.divf %i0, {count} : @", f"%s = arith.addf %m, {small} : @",
                     "%r = math.rsqrt %s : @")
    return p.each([second, inverse], "%r = arith.mulf %i0, %i1 : @")


def rotate(p, v, rng):
    rows, width = p.shapes[v]
    angle = np.tile(rng.uniform(0, 7, (width // 2,)), 2)
    cos, sin = p.constant(np.float32(np.cos(angle))), p.constant(np.float32(np.sin(angle)))
    negated = p.each([p.slice(v, width // 2, width // 2)], "%r = arith.negf %i0 : @")
    turned = p.concat(negated, p.slice(v, 0, width // 2))
    left = p.each([v, cos], "%r = arith.mulf %i0, %i1 : @")
    right = p.each([turned, sin], "%r = arith.mulf %i0, %i1 : @")
    return p.each([left, right], "%r = arith.addf %i0, %i1 : @")


def softmax(p, v):
    shape = p.shapes[v][:-1]
    low, empty, start = p.scalar(-1e30 if p.dtype == "f32" else -6e4), p.value(shape), p.value(shape)
    p.lines.append(f"{empty} = tensor.empty() : {p.type(shape)}")
    p.lines.append(f"{start} = linalg.fill ins({low} : {p.dtype}) outs({empty} : {p.type(shape)}) -> {p.type(shape)}")
    most = p.generic([v], shape, ["%r = arith.maximumf %i0, %o : @"], start, ["d0, d1", "d0"], True, p.shapes[v])
    e = p.each([v, most], "%d = arith.subf %i0, %i1 : @", "%r = math.exp %d : @")
    return p.each([e, p.row_sum(e)],
                  "%r = arith.divf %i0, %i1 : @")


def projected(p, v, rng, heads):
    gain, bias = rng.uniform(0.5, 2, p.width), rng.normal(size=p.width)
    v = p.each([rms_norm(p, v), p.constant(gain), p.constant(bias)], "%g = arith.mulf %i0, %i1 : @",
               "%r = arith.addf %g, %i2 : @")
    weights = rng.normal(size=(p.width, p.width)) * np.repeat(10.0 ** np.arange(heads), p.width // heads)
    shifted = p.each([p.matmul(v, weights), p.constant(rng.normal(size=p.width))], "%r = arith.addf %i0, %i1 : @")
    return shifted, p.heads(shifted, heads)


# ===-- inputs --------------------------------------------------------------===#


def adversarial_rows(width, dtype, rng, largest):
    """Rows at every magnitude, and those that rounding likes least."""
    limits = np.finfo(dtype)
    exponents = rng.uniform(np.log10(float(limits.smallest_subnormal)), np.log10(largest), (ROWS, 1))
    with np.errstate(over="ignore", under="ignore"):
        rows = (10.0**exponents * rng.normal(size=(ROWS, width))).clip(-largest, largest)
        k = ROWS // 8
        rows[:k] = rng.normal(size=(k, width)).clip(-largest, largest)
        rows[k:k + 64] = np.eye(width)[rng.integers(width, size=64)] * 10.0 ** rng.uniform(-30, 4, (64, 1))
        rows[k + 64:k + 128] = 10.0 ** rng.uniform(-20, np.log10(largest), (64, 1))  # all alike
        rows[k + 128:k + 192] = rows[k + 64:k + 128] * (1 + 1e-6 * rng.normal(size=(64, width)))  # nearly
        rows[k + 192:k + 256] = rng.choice([-1.0, 1.0], (64, width)) * 10.0 ** rng.uniform(-25, -10, (64, 1))
    rows[0], rows[1], rows[2] = 0, float(limits.smallest_subnormal), float(limits.tiny)
    rows[3] = largest
    return rows.clip(-largest, largest).astype(dtype)


# ===-- comparison ----------------------------------------------------------===#


def inferred(path, options):
    done = subprocess.run([opt, path, f"--attn-infer-bounds=report-results {options}",
                           "--remarks-filter=polyattn.*", "-o", os.devnull], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    bounds = {}
    for line in done.stderr.splitlines():
        found = re.search(r"High=(\S+), Low=(\S+),.* Result=(\d+), RowNorm=(\S+)", line)
        if found:
            high, low, result, norm = found.groups()
            bounds[int(result)] = tuple(float(number) for number in (low, high, norm))
    return bounds


def gathered(match):
    """tensor.concat of two as a gather: the run-time system has no copy between layouts."""
    result, axis, left, right, left_type, kind = match.groups()
    shape, dtype = kind.split("x")[:-1], kind.split("x")[-1]
    axis, half, name = int(axis), left_type.split("x")[int(axis)], result[1:]
    at = [f"%{name}_i{d}" for d in range(len(shape))]
    loops = ", ".join(f"d{d}" for d in range(len(shape)))
    parallel = ", ".join(['"parallel"'] * len(shape))
    a, b = list(at), list(at)
    a[axis], b[axis] = f"%{name}_a", f"%{name}_b"
    body = [f"{i} = linalg.index {d} : index" for d, i in enumerate(at)] + [
        f"%{name}_h = arith.constant {half} : index", f"%{name}_z = arith.constant 0 : index",
        f"%{name}_c = arith.cmpi ult, {at[axis]}, %{name}_h : index",
        f"%{name}_d = arith.subi {at[axis]}, %{name}_h : index",
        f"%{name}_a = arith.select %{name}_c, {at[axis]}, %{name}_z : index",
        f"%{name}_b = arith.select %{name}_c, %{name}_z, %{name}_d : index",
        f"%{name}_l = tensor.extract {left}[{', '.join(a)}] : tensor<{left_type}>",
        f"%{name}_r = tensor.extract {right}[{', '.join(b)}] : tensor<{left_type}>",
        f"%{name}_s = arith.select %{name}_c, %{name}_l, %{name}_r : {dtype}", f"linalg.yield %{name}_s : {dtype}"]
    return (f"%{name}_e = tensor.empty() : tensor<{kind}>\n{result} = linalg.generic {{indexing_maps = [affine_map<("
            f"{loops}) -> ({loops})>], iterator_types = [{parallel}]}} outs(%{name}_e : tensor<{kind}>) {{\n"
            f"^bb0(%{name}_o: {dtype}):\n" + "\n".join(body) + f"\n}} -> tensor<{kind}>")


CONCAT = re.compile(r"(%\w+) = tensor.concat dim\((\d)\) (%\w+), (%\w+) : \(tensor<(\S+)>, \S+\) -> tensor<(\S+)>")


def observe(path, rows):
    np.save(os.path.join(folder, "x.npy"), rows)
    with open(path) as file:
        text = CONCAT.sub(gathered, file.read())
    path += ".run"
    with open(path, "w") as file:
        file.write(text)
    done = subprocess.run([run, path, f"--input={os.path.join(folder, 'x.npy')}", f"--output={folder}/out"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def check(name, program, expect_bounds=True, largest=None, options=""):
    path = os.path.join(folder, name + ".mlir")
    with open(path, "w") as file:
        file.write(program.text())
    bounds = inferred(path, options)
    if not expect_bounds:
        assert not bounds, f"{name}: {bounds} is not expected"
        return print(f"{name}: no bound")
    assert len(bounds) == len(program.results), f"{name}: {bounds}"
    dtype = TYPES[program.dtype]
    rng = np.random.default_rng(len(name))
    seen = [0.0] * len(bounds)
    for _ in range(2):
        observe(path, adversarial_rows(program.width, dtype, rng, largest or float(np.finfo(dtype).max)))
        for i, (low, high, norm) in bounds.items():
            out = np.load(f"{folder}/out{i}.npy").astype(np.float64)
            clean = ~np.isnan(out.reshape(ROWS, -1)).any(axis=1)
            assert clean.sum() > ROWS // 2, f"{name}: only {clean.sum()} rows without NaN"
            norms = np.sqrt((out[clean] ** 2).sum(axis=-1))
            assert low <= out[clean].min() and out[clean].max() <= high, (
                f"{name}: elements in [{out[clean].min()}, {out[clean].max()}], not in [{low}, {high}]")
            assert norms.max() <= norm, f"{name}: observed norm {norms.max()} above the bound {norm}"
            seen[i] = max(seen[i], norms.max())
    print(f"{name}: " + ", ".join(f"bound {bounds[i][2]:.8g} / observed {seen[i]:.8g} = "
                                  f"{bounds[i][2] / seen[i]:.4g}" for i in sorted(bounds)))


# ===-- models --------------------------------------------------------------===#


def runnable(text, rng):
    """A form with weights where they are elided, which also returns both factors of the scores."""
    def weights(match):
        shape = [int(size) for size in match.group(1).split("x")]
        numbers = (rng.normal(size=shape) / np.sqrt(shape[-1])).tolist()
        return f"dense<{numbers}> : tensor<{match.group(1)}xf32>"
    text = re.sub(r"dense_resource<__elided__> : tensor<([0-9x]+)xf32>", weights, text)
    a, b, kinds = re.search(r"linalg\.batch_matmul ins\((%\w+), (%\w+) : (\S+, \S+)\)", text).groups()
    text = re.sub(r"return (%\w+) : (\S+)", rf"return \1, {a}, {b} : \2, {kinds}", text)
    return re.sub(r"-> (tensor<\S+>) \{\n", rf"-> (\1, {kinds}) {{\n", text, count=1)


def check_form(source):
    name = os.path.basename(source)
    rng = np.random.default_rng(len(name))
    path = os.path.join(folder, name)
    with open(source) as file, open(path, "w") as copy:
        copy.write(runnable(file.read(), rng))
    done = subprocess.run([opt, path, "--attn-infer-bounds=report-contractions", "--remarks-filter=polyattn.*", "-o",
                           os.devnull], capture_output=True, text=True)
    bounds = [float(number) for number in
              re.search(r"Bound=(\S+), LeftNorm=(\S+),.* RightNorm=(\S+)", done.stderr).groups()]
    seen = [0.0] * 3
    for _ in range(8):
        rows = adversarial_rows(128, np.float32, rng, float(np.finfo(np.float32).max))
        observe(path, rows[rng.permutation(ROWS)[:128]].reshape(1, 128, 128))
        score, a, b = (np.load(f"{folder}/out{i}.npy").astype(np.float64) for i in range(3))
        a, b = np.sqrt((a**2).sum(axis=2)), np.sqrt((b**2).sum(axis=1))
        for i, values in enumerate((np.abs(score), a, b)):
            assert np.isfinite(values).mean() > 0.5, f"{name}: hardly a row without NaN"
            seen[i] = max(seen[i], np.nanmax(values))
            assert seen[i] <= bounds[i], f"{name}: observed {seen[i]} above the bound {bounds[i]}"
    print(f"{name}: " + ", ".join(f"{what}: bound {bound:.8g} / observed {most:.8g} = {bound / most:.4g}"
                                  for what, bound, most in zip(("score", "|q|", "|k|"), bounds, seen)))


def program(width, dtype, *makers):
    p = Program(width, dtype)
    for make in makers:
        p.results += [made for made in np.atleast_1d(make(p, "%x"))]
    return p


def main():
    rng = np.random.default_rng(7)
    for dtype in TYPES:
        eps = 1e-12 if dtype == "f32" else 1e-2
        for width in (1, 3, 32, 64):
            check(f"l2-{dtype}-{width}", program(width, dtype, lambda p, v: l2_normalize(p, v, eps)))
            check(f"rms-{dtype}-{width}",
                  program(width, dtype, lambda p, v: rms_norm(p, v, 1e-6 if dtype == "f32" else 1e-2)))
        check(f"softmax-{dtype}", program(32, dtype, softmax))
        check(f"tanh-{dtype}", program(32, dtype, lambda p, v: p.each([v], "%r = math.tanh %i0 : @")))
    check("layer-norm", program(32, "f32", lambda p, v: rms_norm(p, centre(p, v))))
    check("rotated", program(32, "f32", lambda p, v: rotate(p, rms_norm(p, v), rng)))
    check("projected", program(32, "f32", lambda p, v: projected(p, v, rng, 4)))
    check("two-means", program(32, "f32", twice_centred_norm), expect_bounds=False)
    for largest in (1.0, 1000.0):
        check(f"two-means-{largest:g}", program(32, "f32", twice_centred_norm), largest=largest,
              options=f"assume-inputs={largest}")
    check("clamped", program(32, "f32", lambda p, v: p.each(
        [v], "%a = arith.constant -2.0 : @", "%b = arith.constant 3.0 : @", "%m = arith.maximumf %i0, %a : @",
        "%r = arith.minimumf %m, %b : @")))
    for form in forms:
        check_form(form)


if __name__ == "__main__":
    main()
