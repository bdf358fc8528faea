/*
 * notice: what a datagram of sd_notify(3) says. Pure: no system call, no allocation, believes
 * nothing. Run by the supervisor.
 */
#ifndef WATCHDOG_NOTICE_H
#define WATCHDOG_NOTICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A longer datagram is none; as systemd has it. */
#define NOTICE_MAX 4096

struct notice {
	bool is_alive;      /* WATCHDOG=1 */
	bool is_triggered;  /* WATCHDOG=trigger: its watchdog shall end it */
	bool is_ready;      /* READY=1 */
	bool is_stopping;   /* STOPPING=1 */
	uint64_t extend_ns; /* EXTEND_TIMEOUT_USEC=N, as heartbeat_read_usec(); 0: not said */
	const char *status; /* STATUS=..., in the datagram, no NUL and no newline; NULL: not said */
	size_t status_len;
};

/*
 * Reads a datagram: lines of KEY=VALUE, the last with or without a newline; what is unknown or has
 * another value is skipped, and of STATUS and EXTEND_TIMEOUT_USEC the last counts. One NUL at the end
 * is allowed. False, and nothing said, for one that is empty, longer than NOTICE_MAX, or has a NUL
 * elsewhere.
 */
bool notice_read(const char *data, size_t len, struct notice *ret_notice);

/* Whether it tells that the job lives. */
bool notice_is_sign(const struct notice *notice);

/*
 * The same as a line of a heartbeat pipe: "phase=ready message=STATUS". Returns its length; 0: it
 * says nothing of that kind.
 */
size_t notice_line(const struct notice *notice, char line[NOTICE_MAX]);

#endif
