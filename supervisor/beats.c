/*
 * beats: see beats.h. Run by the supervisor. Never blocks on what a child holds, reads no more in a
 * turn than a pipe has room for by default, never allocates.
 */
#include "supervisor/beats.h"

#include "base/clock.h"
#include "base/fd.h"
#include "supervisor/report.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define READ_SIZE (64 * 1024)
/* Who brings as much in one read, or anything so soon again, does not tell how it fares. */
#define FLOOD_SIZE (16 * 1024)
#define FLOOD_NS (10 * NSEC_PER_MSEC)
#define MUTE_NS (50 * NSEC_PER_MSEC)
/* But so much may come in one go, so that a single large write need not wait; and again after so long without. */
#define BURST_SIZE (1280 * 1024)
#define BURST_NS NSEC_PER_SEC
/* What a read counts for at least. */
#define BURST_READ 4096
/* A file from so much later was given its time by hand; in nanoseconds it would not fit. */
#define MTIME_MAX_S 8000000000
/* Written while we look. */
#define JUST_NOW_NS ((int64_t)NSEC_PER_SEC)

/* Whoever watches is told when it falls silent for long, and when it does not any more. */
static void
note_quiet(struct slot *slot, uint64_t now_ns)
{
	if (watchdog_mark_quiet(&slot->watchdog, now_ns))
		slots_note_news(slot->slots, slot, SLOT_TELL_IDLE);
}

static void
note_lines(struct slot *slot, uint32_t count)
{
	if (count == 0)
		return;
	slot->lines += count;
	slot->lines_wall_ms = clock_wall_ms();
	slots_note_news(slot->slots, slot, SLOT_TELL_PROGRESS);
}

/* The job has shown that it lives; it asks for extend_ns more, or 0. */
static void
sign(struct slot *slot, uint64_t extend_ns, uint64_t now_ns)
{
	bool had_beaten = slot->watchdog.has_beaten, is_extended, is_first;
	bool is_live = child_is_live(&slot->child);

	watchdog_sign(&slot->watchdog, ACTIVITY_HEARTBEAT, now_ns);
	note_quiet(slot, now_ns);
	/* Who is being ended, or has ended, is given no more: what it had then is what its record tells. */
	is_extended = extend_ns > 0 && is_live && slot->ending_ns == 0 &&
	    watchdog_extend(&slot->watchdog, extend_ns, now_ns);
	is_first = slot->watchdog.has_beaten != had_beaten;
	if (!is_live)
		return;
	/* Only the first beat can bring the deadline nearer: the idle clock may begin with it. */
	if ((is_first || is_extended) && slot->child.state == CHILD_RUNNING)
		timer_arm(&slot->slots->loop->timers, &slot->deadline,
		    watchdog_wake(&slot->watchdog));
	if (is_extended || (is_first && slot->watchdog.limits.idle_from == IDLE_FROM_FIRST_BEAT))
		report_standing(slot);
}

/* Returns what read(2) did, or -errno. */
static ssize_t
take(struct slot *slot, uint64_t now_ns)
{
	struct heartbeat *h;
	char data[READ_SIZE];
	ssize_t n;

	do
		n = read(slot->beats_fd, data, sizeof(data));
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return -errno;
	if (n > 0) {
		h = slots_heartbeat(slot->slots, slot);
		slot->has_lines = true;
		note_lines(slot, heartbeat_feed(h, data, (size_t)n));
		sign(slot, heartbeat_take_extend_ns(h), now_ns);
	}
	return n;
}

static void
unmute(void *arg)
{
	struct slot *slot = arg;

	if (slot->beats_io.fd != -1)
		loop_change(slot->slots->loop, &slot->beats_io, EPOLLIN);
}

/* Whether a read of n bytes is more than its job may say for now. */
static bool
is_flood(struct slot *slot, ssize_t n, uint64_t now_ns)
{
	if (n < FLOOD_SIZE && now_ns - slot->read_ns >= FLOOD_NS)
		return false;
	if (now_ns - slot->flood_ns >= BURST_NS)
		slot->burst = 0;
	slot->flood_ns = now_ns;
	if (slot->burst <= BURST_SIZE)
		slot->burst += n > BURST_READ ? (uint32_t)n : BURST_READ;
	return slot->burst > BURST_SIZE;
}

static void
ready(void *arg, uint32_t events)
{
	struct slot *slot = arg;
	struct loop *loop = slot->slots->loop;
	ssize_t n = take(slot, loop->now_ns);
	bool is_muted = is_flood(slot, n, loop->now_ns);

	(void)events;
	slot->read_ns = loop->now_ns;
	/* We hold a writing end, so an end of the file means that it is not the pipe we were promised. */
	if (n == 0 || (n < 0 && n != -EAGAIN))
		loop_remove(loop, &slot->beats_io);
	else if (is_muted && loop_change(loop, &slot->beats_io, 0) == 0)
		timer_arm(&loop->timers, &slot->unmute, loop->now_ns + MUTE_NS);
}

int
beats_start(struct slot *slot)
{
	int flags = fcntl(slot->beats_fd, F_GETFL);
	struct stat st;

	timer_init(&slot->unmute, unmute, slot);
	if (flags == -1)
		return -errno;
	if ((flags & O_NONBLOCK) == 0)
		return -EINVAL;
	if (fstat(slot->output_fd, &st) == -1)
		return -errno;
	slot->output_size = st.st_size;
	slot->looked_ns = clock_mono_ns();
	slot->ahead_ns = clock_wall_ahead_ns();
	return loop_add(slot->slots->loop, &slot->beats_io, slot->beats_fd, 0, ready, slot);
}

void
beats_listen(struct slot *slot)
{
	/* It was added when that could still fail for want of memory. */
	loop_change(slot->slots->loop, &slot->beats_io, EPOLLIN);
}

/* When a file was written to, on our clock; not before since_ns. */
static uint64_t
written_ns(const struct timespec *mtime, uint64_t since_ns, uint64_t now_ns)
{
	struct timespec wall;
	int64_t age_ns;

	clock_gettime(CLOCK_REALTIME, &wall);
	age_ns = (int64_t)(wall.tv_sec - mtime->tv_sec) * (int64_t)NSEC_PER_SEC +
	    (wall.tv_nsec - mtime->tv_nsec);
	if (age_ns <= 0)
		return now_ns;
	if (since_ns >= now_ns || (uint64_t)age_ns >= now_ns - since_ns)
		return since_ns;
	return now_ns - (uint64_t)age_ns;
}

/* As beats_recall() says, from one of its files. */
static void
recall(struct slot *slot, int fd, uint32_t activity, uint64_t now_ns)
{
	struct stat st;

	if (fstat(fd, &st) == 0)
		watchdog_sign(&slot->watchdog, activity,
		    written_ns(&st.st_mtim, slot->watchdog.started_ns, now_ns));
}

void
beats_recall(struct slot *slot, uint64_t now_ns)
{
	const struct watchdog *w = &slot->watchdog;

	recall(slot, slot->output_fd, ACTIVITY_OUTPUT, now_ns);
	/* Its making also sets the time of a pipe: it is no beat that the idle clock waits for. */
	if (w->has_beaten || w->limits.idle_from != IDLE_FROM_FIRST_BEAT)
		recall(slot, slot->beats_fd, ACTIVITY_HEARTBEAT, now_ns);
}

/*
 * The file's time by the wall clock as it is now. If somebody has set that since the last look, it may be
 * by what it was before: the later of the two that is not in the future, for the benefit of the doubt.
 */
static struct timespec
time_by_now(const struct slot *slot, struct timespec mtime, int64_t ahead_ns, uint64_t now_ns)
{
	int64_t wall_ns = (int64_t)now_ns + ahead_ns, at_ns = wall_ns, moved_ns;

	if (mtime.tv_sec >= 0 && mtime.tv_sec < MTIME_MAX_S)
		at_ns = (int64_t)mtime.tv_sec * (int64_t)NSEC_PER_SEC + mtime.tv_nsec;
	moved_ns = at_ns + ahead_ns - slot->ahead_ns;
	if (at_ns > wall_ns + JUST_NOW_NS || (moved_ns > at_ns && moved_ns <= wall_ns))
		at_ns = moved_ns;
	return (struct timespec){.tv_sec = at_ns / (int64_t)NSEC_PER_SEC,
	    .tv_nsec = at_ns % (int64_t)NSEC_PER_SEC};
}

void
beats_look(struct slot *slot, uint64_t now_ns)
{
	struct timespec mtime;
	int64_t ahead_ns;
	struct stat st;

	if (slot->beats_fd != -1)
		take(slot, now_ns);
	if (slot->output_fd == -1 || fstat(slot->output_fd, &st) == -1)
		return;
	ahead_ns = clock_wall_ahead_ns();
	mtime = time_by_now(slot, st.st_mtim, ahead_ns, now_ns);
	if (st.st_size != slot->output_size)
		watchdog_sign(&slot->watchdog, ACTIVITY_OUTPUT,
		    written_ns(&mtime, slot->looked_ns, now_ns));
	slot->output_size = st.st_size;
	slot->looked_ns = now_ns;
	slot->ahead_ns = ahead_ns;
	note_quiet(slot, now_ns);
}

void
beats_judge(struct slot *slot, uint64_t now_ns)
{
	/* It may have written meanwhile. */
	if (!slot->watchdog.is_quiet && watchdog_is_quiet(&slot->watchdog, now_ns))
		beats_look(slot, now_ns);
	note_quiet(slot, now_ns);
}

void
beats_notice(struct slot *slot, const struct notice *notice, uint64_t now_ns)
{
	char line[NOTICE_MAX];
	size_t len;

	if (!notice_is_sign(notice))
		return;
	sign(slot, notice->extend_ns, now_ns);
	/* Where beats_recall() finds when that was. */
	futimens(slot->beats_fd, NULL);
	len = notice_line(notice, line);
	if (len == 0)
		return;
	slot->has_lines = true;
	heartbeat_say(slots_heartbeat(slot->slots, slot), line, len);
	note_lines(slot, 1);
}

void
beats_stop(struct slot *slot)
{
	loop_remove(slot->slots->loop, &slot->beats_io);
	timer_disarm(&slot->slots->loop->timers, &slot->unmute);
	fd_close(&slot->beats_fd);
	fd_close(&slot->output_fd);
}
