# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Sends .npz files through polyattn-run --inputs, and files that are damaged in every way."""

import io
import os
import subprocess
import sys
import zipfile

import numpy as np

tool, folder = sys.argv[1:]
os.makedirs(folder, exist_ok=True)
PROGRAM = """
func.func @main(%a: tensor<?xf32>, %b: tensor<?xf32>) -> tensor<?xf32> {
  %0 = arith.subf %a, %b : tensor<?xf32>
  return %0 : tensor<?xf32>
}
"""


def path(name):
    return os.path.join(folder, name)


def run(*arguments):
    return subprocess.run([tool, path("program.mlir"), *arguments], capture_output=True, text=True)


def expect(result, *arguments):
    done = run(*arguments, f"--output={path('out')}")
    assert done.returncode == 0, (arguments, done.stderr)
    assert np.array_equal(np.load(path("out0.npy")), np.asarray(result, "f4")), (arguments, done.stdout)


def reject(message, *arguments):
    done = run(*arguments)
    assert done.returncode == 1 and message in done.stderr, (message, done.returncode, done.stderr)


a, b = np.array([5, 6], "f4"), np.array([1, 3], "f4")


def check_calls():
    for save in (np.savez, np.savez_compressed):
        save(path("named.npz"), b=b, a=a)
        # In the order of the archive, or by name; beside arrays that stay.
        expect(b - a, f"--inputs={path('named.npz')}")
        expect(a - b, "--input=@a", "--input=@b", f"--inputs={path('named.npz')}")
        expect(a - a, "--input=@a", "--input=@a", f"--inputs={path('named.npz')}")
        np.save(path("fixed.npy"), 2 * a)
        expect(a, f"--input={path('fixed.npy')}", "--input=@a", f"--inputs={path('named.npz')}")
        save(path("many.npz"), *[np.full(2, i, "f4") for i in range(12)])
        expect([-9, -9], "--input=@arr_1", "--input=@arr_10", f"--inputs={path('many.npz')}")
    np.save(path("single.npy"), b)
    expect(2 * a - b, f"--input={path('fixed.npy')}", "--input=@arr_0", f"--inputs={path('single.npy')}")
    os.makedirs(path("calls"), exist_ok=True)
    for i in range(3):
        np.savez(path(f"calls/{i}.npz"), a=np.zeros(i + 1, "f4"), b=np.ones(i + 1, "f4"))
    with open(path("calls/readme.txt"), "w") as file:
        file.write("not an array")
    done = run(f"--inputs={path('calls')}")
    assert done.returncode == 0 and "of 3\n" in done.stdout and "3 of 3 calls: " in done.stderr, (done.stdout, done.stderr)


def check_errors():
    named = f"--inputs={path('named.npz')}"
    reject("no array 'c': it has 'b', 'a'", "--input=@c", "--input=@a", named)
    reject("input '@a' names an array of files; give them by --inputs", "--input=@a", "--input=@a")
    reject("'main' takes 2 arguments, got 12", f"--inputs={path('many.npz')}")
    reject("many.npz'", f"--inputs={path('many.npz')}")
    reject("cannot read: No such file", f"--inputs={path('none.npz')}")
    os.makedirs(path("empty"), exist_ok=True)
    reject("no .npz or .npy file in this folder", f"--inputs={path('empty')}")
    reject("--output holds the results of one call; --inputs names 3 files", f"--inputs={path('calls')}",
           f"--output={path('out')}")


def damage(message, content):
    with open(path("bad.npz"), "wb") as file:
        file.write(content)
    reject(message, f"--inputs={path('bad.npz')}")
    reject("bad.npz", f"--inputs={path('bad.npz')}")


def archive(content, method=zipfile.ZIP_STORED):
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", method) as file:
        file.writestr("a.npy", content)
    return memory.getvalue()


def check_damage():
    damage("not an .npz file", b"")
    damage("not an .npz file", b"hello")
    with open(path("single.npy"), "rb") as file:
        npy = file.read()
    damage("not an .npz file", npy)
    damage("(a.npy)': not a .npy file", archive(b"hello"))
    damage("compressed by method 12; save it by numpy.savez", archive(npy, zipfile.ZIP_BZIP2))
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        whole = archive(npy, method)
        local, central, end = whole.index(b"PK\3\4"), whole.index(b"PK\1\2"), whole.index(b"PK\5\6")

        def changed(at, new):
            return whole[:at] + new + whole[at + len(new):]

        damage("not what was written", changed(local + 30 + 5 + 20, b"\xff\xff\xff"))
        damage("not what was written", changed(central + 16, b"\0\0\0\0"))
        damage("no 'a.npy' where the directory says", changed(central + 42, b"\7\0\0\0"))
        damage("it ends within 'a.npy'", changed(central + 20, b"\xff\xff\0\0"))
        damage("is encrypted", changed(central + 8, b"\1"))
        damage("more than 4 GiB", changed(central + 24, b"\xff\xff\xff\xff"))
        damage("its directory has no entry 0", changed(end + 16, b"\xff\xff\xff\x7f"))
        damage("its directory has no entry 1", changed(end + 10, b"\2"))
        for cut in (1, 21, len(whole) - end):
            damage("npz", whole[:-cut])
    damage("claims 1879048192 bytes", changed(central + 24, b"\0\0\0\x70"))


with open(path("program.mlir"), "w") as out:
    out.write(PROGRAM)
check_calls()
check_errors()
check_damage()
