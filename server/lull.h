/*
 * lull: a job waits for somebody (an approval, its own children): the supervisor is told to let its idle
 * clock stand still meanwhile. Runs in the server.
 *
 * A wish lives in memory only, and its owner, a client that waits, makes it again in a new server. What the
 * supervisor does is in each STARTED, and is set right then: at once where a clock runs that is to
 * stand still, and after a while where one stands still for nobody.
 */
#ifndef SERVER_LULL_H
#define SERVER_LULL_H

#include "server/state.h"
#include "wire/standing.h"

void lull_init(struct server *s);

/*
 * One more, or one less, for whom the job's idle clock is to stand still. The job may be unknown, or not
 * run yet: the wish is kept, and each lull_begin() has its lull_end(), also when the job has ended.
 * lull_begin(): 0, or -ENOMEM, and then there is no wish.
 */
int lull_begin(struct server *s, int64_t job);
void lull_end(struct server *s, int64_t job);

/* How a job stands was told: if that is not what is wished for, the supervisor is told again. */
void lull_told(struct server *s, const struct standing *st);

#endif
