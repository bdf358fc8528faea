/*
 * writers: writing ends of FIFOs that the supervisor holds for the server, so that no reader sees
 * the end of the file because a server has died. By index, as the server numbers them.
 */
#ifndef SUPERVISOR_WRITERS_H
#define SUPERVISOR_WRITERS_H

#include <stdint.h>

struct writer {
	uint32_t fd_and_one;    /* owned; 0: none */
	uint32_t server_number; /* which server wanted it */
};

struct writers {
	struct writer *writers;
	uint32_t count;
	uint32_t touched; /* indices below this were in use */
	uint32_t server_number;
};

/* 0 or -ENOMEM. */
int writers_init(struct writers *w, uint32_t count);

/* Closes them all. */
void writers_fini(struct writers *w);

/* Takes fd over, in place of what index had. 0, or -EINVAL for an index that is not there (fd is closed). */
int writers_hold(struct writers *w, uint64_t index, int fd);

/* Closes that one. 0 or -EINVAL. */
int writers_release(struct writers *w, uint64_t index);

/* What is held from now on is a new server's. */
void writers_new_server(struct writers *w);

/* The new server has said which it wants: closes those that only earlier ones wanted. */
void writers_settle(struct writers *w);

#endif
