/*
 * spawnd stop: ends the daemon, after what runs has ended, and returns when its process is gone.
 */
#include "cli/client.h"
#include "cli/cmd.h"
#include "cli/options.h"

#include "base/fd.h"

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <sysexits.h>
#include <unistd.h>

/*
 * The daemon's process, held while a connection to it proves that the number is its own. 0 with
 * *ret_fd; or an exit code, after telling.
 */
static int
hold_daemon(struct client *c, int *ret_fd)
{
	json_t *reply;
	json_int_t pid;

	if (client_call(c, "Info", json_object(), &reply) < 0)
		return client_fail(c);
	pid = json_integer_value(json_object_get(reply, "pid"));
	json_decref(reply);
	*ret_fd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
	if (*ret_fd >= 0)
		return 0;
	warn("process %lld of the daemon", (long long)pid);
	return EX_OSERR;
}

static bool
has_ended(int pid_fd, int timeout_ms)
{
	struct pollfd p = {.fd = pid_fd, .events = POLLIN};
	int r;

	do {
		r = poll(&p, 1, timeout_ms);
	} while (r < 0 && errno == EINTR);
	return r == 1;
}

/* What keeps the daemon from storing what has ended; once, though the call may be repeated. */
static int
tell_trouble(void *arg, json_t *reply)
{
	const char *trouble = json_string_value(json_object_get(reply, "trouble"));
	bool *has_told = arg;

	if (trouble != NULL && !*has_told)
		warnx("%s; %s", trouble,
		    json_is_true(json_object_get(reply, "waits"))
			? "waiting: the daemon ends when it has stored what has ended"
			: "the daemon ends all the same, and what it cannot store is lost");
	*has_told |= trouble != NULL;
	return 0;
}

int
cmd_stop(const struct options *o)
{
	CLIENT_CLEANUP struct client c = {.fd = -1};
	FD_CLEANUP int pid_fd = -1;
	json_t *parameters;
	bool has_told = false;
	int code, r;

	if (client_open(&c, false) < 0)
		return client_fail(&c);
	code = hold_daemon(&c, &pid_fd);
	if (code != 0)
		return code;
	c.wake_fd = pid_fd; /* a daemon that is gone answers no more, which is what was asked for */
	parameters = json_pack("{s:b}", "now", o->value[OPTION_NOW] != NULL);
	r = client_stream(&c, "Stop", parameters, tell_trouble, &has_told);
	json_decref(parameters);
	if (r < 0 && !has_ended(pid_fd, 0))
		return client_fail(&c);
	has_ended(pid_fd, -1);
	return EX_OK;
}
