/*
 * store_v2: what version 2 made of a file of version 1, as it stood: the second step, and what jobs had
 * then. For test_schema alone; never changed.
 */
#ifndef TESTS_UNIT_STORE_V2_H
#define TESTS_UNIT_STORE_V2_H

/* clang-format off */
static const char store_v2_step[] =
    "ALTER TABLE job ADD COLUMN\n"
    "  max_extend_ns /* what it may add to max_total_ns */ INTEGER NOT NULL DEFAULT 0;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  leftovers /* 0: kill, 1: wait, 2: leave */ INTEGER NOT NULL DEFAULT 0;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  nice /* NULL: as the daemon has it */ INTEGER;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  max_memory /* bytes; NULL: no limit */ INTEGER;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  max_processes /* NULL: no limit */ INTEGER;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  max_open_files /* NULL: no limit */ INTEGER;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  max_cpu_ns /* NULL: no limit */ INTEGER;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  max_output /* bytes; NULL: no limit */ INTEGER;\n"
    "ALTER TABLE job ADD COLUMN\n"
    "  on_output_limit /* 0: trim, 1: kill */ INTEGER NOT NULL DEFAULT 0;\n"
    "UPDATE job SET max_output = 4096, nice = 5;\n"
    "PRAGMA user_version = 2;\n";
/* clang-format on */

#endif
