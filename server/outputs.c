/*
 * outputs: see outputs.h.
 */
#include "server/outputs.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/fd.h"
#include "server/starter.h"
#include "server/trim.h"

#include <bsd/sys/tree.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * A job that is over in less than this costs no look and no watch, only what outputs_finish() does.
 */
#define FIRST_NS (100 * NSEC_PER_MSEC)

/* How often a quiet file is looked at that cannot be watched, or about which nothing can be done. */
#define SLOW_NS (5 * NSEC_PER_SEC)

/* Beyond the end of any file that grows while it is looked at. */
#define PROBE_AHEAD ((off_t)1 << 30)
#define PROBE_SIZE 4096

struct output {
	RB_ENTRY(output) by_job;
	RB_ENTRY(output) by_watch;
	struct outputs *all;
	struct timer look;
	struct trim trim;
	int64_t job;
	int watch;          /* -1: none */
	bool is_killed_for; /* on_output_limit = kill */
	bool is_told;       /* exceeded() was called */
	bool is_left;       /* the file system frees nothing */
	bool is_in_trouble; /* trouble() was called */
};

RB_HEAD(outputs_by_job, output);
RB_HEAD(outputs_by_watch, output);

struct outputs {
	struct loop *loop;
	const struct paths *paths;
	struct outputs_handlers handlers;
	struct outputs_by_job by_job;
	struct outputs_by_watch by_watch;
	struct loop_io io;
	int inotify_fd;     /* -1: there is none to be had */
	bool is_in_trouble; /* it was said that not all files can be watched */
};

static int
compare_job(const struct output *a, const struct output *b)
{
	return (a->job > b->job) - (a->job < b->job);
}

static int
compare_watch(const struct output *a, const struct output *b)
{
	return (a->watch > b->watch) - (a->watch < b->watch);
}

RB_GENERATE_INTERNAL(outputs_by_job, output, by_job, compare_job, static __attribute__((unused)))
RB_GENERATE_INTERNAL(outputs_by_watch, output, by_watch, compare_watch,
    static __attribute__((unused)))

static struct output *
find(struct outputs *all, int64_t job)
{
	struct output key = {.job = job};

	return RB_FIND(outputs_by_job, &all->by_job, &key);
}

static void
arm(struct output *o, uint64_t at_ns)
{
	timer_arm(&o->all->loop->timers, &o->look, at_ns);
}

static void
arm_in(struct output *o, uint64_t wait_ns)
{
	arm(o, clock_add_ns(o->all->loop->now_ns, wait_ns));
}

/* Once a job. */
static void
trouble(struct output *o, const char *what, int error)
{
	const struct outputs_handlers *h = &o->all->handlers;
	struct fault f;

	if (o->is_in_trouble)
		return;
	o->is_in_trouble = true;
	fault_set(&f, error, "job %" PRId64 ": %s: %s; trying again", o->job, what,
	    strerror(error));
	h->trouble(h->arg, f.text);
}

static void
no_watch(struct outputs *all, int error)
{
	struct fault f;

	if (all->is_in_trouble)
		return;
	all->is_in_trouble = true;
	fault_set(&f, error,
	    "output files cannot be watched: %s; looking at them every %d s instead (see "
	    "fs.inotify.max_user_watches and max_user_instances)",
	    strerror(error), (int)(SLOW_NS / NSEC_PER_SEC));
	all->handlers.trouble(all->handlers.arg, f.text);
}

static void
unwatch(struct output *o)
{
	if (o->watch < 0)
		return;
	RB_REMOVE(outputs_by_watch, &o->all->by_watch, o);
	inotify_rm_watch(o->all->inotify_fd, o->watch);
	o->watch = -1;
}

/*
 * Waits for the next write. A watch whose one event has been read may be there for a moment still,
 * and would take the new one with it: IN_MASK_CREATE says so (EEXIST).
 */
static void
watch(struct output *o, const char *path)
{
	const uint32_t events =
	    IN_MODIFY | IN_ONESHOT | IN_DONT_FOLLOW | IN_EXCL_UNLINK | IN_MASK_CREATE;
	struct outputs *all = o->all;
	struct stat st;

	o->watch = all->inotify_fd < 0 ? -1 : inotify_add_watch(all->inotify_fd, path, events);
	if (o->watch < 0) {
		if (all->inotify_fd >= 0 && errno != EEXIST && errno != ENOENT)
			no_watch(all, errno);
		arm_in(o, SLOW_NS);
		return;
	}
	RB_INSERT(outputs_by_watch, &all->by_watch, o);
	/* What was written before the watch was there did not wake us. */
	if (lstat(path, &st) == 0 && (uint64_t)st.st_size != o->trim.size) {
		unwatch(o);
		arm(o, trim_wake(&o->trim, all->loop->now_ns));
	}
}

static void
describe(const struct stat *st, struct trim_file *f)
{
	*f = (struct trim_file){.size = (uint64_t)st->st_size,
	    .room = (uint64_t)st->st_blocks * 512,
	    .block = st->st_blksize > 0 ? (uint64_t)st->st_blksize : PROBE_SIZE};
}

/* Where the data begins; a file with nothing but holes, or none, begins at its end. */
static uint64_t
find_begin(int fd, uint64_t size)
{
	off_t at = lseek(fd, 0, SEEK_DATA);

	if (at < 0)
		return errno == ENXIO ? size : 0;
	return (uint64_t)at < size ? (uint64_t)at : size;
}

/*
 * Looks at the file. It is opened only where it is long enough: *ret_fd is the caller's, or -1. 0 or
 * -errno.
 */
static int
measure(const struct output *o, const char *path, struct trim_file *f, int *ret_fd)
{
	struct stat st;

	*ret_fd = -1;
	if (lstat(path, &st) < 0)
		return -errno;
	describe(&st, f);
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (f->size <= o->trim.max_output)
		return 0;
	*ret_fd = open(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (*ret_fd < 0)
		return -errno;
	if (fstat(*ret_fd, &st) < 0)
		return -errno;
	describe(&st, f);
	f->begin = find_begin(*ret_fd, f->size);
	return 0;
}

static int
punch(int fd, off_t from, off_t len)
{
	return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, from, len) < 0 ? -errno
											: 0;
}

/* Whether parts of it can be freed, tried where there is nothing. */
static bool
can_punch(int fd, const struct trim_file *f)
{
	/* A job may make its output as long as files can be: then there is nothing beyond it. */
	return f->size > (uint64_t)INT64_MAX - PROBE_AHEAD - PROBE_SIZE ||
	    punch(fd, (off_t)f->size + PROBE_AHEAD, PROBE_SIZE) != -EOPNOTSUPP;
}

/* The first time that the job is over its limit. */
static void
tell(struct output *o, const struct trim_file *f, int fd, bool has_ended)
{
	const struct outputs_handlers *h = &o->all->handlers;
	struct outputs_excess x = {.job = o->job,
	    .action = OUTPUTS_TRIM,
	    .is_new = f->begin == 0,
	    .max_output = o->trim.max_output,
	    .output_bytes = f->size};

	o->is_told = true;
	o->is_left = !can_punch(fd, f);
	if (o->is_killed_for && !has_ended)
		x.action = OUTPUTS_KILL;
	else if (o->is_left)
		x.action = OUTPUTS_KEEP;
	h->exceeded(h->arg, &x);
}

/* Frees the oldest part of a file that is over; f->begin moves on. */
static void
free_oldest(struct output *o, struct trim_file *f, int fd)
{
	uint64_t to = trim_to(&o->trim, f);
	int r;

	if (to == 0 || o->is_left)
		return;
	r = punch(fd, 0, (off_t)to);
	if (r == 0)
		f->begin = to;
	else
		trouble(o, "the oldest part of its output cannot be freed", -r);
}

static void
look(void *arg)
{
	struct output *o = arg;
	struct outputs *all = o->all;
	char path[PATH_MAX];
	struct trim_file f;
	FD_CLEANUP int fd = -1;
	int r = starter_output_path(all->paths, o->job, path);
	uint64_t next_ns;

	if (r == 0)
		r = measure(o, path, &f, &fd);
	if (r == -ENOENT)
		return; /* it was deleted: what still grows has no name to find it by */
	if (r < 0) {
		trouble(o, "its output cannot be looked at", -r);
		arm_in(o, SLOW_NS);
		return;
	}
	if (!o->is_told && trim_is_over(&o->trim, &f)) {
		tell(o, &f, fd, false);
		o->trim.is_strict = false;
		/* What was told is durable at the end of this turn, and done in the next. */
		arm_in(o, 1);
		return;
	}
	free_oldest(o, &f, fd);
	if (o->is_left)
		return;
	next_ns = trim_next(&o->trim, &f, all->loop->now_ns);
	if (next_ns == TRIM_QUIET)
		watch(o, path);
	else
		arm(o, next_ns);
}

/* Events were lost, and with them the watches that they came from. */
static void
look_at_all(struct outputs *all)
{
	struct output *o;

	while ((o = RB_MIN(outputs_by_watch, &all->by_watch)) != NULL) {
		unwatch(o);
		arm(o, trim_wake(&o->trim, all->loop->now_ns));
	}
}

static void
on_written(struct outputs *all, int watch_number)
{
	struct output key = {.watch = watch_number};
	struct output *o = RB_FIND(outputs_by_watch, &all->by_watch, &key);

	/* The end of a watch is an event too. */
	if (o == NULL)
		return;
	unwatch(o);
	arm(o, trim_wake(&o->trim, all->loop->now_ns));
}

static void
ready(void *arg, uint32_t events)
{
	_Alignas(struct inotify_event) char buffer[4096];
	const struct inotify_event *e;
	struct outputs *all = arg;
	ssize_t n = read(all->inotify_fd, buffer, sizeof(buffer));

	(void)events;
	for (char *at = buffer; n > 0 && at < buffer + n; at += sizeof(*e) + e->len) {
		e = (const struct inotify_event *)at;
		if (e->mask & IN_Q_OVERFLOW)
			look_at_all(all);
		else
			on_written(all, e->wd);
	}
}

int
outputs_new(struct loop *l, const struct paths *p, const struct outputs_handlers *h,
    struct outputs **ret_outputs)
{
	struct outputs *all = calloc(1, sizeof(*all));
	int r = 0;

	if (all == NULL)
		return -ENOMEM;
	all->loop = l;
	all->paths = p;
	all->handlers = *h;
	RB_INIT(&all->by_job);
	RB_INIT(&all->by_watch);
	all->io.fd = -1;
	all->inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (all->inotify_fd < 0)
		no_watch(all, errno);
	else
		r = loop_add(l, &all->io, all->inotify_fd, EPOLLIN, ready, all);
	if (r < 0) {
		fd_close(&all->inotify_fd);
		free(all);
		return r;
	}
	*ret_outputs = all;
	return 0;
}

void
outputs_free(struct outputs *all)
{
	if (all == NULL)
		return;
	outputs_clear(all);
	if (all->inotify_fd >= 0)
		loop_remove(all->loop, &all->io);
	fd_close(&all->inotify_fd);
	free(all);
}

static void
init(struct output *o, struct outputs *all, int64_t job, const struct limits *limits)
{
	*o = (struct output){.all = all, .job = job, .watch = -1};
	o->is_killed_for = limits->on_output_limit == ON_OUTPUT_KILL;
	/* A job that is ended for it is ended at its limit; what is freed, is freed in steps. */
	o->trim = (struct trim){.max_output = limits->max_output, .is_strict = o->is_killed_for};
	timer_init(&o->look, look, o);
}

int
outputs_watch(struct outputs *all, int64_t job, const struct limits *limits)
{
	struct output *o;

	if (limits->max_output == WATCHDOG_OFF || find(all, job) != NULL)
		return 0;
	o = malloc(sizeof(*o));
	if (o == NULL)
		return -ENOMEM;
	init(o, all, job, limits);
	o->trim.looked_ns = all->loop->now_ns;
	RB_INSERT(outputs_by_job, &all->by_job, o);
	arm_in(o, FIRST_NS);
	return 0;
}

static void
drop(struct output *o)
{
	unwatch(o);
	timer_disarm(&o->all->loop->timers, &o->look);
	RB_REMOVE(outputs_by_job, &o->all->by_job, o);
	free(o);
}

void
outputs_forget(struct outputs *all, int64_t job)
{
	struct output *o = find(all, job);

	if (o != NULL)
		drop(o);
}

void
outputs_clear(struct outputs *all)
{
	struct output *o;

	while ((o = RB_MIN(outputs_by_job, &all->by_job)) != NULL)
		drop(o);
}

/* The last look: now the limit itself counts. Returns what has been freed of the file. */
static uint64_t
finish(struct output *o)
{
	char path[PATH_MAX];
	struct trim_file f;
	FD_CLEANUP int fd = -1;

	if (starter_output_path(o->all->paths, o->job, path) < 0 || measure(o, path, &f, &fd) < 0 ||
	    fd < 0)
		return 0;
	o->trim.is_strict = true;
	if (trim_is_over(&o->trim, &f) && !o->is_told)
		tell(o, &f, fd, true);
	free_oldest(o, &f, fd);
	return f.begin;
}

uint64_t
outputs_finish(struct outputs *all, int64_t job, const struct limits *limits)
{
	struct output *o = find(all, job), unwatched;
	uint64_t freed = 0;

	if (limits->max_output == WATCHDOG_OFF)
		return 0;
	if (o != NULL) {
		freed = finish(o);
		drop(o);
	} else {
		init(&unwatched, all, job, limits);
		freed = finish(&unwatched);
	}
	return freed;
}

bool
outputs_is_fatal(const struct outputs *all, int64_t job, const struct limits *limits)
{
	char path[PATH_MAX];
	struct stat st;

	return limits->on_output_limit == ON_OUTPUT_KILL && limits->max_output != WATCHDOG_OFF &&
	    starter_output_path(all->paths, job, path) == 0 && lstat(path, &st) == 0 &&
	    S_ISREG(st.st_mode) && (uint64_t)st.st_size > limits->max_output;
}
