/*
 * runtime: the daemon's files in the runtime directory, mended when somebody removes them while it
 * runs. Runs in the server.
 *
 * Two things wake it: inotify(7) on the directory, and on the store's lock, which only another
 * daemon opens: one that was started because this one could not be reached, and which does not get
 * that lock. So the next command reaches the same daemon, whatever has happened to the path.
 */
#ifndef SERVER_RUNTIME_H
#define SERVER_RUNTIME_H

#include "base/loop.h"
#include "base/path.h"
#include "wire/wire.h"

struct runtime;

struct runtime_handlers {
	/* Here is another in place of one that is gone; fd is the callee's. */
	void (*renewed)(void *arg, enum wire_renewed what, int fd);
	/* The directories are whole again: what was in them may be gone. */
	void (*mended)(void *arg);
	/* Something cannot be mended; tried again and again. One line. */
	void (*trouble)(void *arg, const char *text);
	void *arg;
};

/*
 * Watches, and looks at all of it for a first time as soon as the loop turns. Borrows p. The server's
 * descriptors are where wire/wire.h says. 0 or -errno.
 */
int runtime_new(struct loop *l, const struct paths *p, const struct runtime_handlers *h,
    struct runtime **ret_runtime);
void runtime_free(struct runtime *r);

#endif
