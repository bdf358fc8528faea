/*
 * spawnd beat: a sign of life, and a line of text, on the heartbeat pipe of the job that it runs
 * in. Needs no daemon, and must never wait for long: a full pipe is full of signs of life.
 */
#include "cli/cmd.h"
#include "cli/options.h"

#include "base/fd.h"
#include "base/quote.h"
#include "watchdog/heartbeat.h"

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define PATIENCE_MS 100

/*
 * Opens the pipe by its inherited descriptor, with flags of our own. Somebody may have closed
 * that and opened another file under its number: where the pipe's path is there, it must be the
 * same file.
 */
static int
open_inherited(const char *number, const char *path)
{
	char link[64];
	struct stat inherited, named;
	const char *why;
	int fd = (int)strtonum(number, 0, INT_MAX, &why);

	if (why != NULL || fstat(fd, &inherited) < 0 || !S_ISFIFO(inherited.st_mode))
		return -1;
	if (path != NULL && stat(path, &named) == 0 &&
	    (named.st_dev != inherited.st_dev || named.st_ino != inherited.st_ino))
		return -1;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	return open(link, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
}

static int
open_pipe(void)
{
	const char *number = getenv("SPAWND_HEARTBEAT_FD");
	const char *path = getenv("SPAWND_HEARTBEAT");
	struct stat st;
	int fd = number != NULL ? open_inherited(number, path) : -1;

	if (fd >= 0)
		return fd;
	if (path == NULL) {
		warnx("not inside a job: SPAWND_HEARTBEAT is not set");
		return -1;
	}
	fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) {
		warn("%s: the heartbeat pipe of this job", QUOTE(path));
		return -1;
	}
	if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode))
		return fd;
	warnx("%s: no FIFO, so it is not the heartbeat pipe of this job", QUOTE(path));
	fd_close(&fd);
	return -1;
}

/*
 * Appends " key=value"; white space becomes `space`, since it would begin another word or line.
 */
static void
append_word(char *line, size_t size, const char *key, const char *value, char space)
{
	size_t used;

	if (value == NULL)
		return;
	if (line[0] != '\0')
		strlcat(line, " ", size);
	strlcat(line, key, size);
	strlcat(line, "=", size);
	used = strlen(line);
	strlcat(line, value, size);
	for (char *c = line + used; *c != '\0'; c++) {
		if (isspace((unsigned char)*c))
			*c = space;
	}
}

/* Ends the line with a newline, and cuts it before that between two characters of UTF-8. */
static size_t
end_line(char *line)
{
	size_t len = strlen(line);

	if (len > HEARTBEAT_LINE_MAX - 1) {
		len = HEARTBEAT_LINE_MAX - 1;
		while (len > 0 && ((unsigned char)line[len] & 0xc0) == 0x80)
			len--;
	}
	line[len] = '\n';
	return len + 1;
}

/* --extend in milliseconds, -1 if it is not given. 0, or EX_USAGE after telling. */
static int
read_extend(const struct options *o, int64_t *ret_ms)
{
	int code = options_duration_ms(o, OPTION_EXTEND, ret_ms);

	if (code != 0 || *ret_ms >= 0 || o->value[OPTION_EXTEND] == NULL)
		return code;
	warnx("--extend '%s': not a length of time; write 90, 90s, 1.5m, 2h or 1d",
	    QUOTE(o->value[OPTION_EXTEND]));
	return EX_USAGE;
}

/* Whether --progress, if given, is what the word takes. 0, or EX_USAGE after telling. */
static int
check_progress(const struct options *o)
{
	const char *text = o->value[OPTION_PROGRESS];
	struct heartbeat_event event;
	char word[64];

	if (text == NULL)
		return 0;
	/* A word of its own, and nothing behind it: a blank would begin another one. */
	if (strpbrk(text, " \t\r\n") == NULL &&
	    (size_t)snprintf(word, sizeof(word), "progress=%s", text) < sizeof(word)) {
		heartbeat_read(word, strlen(word), false, &event);
		if (event.progress >= 0)
			return 0;
	}
	warnx("--progress '%s': not a number; write 0.4 or 40%%", QUOTE(text));
	return EX_USAGE;
}

static size_t
make_line(const struct options *o, int64_t extend_ms, char *line, size_t size)
{
	char message[HEARTBEAT_LINE_MAX + 1] = "", usec[32];

	for (int i = 0; i < o->operand_count; i++) {
		strlcat(message, i > 0 ? " " : "", sizeof(message));
		strlcat(message, o->operands[i], sizeof(message));
	}
	line[0] = '\0';
	append_word(line, size, "tool", o->value[OPTION_TOOL], '_');
	append_word(line, size, "phase", o->value[OPTION_PHASE], '_');
	append_word(line, size, "round", o->value[OPTION_ROUND], '_');
	append_word(line, size, "progress", o->value[OPTION_PROGRESS], '_');
	snprintf(usec, sizeof(usec), "%" PRId64, extend_ms * 1000);
	append_word(line, size, "extend_usec", extend_ms >= 0 ? usec : NULL, '_');
	append_word(line, size, "message", o->operand_count > 0 ? message : NULL, ' ');
	return end_line(line);
}

/* One write(2), which a pipe takes whole or not at all (PIPE_BUF). */
static int
write_line(int fd, const char *line, size_t len)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	if (write(fd, line, len) >= 0)
		return EX_OK;
	if (errno == EAGAIN) {
		poll(&p, 1, PATIENCE_MS);
		if (write(fd, line, len) >= 0 || errno == EAGAIN)
			return EX_OK;
	}
	warn("the heartbeat pipe of this job");
	return EX_IOERR;
}

int
cmd_beat(const struct options *o)
{
	FD_CLEANUP int fd = -1;
	char line[HEARTBEAT_LINE_MAX + 256];
	int64_t round, extend_ms;
	int code = options_number(o, OPTION_ROUND, 0, INT64_MAX, &round);

	if (code == 0)
		code = check_progress(o);
	if (code == 0)
		code = read_extend(o, &extend_ms);
	if (code != 0)
		return code;
	fd = open_pipe();
	if (fd < 0)
		return EX_USAGE;
	return write_line(fd, line, make_line(o, extend_ms, line, sizeof(line)));
}
