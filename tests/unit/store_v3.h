/*
 * store_v3: what version 3 made of a file of version 2, as it stood, and how a job that ran stood then. For
 * test_schema alone; never changed.
 */
#ifndef TESTS_UNIT_STORE_V3_H
#define TESTS_UNIT_STORE_V3_H

/* clang-format off */
static const char store_v3_step[] =
    "ALTER TABLE job ADD COLUMN\n"
    "  is_cancelled /* 1: somebody asked for its end */ INTEGER NOT NULL DEFAULT 0;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  mark /* of its processes */ INTEGER;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  started_ns /* on CLOCK_MONOTONIC, moved on by pauses; so are all that follow */ INTEGER;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  paused_ns /* since when it is paused */ INTEGER;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  granted_ns /* beyond max_total_ns: a length */ INTEGER;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  ending_ns /* when kill_signal was sent */ INTEGER;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  verdict_ns /* from the start to the watchdog's verdict: a length */ INTEGER;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  verdict_idle_ns /* without a sign of life by then: a length */ INTEGER;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  cpu_ns /* of its first process, once that has exited: a length */ INTEGER;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  max_rss_kb /* likewise */ INTEGER;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  wait_status /* likewise, as wait(2) gives it */ INTEGER;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  revision /* of all this */ INTEGER;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  containment /* 1: cgroup, 2: subreaper, 3: group */ INTEGER;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  cause /* 1: total, 2: idle, 3: trigger, 4: output, 5: cancel */ INTEGER;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  standing_flags /* 1: it has beaten, 2: SIGKILL was sent */ INTEGER;\n"
    "UPDATE job SET started_ns = 77, revision = 5, containment = 2 WHERE status = 'running';\n"
    "PRAGMA user_version = 3;\n";
/* clang-format on */

#endif
