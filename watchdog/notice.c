/*
 * notice: see notice.h. Run by the supervisor. Pure: no system call, no allocation; never looks
 * behind the end of the datagram, which has none of its own.
 */
#include "watchdog/notice.h"

#include "watchdog/heartbeat.h"

#include <string.h>

#define STATUS "STATUS="
#define EXTEND "EXTEND_TIMEOUT_USEC="

static bool
is_text(const char *line, size_t len, const char *text)
{
	return len == strlen(text) && memcmp(line, text, len) == 0;
}

static bool
has_key(const char *line, size_t len, const char *key)
{
	return len >= strlen(key) && memcmp(line, key, strlen(key)) == 0;
}

static void
read_line(const char *line, size_t len, struct notice *notice)
{
	notice->is_alive |= is_text(line, len, "WATCHDOG=1");
	notice->is_triggered |= is_text(line, len, "WATCHDOG=trigger");
	notice->is_ready |= is_text(line, len, "READY=1");
	notice->is_stopping |= is_text(line, len, "STOPPING=1");
	if (has_key(line, len, STATUS)) {
		notice->status = line + strlen(STATUS);
		notice->status_len = len - strlen(STATUS);
	}
	if (has_key(line, len, EXTEND))
		heartbeat_read_usec(line + strlen(EXTEND), len - strlen(EXTEND),
		    &notice->extend_ns);
}

bool
notice_read(const char *data, size_t len, struct notice *ret_notice)
{
	const char *newline;

	*ret_notice = (struct notice){0};
	if (len > NOTICE_MAX)
		return false;
	if (len > 0 && data[len - 1] == '\0')
		len--;
	if (len == 0 || memchr(data, '\0', len) != NULL)
		return false;
	while (len > 0 && (newline = memchr(data, '\n', len)) != NULL) {
		read_line(data, (size_t)(newline - data), ret_notice);
		len -= (size_t)(newline - data) + 1;
		data = newline + 1;
	}
	read_line(data, len, ret_notice);
	return true;
}

bool
notice_is_sign(const struct notice *notice)
{
	return notice->is_alive || notice->is_ready || notice->is_stopping ||
	    notice->status != NULL || notice->extend_ns > 0;
}

size_t
notice_line(const struct notice *notice, char line[NOTICE_MAX])
{
	const char *phase = notice->is_stopping ? "phase=stopping"
	    : notice->is_ready                  ? "phase=ready"
						: "";
	size_t len = strlen(phase), room;

	memcpy(line, phase, len);
	if (notice->status_len == 0)
		return len;
	if (len > 0)
		line[len++] = ' ';
	memcpy(line + len, "message=", strlen("message="));
	len += strlen("message=");
	room = NOTICE_MAX - len;
	room = notice->status_len < room ? notice->status_len : room;
	memcpy(line + len, notice->status, room);
	return len + room;
}
