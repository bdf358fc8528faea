/*
 * promises: see promises.h. Rooms of the server are asked only for what they say of themselves.
 */
#include "tests/family/promises.h"

#include "server/state.h"
#include "tests/family/clients.h"
#include "tests/sim/world.h"
#include "wire/launch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BLOCK_MAX (1 << 20)

static struct promises_room *room;

void
promises_init(const struct promises_room *r)
{
	if (room == NULL)
		room = world_memory(sizeof(*room));
	*room = *r;
}

const struct promises_room *
promises_room(void)
{
	return room;
}

static const char *
find_variable(const struct launch *l, const char *name)
{
	size_t len = strlen(name);

	for (char **e = l->env; *e != NULL; e++) {
		if (strncmp(*e, name, len) == 0 && (*e)[len] == '=')
			return *e + len + 1;
	}
	return "";
}

struct plan *
promises_of_job(int64_t job)
{
	for (size_t i = 0; i < plans_count(); i++) {
		if (plans_at(i)->job == job)
			return plans_at(i);
	}
	world_broken(0, "no job comes from nowhere", "job %" PRId64, job);
}

/* Those that do work, in truth: all of them, of a parent, or of a pool. */
static uint32_t
count_working(const char *parent, unsigned pool)
{
	uint32_t count = 0;

	for (size_t i = 0; i < plans_count(); i++) {
		const struct plan *p = plans_at(i);

		if ((p->is_sent || p->is_alive) && !p->is_waiting &&
		    (parent == NULL || strcmp(p->parent, parent) == 0) &&
		    (pool == 0 || p->pool == pool))
			count++;
	}
	return count;
}

static void
check_room(const struct plan *p, const char *when)
{
	uint32_t all = count_working(NULL, 0), siblings = count_working(p->parent, 0);
	uint32_t of_pool = p->pool == 0 ? 0 : count_working(NULL, p->pool);

	if (all > room->max_running)
		world_broken(p->number, "never more than max_running do work",
		    "%" PRIu32 " of %" PRIu32 ", %s", all, room->max_running, when);
	if (siblings > room->max_running_per_parent)
		world_broken(p->number, "never more than max_running_per_parent do work",
		    "%" PRIu32 " of %" PRIu32 ", %s", siblings, room->max_running_per_parent, when);
	if (p->pool != 0 && of_pool > room->pools[p->pool])
		world_broken(p->number, "never more of a pool do work than it has room for",
		    "%" PRIu32 " of %" PRIu32 ", %s", of_pool, room->pools[p->pool], when);
}

/* Who was suspended within this run is told; a run that follows may be told as well. */
static void
check_resumed(const struct plan *p, const struct launch *l)
{
	bool is_told = find_variable(l, "SPAWND_RESUMED")[0] == '1';

	if (is_told ? !p->was_suspended : p->executed_of_run > 0)
		world_broken(p->number, "who is resumed is told so", "it was executed %u times",
		    p->executed);
	if (is_told && access(find_variable(l, "SPAWND_RESULTS"), R_OK) < 0)
		world_broken(p->number, "who is resumed gets results", "there is no file");
}

struct plan *
promises_spawn(int64_t job, int launch_fd)
{
	const void *block;
	size_t len;
	struct launch l;
	struct plan *p;

	if (launch_map_memfd(launch_fd, BLOCK_MAX, &block, &len) < 0 ||
	    launch_unpack(block, len, &l) < 0)
		world_broken(0, "a launch block arrives whole", "job %" PRId64, job);
	p = plans_of_child(find_variable(&l, "SPAWND_CHILD"));
	if (strcmp(find_variable(&l, "SPAWND_PARENT"), p->parent) != 0 ||
	    strcmp(l.argv[0], p->child) != 0 ||
	    strtoll(find_variable(&l, "SPAWND_JOB"), NULL, 10) != job)
		world_broken(p->number, "a job is told who it is", "otherwise");
	plans_spawned(p, job, (unsigned)strtoul(find_variable(&l, "SPAWND_RUN"), NULL, 10));
	check_resumed(p, &l);
	check_room(p, "when it is started");
	if (p->depth > room->max_depth && p->above->is_alive)
		world_broken(p->number, "jobs nest no deeper than max_depth", "%u", p->depth);
	free(l.argv);
	munmap((void *)block, len);
	return p;
}

void
promises_resumes(const struct plan *p)
{
	check_room(p, "when its wait is over");
}

/* What the queue counts is what is in it. */
static void
check_counts(const struct server *s)
{
	size_t queued = 0, running = 0, working = 0, suspended = 0;
	struct queue_job *j;

	for (j = queue_next_job(s->queue, NULL); j != NULL; j = queue_next_job(s->queue, j)) {
		queued += j->status == STATUS_QUEUED;
		suspended += j->status == STATUS_SUSPENDED;
		running += queue_is_live(j);
		working += queue_is_live(j) && !j->is_lent;
	}
	if (queued != queue_queued(s->queue) || suspended != queue_suspended(s->queue) ||
	    running != queue_running(s->queue) || working != queue_working(s->queue))
		world_broken(0, "what is counted is there", "%zu %zu %zu %zu", queued, suspended,
		    running, working);
}

void
promises_turn(void)
{
	struct server *s = clients_server();

	if (s == NULL || s->store == NULL || s->is_over)
		return;
	check_counts(s);
	if (store_is_dirty(s->store))
		world_broken(0, "a turn ends with a commit", "something is left");
	if (s->is_synced && !s->is_paused && queue_next(s->queue) != NULL)
		world_broken(0, "no room is left empty while a job could run", "job %" PRId64,
		    queue_next(s->queue)->number);
	if (queue_next_claim(s->queue) != NULL)
		world_broken(0, "who claims gets room when there is some", "job %" PRId64,
		    queue_next_claim(s->queue)->number);
}

bool
promises_is_idle(void)
{
	struct server *s = clients_server();

	return s != NULL && s->store != NULL && queue_next_job(s->queue, NULL) == NULL;
}

static void
describe(const struct queue_job *j)
{
	const struct plan *p = plans_of_child(j->child);

	fprintf(stderr, "%s: job %" PRId64 " of %s, %s, pool %s%s%s%s%s, after", p->child,
	    j->number, p->parent, status_name(j->status), j->pool->name,
	    j->holds != 0 ? ", on hold" : "", j->is_lent ? ", lends" : "",
	    p->is_waiting ? ", in a call" : "", p->is_alive ? ", lives" : "");
	for (size_t i = 0; i < p->after_count; i++)
		fprintf(stderr, " %s", p->after[i]->child);
	fputc('\n', stderr);
}

/* Those that run come first: they hold up the others. */
void
promises_rest(void)
{
	struct server *s = clients_server();
	struct queue_job *j, *blamed = NULL;

	for (j = s == NULL ? NULL : queue_next_job(s->queue, NULL); j != NULL;
	     j = queue_next_job(s->queue, j)) {
		describe(j);
		if (blamed == NULL || (queue_is_live(j) && !queue_is_live(blamed)))
			blamed = j;
	}
	if (blamed != NULL)
		world_broken(plans_of_child(blamed->child)->number, "no deadlock: all ends",
		    "long after the world has calmed down it is %s", status_name(blamed->status));
}
