/*
 * notify: see notify.h. Supervisor (and a server that speaks for it). Never waits for the manager,
 * and never fails because of it; never waits for a job, and never takes a descriptor from one.
 */
#include "base/notify.h"

#include "base/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define NSEC_PER_USEC (NSEC_PER_SEC / 1000000)

static struct {
	int fd;
	uint64_t watchdog_ns;
	socklen_t len;
	struct sockaddr_un address;
	char name[sizeof(((struct sockaddr_un *)0)->sun_path)]; /* "": none */
} notify_state = {.fd = -1};

/* A path, or '@' for the NUL that an abstract address begins with; unix(7). */
static int
set_address(const char *name)
{
	size_t len = strlen(name);
	struct sockaddr_un *sun = &notify_state.address;

	if ((name[0] != '/' && name[0] != '@') || name[1] == '\0')
		return -EINVAL;
	if (len >= sizeof(sun->sun_path))
		return -ENAMETOOLONG;
	sun->sun_family = AF_UNIX;
	memcpy(sun->sun_path, name, len + 1);
	memcpy(notify_state.name, name, len + 1);
	if (name[0] == '@')
		sun->sun_path[0] = '\0';
	else
		len++;
	notify_state.len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	return 0;
}

/* A whole number that is not 0; 0: it is none, or a very large one. */
static uint64_t
read_number(const char *text)
{
	char *end;
	unsigned long long number = strtoull(text, &end, 10);

	return text[0] >= '0' && text[0] <= '9' && *end == '\0' &&
		number < UINT64_MAX / NSEC_PER_USEC
	    ? number
	    : 0;
}

static void
take_watchdog(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	bool is_ours = pid == NULL || read_number(pid) == (uint64_t)getpid();

	notify_state.watchdog_ns = usec != NULL && is_ours ? read_number(usec) * NSEC_PER_USEC : 0;
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

int
notify_init(void)
{
	const char *name = getenv("NOTIFY_SOCKET");
	int error;

	take_watchdog();
	if (name == NULL)
		return 0;
	error = set_address(name);
	unsetenv("NOTIFY_SOCKET");
	if (error != 0)
		return error;
	notify_state.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return notify_state.fd == -1 ? -errno : 0;
}

uint64_t
notify_watchdog_ns(void)
{
	return notify_state.fd != -1 ? notify_state.watchdog_ns : 0;
}

void
notify_restore(void)
{
	char usec[32];

	if (notify_state.name[0] != '\0')
		setenv("NOTIFY_SOCKET", notify_state.name, 1);
	snprintf(usec, sizeof(usec), "%" PRIu64, notify_state.watchdog_ns / NSEC_PER_USEC);
	if (notify_state.watchdog_ns != 0)
		setenv("WATCHDOG_USEC", usec, 1);
}

void
notify_send(const char *state)
{
	int saved = errno;

	if (notify_state.fd != -1)
		sendto(notify_state.fd, state, strlen(state), MSG_NOSIGNAL,
		    (const struct sockaddr *)&notify_state.address, notify_state.len);
	errno = saved;
}

int
notify_take(int fd, char *data, size_t size, size_t *ret_len, pid_t *ret_sender)
{
	/*
	 * Room for the credentials alone, which come first: the kernel then closes what descriptors
	 * there are (MSG_CTRUNC, unix(7)), and that is all that sd_notify_barrier(3) waits for.
	 */
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct ucred))];
	} control = {0};
	struct iovec part = {.iov_base = data, .iov_len = size};
	struct msghdr packet = {.msg_iov = &part,
	    .msg_iovlen = 1,
	    .msg_control = control.bytes,
	    .msg_controllen = sizeof(control.bytes)};
	struct ucred credentials = {0};
	ssize_t n;

	do
		n = recvmsg(fd, &packet, MSG_DONTWAIT | MSG_CMSG_CLOEXEC | MSG_TRUNC);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return -errno;
	if (packet.msg_controllen >= CMSG_LEN(sizeof(credentials)) &&
	    control.align.cmsg_level == SOL_SOCKET && control.align.cmsg_type == SCM_CREDENTIALS)
		memcpy(&credentials, CMSG_DATA(&control.align), sizeof(credentials));
	*ret_len = (size_t)n;
	*ret_sender = credentials.pid;
	return 0;
}
