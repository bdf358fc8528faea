/*
 * rawclient: says what no decent client would to a Unix socket: nonsense, halves, nothing at all.
 * `rawclient SOCKET WORD...` carries out its words one after the other and ends 0; 1 where the
 * other side did something else than the word says. Run by tests only; links nothing but libc.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* How long to wait for the other side; a loaded machine is slow. */
#define PATIENCE_MS 60000

struct word {
	const char *name;
	int arguments;
	void (*run)(int fd, char **argument);
	const char *help;
};

/* Waits until events are there; ends the program where they do not come. */
static void
await(int fd, short events)
{
	struct pollfd p = {.fd = fd, .events = events};
	int n;

	do {
		n = poll(&p, 1, PATIENCE_MS);
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		errx(1, "the other side did nothing for %d s", PATIENCE_MS / 1000);
}

/* A side that has hung up takes nothing more: that is for the words that read to find out. */
static void
send_bytes(int fd, const char *data, size_t size)
{
	ssize_t n;

	while (size > 0) {
		n = send(fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN) {
			await(fd, POLLOUT);
			continue;
		}
		if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
			return;
		if (n < 0)
			err(1, "send");
		data += n;
		size -= (size_t)n;
	}
}

static void
word_send(int fd, char **argument)
{
	send_bytes(fd, argument[0], strlen(argument[0]));
}

static void
word_nul(int fd, char **argument)
{
	(void)argument;
	send_bytes(fd, "", 1);
}

static void
word_fill(int fd, char **argument)
{
	static char block[4096];
	size_t left, n;

	memset(block, argument[1][0], sizeof(block));
	for (left = strtoul(argument[0], NULL, 10); left > 0; left -= n) {
		n = left < sizeof(block) ? left : sizeof(block);
		send_bytes(fd, block, n);
	}
}

static void
word_file(int fd, char **argument)
{
	char block[4096];
	ssize_t n;
	int file;

	file = open(argument[0], O_RDONLY | O_CLOEXEC);
	if (file < 0)
		err(64, "%s", argument[0]);
	while ((n = read(file, block, sizeof(block))) > 0)
		send_bytes(fd, block, (size_t)n);
	close(file);
}

/* Sends one NUL with descriptors that nobody asked for. */
static void
word_descriptors(int fd, char **argument)
{
	char control[CMSG_SPACE(64 * sizeof(int))];
	unsigned i, count = (unsigned)strtoul(argument[0], NULL, 10);
	struct iovec iov = {.iov_base = (char[]){'{'}, .iov_len = 1};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control};
	int fds[64];
	struct cmsghdr *c;

	if (count == 0 || count > 64)
		errx(64, "1 to 64 descriptors");
	for (i = 0; i < count; i++)
		fds[i] = fd;
	memset(control, 0, sizeof(control));
	m.msg_controllen = CMSG_SPACE(count * sizeof(int));
	c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(c), fds, count * sizeof(int));
	if (sendmsg(fd, &m, MSG_NOSIGNAL) < 0 && errno != EPIPE && errno != ECONNRESET)
		err(1, "sendmsg");
}

/* One byte, or EOF where the other side has hung up. */
static int
read_byte(int fd)
{
	unsigned char c;
	ssize_t n;

	await(fd, POLLIN);
	do {
		n = read(fd, &c, 1);
	} while (n < 0 && errno == EINTR);
	return n == 1 ? c : EOF;
}

static void
word_reply(int fd, char **argument)
{
	int c;

	(void)argument;
	while ((c = read_byte(fd)) > 0)
		putchar(c);
	if (c == EOF)
		errx(1, "the other side hung up instead of answering");
	putchar('\n');
	fflush(stdout);
}

static void
word_closed(int fd, char **argument)
{
	int c;

	(void)argument;
	while ((c = read_byte(fd)) != EOF)
		putchar(c == '\0' ? '\n' : c);
	fflush(stdout);
}

static void
word_shutdown(int fd, char **argument)
{
	(void)argument;
	shutdown(fd, SHUT_WR);
}

static void
word_touch(int fd, char **argument)
{
	int file;

	(void)fd;
	file = open(argument[0], O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (file < 0)
		err(64, "%s", argument[0]);
	close(file);
}

static void
word_stay(int fd, char **argument)
{
	(void)fd;
	(void)argument;
	for (;;)
		pause();
}

static const struct word words[] = {
    {"send", 1, word_send, "TEXT"},
    {"nul", 0, word_nul, "end the message"},
    {"fill", 2, word_fill, "N C, N times the character C"},
    {"file", 1, word_file, "FILE, what it holds"},
    {"descriptors", 1, word_descriptors, "N, a byte with N descriptors"},
    {"reply", 0, word_reply, "print one message"},
    {"closed", 0, word_closed, "print until the other side hangs up"},
    {"shutdown", 0, word_shutdown, "send no more"},
    {"touch", 1, word_touch, "FILE, make it"},
    {"stay", 0, word_stay, "stay connected until killed"},
};

static int
dial(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof(address.sun_path))
		errx(64, "%s: too long for a socket", path);
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		err(1, "%s", path);
	return fd;
}

static const struct word *
find_word(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(name, words[i].name) == 0)
			return &words[i];
	}
	errx(64, "%s: no such word", name);
}

int
main(int argc, char **argv)
{
	const struct word *word;
	int fd, i;

	if (argc < 2)
		errx(64, "usage: rawclient SOCKET WORD...");
	fd = dial(argv[1]);
	for (i = 2; i < argc; i++) {
		word = find_word(argv[i]);
		if (word->arguments > argc - 1 - i)
			errx(64, "%s: %s", word->name, word->help);
		word->run(fd, &argv[i + 1]);
		i += word->arguments;
	}
	return 0;
}
