/*
 * notify: telling a service manager how we are, sd_notify(3)'s protocol: one datagram of
 * "KEY=value" lines to the AF_UNIX address in NOTIFY_SOCKET. And being told by others.
 */
#ifndef BASE_NOTIFY_H
#define BASE_NOTIFY_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Remembers NOTIFY_SOCKET and takes it out of the environment, so that no child inherits it. Opens
 * the socket; nothing happens where the variable is unset. 0 or -errno.
 */
int notify_init(void);

/* Puts it into the environment again, for another program in this process. */
void notify_restore(void);

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
