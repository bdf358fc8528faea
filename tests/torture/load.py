"""load: clients that enqueue jobs, one who answers what these ask, and readers that take their parents'
records."""

import json
import os
import random
import signal
import threading
import time

from home import ROOM

# How the records of a parent are read.
WAYS = ("shell", "cat", "once", "rude", "next", "wait", "moved")

# kind: (weight, options, argument)
KINDS = {
    "exit": (8, (), None),
    "quick": (8, (), None),
    "code": (3, (), "7"),
    "signal": (2, (), None),
    "leaves": (2, (), None),
    "stall": (2, ("--max-idle", "0.3s"), None),
    "total": (1, ("--max-total", "0.4s"), None),
    "missing": (1, (), None),
    "cancel": (2, (), None),
    "pause": (2, (), None),
    "retry": (3, ("--retries", "2", "--retry-on", "error", "--retry-delay", "0.02s"), None),
    "again": (3, ("--retries", "4", "--retry-on", "error,lost", "--retry-delay", "0"), None),
    "suspend": (3, (), None),
    "ask": (3, (), None),
    "after": (3, (), None),
    "after-ok": (4, (), None),
}


class Client(threading.Thread):
    """Enqueues for one parent, one job after the other, until it is told to stop."""

    def __init__(self, home, parent, way, seed, stop):
        super().__init__(daemon=True)
        self.home, self.parent, self.way, self.stop_event = home, parent, way, stop
        self.rng = random.Random(seed)
        self.accepted = {}  # child: job
        self.asked = {}  # child: kind, also where no answer came
        self.cancelled = set()
        self.after = {}  # child: the one it waits for
        self.failures = []  # words about commands that failed
        self.taken = []  # lines that `wait` printed
        self.results = []  # and `results`, at the end

    def run(self):
        number = 0
        while not self.stop_event.is_set():
            self.enqueue(number)
            number += 1
            time.sleep(self.rng.uniform(0.01, 0.12))
        self.wait_for(self.missing())

    def call(self, *words, codes=(0,)):
        code, out, errors = self.home.run(*words)
        if code not in codes:
            self.failures.append(f"'spawnd {' '.join(words)}' exited with {code}: {errors.strip()}")
        return code, out

    def enqueue(self, number):
        kind = self.rng.choices(list(KINDS), [weight for weight, _, _ in KINDS.values()])[0]
        _, options, argument = KINDS[kind]
        child = f"{self.parent}.{number}.{kind}"
        command = [os.path.join(ROOM, "job"), self.home.ledger, "exit" if kind == "code" else kind]
        if argument is not None:
            command.append(argument)
        if kind == "missing":
            command = ["/nonexistent/program"]
        if kind in ("after", "after-ok") and self.accepted:
            # Often one of its own kind: a chain.
            self.after[child] = self.rng.choice(list(self.accepted)[-4:])
            options = (f"--{kind}", self.after[child])
        self.asked[child] = kind
        code, out = self.call(
            "enqueue", "--parent", self.parent, "--child", child, *options, "--", *command
        )
        if code == 0:
            self.accepted[child] = int(out)
            self.go_on(child, kind)

    def go_on(self, child, kind):
        """What becomes of the job, where that is for its client to do."""
        if kind == "cancel":
            if self.call("cancel", child, codes=(0, 66))[0] == 0:
                self.cancelled.add(child)
        elif kind == "pause":
            # 65, 66: it does not run, or has ended.
            self.call("pause", child, codes=(0, 65, 66))
            self.call("unpause", child, codes=(0, 65, 66))
        if self.way == "wait" and self.rng.random() < 0.3:
            self.wait_for([child])
        if self.way == "moved" and self.rng.random() < 0.1:
            self.move()
        if self.rng.random() < 0.2:
            self.call("status", child, codes=(0, 66))

    def move(self):
        self.call("fifo", self.parent, "--at", os.path.join(self.home.dir, f"fifo.{self.parent}"))

    def missing(self):
        """Children whose records no `wait` has printed."""
        if self.way != "wait":
            return []
        seen = {json.loads(line)["child"] for line in self.taken}
        return [child for child in self.accepted if child not in seen]

    def wait_for(self, children):
        if not children:
            return
        code, out, errors = self.home.run("wait", *children)
        self.taken += out.splitlines()
        if code in (69, 75, 125):
            self.failures.append(f"'spawnd wait' exited with {code}: {errors.strip()}")


    def take_rest(self):
        """Records that nobody acknowledged: of a job whose number did not arrive, or where the
        acknowledgement was lost, which `wait` says."""
        while self.way == "wait":
            code, out, _ = self.home.run("next", "--parent", self.parent, "--timeout", "0.1s")
            if code != 0:
                break
            self.taken += out.splitlines()


class Answerer(threading.Thread):
    """Answers what jobs ask, and now and then a second time."""

    def __init__(self, home, seed, stop):
        super().__init__(daemon=True)
        self.home, self.stop_event = home, stop
        self.rng = random.Random(seed)
        self.given = {}  # id: decision, of those that `answer` said were taken
        self.failures = []

    def run(self):
        while not self.stop_event.is_set():
            _, out, _ = self.home.run("approvals", "--json")
            for line in out.splitlines():
                self.answer(json.loads(line)["id"])
            time.sleep(0.05)

    def answer(self, number):
        decision, other = self.rng.sample(("allow", "deny"), 2)
        # 65: it was decided, perhaps by this very command before a server died.
        self.give(number, decision)
        if self.rng.random() < 0.3:
            self.give(number, other)

    def give(self, number, decision):
        code, _, errors = self.home.run("answer", number, decision)
        if code == 0 and number in self.given:
            self.failures.append(f"approval {number} was decided twice")
        elif code == 0:
            self.given[number] = decision
        elif code not in (65, 66):
            self.failures.append(f"'spawnd answer' exited with {code}: {errors.strip()}")


class NextReader(threading.Thread):
    """Takes a parent's records with `spawnd next`."""

    def __init__(self, home, parent, stop):
        super().__init__(daemon=True)
        self.home, self.parent, self.stop_event = home, parent, stop
        self.lines = []
        self.failures = []

    def run(self):
        while not self.stop_event.is_set():
            code, out, errors = self.home.run("next", "--parent", self.parent, "--timeout", "1s")
            self.lines += out.splitlines()
            if code == 66:
                time.sleep(0.05)
            # 66: no record, and no child from which one could come.
            if code not in (0, 66) and "no record within" not in errors:
                self.failures.append(f"'spawnd next' exited with {code}: {errors.strip()}")


class RudeReader(threading.Thread):
    """Opens the FIFO, reads some of what is there, often not to the end of a record, and goes away."""

    def __init__(self, home, parent, seed, stop):
        super().__init__(daemon=True)
        self.home, self.parent, self.stop_event = home, parent, stop
        self.rng = random.Random(seed)
        self.lines = []
        self.failures = []

    def run(self):
        while not self.stop_event.is_set():
            code, out, errors = self.home.run("fifo", self.parent)
            if code != 0:
                self.failures.append(f"'spawnd fifo' exited with {code}: {errors.strip()}")
                continue
            self.read(out.strip())

    def read(self, path):
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        wanted = self.rng.choice((100, 500, 5000, 20000))
        deadline = time.monotonic() + 0.5
        data = b""
        while len(data) < wanted and time.monotonic() < deadline:
            try:
                data += os.read(fd, min(wanted - len(data), self.rng.choice((1, 64, 4096))))
            except BlockingIOError:
                pass
            time.sleep(0.002)
        os.close(fd)
        self.lines += [line.decode() for line in data.split(b"\n")[:-1]]


class Reader:
    """A program that reads the FIFO into a file, for ever; the same interface as the others."""

    def __init__(self, home, parent, way):
        self.home, self.parent, self.way = home, parent, way
        self.path = os.path.join(home.dir, f"seen.{parent}")
        self.failures = []
        self.process = None
        open(self.path, "w").close()

    def start(self):
        self.process = self.home.start(
            os.path.join(ROOM, "reader"), self.home.spawnd, self.parent, self.way, self.path
        )

    def join(self):
        """It and what it has started may wait for a writer."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    @property
    def lines(self):
        with open(self.path, encoding="utf-8") as file:
            return file.read().split("\n")[:-1]


class Load:
    """All clients and readers of one round."""

    def __init__(self, home, seed, client_count):
        self.home = home
        self.stop_clients = threading.Event()
        self.stop_readers = threading.Event()
        self.clients, self.readers = [], {}
        for i in range(client_count):
            way = WAYS[i % len(WAYS)]
            parent = f"P{i}"
            self.clients.append(Client(home, parent, way, f"{seed}.{i}", self.stop_clients))
            reader = self.make_reader(parent, way, seed)
            if reader is not None:
                self.readers[parent] = reader
        self.answerer = Answerer(home, f"{seed}.answers", self.stop_readers)

    def make_reader(self, parent, way, seed):
        if way == "next":
            return NextReader(self.home, parent, self.stop_readers)
        if way == "rude":
            return RudeReader(self.home, parent, f"{seed}.{parent}", self.stop_readers)
        if way == "wait":
            return None
        return Reader(self.home, parent, way)

    def start(self):
        for client in self.clients:
            if client.way == "moved":
                client.move()
        for one in self.everybody():
            one.start()

    def everybody(self):
        return (*self.clients, *self.readers.values(), self.answerer)

    def finish_clients(self):
        self.stop_clients.set()
        for client in self.clients:
            client.join()

    def finish_readers(self):
        """What they saw is kept with the rest, for whoever looks into a round that failed."""
        self.stop_readers.set()
        self.answerer.join()
        for parent, reader in self.readers.items():
            reader.join()
            with open(os.path.join(self.home.dir, f"lines.{parent}"), "w", encoding="utf-8") as file:
                file.writelines(line + "\n" for line in reader.lines)

    def lines(self, client):
        """The records of its parent that somebody has seen."""
        reader = self.readers.get(client.parent)
        return client.taken if reader is None else reader.lines

    def failures(self):
        return [f for one in self.everybody() for f in one.failures]
