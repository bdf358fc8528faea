/*
 * spawnd run: enqueues one job, passes on its output as it comes, waits for its record, and exits
 * as the child did. SIGINT, SIGTERM and SIGHUP cancel the job; a second one leaves at once, but
 * within a second it is taken for the first: timeout(1) signals the process and then its group. When
 * the job is over, the process ends itself by the signal that came, so that a shell knows that it
 * was interrupted and ends its loop (https://www.cons.org/cracauer/sigint.html).
 *
 * A reader of standard output that goes away is a SIGPIPE: the job is cancelled. Where output is lost
 * for another reason, the job runs on, since what it wrote is kept, and the exit code says so. With
 * --json the record is printed instead of the output.
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
	sigset_t mask; /* of signals, as it was before */
	int64_t job;
	const char *output; /* the path of its output */
	int signo;          /* what the job was cancelled for and the process is to die by, or 0 */
	uint64_t cancelled_ns; /* when that came */
	bool has_told;         /* that the output could not be passed on */
};

/* From here on signals are read, not suffered; one that is ignored (nohup(1)) stays so. */
static void
take_signals(struct run *run)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	signal(SIGPIPE, SIG_IGN);
	run->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (run->signal_fd < 0 || sigprocmask(SIG_BLOCK, &set, &run->mask) < 0)
		err(EXIT_OWN, "signalfd");
}

/*
 * Dies by the signal that the job was cancelled for, or by one that came too late for that; without
 * one, returns the exit code. The first process of a PID namespace survives signals that it sends
 * itself, and exits with what a shell would make of them.
 */
static int
leave(struct run *run, int code)
{
	sigset_t set;

	client_close(&run->client);
	fd_close(&run->signal_fd);
	if (run->signo != 0) {
		code = 128 + run->signo;
		sigemptyset(&set);
		sigaddset(&set, run->signo);
		signal(run->signo, SIG_DFL);
		raise(run->signo);
		sigprocmask(SIG_UNBLOCK, &set, NULL);
	}
	sigprocmask(SIG_SETMASK, &run->mask, NULL);
	return code;
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
cancel_for(struct run *run, int signo)
{
	run->signo = signo;
	run->cancelled_ns = clock_mono_ns();
	return cancel_job(run);
}

static int
signalled(void *arg, int signo)
{
	struct run *run = arg;

	if (run->signo == 0)
		return cancel_for(run, signo);
	if (clock_mono_ns() - run->cancelled_ns < SAME_SIGNAL_NS)
		return 0;
	warnx("%s once more: leaving; job %lld is being cancelled", strsignal(signo),
	    (long long)run->job);
	return EXIT_OWN;
}

static void
tell_output(struct run *run, int error, const char *more)
{
	if (!run->has_told)
		warnx("the output cannot be passed on: %s%s; it is in %s", strerror(error), more,
		    run->output);
	run->has_told = true;
}

static int
failed(void *arg, int error)
{
	struct run *run = arg;

	if (error != EPIPE)
		tell_output(run, error, "; the job goes on");
	else if (run->signo == 0)
		return cancel_for(run, SIGPIPE);
	return 0;
}

/* What a record has to say beyond an exit code of the child's own. */
static void
tell_error(const struct run *run, json_t *record)
{
	const char *status = json_string_value(json_object_get(record, "status"));
	const char *error = json_string_value(json_object_get(record, "error"));
	bool is_own_end = json_is_true(json_object_get(record, "ran")) && status != NULL &&
	    strcmp(status, "error") == 0;

	if (run->signo == SIGPIPE)
		return;
	if (error != NULL && (!is_own_end || strncmp(error, "output limit", 12) == 0))
		warnx("job %lld: %s", (long long)run->job, QUOTE(error));
}

/* Whether all of the output was passed on; if not, tells, or notes that nobody wants it. */
static bool
is_output_whole(struct run *run, const struct follow *f)
{
	if (f->out_error == EPIPE)
		run->signo = run->signo != 0 ? run->signo : SIGPIPE;
	else if (f->out_error != 0)
		tell_output(run, f->out_error, "");
	else if (f->tail != NULL && f->tail->skipped > 0)
		warnx("%lld bytes of the output were freed before they could be passed on: it grew "
		      "beyond max_output faster than it was read; --max-output off keeps all of it",
		    (long long)f->tail->skipped);
	else
		return true;
	return false;
}

/* The record is there, and what the child wrote has been passed on. */
static int
finish(struct run *run, const struct options *o, const struct follow *f, json_t *record)
{
	const json_t *seq = json_object_get(record, "seq");
	bool is_whole = is_output_whole(run, f);

	tell_error(run, record);
	if (o->value[OPTION_JSON] != NULL) {
		show_json(record);
		if (show_flush(EX_OK) != EX_OK)
			return EXIT_OWN;
	}
	if (json_is_integer(seq))
		client_acknowledge(&run->client, &(json_int_t){json_integer_value(seq)}, 1);
	return is_whole ? exitcode_of_record(record) : EXIT_OWN;
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
attend(struct run *run, const struct options *o)
{
	struct follow f = {.client = &run->client,
	    .job = run->job,
	    .signal_fd = run->signal_fd,
	    .signalled = signalled,
	    .failed = failed,
	    .arg = run};
	struct tail tail;
	json_t *record;
	int r;

	r = tail_init(&tail, run->output);
	if (r < 0)
		failed(run, -r);
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
	run->output = json_string_value(json_object_get(reply, "output"));
	if (run->output == NULL)
		run->output = "";
	code = attend(run, o);
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
	take_signals(&run);
	return leave(&run, run_job(&run, o));
}
