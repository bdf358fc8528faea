"""ledger: whether what spawnd promises has been kept. Reads the jobs' own marks, what readers saw,
what commands printed, and, when the daemon has ended, the database."""

import json
import os
import re
import sqlite3
from collections import Counter, defaultdict

# How far apart a kill and what it brings about may be noted, in milliseconds.
SLACK_MS = 100
# So long a busy server may go on before it sees that its supervisor is dead, and accept jobs.
UNSEEN_MS = 2000
# The two processes count as killed together where one followed the other so soon.
TOGETHER_MS = 3000

FINAL = {"completed", "error", "timeout", "cancelled", "skipped", "lost"}

# What the feed says of a job, a letter for each event: it may be run again, or go on after a suspension,
# several times. What was lost may not have been known to have started.
LETTERS = {
    "queued": "q",
    "started": "s",
    "retry": "t",
    "suspended": "S",
    "resumed": "R",
    "completed": "c",
}
LIFE = re.compile("q(s?t|sSR)*s?c")

# kind: (status, exit code, signal) that it must have, unless it is lost.
WANTED = {
    "exit": ("completed", 0, None),
    "quick": ("completed", 0, None),
    "leaves": ("completed", 0, None),
    "pause": ("completed", 0, None),
    "code": ("error", 7, None),
    "signal": ("error", None, "USR1"),
    "missing": ("error", None, None),
    "stall": ("timeout", None, "TERM"),
    "total": ("timeout", None, "TERM"),
    "cancel": ("cancelled", None, None),
    "retry": ("completed", 0, None),
    "again": ("completed", 0, None),
    "suspend": ("completed", 0, None),
    "after": ("completed", 0, None),
    "after-ok": ("completed", 0, None),
}

# Likewise of one that asked, by what was decided, and of one that waited for another that has not completed.
DECIDED = {"allow": ("completed", 0, None), "deny": ("error", 3, None)}
SKIPPED = ("skipped", None, None)


class Ledger:
    def __init__(self, home, load, can_tell_exits):
        """can_tell_exits: jobs must survive the supervisor, and their exits be known."""
        self.home, self.load, self.can_tell_exits = home, load, can_tell_exits
        self.faults = []
        path = os.path.join(home.home, "state", "spawnd.db")
        self.database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        self.database.row_factory = sqlite3.Row
        self.jobs = {row["job"]: row for row in self.database.execute("SELECT * FROM job")}
        self.kinds = {c: kind for client in load.clients for c, kind in client.asked.items()}
        self.after = {c: other for client in load.clients for c, other in client.after.items()}
        self.by_child = {row["child"]: row for row in self.jobs.values()}
        self.approvals = {row["job"]: row for row in self.database.execute("SELECT * FROM approval")}
        self.marks = {word: Counter() for word in ("begin", "resume", "end")}  # (job, run): times
        self.read_marks()

    def blame(self, text):
        self.faults.append(text)

    def read_marks(self):
        with open(self.home.ledger, encoding="utf-8") as file:
            for line in file:
                word, job, run, child = line.split()
                self.marks[word][int(job), int(run)] += 1
                row = self.jobs.get(int(job))
                if row is None or row["child"] != child or not 1 <= int(run) <= row["run"]:
                    self.blame(f"job {job} ({child}) ran, and is not in the store as that")

    def check(self):
        self.check_accepted()
        self.check_marks()
        self.check_retries()
        records = self.check_records()
        for job, row in self.jobs.items():
            if job in records:
                self.check_outcome(row, records[job])
        self.check_seen(records)
        self.check_replay(records)
        self.check_events()
        self.check_approvals()
        self.check_suspended(records)
        for failure in self.load.failures():
            self.blame(failure)
        self.database.close()
        return self.faults

    def check_accepted(self):
        """What enqueue printed is in the store; and each child is there once, however often it was
        asked for."""
        count = Counter(row["child"] for row in self.jobs.values())
        for client in self.load.clients:
            for child, job in client.accepted.items():
                row = self.jobs.get(job)
                if row is None:
                    self.blame(f"job {job} ({child}) was accepted, and is not in the store")
                elif row["child"] != child:
                    self.blame(f"job {job} was said to be {child}, and is {row['child']}")
        for child, times in count.items():
            if times > 1:
                self.blame(f"{child} was enqueued once, and is there {times} times")

    def check_marks(self):
        """Each run was executed once at most, and gone on with once at most."""
        for word, marks in self.marks.items():
            for (job, run), times in marks.items():
                if times > 1:
                    self.blame(f"job {job}: {times} times the mark '{word}' of run {run}")
                if word != "begin" and self.marks["begin"][job, run] == 0:
                    self.blame(f"job {job}: the mark '{word}' of run {run}, which did not begin")

    def check_retries(self):
        """A run that is said to have gone wrong was executed; and each run but the last is told of."""
        told = Counter()
        for row in self.database.execute("SELECT job, body FROM events WHERE event = 'retry'"):
            job, body = row["job"], json.loads(row["body"])
            told[job] += 1
            run = body["run"] - 1
            if run != told[job]:
                self.blame(f"job {job}: run {run} is told of as the {told[job]}. to be tried again")
            if body["status"] == "error" and self.marks["end"][job, run] != 1:
                self.blame(f"job {job}: run {run} was counted, and has not come to its end")
        for job, row in self.jobs.items():
            if row["run"] != told[job] + 1:
                self.blame(f"job {job}: {row['run']} runs, {told[job]} of them to be tried again")

    def check_records(self):
        """{job: its record}; exactly one each, and the numbers rise."""
        records, last = defaultdict(list), 0
        for (body,) in self.database.execute("SELECT body FROM records ORDER BY seq"):
            record = json.loads(body)
            records[record["job"]].append(record)
            if record["seq"] <= last:
                self.blame(f"records: seq {record['seq']} after {last}")
            last = record["seq"]
        for job, row in self.jobs.items():
            if len(records[job]) != 1:
                self.blame(f"job {job} ({row['child']}) has {len(records[job])} records")
        return {job: of_job[0] for job, of_job in records.items() if of_job}

    def check_replay(self, records):
        """`spawnd results` has printed each parent's records, all of them, in their order."""
        for client in self.load.clients:
            printed = [json.loads(line) for line in client.results]
            stored = [r for r in records.values() if r["parent"] == client.parent]
            if printed != sorted(stored, key=lambda r: r["seq"]):
                self.blame(f"'spawnd results --parent {client.parent}' is not what the store has")

    def check_outcome(self, row, record):
        job, status = row["job"], record["status"]
        kind = self.kinds.get(row["child"])
        if kind is None:
            return
        name = f"job {job} ({row['child']})"
        if status not in FINAL:
            self.blame(f"{name}: status {status}")
        if status == "lost":
            self.check_unknown(row, f"{name} is lost")
            return
        if status == "timeout" and record["signal"] is None:
            self.check_unknown(row, f"{name} was ended, and how it died is not known")
            return
        found = (status, record["exit_code"], record["signal"])
        wanted = self.wanted(row, kind)
        # How a cancelled job died depends on how far it had come; one that never ran has no end.
        if kind in ("cancel", "missing"):
            found, wanted = found[:1], wanted[:1]
        if found != wanted:
            self.blame(f"{name}: {found} in place of {wanted}: {record['error']}")
        if status == "completed" or (status == "error" and kind != "missing"):
            if self.marks["end"][job, row["run"]] != 1:
                self.blame(f"{name} is {status} without having come to its end")

    def wanted(self, row, kind):
        if kind == "ask":
            approval = self.approvals.get(row["job"])
            return DECIDED.get(approval["decision"] if approval else None)
        other = self.by_child.get(self.after.get(row["child"]))
        if other is None:
            return WANTED[kind]
        if kind == "after-ok" and other["status"] != "completed":
            return SKIPPED
        if row["started_ms"] is not None and row["started_ms"] < other["ended_ms"]:
            self.blame(f"{row['child']} was started before {other['child']} had ended")
        return WANTED[kind]

    def killed_between(self, row):
        """Kills of the supervisor during the job's life: [(ms, roles)]."""
        return [
            (ms, roles)
            for ms, roles in self.home.kills
            if "supervisor" in roles
            and row["queued_ms"] - UNSEEN_MS <= ms <= row["ended_ms"] + SLACK_MS
        ]

    def check_unknown(self, row, text):
        kills = self.killed_between(row)
        if not kills:
            self.blame(f"{text}, and the supervisor lived all the while")
        if self.can_tell_exits and kills and not any(self.is_excuse(row, k) for k in kills):
            self.blame(f"{text}, though the server lived to take it over")

    def is_excuse(self, row, kill):
        """Whether this kill may have lost the job for good: both processes died at about the same
        time, or the server had not yet been told that it ran."""
        ms, _ = kill
        if row["started_ms"] is None or row["started_ms"] + SLACK_MS > ms:
            return True
        return any(
            "server" in roles and abs(other - ms) < TOGETHER_MS
            for other, roles in self.home.kills
        )

    def check_seen(self, records):
        bodies = {r["seq"]: r for r in records.values()}
        for client in self.load.clients:
            seen = self.read_lines(client, bodies)
            for record in bodies.values():
                if record["parent"] != client.parent or record["seq"] in seen:
                    continue
                self.blame(f"{client.way}: record {record['seq']} ({record['child']}) never seen")
            self.check_delivered(client)

    def read_lines(self, client, bodies):
        """The numbers of the records that were seen, none of them torn or changed."""
        seen = set()
        for line in self.load.lines(client):
            try:
                record = json.loads(line)
                seq = record["seq"]
            except (ValueError, TypeError, KeyError):
                if client.way != "rude":
                    self.blame(f"{client.way}: a torn record: {line[:100]}")
                continue
            if record != bodies.get(seq):
                self.blame(f"{client.way}: record {seq} is another one in the store")
            seen.add(seq)
        return seen

    def check_delivered(self, client):
        rows = self.database.execute(
            "SELECT count(*) FROM delivery WHERE parent = ?", (client.parent,)
        )
        (count,) = rows.fetchone()
        if count:
            self.blame(f"{client.way}: {count} records of {client.parent} wait for ever")

    def check_events(self):
        """The feed as the database has it: each change once, in its order."""
        per_job, last = defaultdict(list), 0
        for row in self.database.execute("SELECT seq, event, job, body FROM events ORDER BY seq"):
            if row["seq"] <= last:
                self.blame(f"events: seq {row['seq']} after {last}")
            last = row["seq"]
            if row["event"] in LETTERS:
                per_job[row["job"]].append(row["event"])
            if row["event"] == "completed" and json.loads(row["body"])["seq"] != row["seq"]:
                self.blame(f"events: a record's seq is not {row['seq']}, which is its own")
        for job in self.jobs:
            if not LIFE.fullmatch("".join(LETTERS[event] for event in per_job[job])):
                self.blame(f"events: job {job} has {per_job[job]}")

    def check_approvals(self):
        """Each question was put, and decided once, as whoever decided it was told."""
        told = Counter()
        for row in self.database.execute("SELECT event, job FROM events WHERE event LIKE 'appr%'"):
            told[row["event"], row["job"]] += 1
        decisions = {row["id"]: row["decision"] for row in self.approvals.values()}
        for number, decision in self.load.answerer.given.items():
            if decisions.get(number) != decision:
                self.blame(f"approval {number}: '{decision}' was taken, and it is '{decisions.get(number)}'")
        for job, row in self.approvals.items():
            put, decided = told["approval_requested", job], told["approval_decided", job]
            if put < 1 or decided != 1:
                self.blame(f"approval {row['id']}: put {put} times, decided {decided} times")
            is_lost = self.jobs[job]["status"] == "lost"
            if row["decided_by"] != "user" and not (is_lost and row["decided_by"] == "end"):
                self.blame(f"approval {row['id']} of job {job}: decided by {row['decided_by']}")

    def check_suspended(self, records):
        """Who was suspended has had the record of the child that it waited for."""
        for child, kind in self.kinds.items():
            row = self.by_child.get(child)
            if kind != "suspend" or row is None or row["status"] != "completed":
                continue
            below = self.by_child.get(f"{child}.below")
            if below is None or below["job"] not in records or below["status"] not in FINAL:
                self.blame(f"{child} has completed without its child")
            elif below["ended_ms"] > row["started_ms"]:
                self.blame(f"{child} went on before its child had ended")
            rows = self.database.execute("SELECT count(*) FROM delivery WHERE parent = ?", (child,))
            if rows.fetchone()[0]:
                self.blame(f"{child} was given a record that waits for it all the same")
