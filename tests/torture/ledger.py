"""ledger: whether what spawnd promises has been kept. Reads the jobs' own marks, what readers saw,
what commands printed, and, when the daemon has ended, the database."""

import json
import os
import sqlite3
from collections import Counter, defaultdict

# How far apart a kill and what it brings about may be noted, in milliseconds.
SLACK_MS = 100
# So long a busy server may go on before it sees that its supervisor is dead, and accept jobs.
UNSEEN_MS = 2000
# The two processes count as killed together where one followed the other so soon.
TOGETHER_MS = 3000

FINAL = {"completed", "error", "timeout", "cancelled", "lost"}

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
}


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
        self.begins, self.ends = Counter(), Counter()
        self.read_marks()

    def blame(self, text):
        self.faults.append(text)

    def read_marks(self):
        with open(self.home.ledger, encoding="utf-8") as file:
            for line in file:
                word, job, run, child = line.split()
                (self.begins if word == "begin" else self.ends)[int(job)] += 1
                row = self.jobs.get(int(job))
                if row is None or (row["run"], row["child"]) != (int(run), child):
                    self.blame(f"job {job} ({child}) ran, and is not in the store as that")

    def check(self):
        self.check_accepted()
        self.check_marks()
        records = self.check_records()
        for job, row in self.jobs.items():
            if job in records:
                self.check_outcome(row, records[job])
        self.check_seen(records)
        self.check_replay(records)
        self.check_events()
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
        for job, times in self.begins.items():
            if times > 1:
                self.blame(f"job {job} was started {times} times")
        for job, times in self.ends.items():
            if times > 1 or self.begins[job] == 0:
                self.blame(f"job {job} has {self.begins[job]} beginnings and {times} ends")

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
        wanted = WANTED[kind]
        # How a cancelled job died depends on how far it had come; one that never ran has no end.
        if kind in ("cancel", "missing"):
            found, wanted = found[:1], wanted[:1]
        if found != wanted:
            self.blame(f"{name}: {found} in place of {wanted}: {record['error']}")
        if status == "completed" or (status == "error" and kind != "missing"):
            if self.ends[job] != 1:
                self.blame(f"{name} is {status} without having come to its end")

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
            if row["event"] in ("queued", "started", "completed"):
                per_job[row["job"]].append(row["event"])
            if row["event"] == "completed" and json.loads(row["body"])["seq"] != row["seq"]:
                self.blame(f"events: a record's seq is not {row['seq']}, which is its own")
        for job in self.jobs:
            if per_job[job] not in (["queued", "started", "completed"], ["queued", "completed"]):
                self.blame(f"events: job {job} has {per_job[job]}")
