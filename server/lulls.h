/*
 * lulls: for which jobs somebody wishes that their idle clock stands still, counted. Runs in the server.
 * Knows no supervisor: server/lull.h tells it.
 */
#ifndef SERVER_LULLS_H
#define SERVER_LULLS_H

#include <bsd/sys/tree.h>
#include <stdbool.h>
#include <stdint.h>

struct lulled;
RB_HEAD(lulls, lulled);

void lulls_init(struct lulls *l);

/* Forgets all. */
void lulls_clear(struct lulls *l);

/* One more wish; *ret_is_first: there was none. 0 or -ENOMEM. */
int lulls_add(struct lulls *l, int64_t job, bool *ret_is_first);

/* One less, if there is any. Whether it was the last. */
bool lulls_remove(struct lulls *l, int64_t job);

bool lulls_has(struct lulls *l, int64_t job);

/*
 * Nobody wishes for it, but the supervisor does it: to be told in lulls_sweep(), if nobody has wished for it by
 * then. 0 or -ENOMEM.
 */
int lulls_doubt(struct lulls *l, int64_t job);
void lulls_sweep(struct lulls *l, void (*unwished)(void *arg, int64_t job), void *arg);

#endif
