/*
 * prune: see prune.h. A step is a turn's transaction like any other; the files of what it has removed
 * go at the beginning of the next, when it is certain, so that a crash leaves none behind.
 */
#include "server/prune.h"

#include "base/clock.h"
#include "server/starter.h"

#include <unistd.h>

/* Rows a step; and each is followed by a pause that is so many times as long as it was. */
#define STEP_ROWS 100
#define STEP_PAUSE_NS (10 * NSEC_PER_MSEC)
#define STEP_SHARE 4

/* What becomes due waits a little: others will. */
#define DELAY_NS NSEC_PER_SEC

/* A client whose call was cut off may ask again for what has just ended. */
#define SPARE_MS 10000

static struct store_keep
keep_of(const struct server *s)
{
	const struct config *c = &s->config;

	return (struct store_keep){
	    .now_ms = clock_wall_ms(),
	    .keep_ms =
		c->keep_ns == WATCHDOG_OFF ? INT64_MAX : (int64_t)(c->keep_ns / NSEC_PER_MSEC),
	    .jobs = c->keep_jobs == CONFIG_UNLIMITED ? INT64_MAX : c->keep_jobs,
	    .spare_ms = SPARE_MS,
	};
}

static void
arm(struct server *s, uint64_t wait_ns)
{
	uint64_t at_ns = clock_add_ns(s->loop.now_ns, wait_ns);

	if (!s->prune.is_armed || s->prune.at_ns > at_ns)
		timer_arm(&s->loop.timers, &s->prune, at_ns);
}

/* A step is done and committed, or undone: as long as steps remove something, there are files to go. */
static void
arm_after_step(struct server *s)
{
	uint64_t took_ns = clock_mono_ns() - s->prune_begun_ns;

	s->prune_begun_ns = 0;
	arm(s, STEP_PAUSE_NS > STEP_SHARE * took_ns ? STEP_PAUSE_NS : STEP_SHARE * took_ns);
}

void
prune_look(struct server *s)
{
	struct store_keep k = keep_of(s);
	int64_t due_ms, wait_ms;

	if (s->prune_begun_ns != 0) {
		arm_after_step(s);
		return;
	}
	if (server_check(s, store_prune_due(s->store, &k, &due_ms)) < 0 || due_ms == INT64_MAX)
		return;
	wait_ms = due_ms > k.now_ms ? due_ms - k.now_ms : 0;
	arm(s,
	    (uint64_t)wait_ms > UINT64_MAX / NSEC_PER_MSEC - 1000
		? TIMER_NEVER
		: (uint64_t)wait_ms * NSEC_PER_MSEC + DELAY_NS);
}

static int
unlink_files(void *arg, int64_t job)
{
	static int (*const kinds[])(const struct paths *p, int64_t job,
	    char path[PATH_MAX]) = {starter_output_path, starter_result_path, starter_results_path,
	    starter_results_part};
	struct server *s = arg;
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (kinds[i](&s->paths, job, path) == 0)
			unlink(path);
	}
	s->removed_count++;
	return 0;
}

/* The files of the last step, then the next. */
static int
step(struct server *s, const struct store_keep *k)
{
	int64_t due_ms = INT64_MAX;
	int r;

	s->removed_count = 0;
	r = store_each_removed(s->store, unlink_files, s);
	if (r == 0 && s->removed_count > 0)
		r = store_forget_removed(s->store);
	if (r == 0)
		r = store_prune_due(s->store, k, &due_ms);
	if (r == 0 && due_ms <= k->now_ms)
		r = store_prune(s->store, k, STEP_ROWS);
	return r;
}

static void
expired(void *arg)
{
	struct server *s = arg;
	struct store_keep k = keep_of(s);

	if (s->store == NULL || s->is_store_down || s->store_error != 0)
		return; /* looked at again when it works */
	s->prune_begun_ns = clock_mono_ns();
	if (server_check(s, step(s, &k)) < 0 || store_is_dirty(s->store))
		return;
	s->prune_begun_ns = 0;
	prune_look(s);
}

void
prune_init(struct server *s)
{
	timer_init(&s->prune, expired, s);
}
