/*
 * heartbeat: bytes from a child's pipe -> lines -> what a line says. Pure: no system call, no
 * allocation, believes nothing. The supervisor assembles lines and keeps the last; the server reads
 * the words in it.
 */
#ifndef WATCHDOG_HEARTBEAT_H
#define WATCHDOG_HEARTBEAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A line longer than this is cut and says so. */
#define HEARTBEAT_LINE_MAX 1024

/* Nobody asks for more time than this: what is more is as much. 100 years. */
#define HEARTBEAT_EXTEND_MAX_NS (UINT64_C(100) * 366 * 24 * 60 * 60 * 1000000000)

/* Assembles lines out of arbitrary pieces. Zero-initialised is empty. */
struct heartbeat {
	uint64_t extend_ns; /* heartbeat_take_extend_ns() */
	uint16_t partial_len;
	uint16_t last_len;
	bool is_partial_cut;
	bool has_partial_nul; /* bytes were left out */
	bool is_last_cut;
	char partial[HEARTBEAT_LINE_MAX];
	char last[HEARTBEAT_LINE_MAX]; /* the last whole line, not empty, no newline, no NUL */
};

/* Takes len bytes. Returns how many whole lines that were not empty ended in them. */
unsigned heartbeat_feed(struct heartbeat *h, const char *data, size_t len);

/*
 * A line that came whole, and another way: becomes the last one, cut like any other, and asks for
 * nothing. NULs and newlines are left out; if nothing remains, nothing happens. A piece of a line
 * that was fed stays.
 */
void heartbeat_say(struct heartbeat *h, const char *text, size_t len);

/*
 * The most that the word "extend_usec=" has asked for in the lines that were fed since the last
 * call; 0: nothing. Only lines of words ask (heartbeat_read()), whole ones without a NUL.
 */
uint64_t heartbeat_take_extend_ns(struct heartbeat *h);

/*
 * Reads text, digits only, as microseconds; more than HEARTBEAT_EXTEND_MAX_NS is as much. Whether it
 * is a number; else *ret_ns stays.
 */
bool heartbeat_read_usec(const char *text, size_t len, uint64_t *ret_ns);

/*
 * Copies text into out (size bytes, at least 1), with a NUL, cut between characters: UTF-8 (bytes
 * that are not become '?') without control characters ('?', a tab becomes a space).
 */
void heartbeat_clean(char *out, size_t size, const char *text, size_t len);

/* What a line says. Strings are as heartbeat_clean() makes them. */
struct heartbeat_event {
	char tool[64];
	char phase[64];
	char message[HEARTBEAT_LINE_MAX + 1];
	int64_t round;      /* -1: not said */
	double progress;    /* as it was given, "N%" as N / 100; negative: not said */
	uint64_t extend_ns; /* 0: not said */
	bool is_cut;
};

/*
 * Reads a line: words "tool=T phase=P round=N progress=F extend_usec=N message=..." in any order, the
 * last of each counts ("message=" takes the rest of the line); any other text is the message as a
 * whole. Cannot fail.
 */
void heartbeat_read(const char *line, size_t len, bool is_cut, struct heartbeat_event *ret_event);

#endif
