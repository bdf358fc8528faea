/*
 * kin: who is below whom, in the store and in s->family together. Runs in the server.
 *
 * A job is below another if that one lived, and had the job's parent id as its child id, when the job was
 * enqueued. That is the server's to find out. Of the client it takes the number of the job that it is part
 * of, and only where that has, or had, that id: so what is left of a job that has ended is known from somebody
 * else who uses its id as a parent's.
 */
#ifndef SERVER_KIN_H
#define SERVER_KIN_H

#include "server/state.h"

#include <stdbool.h>
#include <stdint.h>

/* Whom a new job is below. */
struct kin {
	int64_t job;    /* 0: nobody */
	int64_t depth;  /* of the new job */
	bool has_ended; /* that one has */
};

/* Of a new job with this parent; claimed: the number that the client gives, or 0. 0 or -errno. */
int kin_find(struct server *s, const char *parent, int64_t claimed, struct kin *ret_above);

/*
 * The job that was cancelled, of this one and those above it; 0: none was. Of those that have ended only as
 * long as the store remembers them.
 */
int64_t kin_cancelled(struct server *s, int64_t job);

/* The job was added to store and queue, below that one. 0 or -errno, with the turn failed. */
int kin_join(struct server *s, const struct store_job *j, const struct kin *above);

/* The job was read from the store. 0 or -ENOMEM. */
int kin_load(struct server *s, const struct store_job *j);

/* The job has ended. Those below it are orphans: s->orphaned. */
void kin_leave(struct server *s, int64_t job);

#endif
