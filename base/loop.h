/*
 * loop: one thread that waits for descriptors and deadlines: epoll(7), one timerfd over an ordered
 * tree. Either process has one. It never allocates after loop_init().
 */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include "base/timer.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#define LOOP_BATCH 128

/* A watched descriptor. It belongs to the caller, who must loop_remove() it before it goes away. */
struct loop_io {
	int fd; /* -1 while not watched */
	void (*ready)(void *arg, uint32_t events);
	void *arg;
};

struct loop {
	int epoll_fd;
	int timer_fd;
	/* What timer_fd is set to, TIMER_NEVER if disarmed; may be earlier than the next deadline. */
	uint64_t armed_ns;
	uint64_t now_ns; /* CLOCK_MONOTONIC, taken once a turn */
	struct timers timers;
	struct epoll_event batch[LOOP_BATCH];
	int batch_count;
	int batch_next;
};

/* 0 or -errno (EMFILE, ENOMEM). From here on l must stay where it is in memory. */
int loop_init(struct loop *l);
void loop_fini(struct loop *l);

/*
 * Watches fd for events (EPOLLIN and so on). ready(arg, events) is called each turn that has
 * some. 0 or -errno.
 */
int loop_add(struct loop *l, struct loop_io *io, int fd, uint32_t events,
    void (*ready)(void *arg, uint32_t events), void *arg);

/*
 * Changes the events of a watched descriptor; 0 events mutes it (but for EPOLLERR and EPOLLHUP).
 * 0 or -errno.
 */
int loop_change(struct loop *l, struct loop_io *io, uint32_t events);

/*
 * Stops watching; events of this turn that were not yet handed out are dropped. Does not close
 * the descriptor.
 */
void loop_remove(struct loop *l, struct loop_io *io);

/*
 * One turn: waits until a descriptor is ready or a deadline has come (not at all if is_polling), or
 * until it has been quiet for long enough to set the timer later, takes the time, calls what is ready, then what has expired. Returns 0, or -errno of
 * epoll_wait(2) but EINTR.
 */
int loop_turn(struct loop *l, bool is_polling);

#endif
