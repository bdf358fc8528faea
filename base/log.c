/*
 * log: see log.h. The two loops and the commands. Each line goes out in one write(2), so that lines
 * of two processes do not mix; a line that cannot be written is gone, never waited for twice.
 */
#include "base/log.h"

#include "base/clock.h"

#include <bsd/string.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_SIZE 2048

static struct {
	char name[32];
	bool has_timestamps;
} log_state = {.name = "spawnd"};

void
log_init(const char *name, bool has_timestamps)
{
	strlcpy(log_state.name, name, sizeof(log_state.name));
	log_state.has_timestamps = has_timestamps;
}

/* What others gave us must not look like two lines, nor command a terminal. */
static void
tame(char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == '\177')
			*text = '?';
}

void
log_line(const char *format, ...)
{
	int saved = errno;
	char line[LINE_SIZE], when[CLOCK_TEXT_SIZE + 1] = "";
	size_t len;
	va_list ap;

	if (log_state.has_timestamps) {
		clock_format(clock_wall_ms(), when);
		strlcat(when, " ", sizeof(when));
	}
	snprintf(line, sizeof(line), "%s%s: ", when, log_state.name);
	len = strlen(line);
	/* One byte is left for the newline. */
	va_start(ap, format);
	vsnprintf(line + len, sizeof(line) - len - 1, format, ap);
	va_end(ap);
	tame(line);
	len = strlen(line);
	line[len] = '\n';
	while (write(STDERR_FILENO, line, len + 1) == -1 && errno == EINTR)
		continue;
	errno = saved;
}
