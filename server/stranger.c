/*
 * stranger: see stranger.h. What a process was executed with, proc_pid_environ(5), is what the starter
 * gave it, unless it has overwritten that: it is believed only if it names this job, and ids that may
 * be ids.
 */
#include "server/stranger.h"

#include "base/fd.h"
#include "base/id.h"
#include "base/log.h"
#include "server/kin.h"

#include <bsd/stdlib.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ENVIRON_MAX (4 << 20)

/* The environment, as lines that end in NUL, and with one NUL more; NULL: it cannot be read. */
static char *
read_environ(pid_t pid, size_t *ret_len)
{
	char path[64], *bytes = malloc(ENVIRON_MAX + 1);
	ssize_t len = -1;

	snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
	FD_CLEANUP int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (bytes != NULL && fd >= 0)
		len = fd_read_all(fd, bytes, ENVIRON_MAX);
	if (len <= 0) {
		free(bytes);
		return NULL;
	}
	bytes[len] = '\0';
	*ret_len = (size_t)len;
	return bytes;
}

static const char *
find(const char *bytes, size_t len, const char *name)
{
	size_t name_len = strlen(name);
	const char *line;

	for (line = bytes; line < bytes + len; line += strlen(line) + 1) {
		if (strncmp(line, name, name_len) == 0 && line[name_len] == '=')
			return line + name_len + 1;
	}
	return "";
}

/* 0 if it is none. */
static int64_t
find_number(const char *bytes, size_t len, const char *name)
{
	const char *fault;
	int64_t number = strtonum(find(bytes, len, name), 0, INT64_MAX / 2, &fault);

	return fault == NULL ? number : 0;
}

static int
admit(struct server *s, const struct store_job *j)
{
	const struct queue_new n = {.number = j->job,
	    .parent = j->parent,
	    .child = j->child,
	    .depth = j->depth,
	    .status = STATUS_STARTING};
	struct queue_job *added;
	int r = server_check(s, store_add_found_job(s->store, j));

	if (r < 0)
		return r;
	added = queue_add(s->queue, &n);
	if (added == NULL)
		return server_check(s, -ENOMEM);
	added->mark = j->standing.mark;
	r = kin_load(s, j);
	if (r < 0)
		return server_check(s, r);
	if (j->is_delivered)
		deliver_touch(s->deliver, j->parent);
	log_line("job %" PRId64
		 " (%s) runs, but the store does not know it: it is taken over as a child "
		 "of %s, by its environment",
	    j->job, j->child, j->parent);
	return 0;
}

/* -ENOENT if the environment says nothing that could be believed. */
static int
admit_by_environ(struct server *s, const struct standing *m)
{
	struct store_job j = {.job = (int64_t)m->job,
	    .is_delivered = true,
	    .command = "(not known: the store was set aside while it ran)",
	    .limits = s->config.limits,
	    .policy = POLICY_DENY, /* what it had is not known, and nothing may loosen it */
	    .queued_ms = m->started_wall_ms,
	    .boot_id = s->boot_id,
	    .standing.mark = m->mark,
	    .supervisor = s->instance};
	size_t len = 0;
	char *bytes = read_environ(m->pid, &len);
	int r = -ENOENT;

	if (bytes == NULL)
		return r;
	j.parent = find(bytes, len, "SPAWND_PARENT");
	j.child = find(bytes, len, "SPAWND_CHILD");
	j.run = find_number(bytes, len, "SPAWND_RUN");
	j.depth = find_number(bytes, len, "SPAWND_DEPTH");
	if (find_number(bytes, len, "SPAWND_JOB") == j.job && id_fault(j.parent) == NULL &&
	    id_fault(j.child) == NULL && queue_find_child(s->queue, j.child) == NULL)
		r = admit(s, &j);
	free(bytes);
	return r;
}

static int
look_at(void *arg, const struct store_job *j)
{
	(void)arg;
	(void)j;
	return 0;
}

bool
stranger_meet(struct server *s, const struct standing *m)
{
	int r = server_check(s, store_read_job(s->store, (int64_t)m->job, look_at, NULL));

	/* One that has ended needs nothing: its end is told again, and forgotten then. */
	if (r != -ENOENT)
		return false;
	r = admit_by_environ(s, m);
	if (r == -ENOENT || r == -EEXIST) {
		log_line("job %" PRIu64
			 " runs, but the store does not know it, and its process does not "
			 "tell its parent: it is cancelled, and nobody gets a record",
		    m->job);
		link_cancel(s->link, m->job, WIRE_CAUSE_CANCEL);
	}
	return r == 0;
}

void
stranger_ended(struct server *s, const struct wire_ended *m)
{
	if (s->is_set_aside &&
	    server_check(s, store_read_job(s->store, (int64_t)m->job, look_at, NULL)) == -ENOENT)
		log_line("job %" PRIu64
			 " has ended, but the store does not know it, and its process is gone: "
			 "nobody gets a record",
		    m->job);
}
