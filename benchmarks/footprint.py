# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""What polyattn costs besides the time of a call: memory, compilation, starting a tool."""

import ctypes
import json
import pathlib
import re
import statistics
import subprocess
import sys

import polyattn

import timing
from cases import Case
from contenders.polyattn import attention_text, compile_case

EXACT, LOW_RANK = Case(4, 4096), Case(1, 16384, kind="degree 2")
CAUSAL = Case(1, 16384, causal=True, kind="degree 2")


def measure(tool):
    return {
        "peak_mib": {case.name: peak_mib_of_process(case) for case in (EXACT, LOW_RANK, CAUSAL)},
        "compile_s": {case.name: compile_seconds(case) for case in (EXACT, LOW_RANK)},
        "start_ms": start_ms(tool),
    }


def compile_seconds(case):
    return statistics.median(polyattn.compile(attention_text(case)).compile_seconds for _ in range(3))


def start_ms(tool):
    def once():
        subprocess.run([tool, "--version"], check=True, stdout=subprocess.DEVNULL)

    return 1e3 * statistics.median(timing.seconds_per_call(once) for _ in range(10))


def peak_mib_of_process(case, threads=timing.CORES):
    """Of one call in a fresh process, beyond inputs and output."""
    arguments = [case.heads, case.n, case.d, case.dtype, case.causal, case.keys, case.kind]
    command = [sys.executable, __file__, json.dumps(arguments), str(threads)]
    return int(subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout) / 2**20


def peak_bytes(case, threads):
    """For a process of its own: what earlier calls have left would hide what this one takes."""
    inputs = case.inputs()
    executable = compile_case(case, threads)
    ctypes.CDLL(None).malloc_trim(0)  # nor must what compilation has freed serve the call unseen
    before = memory("VmRSS")
    pathlib.Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    output = executable(*inputs)
    return max(0, memory("VmHWM") - before - output.nbytes)


def memory(key):
    status = pathlib.Path("/proc/self/status").read_text()
    return 1024 * int(re.search(rf"^{key}:\s+(\d+) kB", status, re.MULTILINE)[1])


if __name__ == "__main__":
    print(peak_bytes(Case(*json.loads(sys.argv[1])), int(sys.argv[2])))
