/*
 * drive: what the driver's halves share: drive.c decides which runs there are, run.c carries out one.
 */
#ifndef TESTS_FAULT_DRIVE_H
#define TESTS_FAULT_DRIVE_H

#include "tests/fault/fault.h"

struct seen {
	uint64_t address;
	uint32_t count;
	uint32_t call;
};

/* What is usual in a run without failures. */
struct usual {
	uint32_t fds;
	uint32_t calls;
	uint64_t cpu_ns;
};

struct config {
	const char *harness;
	const char *only;
	char dir[32];
	unsigned at_once;
	unsigned seconds; /* for a sample; 0: everything */
	bool is_verbose;
	struct usual usual[2]; /* as it is, and as on an old kernel */
};

struct run {
	bool is_old;
	struct fault_plan plan;
	pid_t pid;
	char bad[320]; /* what was wrong; empty: nothing */
	char dir[64];  /* what is left of it, if something was wrong */
	uint32_t failed;
	uint32_t calls;
	uint32_t fds;
	uint32_t took_ms;
	uint64_t cpu_ns;
	struct seen seen[FAULT_SIDE_COUNT][FAULT_SITES]; /* only without a failure */
};

/* In a process of its own: carries out one run, notes in it what came of it, and exits. */
_Noreturn void run_main(const struct config *config, struct run *run, unsigned number);

#endif
