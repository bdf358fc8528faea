"""page: the file that the daemon under test shares with its driver; tests/torture/failpoint.h."""

import mmap
import struct

SIZE = 16384
PLAN_SIZE = 128
POINTS_AT = 256
NAME_SIZE = 32
POINT_SIZE = NAME_SIZE + 8
ROLES = ("supervisor", "server")


class Page:
    def __init__(self, path):
        self.path = path
        with open(path, "w+b") as file:
            file.truncate(SIZE)
            self.map = mmap.mmap(file.fileno(), SIZE)

    def arm(self, point, phase, number, role, action):
        """At that passage of the point from now on, once."""
        plan = f"{point}:{phase}:{number}:{role}:{action}".encode()
        self.disarm()
        self.map[PLAN_SIZE : PLAN_SIZE + 4] = bytes(4)
        self.map[1:PLAN_SIZE] = plan.ljust(PLAN_SIZE - 1, b"\0")
        self.map[0] = ord("!")

    def disarm(self):
        self.map[0] = 0

    def done(self):
        """How many plans were carried out, ever, and when the last was, in milliseconds since 1970."""
        count, ms = struct.unpack_from("=Iq", self.map, PLAN_SIZE + 4)
        return count, ms

    def pid(self, role):
        return struct.unpack_from("=ii", self.map, PLAN_SIZE + 24)[ROLES.index(role)]

    def passages(self):
        """{(point, role): how often it was passed} of those that were."""
        found = {}
        for at in range(POINTS_AT, SIZE - POINT_SIZE, POINT_SIZE):
            name = self.map[at : at + NAME_SIZE].split(b"\0")[0].decode()
            counts = struct.unpack_from("=II", self.map, at + NAME_SIZE)
            for role, count in zip(ROLES, counts):
                if name and count:
                    found[name, role] = count
        return found
