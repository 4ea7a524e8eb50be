# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Calls functions with assertions, with arguments that they accept and refuse."""

import sys
import threading

import numpy as np

import polyattn

module = polyattn.parse_file(sys.argv[1])
table = np.arange(30, dtype="f4").reshape(10, 3)


def refused(message, function, *arguments):
    try:
        function(*arguments)
    except polyattn.CheckError as error:
        assert isinstance(error, ValueError) and message in str(error) and "assertions.mlir:" in str(error), error
        return
    raise AssertionError(f"not refused: {message}")


def rows(*values):
    return np.array(values, "i8")


lookup = polyattn.compile(module, entry="lookup")
for good in rows(0, 9, 5, 5), rows(9, 9, 9, 9):
    assert np.array_equal(lookup(table, good), table[good])
far = 2**40
for position in range(4):
    for bad, message in (10, "beyond"), (far, "beyond"), (-1, "before"), (-far, "before"):
        indices = rows(1, 2, 3, 4)
        indices[position] = bad
        refused(message, lookup, table, indices)
    assert np.array_equal(lookup(table, rows(1, 2, 3, 4)), table[1:5])  # The call after it is as good as ever.

chain = polyattn.compile(module, entry="chain")
follow, values = rows(0, 2, 1, 7, -1), np.array([5, 6, 7], "f4")
assert chain(rows(0, 1, 2, 0), follow, values).tolist() == [5, 7, 6, 5]
refused("second index", chain, rows(0, 1, 3, 0), follow, values)
refused("second index", chain, rows(0, 1, 4, 0), follow, values)
refused("first index", chain, rows(0, 1, far, 0), rows(0, 0, 0, 0, 0), values)
refused("index", chain, rows(0, 1, -1, 4), follow, values)

loops = polyattn.compile(module, entry="loops")
assert loops(np.ones((3, 2), "f4")).shape == (3, 2)
refused("more than 3 rows", loops, np.ones((4, 2), "f4"))

plain = polyattn.compile(module, entry="plain")
assert plain(np.ones(3, "f4"), False).shape == (3,) and plain(np.ones(2, "f4"), True).shape == (2,)
refused("no elements", plain, np.ones(0, "f4"), False)
refused("not two elements", plain, np.ones(3, "f4"), True)

# Calls at the same time do not see each other's failures.
wrong = []


def work(bad):
    for _ in range(300):
        try:
            result = lookup(table, rows(1, 2, 3, -1 if bad else 4))
            if bad or not np.array_equal(result, table[1:5]):
                wrong.append("accepted")
        except polyattn.CheckError:
            if not bad:
                wrong.append("refused")


threads = [threading.Thread(target=work, args=(i % 2,)) for i in range(6)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert not wrong, wrong
print("ok")
