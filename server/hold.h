/*
 * hold: which record is in whose hands: a client's that was given it and has not acknowledged it
 * yet, or a FIFO's. One holder each; nobody else is given it meanwhile. In memory only: when the
 * server dies, all are released. Pure. Runs in the server.
 */
#ifndef SERVER_HOLD_H
#define SERVER_HOLD_H

#include <stdbool.h>
#include <stdint.h>

struct holds;

struct holds *holds_new(void); /* NULL: ENOMEM */
void holds_free(struct holds *h);

/* owner is any pointer but NULL. False if somebody holds it already, or memory is short. */
bool holds_add(struct holds *h, int64_t seq, const char *parent, const void *owner);

/* Who holds it; NULL: nobody. */
const void *holds_owner(struct holds *h, int64_t seq);

/* Whether nobody holds anything. */
bool holds_are_none(const struct holds *h);

/* Nothing happens if nobody holds it. */
void holds_remove(struct holds *h, int64_t seq);

/* Removes all that owner holds, after calling released(arg, parent) for each. */
void holds_release(struct holds *h, const void *owner,
    void (*released)(void *arg, const char *parent), void *arg);

#endif
