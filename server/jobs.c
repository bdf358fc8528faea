/*
 * jobs: see jobs.h.
 */
#include "server/jobs.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "server/approvals.h"
#include "server/beatpaths.h"
#include "server/due.h"
#include "server/echo.h"
#include "server/kin.h"
#include "server/load.h"
#include "server/lull.h"
#include "server/record.h"
#include "server/refusal.h"
#include "server/regular.h"
#include "server/retry.h"
#include "server/row.h"
#include "server/starter.h"
#include "server/stranger.h"
#include "server/suspension.h"
#include "server/waiting.h"
#include "wire/launch.h"

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Makes the record and stores the end. 0 or -errno. */
static int
store_end(struct server *s, const struct row *row, const struct ending *e, uint64_t freed,
    int64_t *ret_seq)
{
	char output[PATH_MAX] = "", result[PATH_MAX] = "";
	struct record record = {.job = &row->job,
	    .status = e->status,
	    .error = e->error,
	    .stage = e->stage,
	    .start_error = e->start_error,
	    .ended = e->ended,
	    .ended_ms = e->ended != NULL ? e->ended->ended_wall_ms : clock_wall_ms(),
	    .output = output,
	    .result = result};
	int64_t started_ms = e->ended != NULL ? e->ended->started_wall_ms : row->job.started_ms;
	char *line;
	int r = store_next_seq(s->store, &record.seq);

	if (r < 0)
		return r;
	starter_output_path(&s->paths, row->job.job, output);
	starter_result_path(&s->paths, row->job.job, result);
	record.output_bytes = regular_close_to_others(output);
	record.output_freed = (int64_t)freed;
	record.result_bytes = regular_close_to_others(result);
	line = record_make(&record);
	if (line == NULL)
		return -ENOMEM;
	r = store_end_job(s->store, row->job.job, e->status, started_ms, record.ended_ms,
	    record.seq, line);
	free(line);
	*ret_seq = record.seq;
	return r;
}

/* Nobody reads the FIFO of a parent whose id was made up. */
static void
touch_parent(struct server *s, const struct store_job *j)
{
	if (j->is_delivered)
		deliver_touch(s->deliver, j->parent);
}

static struct retry_cause
cause_of(const struct ending *e)
{
	struct retry_cause cause = {.status = e->status, .error = e->error};

	if (e->ended != NULL) {
		cause.started_ms = e->ended->started_wall_ms;
		cause.cause = e->ended->cause;
		cause.has_survivors = e->ended->survivor_count > 0;
	}
	return cause;
}

int
jobs_end(struct server *s, int64_t number, const struct ending *e)
{
	struct queue_job *j = queue_find(s->queue, number);
	const struct retry_cause cause = cause_of(e);
	char beats[PATH_MAX];
	struct row row;
	uint64_t freed;
	int64_t seq;
	int r = server_check(s, store_read_job(s->store, number, row_copy, &row));

	if (r == 0 && status_is_final(row.job.status))
		r = -ENOENT;
	if (r < 0)
		return r;
	if (j != NULL && retry_is_due(j, &row.job.order, &cause))
		return retry_begin(s, j, &row.job, &cause);
	/* May add an event, which must come before the record takes its number. */
	freed = outputs_finish(s->outputs, number, &row.job.limits);
	r = server_check(s, store_end(s, &row, e, freed, &seq));
	if (r < 0)
		return r;
	if (starter_beats_path(&s->paths, number, beats) == 0)
		unlink(beats);
	leaders_drop(&s->leaders, (uint64_t)number);
	waiting_tell(s, number, e->status);
	if (j != NULL) {
		waiting_drop(s, j);
		queue_remove(s->queue, j);
	}
	kin_leave(s, number);
	approvals_look(s);
	touch_parent(s, &row.job);
	s->has_news = true;
	return 0;
}

static int
copy_policy(void *arg, const struct store_job *j)
{
	*(int *)arg = j->policy;
	return 0;
}

/* What the job may decide for itself, under that of its parent, and of who enqueues it. 0 or -errno. */
static int
inherit_policy(struct server *s, int64_t above, struct jobs_new *n)
{
	int policy = -1, r = 0;

	if (above != 0)
		r = server_check(s, store_read_job(s->store, above, copy_policy, &policy));
	if (policy < n->caller_policy)
		policy = n->caller_policy;
	if (r == 0)
		n->job.policy = policy_inherit(n->policy, policy);
	return r;
}

int
jobs_add(struct server *s, struct jobs_new *n)
{
	struct store_job *job = &n->job;
	struct kin above;
	int r;

	if (queue_find_child(s->queue, job->child) != NULL)
		return -EINVAL;
	r = kin_find(s, job->parent, n->parent_job, &above);
	if (r == 0)
		r = inherit_policy(s, above.job, n);
	if (r < 0)
		return r;
	job->depth = above.depth;
	job->status = STATUS_QUEUED;
	job->queued_ms = clock_wall_ms();
	if (job->order.delay_ns != 0)
		due_delay(s, &job->order);
	r = server_check(s,
	    store_add_job(s->store, job, n->token, n->block, n->block_len, &job->job, &job->run));
	if (r < 0)
		return r;
	if (load_one(s, job) == NULL)
		return server_check(s, -ENOMEM);
	touch_parent(s, job);
	return above.job == 0 ? 0 : kin_join(s, job, &above);
}

/* What all processes of a job carry; supervisor/contain.h. Two jobs never get the same: there are 2^62. */
static uint64_t
new_mark(const struct server *s)
{
	uint64_t mark;

	if (s->mark_limit <= WIRE_MARK_LEAST)
		return 0;
	arc4random_buf(&mark, sizeof(mark));
	return WIRE_MARK_LEAST + mark % (s->mark_limit - WIRE_MARK_LEAST);
}

void
jobs_schedule(struct server *s)
{
	struct queue_job *j;
	uint64_t mark;

	/* Who has lent his room gets it back, whether or not anything may be started. */
	while ((j = queue_next_claim(s->queue)) != NULL) {
		queue_regain(s->queue, j);
		s->has_news = true;
	}
	if (!s->is_synced || s->is_paused || s->is_stopping || s->is_upgrading)
		return;
	while (s->store_error == 0 && (j = queue_next(s->queue)) != NULL) {
		mark = new_mark(s);
		if (server_check(s,
			store_set_starting(s->store, j->number, s->instance, s->boot_id, mark)) < 0)
			return;
		queue_start(s->queue, j);
		j->mark = mark;
		s->has_news = true; /* there is room in the queue */
		server_note(s, &s->to_start, j->number);
	}
}

/* It was not started, and nothing was: back into the queue, and no hurry. */
static void
put_back(struct server *s, struct queue_job *j, const char *why)
{
	log_line("job %" PRId64 " (%s) is put back into the queue: %s", j->number, j->child, why);
	j->is_told = false;
	outputs_forget(s->outputs, j->number);
	if (server_check(s, store_set_queued(s->store, j->number)) == 0)
		queue_put_back(s->queue, j, 0);
	server_back_off(s);
}

/*
 * A start came to nothing. What will pass by itself is tried again, unless somebody asked for the
 * job's end.
 */
static void
start_failed(struct server *s, struct queue_job *j, const struct ending *e, bool is_temporary)
{
	struct ending ending = *e;

	if (is_temporary && !j->is_cancelled) {
		put_back(s, j, e->error);
		return;
	}
	if (j->is_cancelled)
		ending.status = STATUS_CANCELLED;
	jobs_end(s, j->number, &ending);
}

static void
launch(struct server *s, struct queue_job *j)
{
	struct wire_spawn spawn = {.job = (uint64_t)j->number,
	    .containment = s->config.containment};
	int fds[WIRE_FD_COUNT];
	const char *stage = "launch";
	void *block = NULL;
	size_t len;
	struct row row;
	struct fault f = {"the store has no launch block"};
	int r = server_check(s, store_read_job(s->store, j->number, row_copy, &row));

	if (r == 0)
		r = server_check(s, store_read_launch(s->store, j->number, &block, &len));
	if (s->store_error != 0)
		return;
	if (r == 0)
		r = starter_open(&s->paths, &row.job, j->is_resumed, block, len, fds, &stage, &f);
	free(block);
	if (r < 0) {
		const struct ending e = {.status = STATUS_ERROR,
		    .error = f.text,
		    .stage = stage,
		    .start_error = -r};

		start_failed(s, j, &e, starter_is_temporary(-r));
		return;
	}
	spawn.limits = row.job.limits;
	spawn.mark = row.job.standing.mark;
	link_spawn(s->link, &spawn, fds);
	j->is_told = true;
	server_check(s, outputs_watch(s->outputs, j->number, &spawn.limits));
	if (j->is_cancelled)
		link_cancel(s->link, spawn.job, WIRE_CAUSE_CANCEL);
}

void
jobs_launch(struct server *s)
{
	struct numbers list = s->to_start;

	memset(&s->to_start, 0, sizeof(s->to_start));
	for (size_t i = 0; i < list.count; i++) {
		struct queue_job *j = queue_find(s->queue, list.items[i]);

		if (j != NULL && j->status == STATUS_STARTING)
			launch(s, j);
	}
	free(list.items);
}

size_t
jobs_cancel(struct server *s, struct queue_job *j)
{
	struct ending e = {.status = STATUS_CANCELLED,
	    .error = j->status == STATUS_SUSPENDED
		? "cancelled while it was suspended"
		: (j->is_retry ? "cancelled before it was run again"
			       : "cancelled before it was started")};

	j->is_cancelled = true;
	if (!queue_is_live(j))
		return jobs_end(s, j->number, &e) == 0;
	/* Where nothing can be stored, the supervisor remembers it. */
	if (!s->is_store_down)
		server_check(s, store_set_cancelled(s->store, j->number));
	if (j->is_told)
		link_cancel(s->link, (uint64_t)j->number, WIRE_CAUSE_CANCEL);
	return 1;
}

void
jobs_cancel_running(struct server *s)
{
	struct queue_job *j;

	for (j = queue_next_job(s->queue, NULL); j != NULL; j = queue_next_job(s->queue, j)) {
		if (queue_is_live(j))
			jobs_cancel(s, j);
	}
}

void
jobs_pause(struct server *s, const struct queue_job *j, bool is_paused)
{
	link_send_job(s->link, is_paused ? WIRE_PAUSE : WIRE_UNPAUSE, (uint64_t)j->number);
}

void
jobs_look(struct server *s, struct queue_job *j)
{
	if (j->is_asked)
		return;
	link_send_job(s->link, WIRE_LOOK, (uint64_t)j->number);
	j->is_asked = true;
}

void
jobs_looked(struct server *s, const struct wire_looked *m)
{
	struct queue_job *j = queue_find(s->queue, (int64_t)m->job);

	if (j == NULL)
		return;
	j->is_asked = false;
	j->is_paused = m->is_paused;
}

/* An earlier server started it. */
static void
watch_again(struct server *s, int64_t job)
{
	struct row row;

	beatpaths_mend_job(&s->paths, job, s->supervisor_pid);
	if (server_check(s, store_read_job(s->store, job, row_copy, &row)) == 0)
		server_check(s, outputs_watch(s->outputs, job, &row.job.limits));
}

int
jobs_started(struct server *s, const struct standing *st)
{
	struct queue_job *j = queue_find(s->queue, (int64_t)st->job);

	if (j == NULL)
		return -ENOENT;
	if (echo_is_start(j, st))
		return 0;
	j->mark = st->mark;
	if (!j->is_told)
		watch_again(s, j->number);
	j->is_told = true;
	j->is_paused = st->paused_ns != 0;
	leaders_keep(&s->leaders, st);
	lull_told(s, st);
	/* It was asked for when nobody could hear it. */
	if ((j->is_cancelled || j->is_suspending) && st->cause == WIRE_CAUSE_NONE)
		link_cancel(s->link, st->job, WIRE_CAUSE_CANCEL);
	if (s->is_store_down) /* it is told again */
		return 0;
	/* Else it may be told again only because another could not be adopted. */
	if (!s->has_unwatched)
		s->retry_ns = 0;
	if (j->status == STATUS_RUNNING)
		server_check(s, store_set_standing(s->store, st));
	else if (server_check(s, store_set_running(s->store, st)) == 0)
		queue_run(s->queue, j);
	return 0;
}

/* What could not be had, for people: the program's name as it was given, or its directory. */
static void
read_subject(struct server *s, int64_t job, bool is_directory, char *name, size_t size)
{
	struct launch l;
	void *block = NULL;
	size_t len;

	strlcpy(name, is_directory ? "of the program" : "the program", size);
	if (server_check(s, store_read_launch(s->store, job, &block, &len)) == 0 &&
	    launch_unpack(block, len, &l) == 0) {
		snprintf(name, size, "'%s'", is_directory ? l.directory : l.argv[0]);
		free(l.argv);
	}
	free(block);
}

static void
not_executed(struct server *s, struct queue_job *j, const struct limits *limits,
    const struct wire_ended *m)
{
	char subject[512], text[1024];
	const struct ending e = {.status = STATUS_ERROR,
	    .error = text,
	    .stage = refusal_stage(m),
	    .start_error = m->error};

	if (m->cause == WIRE_CAUSE_CANCEL)
		j->is_cancelled = true;
	read_subject(s, j->number, m->stage == WIRE_STAGE_DIRECTORY, subject, sizeof(subject));
	refusal_describe(m, subject, limits, text, sizeof(text));
	start_failed(s, j, &e, refusal_is_temporary(m));
}

void
jobs_ended(struct server *s, const struct wire_ended *m)
{
	struct queue_job *j = queue_find(s->queue, (int64_t)m->job);
	char error[sizeof(((struct fault *)0)->text)];
	struct wire_ended ended = *m;
	struct ending e = {.error = error, .ended = &ended};
	struct row row;

	if (j == NULL || server_check(s, store_read_job(s->store, j->number, row_copy, &row)) < 0) {
		/* It has ended already, and this is told again. */
		stranger_ended(s, m);
	} else if (echo_is_end(j, m, row.job.started_ms)) {
		log_line("job %" PRId64 " (%s): an earlier end of it is told again", j->number,
		    j->child);
	} else if (m->stage != WIRE_STAGE_NONE) {
		not_executed(s, j, &row.job.limits, m);
	} else {
		if (m->cause == WIRE_CAUSE_NONE &&
		    outputs_is_fatal(s->outputs, row.job.job, &row.job.limits))
			ended.cause = WIRE_CAUSE_OUTPUT;
		if (suspension_is_due(j, &ended)) {
			/* Where something survives SIGKILL, it runs until that is gone. */
			if (m->survivor_count > 0)
				return;
			suspension_enter(s, j, &row.job.limits);
		} else {
			e.status = record_judge(&row.job, &ended, error, sizeof(error));
			jobs_end(s, j->number, &e);
		}
	}
	/* What survives SIGKILL keeps its slot until the end is told again, and nobody is left. */
	server_set_stuck(s, (int64_t)m->job, m->survivor_count > 0);
	if (m->survivor_count == 0)
		server_note(s, &s->to_forget, (int64_t)m->job);
}
