/*
 * lifeboat: descriptors that go from one spawnd to the next in the same process, when a server becomes
 * the supervisor (server/takeover.h): they stay open across its execve(2), and a list of them, in a
 * memfd, says what each is. What nobody takes out is closed.
 */
#ifndef WIRE_LIFEBOAT_H
#define WIRE_LIFEBOAT_H

#include <stddef.h>
#include <stdint.h>

enum lifeboat_kind {
	LIFEBOAT_PIDFD,  /* of a job's leader; number: the job */
	LIFEBOAT_WRITER, /* the writing end of a FIFO; number: its index, supervisor/writers.h */
	LIFEBOAT_KIND_COUNT
};

struct lifeboat_seat {
	uint32_t kind; /* enum lifeboat_kind */
	int32_t fd;    /* -1: it was taken out */
	uint64_t number;
};

/* Grown with realloc(3) as it is filled; all zeros is an empty one. */
struct lifeboat {
	struct lifeboat_seat *seats;
	size_t count;
};

/* Adds a descriptor, which stays the caller's. 0 or -ENOMEM. */
int lifeboat_add(struct lifeboat *b, enum lifeboat_kind kind, uint64_t number, int fd);

/*
 * Clears close-on-exec of all that was added, and writes the list into a memfd without close-on-exec.
 * Returns that descriptor or -errno.
 */
int lifeboat_launch(const struct lifeboat *b);

/*
 * What lifeboat_launch() wrote: checks the list, makes its descriptors close-on-exec, closes fd. 0, or
 * -EBADMSG, -ENOMEM or another -errno; then b is empty.
 */
int lifeboat_land(struct lifeboat *b, int fd);

/* Takes a descriptor out: it is the caller's then. -1 if there is none. */
int lifeboat_take(struct lifeboat *b, enum lifeboat_kind kind, uint64_t number);

/* Closes all that was not taken, and frees the list. */
void lifeboat_sink(struct lifeboat *b);

#endif
