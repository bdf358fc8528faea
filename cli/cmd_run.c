/*
 * spawnd run: enqueues one job, passes on its output as it comes, waits for its record, and exits
 * as the child did. SIGINT, SIGTERM and SIGHUP cancel the job; a second one leaves at once, but
 * within a second it is taken for the first: timeout(1) signals the process and then its group.
 *
 * A reader of standard output that goes away changes nothing else: the job runs on, and its exit
 * code is still told. With --json the record is printed instead of the output.
 */
#include "cli/client.h"
#include "cli/cmd.h"
#include "cli/exitcode.h"
#include "cli/follow.h"
#include "cli/options.h"
#include "cli/request.h"
#include "cli/show.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/quote.h"

#include <err.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sysexits.h>

#define SAME_SIGNAL_NS NSEC_PER_SEC

struct run {
	struct client client;
	int signal_fd;
	int64_t job;
	bool is_cancelled;
	uint64_t cancelled_ns; /* when the signal for that came */
};

/* From here on signals are read, not suffered; one that is ignored (nohup(1)) stays so. */
static int
take_signals(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	signal(SIGPIPE, SIG_IGN);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0 || sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		err(EXIT_OWN, "signalfd");
	return fd;
}

/*
 * The call that waits is under way on the first connection, so this one gets its own. A further
 * signal while it lasts shows up in the caller's loop.
 */
static int
cancel_job(struct run *run)
{
	CLIENT_CLEANUP struct client c = {.fd = -1};
	int r = client_open(&c, false);

	c.wake_fd = run->signal_fd;
	if (r == 0)
		r = client_call(&c, "Cancel", json_pack("{s:[I]}", "jobs", (json_int_t)run->job),
		    NULL);
	if (r == 0 || r == -EINTR)
		return 0;
	client_fail(&c);
	return EXIT_OWN;
}

static int
signalled(void *arg, int signo)
{
	struct run *run = arg;

	if (run->is_cancelled && clock_mono_ns() - run->cancelled_ns < SAME_SIGNAL_NS)
		return 0;
	if (run->is_cancelled) {
		warnx("%s once more: leaving; job %lld is being cancelled", strsignal(signo),
		    (long long)run->job);
		return EXIT_OWN;
	}
	run->is_cancelled = true;
	run->cancelled_ns = clock_mono_ns();
	return cancel_job(run);
}

/* What a record has to say beyond an exit code of the child's own. */
static void
tell_error(const struct run *run, json_t *record)
{
	const char *status = json_string_value(json_object_get(record, "status"));
	const char *error = json_string_value(json_object_get(record, "error"));
	bool is_own_end = json_is_true(json_object_get(record, "ran")) && status != NULL &&
	    strcmp(status, "error") == 0;

	if (error != NULL && (!is_own_end || strncmp(error, "output limit", 12) == 0))
		warnx("job %lld: %s", (long long)run->job, QUOTE(error));
}

/* The record is there, and what the child wrote has been passed on. */
static int
finish(struct run *run, const struct options *o, const struct follow *f, json_t *record)
{
	const json_t *seq = json_object_get(record, "seq");
	int code = exitcode_of_record(record);

	tell_error(run, record);
	if (o->value[OPTION_JSON] != NULL) {
		show_json(record);
		if (show_flush(EX_OK) != EX_OK)
			return EXIT_OWN;
	}
	if (f->tail != NULL && f->tail->skipped > 0)
		warnx("%lld bytes of the output were freed before they could be passed on "
		      "(max_output)",
		    (long long)f->tail->skipped);
	if (f->out_error != 0 && f->out_error != EPIPE) {
		warnx("the output could not be passed on: %s; it is in %s", strerror(f->out_error),
		    json_string_value(json_object_get(record, "output")));
		code = EXIT_OWN;
	}
	if (json_is_integer(seq))
		client_acknowledge(&run->client, json_integer_value(seq));
	return code;
}

/* There is no record, for the reason r, an -errno. */
static void
tell_failure(const struct run *run, int r)
{
	if (r == -EINTR)
		warnx("interrupted while the daemon was away; job %lld goes on",
		    (long long)run->job);
	else if (r == -EREMOTEIO && client_is_error(&run->client, "ShuttingDown"))
		warnx("the daemon ends; job %lld stays queued and runs at its next start",
		    (long long)run->job);
	else
		client_fail(&run->client);
}

static int
attend(struct run *run, const struct options *o, const char *output)
{
	struct follow f = {.client = &run->client,
	    .job = run->job,
	    .signal_fd = run->signal_fd,
	    .signalled = signalled,
	    .arg = run};
	struct tail tail;
	json_t *record;
	int r;

	r = tail_init(&tail, output);
	if (r < 0)
		warnx("%s: %s; going on without the output", output, strerror(-r));
	if (r == 0 && o->value[OPTION_JSON] == NULL)
		f.tail = &tail;
	f.out_error = r < 0 ? -r : 0;
	r = follow_job(&f, &record);
	if (r == 0) {
		r = finish(run, o, &f, record);
		json_decref(record);
	} else if (r < 0) {
		tell_failure(run, r);
		r = EXIT_OWN;
	}
	tail_fini(&tail);
	return r;
}

static int
run_job(struct run *run, const struct options *o)
{
	const char *output;
	json_t *reply;
	int code;

	if (client_open(&run->client, o->value[OPTION_NO_AUTOSTART] == NULL) < 0) {
		client_fail(&run->client);
		return EXIT_OWN;
	}
	run->client.wake_fd = run->signal_fd;
	code = request_enqueue(&run->client, o, &reply);
	if (code != 0)
		return EXIT_OWN;
	run->client.may_start = false;
	run->job = json_integer_value(json_object_get(reply, "job"));
	output = json_string_value(json_object_get(reply, "output"));
	code = attend(run, o, output != NULL ? output : "");
	json_decref(reply);
	return code;
}

int
cmd_run(const struct options *o)
{
	struct run run = {.client = {.fd = -1}, .signal_fd = -1};
	int code = request_check(o);

	if (code != 0)
		return code;
	run.signal_fd = take_signals();
	code = run_job(&run, o);
	client_close(&run.client);
	fd_close(&run.signal_fd);
	return code;
}
