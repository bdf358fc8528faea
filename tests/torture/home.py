"""home: one daemon's directory with everything that runs in it, and the ways to kill that."""

import os
import select
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
from contextlib import closing

from page import Page

PATIENCE_S = float(os.environ.get("PATIENCE", 60))
ROOM = os.path.dirname(os.path.abspath(__file__))


# Paths of what a daemon with nothing to do has no use for.
OF_JOBS = ("/run/parents/", "/run/beats/", "/state/output/", "/memfd:", "/fifo.")


def read_link(path):
    try:
        return os.readlink(path)
    except OSError:
        return ""


def list_dir(path):
    try:
        return os.listdir(path)
    except OSError:
        return []


def now_ms():
    return int(time.time() * 1000)


def wait_until(condition, patience_s=PATIENCE_S):
    """Whether it comes true in time."""
    deadline = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


class Home:
    def __init__(self, spawnd, durability):
        self.spawnd = os.path.realpath(spawnd)
        self.dir = tempfile.mkdtemp(prefix="spawnd-torture.", dir="/tmp")
        self.home = os.path.join(self.dir, "home")
        self.ledger = os.path.join(self.dir, "ledger")
        self.page = Page(os.path.join(self.dir, "page"))
        self.kills = []  # (ms, roles)
        os.mkdir(self.home, 0o700)
        open(self.ledger, "w").close()
        with open(os.path.join(self.home, "spawnd.ini"), "w") as file:
            file.write(f"[spawnd]\nmax_running = 12\ndurability = {durability}\n")
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": self.dir,
            "SPAWND_HOME": self.home,
            "TORTURE_PAGE": self.page.path,
            "TORTURE_SPAWND": self.spawnd,
        }
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
            if name in os.environ:
                self.env[name] = os.environ[name]

    def run(self, *words, timeout_s=2 * PATIENCE_S):
        """A command of spawnd's to its end: (exit code, standard output, standard error)."""
        try:
            done = subprocess.run(
                [self.spawnd, *words],
                env=self.env,
                cwd=self.dir,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                timeout=timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return 124, "", f"it has not ended after {timeout_s} s"
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def start(self, *argv):
        """Something that runs beside the daemon, in a process group of its own."""
        with open(os.path.join(self.dir, "errors"), "ab") as errors:
            return subprocess.Popen(
                argv,
                env=self.env,
                cwd=self.dir,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
            )

    def open_process(self, role):
        """A pidfd of the daemon's process, or None. Never of a stranger that has its number now."""
        pid = self.page.pid(role)
        try:
            pidfd = os.pidfd_open(pid)
        except OSError:
            return None
        try:
            if os.readlink(f"/proc/{pid}/exe") == self.spawnd:
                return pidfd
        except OSError:
            pass
        os.close(pidfd)
        return None

    def is_alive(self, role):
        pidfd = self.open_process(role)
        if pidfd is None:
            return False
        has_ended = bool(select.select([pidfd], [], [], 0)[0])
        os.close(pidfd)
        return not has_ended

    def kill(self, roles):
        """Kills these of the daemon's processes now; whether there was one."""
        pidfds = [p for p in map(self.open_process, roles) if p is not None]
        self.note_kill(now_ms(), roles)
        for pidfd in pidfds:
            try:
                signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            except ProcessLookupError:
                pass
            os.close(pidfd)
        return bool(pidfds)

    def note_kill(self, ms, roles):
        self.kills.append((ms, frozenset(roles)))

    def processes_left(self):
        """{pid: command line} of what has this directory in its environment."""
        found = {}
        mark = self.dir.encode()
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/environ", "rb") as file:
                    if mark not in file.read():
                        continue
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    found[int(pid)] = file.read().replace(b"\0", b" ").decode()
            except OSError:
                continue
        return found

    def end_jobs_left(self):
        """Ends jobs of a supervisor that was killed: nobody watches over them."""
        daemon = {self.page.pid("supervisor"), self.page.pid("server")}
        self.end_left([p for p in self.processes_left() if p not in daemon])

    def end_left(self, pids=None):
        """Ends what is left; it is ours by its environment, looked at again with its pidfd in hand."""
        for pid in self.processes_left() if pids is None else pids:
            try:
                pidfd = os.pidfd_open(pid)
            except OSError:
                continue
            if pid in self.processes_left():
                try:
                    signal.pidfd_send_signal(pidfd, signal.SIGKILL)
                except OSError:
                    pass
            os.close(pidfd)

    def describe_open(self):
        """What the daemon's processes have open that belongs to a job or a parent; empty: nothing."""
        found = []
        for role in ("supervisor", "server"):
            at = f"/proc/{self.page.pid(role)}/fd"
            links = [read_link(f"{at}/{fd}") for fd in list_dir(at)]
            found += [f"{role}: {l}" for l in links if any(word in l for word in OF_JOBS)]
            # Each has one of the other at most.
            if sum("pidfd" in l for l in links) > 1:
                found.append(f"{role}: {links.count('anon_inode:[pidfd]')} pidfds")
        return "; ".join(found)

    def query(self, sql):
        path = os.path.join(self.home, "state", "spawnd.db")
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            return database.execute(sql).fetchall()

    def count_lost(self):
        return self.query("SELECT count(*) FROM job WHERE status = 'lost'")[0][0]

    def take_orphaned(self):
        """Takes the records of which the job that was to have them is lost: nobody else reads them, and
        the daemon keeps their FIFO open."""
        for (parent,) in self.query(
            "SELECT DISTINCT delivery.parent FROM delivery JOIN job ON child = delivery.parent "
            "WHERE status = 'lost'"
        ):
            while self.run("next", "--parent", parent, "--timeout", "0.1s")[0] == 0:
                pass

    def remove(self):
        shutil.rmtree(self.dir)
