/*
 * notifier: sends datagrams to $NOTIFY_SOCKET, as sd_notify(3) and systemd-notify(1) do, and as
 * they never would: with descriptors, too long, with a NUL, in floods. Run by tests only; links
 * nothing but libc, and must never leave a process behind.
 */
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define BYTES_MAX 65536
#define FDS_MAX 253      /* SCM_MAX_FD, unix(7) */
#define BARRIER_MS 60000 /* so that a broken test leaves nothing */

struct order {
	long times;
	long pause_ms;
	long bytes; /* pads the text with x; 0: as it is */
	int fd_count;
	bool has_nul; /* behind the text, and then one letter more */
	bool has_barrier;
};

static char text[BYTES_MAX];

static int
connect_socket(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (path == NULL || strlen(path) >= sizeof(address.sun_path))
		errx(70, "NOTIFY_SOCKET is not usable");
	strcpy(address.sun_path, path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		err(71, "%s", path);
	return fd;
}

/* One datagram, with a descriptor so many times. */
static void
send_one(int socket_fd, size_t len, int fd, int fd_count)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * FDS_MAX)];
	} control = {0};
	struct iovec part = {.iov_base = text, .iov_len = len};
	struct msghdr packet = {.msg_iov = &part, .msg_iovlen = 1};
	int i;

	if (fd_count > 0) {
		packet.msg_control = control.bytes;
		packet.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)fd_count);
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(sizeof(int) * (size_t)fd_count);
	}
	for (i = 0; i < fd_count; i++)
		memcpy(CMSG_DATA(&control.align) + sizeof(int) * (size_t)i, &fd, sizeof(int));
	while (sendmsg(socket_fd, &packet, MSG_NOSIGNAL) < 0) {
		/* So many descriptors may be on their way, and no more. */
		if (errno != EINTR && errno != ETOOMANYREFS)
			err(71, "sendmsg");
	}
}

/* sd_notify_barrier(3): until the other side has closed the descriptor that it was sent. */
static void
wait_for_barrier(int socket_fd)
{
	int ends[2];
	struct pollfd p;

	if (pipe(ends) < 0)
		err(71, "pipe");
	strcpy(text, "BARRIER=1");
	send_one(socket_fd, strlen(text), ends[1], 1);
	close(ends[1]);
	p = (struct pollfd){.fd = ends[0]};
	if (poll(&p, 1, BARRIER_MS) != 1)
		errx(70, "the barrier was not lifted");
}

static void
carry_out(const struct order *o, int socket_fd)
{
	struct timespec pause = {o->pause_ms / 1000, o->pause_ms % 1000 * 1000000};
	size_t len = strlen(text);
	long i;

	if (o->has_nul) {
		text[len + 1] = 'x';
		len += 2;
	}
	if (o->bytes > (long)len) {
		memset(text + len, 'x', (size_t)o->bytes - len);
		len = (size_t)o->bytes;
	}
	for (i = 0; i < o->times; i++) {
		if (o->pause_ms > 0)
			nanosleep(&pause, NULL);
		send_one(socket_fd, len, STDIN_FILENO, o->fd_count);
	}
	if (o->has_barrier)
		wait_for_barrier(socket_fd);
}

static long
number(const char *argument, long max)
{
	char *end;
	long n = strtol(argument, &end, 10);

	if (end == argument || *end != '\0' || n < 0 || n > max)
		errx(64, "%s: not a number up to %ld", argument, max);
	return n;
}

int
main(int argc, char **argv)
{
	struct order o = {.times = 1};
	int option;

	while ((option = getopt(argc, argv, "0bf:i:n:z:")) != -1) {
		switch (option) {
		case '0':
			o.has_nul = true;
			break;
		case 'b':
			o.has_barrier = true;
			break;
		case 'f':
			o.fd_count = (int)number(optarg, FDS_MAX);
			break;
		case 'i':
			o.pause_ms = number(optarg, 100000);
			break;
		case 'n':
			o.times = number(optarg, 100000000);
			break;
		case 'z':
			o.bytes = number(optarg, BYTES_MAX);
			break;
		default:
			errx(64,
			    "usage: notifier [-0b] [-f FDS] [-i MS] [-n TIMES] [-z BYTES] "
			    "TEXT");
		}
	}
	if (optind != argc - 1 || strlen(argv[optind]) + 2 > sizeof(text))
		errx(64, "one text is wanted");
	strcpy(text, argv[optind]);
	carry_out(&o, connect_socket());
	return 0;
}
