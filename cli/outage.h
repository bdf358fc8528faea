/*
 * outage: since when a client has no daemon that serves it. Pure; instants are nanoseconds of CLOCK_MONOTONIC, 0
 * is never.
 *
 * A call that waits is not answered for hours, so a connection need not have brought a reply to be good: one
 * that lasted is enough. One that is lost again at once is a daemon that cannot serve, and the outage goes on.
 */
#ifndef CLI_OUTAGE_H
#define CLI_OUTAGE_H

#include <stdbool.h>
#include <stdint.h>

/* A connection that held for so long was good. */
#define OUTAGE_LASTING_NS (1000 * UINT64_C(1000000))

/* All zero: the daemon was not lost yet. */
struct outage {
	uint64_t lost_ns;
	uint64_t found_ns;
};

/* The connection is lost. Whether that begins an outage, not goes on with one. */
bool outage_lose(struct outage *o, uint64_t now_ns);

/* There is a connection again. */
void outage_find(struct outage *o, uint64_t now_ns);

/* The daemon has answered: it is over. */
void outage_end(struct outage *o);

/* How long it has lasted. Only between outage_lose() and outage_end(). */
uint64_t outage_length_ns(const struct outage *o, uint64_t now_ns);

#endif
