/*
 * notify: telling a service manager how we are, sd_notify(3)'s protocol: one datagram of
 * "KEY=value" lines to the AF_UNIX address in NOTIFY_SOCKET. And being told by others.
 */
#ifndef BASE_NOTIFY_H
#define BASE_NOTIFY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Remembers NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID and takes them out of the environment, so
 * that no child inherits them. Opens the socket; nothing happens where NOTIFY_SOCKET is unset. 0 or
 * -errno.
 */
int notify_init(void);

/* Puts what this process was told into the environment again, for another program in this process. */
void notify_restore(void);

/*
 * Within which time the manager wants a WATCHDOG=1 again and again; 0: it does not, or asks another
 * process than this one. sd_watchdog_enabled(3). After notify_init().
 */
uint64_t notify_watchdog_ns(void);

/* Sends state ("READY=1\nSTATUS=..."), without waiting. Nothing happens where nobody listens. */
void notify_send(const char *state);

/*
 * Takes one datagram from fd, a socket with SO_PASSCRED, without waiting: its length, of which no
 * more than size bytes are in data, and the process that sent it, as the kernel says (0: not known,
 * or none of our PID namespace). Descriptors that came with it are closed and never ours. 0, -EAGAIN,
 * or another -errno of recvmsg(2).
 */
int notify_take(int fd, char *data, size_t size, size_t *ret_len, pid_t *ret_sender);

#endif
