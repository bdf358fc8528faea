/*
 * kernel: what the supervisor takes for system calls on descriptors: epoll(7), timerfd, signalfd, pipes,
 * clocks. The linker puts these in place of libc's (--wrap), so that what is tested is what runs.
 * Each call takes a little virtual time, in which the world goes on.
 */
#ifndef SIM_KERNEL_H
#define SIM_KERNEL_H

#include "base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How far CLOCK_REALTIME is ahead of the world's time. */
#define KERNEL_WALL_AHEAD_NS (UINT64_C(1790000000) * NSEC_PER_SEC)

enum file_kind {
	FILE_FREE,
	FILE_PLAIN, /* open, and never ready */
	FILE_EPOLL,
	FILE_TIMER,
	FILE_SIGNALS,
	FILE_REPORT, /* how a child's exec went, the reading end */
	FILE_REPORT_WRITER,
	FILE_BEATS,
	FILE_OUTPUT,
	FILE_PIDFD,
	FILE_SCAN,
	FILE_WIRE,
	FILE_KIND_COUNT
};

struct file {
	enum file_kind kind;
	uint64_t number; /* no other file had it */
	bool is_watched;
	uint32_t interest; /* EPOLL bits */
	void *data;        /* epoll's */

	uint64_t job;        /* beats, output */
	uint64_t process;    /* pidfd: number of a process */
	uint64_t at;         /* timer: when; scan: where */
	int writers;         /* report */
	int peer;            /* report's writer: the reading end */
	size_t size;         /* beats: bytes that wait; output: bytes; report: bytes that wait */
	uint64_t grown_ns;   /* output */
	uint32_t outcome[2]; /* report: stage and errno */
};

/* job and so on are 0 in a new one. */
int kernel_open(enum file_kind kind);

/* The file behind a descriptor; a promise is broken if that is not open or of another kind. */
struct file *kernel_file(int fd, enum file_kind kind);

/* The same of any kind. */
struct file *kernel_any_file(int fd);

/* The same, by what cannot be reused; NULL if it was closed since. */
struct file *kernel_find(int fd, uint64_t number);

void kernel_close(int fd);
unsigned kernel_open_count(void);

/* A system call begins: time passes, and what happens meanwhile happens. */
void kernel_enter(void);

/* Whether this call is to fail: rarely, and never once the world calms down. */
bool kernel_fails(void);
void kernel_calm_down(void);
bool kernel_is_calm(void);

/* Something may have become ready. */
void kernel_wake(void);

/* For the supervisor: signo has come; one that has come, 0 if none is left. */
void kernel_signal(int signo);
int kernel_take_signal(void);

/* One writer of a report pipe less; outcome_error is told before that if it is not 0. */
void kernel_report(int fd, uint64_t number, uint32_t stage, int outcome_error);

/* The pipe that was made last, for the clone that follows: its reading end, -1 if that was done. */
int kernel_last_pipe(void);
void kernel_set_last_pipe(int fd);

/* When the supervisor's turn began: when epoll_wait(2) returned; and the longest turn so far. */
uint64_t kernel_turn_ns(void);
uint64_t kernel_longest_turn_ns(void);
uint64_t kernel_turns(void);

void kernel_init(void);

#endif
