/*
 * rival: another parent whose FIFO a path belongs to, whether or not that is open now.
 */
#ifndef SERVER_RIVAL_H
#define SERVER_RIVAL_H

#include "base/fault.h"
#include "store/store.h"

/* Says in f that path is the place of rival's FIFO, and what to do. -EBUSY. */
int rival_fault(const char *path, const char *rival, struct fault *f);

/*
 * Whether path, which is not where parent's FIFO is by default, is where that of another parent is: in parents_dir
 * by default, or because somebody chose it. 0: it is not; -EBUSY; or -errno of the store.
 */
int rival_check(struct store *store, const char *parents_dir, const char *parent, const char *path,
    struct fault *f);

#endif
