/*
 * supervisor: the main process of the daemon. Keeps a server running, starts the jobs that it is
 * told to, watches them, ends them, reaps them, and tells how they ended.
 */
#ifndef SUPERVISOR_SUPERVISOR_H
#define SUPERVISOR_SUPERVISOR_H

#include "supervisor/proc.h"

#include <stdbool.h>

struct supervisor_setup {
	int listen_fd;     /* handed over, close-on-exec: passed on to each server; -1: none */
	int lock_fd;       /* the same */
	int store_lock_fd; /* the same */
	int notify_fd; /* handed over: where jobs send notices, supervisor/notices.h; -1: none */
	/*
	 * How the server is started: /proc/self/exe is executed with these arguments, and finds its
	 * descriptors where wire/wire.h says.
	 */
	char *const *server_argv;
	int lifeboat_fd; /* handed over: wire/lifeboat.h, from a server that this process was; -1: none */
	int ready_fd; /* handed over: gets one newline once the server serves, is closed then; -1: none */
	bool has_log_timestamps;
	/* What is executed in place of this program when it gives way, wire/wire.h WIRE_UPGRADE; NULL: nothing. */
	const char *program;
	bool is_managed; /* a service manager starts the daemon again: told to that program */
	const char
	    *without; /* of the kernel: see proc_abilities_detect(). For tests; NULL: nothing */
};

/*
 * Runs until it is told to stop and nothing runs any more. The caller's process becomes the
 * supervisor: signals, RLIMIT_NOFILE, and reaping of all children are its own from here on. Returns
 * the exit code: 0; that of a server which ended by itself before any had served; or EX_OSERR of
 * sysexits(3) if it could not begin, with a line in the log.
 */
int supervisor_run(const struct supervisor_setup *setup);

#endif
