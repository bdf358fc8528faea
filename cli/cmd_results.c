/*
 * spawnd results: prints records, acknowledged or not, one a line.
 */
#include "base/fd.h"
#include "cli/client.h"
#include "cli/cmd.h"
#include "cli/options.h"
#include "cli/show.h"
#include "server/inlined.h"
#include "server/regular.h"

#include <err.h>
#include <errno.h>
#include <stdint.h>
#include <sysexits.h>
#include <unistd.h>

#define PIECE (64 * 1024)

struct replay {
	/* So that a call that is repeated goes on behind the last record. */
	json_t *parameters;
	struct inlined *inlined; /* NULL: records are printed as they are */
};

/* Up to where the file ended when it was opened: somebody may write to it for ever. 0 or -errno. */
static int
read_result(struct inlined *i, int fd, int64_t left)
{
	static char piece[PIECE];
	ssize_t n = 0;

	inlined_begin(i);
	/* As the server does it: of one that is too long to be digested the end alone is read. */
	if (left > INLINED_DIGESTED_MAX) {
		if (lseek(fd, left - INLINED_TAIL, SEEK_SET) < 0)
			return -errno;
		inlined_skip(i, (uint64_t)left - INLINED_TAIL);
		left = INLINED_TAIL;
	}
	while (left > 0) {
		n = fd_read_all(fd, piece, left < PIECE ? (size_t)left : PIECE);
		if (n <= 0)
			break;
		inlined_add(i, piece, (size_t)n);
		left -= n;
	}
	/* Its end has gone meanwhile, and there is nothing else to be told. */
	if (n >= 0 && left > 0 && i->is_skipped)
		return -ESTALE;
	return n < 0 ? (int)n : 0;
}

/* The file is read here, and so holds up nobody else. */
static void
add_result(struct inlined *i, json_t *record)
{
	const char *path = json_string_value(json_object_get(record, "result"));
	FD_CLEANUP int fd = -1;
	int64_t size;
	int r;

	if (path == NULL)
		return;
	r = regular_open(path, &size);
	if (r >= 0) {
		fd = r;
		r = read_result(i, fd, size);
	}
	if (r == 0)
		r = inlined_describe(i, record);
	else
		r = inlined_describe_none(record, inlined_reason(-r));
	if (r < 0)
		errx(EX_OSERR, "out of memory");
}

/* A client_reply_cb. */
static int
take_reply(void *arg, json_t *reply)
{
	struct replay *p = arg;
	json_t *record = json_object_get(reply, "record");

	if (!json_is_object(record))
		return 0;
	if (p->inlined != NULL)
		add_result(p->inlined, record);
	show_json(record);
	json_object_set(p->parameters, "since", json_object_get(record, "seq"));
	return 0;
}

static int
replay(struct client *c, const struct options *o, struct replay *p)
{
	static struct inlined inlined;
	int64_t since = 0;
	int code = options_number(o, OPTION_SINCE, 0, INT64_MAX, &since);

	if (code != 0)
		return code;
	if (client_open(c, o->value[OPTION_NO_AUTOSTART] == NULL) < 0)
		return client_fail(c);
	if (o->value[OPTION_WITH_RESULTS] != NULL)
		p->inlined = &inlined;
	p->parameters =
	    json_pack("{s:s*, s:I}", "parent", options_parent(o), "since", (json_int_t)since);
	if (p->parameters == NULL)
		errx(EX_OSERR, "out of memory");
	return client_stream(c, "Results", p->parameters, take_reply, p) < 0 ? client_fail(c)
									     : EX_OK;
}

int
cmd_results(const struct options *o)
{
	CLIENT_CLEANUP struct client c = {.fd = -1};
	struct replay p = {NULL, NULL};
	int code = replay(&c, o, &p);

	json_decref(p.parameters);
	return show_flush(code);
}
