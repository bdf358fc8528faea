/*
 * opener: see opener.h.
 *
 * Only the very first server of a daemon may begin a store where there is none: to one that has served,
 * a file that is missing is a disk that is not there.
 */
#include "server/opener.h"

#include "base/clock.h"
#include "base/log.h"
#include "server/call.h"
#include "server/jobs.h"
#include "server/load.h"
#include "server/prune.h"
#include "store/aside.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RETRY_FIRST_NS (100 * NSEC_PER_MSEC)
#define RETRY_LAST_NS (5 * NSEC_PER_SEC)

/* Numbers of jobs that were queued may be above all that can be seen. */
#define NUMBERS_SKIPPED INT64_C(1000000)

#define EFFECT "no call is served, and what runs is watched on"

/* The highest number of a job that has left a file. */
static int64_t
highest_output(const struct server *s)
{
	DIR *dir = opendir(s->paths.output_dir);
	const struct dirent *entry;
	int64_t highest = 0;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		char *end;
		int64_t job = strtoll(entry->d_name, &end, 10);

		if ((strcmp(end, ".log") == 0 || strcmp(end, ".result") == 0) && job > highest &&
		    job < INT64_MAX / 2)
			highest = job;
	}
	if (dir != NULL)
		closedir(dir);
	return highest;
}

/* Whether nothing is there, nor its directory; or a file with nothing in it. */
static bool
has_vanished(const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT || errno == ENOTDIR;
	return S_ISREG(st.st_mode) && st.st_size == 0;
}

/* Whether a store is to be opened here: one that has served begins none. */
static int
check_place(const struct server *s, struct fault *f)
{
	struct stat st;

	if (s->setup.is_first)
		return 0;
	if (has_vanished(s->paths.database))
		return fault_set(f, ENOENT,
		    "%s: has vanished; put it back, or end the daemon with stop --now and start it again to begin anew",
		    s->paths.database);
	if (lstat(s->paths.database, &st) < 0)
		return fault_set(f, errno, "%s: %s", s->paths.database, strerror(errno));
	return 0;
}

/* The store alone, checked where an earlier server had reason to doubt it. */
static int
open_file(struct server *s, struct fault *f)
{
	bool is_full = s->config.durability == DURABILITY_FULL;
	int r = store_open(s->paths.database, is_full, &s->store, f);

	if (r < 0 || !s->setup.is_in_doubt)
		return r;
	log_line("%s: is checked, because the server %s", s->paths.database, s->setup.last_end);
	r = store_check(s->store, s->setup.is_damaged, f);
	if (r == 0)
		s->setup.is_in_doubt = s->setup.is_damaged = false;
	return r;
}

static void
close_all(struct server *s)
{
	deliver_free(s->deliver);
	s->deliver = NULL;
	outputs_clear(s->outputs);
	queue_clear(s->queue);
	store_abandon(s->store);
	s->store = NULL;
}

/* The store, and what is in it. */
static int
open_and_load(struct server *s, struct fault *f)
{
	int r = open_file(s, f);

	if (r == 0)
		r = server_new_deliver(s);
	if (r == 0) {
		r = load_all(s);
		if (r < 0)
			fault_set(f, -r, "%s: %s", s->paths.database, store_fault(s->store));
	}
	if (r < 0)
		close_all(s);
	return r;
}

/* Whoever follows the feed of the new store is to know, and whoever asks for the daemon's status. */
static int
tell_aside(struct server *s, const char *aside, const char *why)
{
	json_t *body = json_pack("{s:s, s:s, s:s}", "message",
	    "the store was damaged or not spawnd's; it was set aside, and a new one begun",
	    "reason", why, "set_aside", aside);
	char *text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);
	int r = text == NULL ? -ENOMEM : store_set_aside_path(s->store, aside);

	if (r == 0)
		r = store_add_event(s->store, "warning", 0, NULL, NULL, text);
	free(text);
	json_decref(body);
	return r;
}

/* Numbers go on above all that an earlier store can have given away. */
static int
raise_numbers(struct server *s, const char *aside)
{
	int64_t known = aside[0] != '\0' ? aside_last_job(aside) : 0, seen = highest_output(s);
	int r = 0;

	/*
	 * Events too: what was read twice is known by its number. There were never so many as milliseconds since
	 * 1970.
	 */
	if (aside[0] != '\0' || seen > 0)
		r = store_raise_seq(s->store, clock_wall_ms());
	if (known < seen) /* the file does not tell: queued jobs had numbers above those seen */
		known = aside[0] != '\0' ? (seen / NUMBERS_SKIPPED + 1) * NUMBERS_SKIPPED : seen;
	return r < 0 || known == 0 ? r : store_raise_numbers(s->store, known);
}

/* `why` names the file and says what is wrong with it. */
static int
begin_anew(struct server *s, const char *why, struct fault *f)
{
	char aside[PATH_MAX];
	int r = aside_move(s->paths.database, clock_wall_ms(), aside, f);

	if (r < 0)
		return r;
	log_line("%s; it was set aside as %s, and a new store is begun", why, aside);
	s->setup.is_in_doubt = s->setup.is_damaged = false;
	s->is_set_aside = true;
	r = open_and_load(s, f);
	if (r < 0)
		return r;
	r = raise_numbers(s, aside);
	if (r == 0)
		r = tell_aside(s, aside, why);
	if (r == 0)
		r = store_commit(s->store);
	if (r < 0) {
		fault_set(f, -r, "%s: %s", s->paths.database, store_fault(s->store));
		close_all(s);
	}
	return r;
}

/* A store without any job may be one that somebody has emptied. */
static int
continue_numbers(struct server *s, struct fault *f)
{
	int64_t last = 0;
	int r = store_last_job(s->store, &last);

	if (r == 0 && last == 0 && highest_output(s) > 0) {
		log_line("%s was empty, though jobs have left their output: a new store is begun",
		    s->paths.database);
		r = raise_numbers(s, "");
		if (r == 0)
			r = store_add_event(s->store, "warning", 0, NULL, NULL,
			    "{\"message\":\"the store was empty, though jobs have left their output; a "
			    "new one was begun\"}");
	}
	if (r == 0)
		r = store_commit(s->store);
	if (r < 0) {
		fault_set(f, -r, "%s: %s", s->paths.database, store_fault(s->store));
		close_all(s);
	}
	return r;
}

static int
try_to_open(struct server *s, struct fault *f)
{
	struct fault why;
	int r = check_place(s, f);

	if (r == 0)
		r = paths_make(&s->paths, f);
	if (r == 0)
		r = open_and_load(s, f);
	if (r == 0)
		return continue_numbers(s, f);
	if (r != -EBADMSG)
		return r;
	why = *f;
	return begin_anew(s, why.text, f);
}

static void
wait_for_store(struct server *s)
{
	s->reopen_ns = s->reopen_ns == 0 ? RETRY_FIRST_NS : 2 * s->reopen_ns;
	if (s->reopen_ns > RETRY_LAST_NS)
		s->reopen_ns = RETRY_LAST_NS;
	timer_arm(&s->loop.timers, &s->reopen, clock_add_ns(clock_mono_ns(), s->reopen_ns));
}

/*
 * Whatever ends servers before they serve will end this one as well. So that somebody is told why, it
 * answers for a while before it tries.
 */
static int
answer_first(struct server *s)
{
	char words[160];

	s->setup.is_to_wait = false;
	snprintf(words, sizeof(words),
	    "not opened yet: %u servers have died young in a row, the last %s; see the log",
	    s->setup.deaths, s->setup.last_end);
	trouble_begin(&s->trouble, clock_mono_ns(), s->paths.database, -EAGAIN, words, EFFECT);
	s->reopen_ns = RETRY_LAST_NS;
	wait_for_store(s);
	return -EAGAIN;
}

int
opener_open(struct server *s)
{
	struct fault f = {""};
	int r;

	if (s->setup.is_to_wait)
		return answer_first(s);
	r = try_to_open(s, &f);
	if (r == 0) {
		s->reopen_ns = 0;
		trouble_end(&s->trouble);
		prune_look(s);
		server_tidy_later(s); /* whoever had it before may have been killed */
		return 0;
	}
	if (s->setup.is_first) {
		log_line("%s", f.text);
		return r;
	}
	trouble_begin(&s->trouble, clock_mono_ns(), s->paths.database, r, f.text, EFFECT);
	wait_for_store(s);
	return r;
}

void
opener_ask(struct server *s)
{
	s->unstored_count = 0;
	if (s->instance != 0)
		server_ask_all(s);
}

static void
reopen(void *arg)
{
	struct server *s = arg;

	bool is_open = opener_open(s) == 0;

	if (is_open)
		server_doubt(s);
	/* It was said when nobody knew what runs. */
	if (is_open && s->is_hurried)
		jobs_cancel_running(s);
	if (is_open || s->is_stopping)
		opener_ask(s);
}

bool
opener_lets_go(const struct server *s)
{
	return s->is_hurried && has_vanished(s->paths.database);
}

/* Left with the supervisor, or let go. */
static void
on_ended(struct server *s, int64_t job)
{
	if (!opener_lets_go(s)) {
		s->unstored_count++;
		return;
	}
	log_line("the end of job %" PRId64 " is not kept, for %s is gone, and the daemon is to end",
	    job, s->paths.database);
	link_send_job(s->link, WIRE_FORGET, (uint64_t)job);
	s->has_let_go = true;
	if (s->syncs_owed == 0) /* it may have been the last */
		opener_ask(s);
}

/* Nothing runs, and nothing is to be stored: whoever waits is told before the daemon ends. */
static void
quit(struct server *s)
{
	s->is_leaving = true;
	calls_pump(s);
	calls_end(s);
	conns_flush(s->conns);
	link_send(s->link, WIRE_QUIT);
}

void
opener_message(struct server *s, const struct wire_message *m)
{
	switch (m->type) {
	case WIRE_STOPPING:
		s->is_stopping = s->is_hurried = true;
		opener_ask(s);
		break;
	case WIRE_STARTED:
		s->unstored_count++;
		leaders_keep(&s->leaders, &m->started);
		if (s->is_stopping)
			link_cancel(s->link, m->started.job, WIRE_CAUSE_CANCEL);
		break;
	case WIRE_ENDED:
		on_ended(s, (int64_t)m->ended.job);
		break;
	case WIRE_SYNCED:
		if (s->is_stopping && s->unstored_count == 0)
			quit(s);
		break;
	default:
		break;
	}
}

char *
opener_trouble(struct server *s)
{
	char aside[PATH_MAX], *text = NULL;

	if (s->trouble.is_on)
		return strdup(s->trouble.fault.text);
	if (s->setup.deaths > 0 &&
	    asprintf(&text, "the server has died young %u times in a row, the last %s; see the log",
		s->setup.deaths, s->setup.last_end) < 0)
		return NULL;
	if (text == NULL && s->store != NULL && store_read_aside_path(s->store, aside) == 0 &&
	    access(aside, F_OK) == 0 &&
	    asprintf(&text,
		"the store was damaged or not spawnd's, and was set aside as %s; take from it what you "
		"need, and move it away",
		aside) < 0)
		return NULL;
	return text;
}

void
opener_init(struct server *s, const struct server_setup *setup)
{
	s->setup = *setup;
	timer_init(&s->reopen, reopen, s);
}
