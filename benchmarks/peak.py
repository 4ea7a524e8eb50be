# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""How fast this machine can multiply and add at all: f32 FMAs on registers, in every thread at once."""

import threading

import polyattn

import timing

#: Independent sums: enough to hide an FMA's latency, few enough for registers.
SUMS = 24
REPEATS = 1_000_000


def vector_lanes():
    try:
        with open("/proc/cpuinfo") as info:
            flags = info.read()
    except OSError:
        return 4
    return 16 if "avx512f" in flags else 8 if "avx2" in flags else 4


def probe_text(lanes, sums):
    vector = f"vector<{lanes}xf32>"
    start = ", ".join(f"%a{i} = %x" for i in range(sums))
    types = ", ".join([vector] * sums)
    steps = "\n".join(f"    %b{i} = vector.fma %a{i}, %x, %x : {vector}" for i in range(sums))
    adds = "\n".join(f"  %t{i + 1} = arith.addf %t{i}, %r#{i} : {vector}" for i in range(sums))
    return f"""
func.func @main(%seed: f32, %repeats: i64) -> f32 {{
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %n = arith.index_cast %repeats : i64 to index
  %x = vector.broadcast %seed : f32 to {vector}
  %r:{sums} = scf.for %i = %c0 to %n step %c1 iter_args({start}) -> ({types}) {{
{steps}
    scf.yield {", ".join(f"%b{i}" for i in range(sums))} : {types}
  }}
  %t0 = vector.broadcast %zero : f32 to {vector}
{adds}
  %s = vector.reduction <add>, %t{sums} : {vector} into f32
  return %s : f32
}}"""


class Probe:
    """Called between measurements: on a shared machine the rate changes while they run."""

    def __init__(self, threads):
        lanes = vector_lanes()
        sums = SUMS if lanes == 16 else SUMS // 2
        self.executable = polyattn.compile(probe_text(lanes, sums), pipeline="attn-to-llvm", threads=1)
        self.threads, self.flops = threads, 2 * lanes * sums * REPEATS * threads
        self.gflops()

    def gflops(self):
        """The best of some short runs, of all threads together."""
        return max(self.flops / timing.seconds_per_call(self.run_all) / 1e9 for _ in range(3))

    def run_all(self):
        threads = [threading.Thread(target=self.executable, args=(0.5, REPEATS)) for _ in range(self.threads)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
