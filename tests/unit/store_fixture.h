/*
 * store_fixture: a store in a directory of its own, for the tests of store/.
 */
#ifndef TESTS_UNIT_STORE_FIXTURE_H
#define TESTS_UNIT_STORE_FIXTURE_H

#include "store/store.h"
#include "wire/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define RECORD "{\"event\":\"completed\",\"run\":1,\"status\":\"error\",\"exit_code\":3}"

struct fixture {
	char dir[64];
	char path[96];
	struct store *store;
};

static inline int
fixture_make(void **state)
{
	struct fixture *x = calloc(1, sizeof(*x));

	if (x == NULL)
		return -1;
	snprintf(x->dir, sizeof(x->dir), "/tmp/test_store.XXXXXX");
	if (mkdtemp(x->dir) == NULL)
		return -1;
	snprintf(x->path, sizeof(x->path), "%s/spawnd.db", x->dir);
	*state = x;
	return 0;
}

static inline int
fixture_open(struct fixture *x)
{
	struct fault f = {.text = ""};
	int rc = store_open(x->path, false, &x->store, &f);

	if (rc != 0)
		print_message("store_open: %s\n", f.text);
	return rc;
}

static inline void
fixture_reopen(struct fixture *x)
{
	store_close(x->store);
	x->store = NULL;
	assert_int_equal(fixture_open(x), 0);
}

static inline int
fixture_make_open(void **state)
{
	return fixture_make(state) == 0 ? fixture_open(*state) : -1;
}

static inline int
fixture_remove(void **state)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
	struct fixture *x = *state;
	char path[128];

	store_close(x->store);
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", x->path, suffixes[i]);
		unlink(path);
	}
	int rc = rmdir(x->dir);
	free(x);
	return rc;
}

/* A job of the usual kind, to be changed by the test. */
static inline struct store_job
fixture_job(const char *parent, const char *child)
{
	struct store_job j = {
	    .parent = parent,
	    .child = child,
	    .is_delivered = true,
	    .command = "make all",
	    .queued_ms = 1000,
	};

	limits_default(&j.limits);
	return j;
}

static inline int64_t
fixture_add(struct fixture *x, const char *parent, const char *child)
{
	struct store_job j = fixture_job(parent, child);
	int64_t job = 0, run = 0;

	assert_int_equal(store_add_job(x->store, &j, NULL, "block", 5, &job, &run), 0);
	return job;
}

/* Ends a job as an error; returns the number of its record. */
static inline int64_t
fixture_end(struct fixture *x, int64_t job)
{
	int64_t seq = 0;

	assert_int_equal(store_next_seq(x->store, &seq), 0);
	assert_int_equal(store_end_job(x->store, job, STATUS_ERROR, 2000, 3500, seq, RECORD), 0);
	return seq;
}

/* What the callbacks below found: the strings are copied. */
struct found {
	int count;
	int64_t numbers[64];                     /* job, or seq, or count */
	struct store_job job;                    /* the last; its strings are those below */
	char parent[128], child[128], text[512]; /* command, body, path */
	char meta[128], boot_id[64];
	char profile[128], model[128], tools[128];
	char pool[128], due_boot[64];
};

static inline int
found_job(void *arg, const struct store_job *j)
{
	struct found *found = arg;

	found->numbers[found->count++ % 64] = j->job;
	found->job = *j;
	snprintf(found->parent, sizeof(found->parent), "%s", j->parent);
	snprintf(found->child, sizeof(found->child), "%s", j->child);
	snprintf(found->text, sizeof(found->text), "%s", j->command);
	snprintf(found->meta, sizeof(found->meta), "%s", j->meta != NULL ? j->meta : "NULL");
	snprintf(found->boot_id, sizeof(found->boot_id), "%s",
	    j->boot_id != NULL ? j->boot_id : "NULL");
	snprintf(found->profile, sizeof(found->profile), "%s",
	    j->profile != NULL ? j->profile : "NULL");
	snprintf(found->model, sizeof(found->model), "%s", j->model != NULL ? j->model : "NULL");
	snprintf(found->pool, sizeof(found->pool), "%s",
	    j->order.pool != NULL ? j->order.pool : "NULL");
	snprintf(found->due_boot, sizeof(found->due_boot), "%s",
	    j->order.due_boot != NULL ? j->order.due_boot : "NULL");
	snprintf(found->tools, sizeof(found->tools), "%s",
	    j->disabled_tools != NULL ? j->disabled_tools : "NULL");
	return 0;
}

static inline int
found_record(void *arg, const struct store_record *r)
{
	struct found *found = arg;

	found->numbers[found->count++ % 64] = r->seq;
	found->job.job = r->job;
	snprintf(found->parent, sizeof(found->parent), "%s", r->parent);
	snprintf(found->child, sizeof(found->child), "%s", r->child);
	snprintf(found->text, sizeof(found->text), "%s", r->body);
	return 0;
}

static inline int
found_id(void *arg, const char *id, int64_t count)
{
	struct found *found = arg;

	found->numbers[found->count++ % 64] = count;
	snprintf(found->parent, sizeof(found->parent), "%s", id);
	return 0;
}

static inline int
found_parent(void *arg, const struct store_parent *p)
{
	struct found *found = arg;

	found->count++;
	snprintf(found->parent, sizeof(found->parent), "%s", p->name);
	snprintf(found->text, sizeof(found->text), "%s", p->path != NULL ? p->path : "NULL");
	snprintf(found->meta, sizeof(found->meta), "%s", p->format);
	return 0;
}

/* store_set_running() with what these tests look at. */
static inline int
fixture_run(struct fixture *x, int64_t job, int64_t started_ms, int32_t pid, uint64_t start_time)
{
	const struct standing st = {.job = (uint64_t)job,
	    .started_wall_ms = started_ms,
	    .pid = pid,
	    .start_time = start_time,
	    .cpu_ns = STANDING_UNKNOWN,
	    .max_rss_kb = STANDING_UNKNOWN,
	    .wait_status = WIRE_WAIT_UNKNOWN,
	    .revision = 1};

	return store_set_running(x->store, &st);
}

#endif
