# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Sends arrays through polyattn-run, and files that are damaged in every way."""

import os
import struct
import subprocess
import sys

import numpy as np

tool, folder = sys.argv[1:]
os.makedirs(folder, exist_ok=True)


def path(name):
    return os.path.join(folder, name)


def run_identity(mlir_type, source):
    with open(path("identity.mlir"), "w") as file:
        file.write(f"func.func @main(%a: {mlir_type}) -> {mlir_type} {{ return %a : {mlir_type} }}\n")
    return subprocess.run([tool, path("identity.mlir"), f"--input={source}", f"--output={path('out')}"],
                          capture_output=True, text=True)


def round_trip(mlir_type, array, expected_dtype=None, save=np.save):
    save(path("in.npy"), array)
    done = run_identity(mlir_type, path("in.npy"))
    assert done.returncode == 0, done.stderr
    back = np.load(path("out0.npy"))
    assert back.dtype == (expected_dtype or array.dtype), (mlir_type, back.dtype)
    assert back.shape == array.shape and back.tobytes() == array.tobytes(), (mlir_type, back)


def save_version_2(name, array):
    with open(name, "wb") as file:
        np.lib.format.write_array(file, array, version=(2, 0))


def check_types():
    rng = np.random.default_rng(0)
    for mlir, dtype in {"f16": "f2", "f32": "f4", "f64": "f8", "i8": "i1", "i16": "i2", "i32": "i4",
                        "i64": "i8", "index": "i8"}.items():
        array = np.frombuffer(rng.bytes(6 * np.dtype(dtype).itemsize), dtype).reshape(2, 3)
        round_trip(f"tensor<2x?x{mlir}>", array)
    for mlir, dtype in {"i8": "u1", "i16": "u2", "i32": "u4", "i64": "u8"}.items():
        array = np.frombuffer(rng.bytes(4 * np.dtype(dtype).itemsize), dtype)
        round_trip(f"tensor<4x{mlir}>", array, expected_dtype=np.dtype("i" + dtype[1]))
    round_trip("tensor<3xi1>", np.array([True, False, True]))
    for raw in ("u2", "V2"):
        round_trip("tensor<2xbf16>", np.array([0x3F80, 0xC040], "u2").view(raw), expected_dtype=np.dtype("V2"))
    round_trip("tensor<f32>", np.array(2.5, np.float32))
    round_trip("f32", np.array(2.5, np.float32))
    round_trip("tensor<0x?xf32>", np.zeros((0, 7), np.float32))
    round_trip("tensor<1x2x1x2x1x2xf64>", np.arange(8.0).reshape(1, 2, 1, 2, 1, 2))
    round_trip("tensor<2xf32>", np.array([1, 2], np.float32), save=save_version_2)


def header(text, version=1):
    raw = text.encode("latin1")
    size = struct.pack("<H" if version == 1 else "<I", len(raw))
    return b"\x93NUMPY" + bytes([version, 0]) + size + raw


def reject(message, content):
    """`content` is an array to save or the bytes of a file."""
    if isinstance(content, bytes):
        with open(path("bad.npy"), "wb") as file:
            file.write(content)
    else:
        np.save(path("bad.npy"), content, allow_pickle=True)
    done = run_identity("tensor<2xf32>", path("bad.npy"))
    assert done.returncode == 1, (message, done.returncode, done.stderr)
    assert "bad.npy" in done.stderr and message in done.stderr, (message, done.stderr)


def check_damage():
    good = {"descr": "'<f4'", "fortran_order": "False", "shape": "(2,)"}
    data = bytes(8)

    def with_header(**changes):
        fields = {**good, **changes}
        return header("{" + ", ".join(f"'{k}': {v}" for k, v in fields.items() if v is not None) + "}") + data

    with open(path("bad.npy"), "wb") as file:
        file.write(with_header())
    assert run_identity("tensor<2xf32>", path("bad.npy")).returncode == 0
    reject("not a .npy file", b"")
    reject("not a .npy file", b"PK\x03\x04" + data)
    reject("ends within the header", b"\x93NUMPY\x01")
    reject("version 9", header("{}", version=9) + data)
    reject("ends within the header", header("{}" + " " * 50)[:20])
    reject("claims 4294967295 bytes", b"\x93NUMPY\x02\x00\xff\xff\xff\xff{}")
    reject("expected '{'", header("hello") + data)
    reject("expected '{'", header("") + data)
    reject("ends within a string", header("{'descr") + data)
    reject("lacks", with_header(shape=None))
    reject("lacks", header("{}") + data)
    reject("twice", header("{'shape': (2,), 'shape': (2,)}") + data)
    reject("unknown key 'x'", with_header(x="1"))
    reject("text after", header("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} x") + data)
    reject("nonnegative number", with_header(shape="(-2,)"))
    reject("nonnegative number", with_header(shape="(a,)"))
    reject("nonnegative number", with_header(shape="(99999999999999999999,)"))
    reject("expected '('", with_header(shape="2"))
    reject("too large", with_header(shape="(4611686018427387904, 8)"))
    reject("expected True or False", with_header(fortran_order="1"))
    reject("takes 12 bytes, the file holds 8", with_header(shape="(3,)"))
    reject("takes 4 bytes, the file holds 8", with_header(shape="(1,)"))
    reject("takes 4 bytes, the file holds 8", with_header(shape="()"))
    reject("'<c8' are not supported", np.zeros(2, "c8"))
    reject("'<U3' are not supported", np.array(["abc"]))
    reject("big-endian", np.zeros(2, ">f4"))
    reject("Python objects", np.array([None, {}], dtype=object))
    reject("structured", np.zeros(2, [("a", "f4")]))
    reject("Fortran order", np.asfortranarray(np.zeros((2, 2), "f4")))
    # A truncation at any place is noticed.
    np.save(path("good.npy"), np.zeros(2, "f4"))
    with open(path("good.npy"), "rb") as file:
        whole = file.read()
    for end in (3, 7, 9, 40, 127, 128, 130, len(whole) - 1):
        reject("npy", whole[:end])


def check_bools():
    np.save(path("in.npy"), np.array([0, 2], np.uint8).view(np.bool_))
    done = run_identity("tensor<2xi1>", path("in.npy"))
    assert done.returncode == 1 and "a bool is neither 0 nor 1" in done.stderr, done.stderr


check_types()
check_damage()
check_bools()
