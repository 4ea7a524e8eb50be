# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Contenders in processes of their own that take turns. Whoever does not have its turn is stopped by a signal, so that
its threads, which may spin while they wait for work, take nothing from the others."""

import dataclasses
import json
import os
import pathlib
import select
import signal
import statistics
import subprocess
import sys

import cases
import contenders

HERE = pathlib.Path(__file__).resolve().parent
PREPARE_SECONDS = 300  # compilers may be slow
SLOW = ("would take", "takes")  # how a reason begins that is no failure


class Gone(Exception):
    """A worker died or does not answer."""


class Worker:
    """A stopped process that runs only while it is asked something."""

    def __init__(self, module, threads, log, script="worker.py"):
        self.log = log
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("OMP_", "KMP_", "GOMP_"))}
        environment["OPENBLAS_NUM_THREADS"] = "1"  # numpy, which only checks results
        with open(log, "w") as file:
            self.process = subprocess.Popen([sys.executable, HERE / script, module, str(threads)], bufsize=0,
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=file, env=environment)

    def ask(self, timeout, **request):
        try:
            self.process.send_signal(signal.SIGCONT)
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            if not select.select([self.process.stdout], [], [], timeout)[0]:
                raise Gone(f"no answer within {timeout:.0f} s")
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = b""
        if not line:
            raise Gone(f"its process ended with status {self.process.wait()}, see {self.log}")
        self.process.send_signal(signal.SIGSTOP)
        return json.loads(line)

    def end(self):
        self.process.kill()
        self.process.wait()


@dataclasses.dataclass(frozen=True)
class Effort:
    """How much time goes into one group of contenders."""

    rounds: int
    turn: float  # seconds: short calls are repeated for that long
    budget: float  # seconds for all turns of one contender: who is slow gets fewer
    slowest: float  # seconds of a call that is not worth the wait

    def rounds_for(self, seconds):
        return max(2, min(self.rounds, int(self.budget / max(seconds, self.turn))))


@dataclasses.dataclass
class Entry:
    """One contender's part in a group."""

    module: str
    label: str
    case: cases.Case
    times: list = dataclasses.field(default_factory=list)
    answer: dict = dataclasses.field(default_factory=dict)
    skipped: str = ""

    @property
    def key(self):
        return f"{self.module}, {self.case.kind}"

    @property
    def size(self):
        """What its time is proportional to, about."""
        return self.case.heads * self.case.n if self.case.is_low_rank else self.case.pairs

    @property
    def seconds(self):
        return statistics.median(self.times)


class Harness:
    """Workers, started when they are first needed, and what is known of their speed."""

    def __init__(self, threads, effort, logs, peers=contenders.PEERS, low_rank_peers=contenders.LOW_RANK_PEERS):
        self.threads, self.effort, self.logs = threads, effort, logs
        self.peers, self.low_rank_peers = peers, low_rank_peers
        self.workers, self.hellos, self.absent = {}, {}, {}
        self.history = {}  # (key, series) -> (size, seconds) of the last case
        logs.mkdir(parents=True, exist_ok=True)
        for module in (contenders.OURS, *peers, *low_rank_peers):
            answer = self.ask(module, PREPARE_SECONDS, do="hello")
            (self.absent if "skip" in answer else self.hellos)[module] = answer.get("skip", answer)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for worker in self.workers.values():
            worker.end()

    def ask(self, module, timeout, **request):
        """A worker's answer. One that is gone costs this answer, and is started again for the next."""
        if module not in self.workers:
            self.workers[module] = Worker(module, self.threads, self.logs / f"{module}.log")
        try:
            return self.workers[module].ask(timeout, **request)
        except Gone as reason:
            self.workers.pop(module).end()
            return {"skip": str(reason)}

    def measure(self, group):
        """One entry for each contender, with a time per round or the reason why it is skipped."""
        entries = self.entries(group)
        for entry in entries:
            self.prepare(entry)
        for number in range(self.effort.rounds):
            first = number % len(entries)  # nobody always follows the same one
            for entry in entries[first:] + entries[:first]:
                if not entry.skipped and number < self.effort.rounds_for(entry.answer["seconds"]):
                    self.take_turn(entry)
        for module in list(self.workers):
            self.ask(module, 60, do="forget")
        return entries

    def entries(self, group):
        def entry(module, kind):
            return Entry(module, self.hellos[module]["label"], group.shape.of_kind(kind))

        low_rank = [kind for kind in group.kinds if group.shape.of_kind(kind).is_low_rank]
        wanted = [(contenders.OURS, kind) for kind in group.kinds] + [(peer, "exact") for peer in self.peers]
        wanted += [(peer, kind) for peer in self.low_rank_peers for kind in low_rank]
        return [entry(module, kind) for module, kind in wanted if module in self.hellos]

    def prepare(self, entry):
        size, seconds = self.history.get((entry.key, entry.case.series), (entry.size, 0.0))
        expected = seconds * entry.size / size
        # A short time says little of long ones.
        if expected > self.effort.slowest and seconds > self.effort.slowest / 100:
            entry.skipped = f"{SLOW[0]} about {expected:.0f} s a call"
            return
        case = dataclasses.asdict(entry.case)
        entry.answer = self.ask(entry.module, PREPARE_SECONDS, do="prepare", key=entry.key, case=case)
        entry.skipped = entry.answer.get("skip", "")
        if not entry.skipped:
            self.history[entry.key, entry.case.series] = entry.size, entry.answer["seconds"]
            if entry.answer["seconds"] > self.effort.slowest:
                entry.skipped = f"{SLOW[1]} {entry.answer['seconds']:.1f} s a call"

    def take_turn(self, entry):
        seconds = entry.answer["seconds"]
        calls = max(1, int(self.effort.turn / seconds))
        answer = self.ask(entry.module, 60 + 10 * calls * seconds, do="time", key=entry.key, calls=calls)
        if "skip" in answer:
            entry.skipped = answer["skip"]
        else:
            entry.times.append(answer["seconds"])
