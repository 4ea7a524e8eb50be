# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""The process of one contender: worker.py MODULE THREADS. Answers each line of JSON from harness.py with one."""

import ctypes
import importlib
import json
import os
import signal
import sys

import cases
import check
import timing
from contenders import base


def main(make=None):
    """Serves requests to what `make` makes of the two arguments."""
    module, threads = sys.argv[1], int(sys.argv[2])
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what libraries print goes to the log
    die_with_parent()
    if threads < timing.CORES:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    worker = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if worker is None:
                worker = (make or Worker)(module, threads)
            answer = getattr(worker, request.pop("do"))(**request)
        except (base.Unsupported, ImportError) as reason:
            answer = {"skip": str(reason)}
        except Exception as error:  # whatever a library throws costs this case, no more
            answer = {"skip": f"failed: {type(error).__name__}: {first_line(error)}"}
        print(json.dumps(answer), file=answers)


def die_with_parent():
    """Also while stopped."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def first_line(error):
    return (str(error).strip().splitlines() or [""])[0][:200]


class Worker:
    def __init__(self, module, threads):
        self.contender = importlib.import_module(f"contenders.{module}").Contender(threads)
        self.prepared = {}
        self.hopeless = set()  # (series, variant)

    def hello(self):
        return {"label": self.contender.label, "version": self.contender.version}

    def prepare(self, key, case):
        """Compiles, checks and warms up every variant; keeps the fastest that is right under `key`."""
        case = cases.Case(**case)
        arrays = case.inputs()
        tried, refused, errors = {}, {}, {}
        for name, build in self.contender.variants(case, *arrays).items():
            if (case.series, name) in self.hopeless:
                continue
            try:
                runner = build()
                errors[name] = self.verify(case, arrays, runner)
            except Exception as error:
                refused[name] = f"{type(error).__name__}: {first_line(error)}"
                continue
            seconds = timing.warm_seconds(runner.run)
            if not tried or seconds < min(tried.values()):
                self.prepared[key] = runner
            tried[name] = seconds
        if not tried:
            return {"skip": "; ".join(f"{name}: {why}" for name, why in refused.items())}
        best = min(tried, key=tried.get)
        self.hopeless |= {(case.series, name) for name in tried if tried[name] > max(5e-3, 3 * tried[best])}
        return {"seconds": tried[best], "variant": best, "tried": tried, "refused": refused, "error": errors[best],
                "note": self.prepared[key].note}

    @staticmethod
    def verify(case, arrays, runner):
        allowed = runner.tolerance or base.tolerance(case)
        error = check.error(case, arrays, runner.fetch(runner.run()))
        if not error <= allowed:
            raise ValueError(f"wrong result: off by {error:.1e} of max|value|, {allowed:.1e} allowed")
        return error

    def time(self, key, calls):
        run = self.prepared[key].run
        if calls > 1:
            run()  # caches hold what others have left
        return {"seconds": timing.median_call(run, calls)}

    def forget(self):
        self.prepared.clear()
        return {}


if __name__ == "__main__":
    main()
