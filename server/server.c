/*
 * server: see server.h. What the loop's events mean; server/turn.h says what becomes of them.
 */
#include "server/server.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "cli/lock.h"
#include "server/approvals.h"
#include "server/beatpaths.h"
#include "server/call.h"
#include "server/defer.h"
#include "server/due.h"
#include "server/excess.h"
#include "server/jobs.h"
#include "server/lull.h"
#include "server/methods.h"
#include "server/opener.h"
#include "server/prune.h"
#include "server/results.h"
#include "server/settings.h"
#include "server/suspension.h"
#include "server/takeover.h"
#include "server/told.h"
#include "server/turn.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

/*
 * What part of the descriptors clients and FIFOs may have; the rest is for what is being started.
 * The supervisor can hold as many FIFOs as it has slots, a fifth of its limit less some.
 */
#define CLIENT_SHARE 4
#define FIFO_SHARE 6

static void
on_message(void *arg, struct conn *c, json_t *message)
{
	struct call *call;

	defer_end(arg);
	call = call_new(arg, c, message);
	if (call != NULL)
		method_run(call);
}

static void
on_writable(void *arg, struct conn *c)
{
	struct call *call = conn_state(c);

	(void)arg;
	if (call != NULL && call->stream != NULL)
		call->stream(call);
}

static void
on_closed(void *arg, struct conn *c)
{
	struct server *s = arg;
	struct call *call = conn_state(c);

	holds_release(s->holds, c, server_touch_parent, s);
	if (call != NULL)
		call_abandon(call);
	s->has_news = true;
}

static void
on_wire(void *arg, const struct wire_message *m)
{
	struct server *s = arg;

	if (defer_keep(s, m))
		return;
	defer_end(s);
	told_message(s, m);
}

static void
on_wire_dropped(void *arg, const char *why)
{
	(void)arg;
	log_line("a message of the supervisor was dropped: %s", why);
}

static void
on_wire_closed(void *arg)
{
	struct server *s = arg;

	defer_end(s);
	s->is_over = true;
	s->is_orphan = !s->is_quitting && takeover_is_due(s);
	if (s->is_orphan)
		log_line("the supervisor has died; %s",
		    s->is_managed ? "ending: the service manager starts another"
				  : "becoming the supervisor");
}

/* The supervisor holds as many as it has slots; the others are held by the server alone. */
static void
on_hold(void *arg, uint64_t index, int fd)
{
	struct server *s = arg;

	if (index < s->slot_count)
		link_hold(s->link, index, fd);
}

static void
on_release(void *arg, uint64_t index)
{
	struct server *s = arg;

	if (index < s->slot_count)
		link_release(s->link, index);
}

static void
on_settled(void *arg)
{
	((struct server *)arg)->has_news = true;
}

static int
on_checked(void *arg, int result)
{
	return server_check(arg, result);
}

static void
on_trouble(void *arg, const char *text)
{
	(void)arg;
	log_line("%s; the records wait", text);
}

/* The next server is to have it, or the supervisor itself; this one at once. */
static void
on_renewed(void *arg, enum wire_renewed what, int fd)
{
	struct server *s = arg;
	int r = 0;

	link_renew(s->link, what, fd);
	if (what == WIRE_RENEWED_LISTEN) {
		log_line("%s was gone: made anew", s->paths.socket);
		r = conns_renew(s->conns, fd);
	} else {
		if (what == WIRE_RENEWED_LOCK)
			lock_sign(fd, s->supervisor_pid, s->paths.runtime);
		r = dup3(fd, what == WIRE_RENEWED_LOCK ? WIRE_LOCK_FD : WIRE_NOTIFY_FD, O_CLOEXEC);
		r = r < 0 ? -errno : 0;
		fd_close(&fd);
	}
	if (r == 0)
		return;
	log_line("%s: %s; ending, so that another server begins anew", s->paths.runtime,
	    strerror(-r));
	s->is_over = true;
}

static void
on_mended(void *arg)
{
	struct server *s = arg;

	log_line("%s was gone: made anew", s->paths.runtime);
	beatpaths_mend(&s->paths, s->supervisor_pid);
	if (s->deliver != NULL)
		deliver_open_all(s->deliver);
	s->has_news = true;
}

static void
on_runtime_trouble(void *arg, const char *text)
{
	(void)arg;
	log_line("the runtime directory cannot be mended: %s; trying again", text);
}

static void
read_boot_id(struct server *s)
{
	FD_CLEANUP int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : fd_read_all(fd, s->boot_id, sizeof(s->boot_id) - 1);

	s->boot_id[n > 0 ? n : 0] = '\0';
	s->boot_id[strcspn(s->boot_id, "\n")] = '\0';
}

/* Heartbeat FIFOs of jobs that ended while nobody looked. */
static void
clean_beats(struct server *s)
{
	DIR *dir = opendir(s->paths.beats_dir);
	struct dirent *entry;
	char path[PATH_MAX];

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		char *end;
		int64_t job = strtoll(entry->d_name, &end, 10);

		if (*end == '\0' && job > 0 && queue_find(s->queue, job) == NULL &&
		    path_join(s->paths.beats_dir, entry->d_name, path) == 0)
			unlink(path);
	}
	if (dir != NULL)
		closedir(dir);
}

int
server_new_deliver(struct server *s)
{
	struct deliver_handlers deliver = {server_unfinished, on_hold, on_release, on_settled,
	    on_checked, on_trouble, s};
	uint64_t soft, limit = fd_raise_limit(&soft);

	return deliver_new(&s->loop, s->store, s->holds, s->paths.parents_dir, limit / FIFO_SHARE,
	    &deliver, &s->deliver);
}

static int
open_rooms(struct server *s)
{
	struct link_handlers link = {on_wire, on_wire_dropped, on_wire_closed, s};
	struct conn_handlers conn = {on_message, on_writable, on_closed, s};
	struct outputs_handlers outputs = {excess_exceeded, excess_trouble, s};
	struct runtime_handlers runtime = {on_renewed, on_mended, on_runtime_trouble, s};
	struct queue_room none = {0};
	uint64_t limit = fd_raise_limit(&s->nofile_before);
	int r = loop_init(&s->loop);

	if (r < 0)
		return r;
	s->loop.now_ns = clock_mono_ns();
	s->queue = queue_new(&none);
	s->family = family_new();
	s->waits = waits_new();
	s->holds = holds_new();
	if (s->queue == NULL || s->family == NULL || s->waits == NULL || s->holds == NULL ||
	    approvals_new(s) < 0)
		return -ENOMEM;
	r = server_set_pools(s);
	if (r == 0)
		r = suspension_init(s);
	if (r == 0)
		r = due_init(s);
	if (r == 0)
		r = link_new(&s->loop, WIRE_SERVER_FD, &link, &s->link);
	if (r == 0)
		r = outputs_new(&s->loop, &s->paths, &outputs, &s->outputs);
	if (r == 0)
		r = runtime_new(&s->loop, &s->paths, &runtime, &s->runtime);
	if (r == 0)
		r = feed_new(&s->store, s->queue, on_checked, s, &s->feed);
	if (r == 0)
		r = conns_new(&s->loop, WIRE_LISTEN_FD,
		    (unsigned)(limit / CLIENT_SHARE > 10000 ? 10000 : limit / CLIENT_SHARE), &conn,
		    &s->conns);
	return r;
}

/* Without a store the server goes on, and waits for one; the very first does not. */
static int
begin_store(struct server *s)
{
	int r = opener_open(s);

	if (r < 0)
		return s->setup.is_first ? r : 0;
	if (!s->is_set_aside)
		clean_beats(s);
	return 0;
}

static int
start(struct server *s, const struct server_setup *setup)
{
	char *faults = NULL;
	struct fault f = {""};
	int r;

	TAILQ_INIT(&s->calls);
	leaders_init(&s->leaders);
	lulls_init(&s->lends);
	lull_init(s);
	defer_init(s, told_message);
	TAILQ_INIT(&s->resting);
	turn_init(s);
	s->syncs_owed = 1; /* after HELLO */
	prune_init(s);
	opener_init(s, setup);
	r = paths_init(&s->paths, &f);
	if (r < 0) {
		log_line("%s", f.text);
		return r;
	}
	path_of_socket(WIRE_LISTEN_FD, s->paths.listening);
	r = settings_load(s, &faults);
	if (r < 0) {
		log_line("%s", faults != NULL ? faults : "out of memory");
		log_line("the configuration has faults: going on with the defaults");
		config_default(&s->config);
	}
	free(faults);
	read_boot_id(s);
	r = open_rooms(s);
	return r == 0 ? begin_store(s) : r;
}

static void
finish(struct server *s)
{
	conns_free(s->conns);
	due_fini(s);
	feed_free(s->feed);
	deliver_free(s->deliver);
	outputs_free(s->outputs);
	runtime_free(s->runtime);
	link_free(s->link);
	if (s->exit_code == EX_DATAERR)
		store_abandon(s->store);
	else
		store_close(s->store);
	results_free(s->results);
	waits_free(s->waits);
	queue_free(s->queue);
	family_free(s->family);
	sections_unref(s->sections);
	leaders_clear(&s->leaders);
	lulls_clear(&s->lends);
	lulls_clear(&s->lulls);
	approvals_free(s);
	holds_free(s->holds);
	free(s->to_start.items);
	free(s->to_forget.items);
	free(s->orphaned.items);
	free(s->to_suspend.items);
	free(s->unmade.items);
	free(s->stuck.items);
	loop_fini(&s->loop);
}

int
server_run(const struct server_setup *setup, bool is_managed)
{
	struct server *s = calloc(1, sizeof(*s));
	int r, code;

	log_init("server", fd_is_file(STDERR_FILENO));

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* beyond RLIMIT_FSIZE: as on a full disk */
	/* The supervisor decides about these; from a terminal they come to all of us. */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	fd_set_cloexec(WIRE_SERVER_FD, 1);
	fd_set_cloexec(WIRE_LISTEN_FD, 1);
	fd_set_cloexec(WIRE_LOCK_FD, 1);
	fd_set_cloexec(WIRE_NOTIFY_FD, 1);
	fd_set_cloexec(WIRE_STORE_LOCK_FD, 1);
	if (s == NULL)
		return EX_OSERR;
	s->is_managed = is_managed;
	s->supervisor_pid = getppid(); /* until its hello says so itself */
	s->loop.epoll_fd = s->loop.timer_fd = -1;
	r = start(s, setup);
	while (r == 0 && !s->is_over) {
		r = loop_turn(&s->loop, s->has_more);
		if (r == 0)
			turn_end(s);
	}
	if (r < 0)
		log_line("the server ends: %s", strerror(-r));
	if (s->is_orphan && !s->is_managed)
		log_line("cannot become the supervisor: %s; the next command starts one",
		    strerror(-takeover_exec(s)));
	code = r < 0 ? EX_SOFTWARE : s->exit_code;
	finish(s);
	free(s);
	return code;
}
