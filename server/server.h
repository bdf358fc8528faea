/*
 * server: the process with the opinions: control interface, store, queue, delivery. The
 * supervisor starts it, and starts it again when it dies; it may be killed at any time.
 */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include "server/setup.h"

#include <stdbool.h>

/*
 * Serves until the supervisor is gone or the daemon stops, with the descriptors that wire/wire.h
 * names. Where the supervisor has died, this process becomes it (server/takeover.h), unless is_managed: then
 * a service manager starts the daemon again. Returns the process's exit code: 0, or one of
 * sysexits(3) after a line in the log.
 */
int server_run(const struct server_setup *setup, bool is_managed);

#endif
