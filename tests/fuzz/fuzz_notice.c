/*
 * fuzz_notice: any bytes as a datagram of sd_notify(3). What is read of it lies in it, and is what
 * a plain search for its lines finds.
 */
#include "watchdog/heartbeat.h"
#include "watchdog/notice.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool is_true)
{
	if (!is_true)
		abort();
}

/* Whether the text, with a newline before and behind it, has such a line. */
static bool
has_line(const char *text, size_t size, const char *line)
{
	return memmem(text, size, line, strlen(line)) != NULL;
}

static void
check_line(const struct notice *notice, const char *data, size_t size)
{
	static struct heartbeat h;
	char line[NOTICE_MAX];
	size_t len = notice_line(notice, line);

	must(len <= sizeof(line) && memchr(line, '\n', len) == NULL &&
	    memchr(line, '\0', len) == NULL);
	if (notice->status != NULL)
		must(notice->status >= data && notice->status + notice->status_len <= data + size);
	h = (struct heartbeat){0};
	heartbeat_say(&h, line, len);
	must(h.last_len == (len < HEARTBEAT_LINE_MAX ? len : HEARTBEAT_LINE_MAX));
	must(h.extend_ns == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[NOTICE_MAX + 2];
	const char *bytes = (const char *)data;
	struct notice notice;
	size_t len = size > 0 && bytes[size - 1] == '\0' ? size - 1 : size;
	bool is_text = size <= NOTICE_MAX && len > 0 && memchr(bytes, '\0', len) == NULL;

	must(notice_read(bytes, size, &notice) == is_text);
	must(notice.extend_ns <= HEARTBEAT_EXTEND_MAX_NS);
	check_line(&notice, bytes, size);
	if (!is_text) {
		must(!notice_is_sign(&notice) && !notice.is_triggered);
		return 0;
	}
	text[0] = text[len + 1] = '\n';
	memcpy(text + 1, bytes, len);
	must(notice.is_alive == has_line(text, len + 2, "\nWATCHDOG=1\n"));
	must(notice.is_triggered == has_line(text, len + 2, "\nWATCHDOG=trigger\n"));
	must(notice.is_ready == has_line(text, len + 2, "\nREADY=1\n"));
	must(notice.is_stopping == has_line(text, len + 2, "\nSTOPPING=1\n"));
	must((notice.status != NULL) == has_line(text, len + 2, "\nSTATUS="));
	must(notice.extend_ns == 0 || has_line(text, len + 2, "\nEXTEND_TIMEOUT_USEC="));
	return 0;
}
