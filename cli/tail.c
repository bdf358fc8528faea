/*
 * tail: see tail.h. Run by `run` and `logs`. Nothing happens while the file does not grow; where
 * the system has no inotify instance left (fs.inotify.max_user_instances), it looks ten times a
 * second.
 */
#include "cli/tail.h"

#include "base/fd.h"

#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOK_MS 100
#define PIECE_MAX (64 * 1024)

/* How far behind a hole the end of the line is looked for that it has cut. */
#define LINE_MAX_CUT (64 * 1024)

/* Moves the watch over to path; without one, tail_timeout_ms() makes up for it. */
static void
tail_watch(struct tail *t, const char *path, uint32_t events)
{
	if (t->inotify_fd < 0)
		return;
	if (t->watch >= 0)
		inotify_rm_watch(t->inotify_fd, t->watch);
	t->watch = inotify_add_watch(t->inotify_fd, path, events);
}

static int
tail_open(struct tail *t)
{
	struct stat st;

	/* The job may have put anything there; a FIFO would not even be opened. */
	t->fd = open(t->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (t->fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(t->fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		fd_close(&t->fd);
		return -ENOTSUP;
	}
	tail_watch(t, t->path, IN_MODIFY);
	return 0;
}

int
tail_init(struct tail *t, const char *path)
{
	char dir[PATH_MAX];
	char *slash;
	int r;

	*t = (struct tail){.fd = -1, .watch = -1};
	if (strlcpy(t->path, path, sizeof(t->path)) >= sizeof(t->path))
		return -ENAMETOOLONG;
	t->inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	r = tail_open(t);
	if (r == 0 && t->fd < 0) {
		strlcpy(dir, path, sizeof(dir));
		slash = strrchr(dir, '/');
		if (slash != NULL)
			*slash = '\0';
		tail_watch(t, slash == NULL ? "." : dir, IN_CREATE | IN_MOVED_TO);
		r = tail_open(t); /* it may have come before the watch */
	}
	if (r < 0)
		tail_fini(t);
	return r;
}

void
tail_fini(struct tail *t)
{
	fd_close(&t->fd);
	fd_close(&t->inotify_fd);
	t->watch = -1;
}

/* Where the data begins. Only the beginning counts: the child may have made other holes itself. */
static off_t
find_begin(const struct tail *t)
{
	off_t begin = lseek(t->fd, 0, SEEK_DATA);

	if (begin < 0 && errno == ENXIO) /* nothing but a hole */
		begin = lseek(t->fd, 0, SEEK_END);
	return begin < 0 ? 0 : begin;
}

int
tail_seek_lines(struct tail *t, int64_t count)
{
	char piece[8192];
	struct stat st;
	off_t at, begin;
	ssize_t n = 0;

	if (t->fd < 0)
		return 0;
	if (fstat(t->fd, &st) < 0)
		return -errno;
	t->offset = at = st.st_size;
	if (count == 0)
		return 0;
	while (at > (begin = find_begin(t))) {
		size_t len =
		    at - begin > (off_t)sizeof(piece) ? sizeof(piece) : (size_t)(at - begin);

		at -= (off_t)len;
		n = pread(t->fd, piece, len, at);
		if (n < 0)
			return -errno;
		for (ssize_t i = n; i-- > 0;) {
			/* The newline that ends the file ends its last line, and begins none. */
			if (piece[i] == '\n' && at + i + 1 < st.st_size && --count <= 0) {
				t->offset = at + i + 1;
				return 0;
			}
		}
	}
	t->offset = 0;
	return 0;
}

/* The first byte behind the line that a hole up to `begin` has cut. */
static off_t
find_line(const struct tail *t, off_t begin)
{
	char piece[LINE_MAX_CUT];
	ssize_t n = pread(t->fd, piece, sizeof(piece), begin);
	const char *end = n > 0 ? memchr(piece, '\n', (size_t)n) : NULL;

	if (end == NULL)
		return begin;
	return begin + (end - piece) + (t->is_in_line ? 0 : 1);
}

void
tail_skip_freed(struct tail *t)
{
	off_t begin;

	if (t->fd < 0)
		return;
	/* Once more after each step: more may be freed while this looks. */
	while ((begin = find_begin(t)) > t->offset) {
		t->skipped += begin - t->offset;
		t->offset = find_line(t, begin);
	}
}

int
tail_wake(struct tail *t)
{
	char events[4096];

	if (t->inotify_fd >= 0) {
		while (read(t->inotify_fd, events, sizeof(events)) > 0)
			continue;
	}
	return t->fd < 0 ? tail_open(t) : 0;
}

int
tail_timeout_ms(const struct tail *t)
{
	return t->watch >= 0 ? -1 : LOOK_MS;
}

bool
tail_is_behind(const struct tail *t)
{
	struct stat st;

	return t->fd >= 0 && fstat(t->fd, &st) == 0 && st.st_size > t->offset;
}

int
tail_copy(struct tail *t, int out_fd, size_t size)
{
	char piece[PIECE_MAX];
	off_t offset = t->offset;
	ssize_t n, written;

	if (t->fd < 0)
		return 0;
	n = pread(t->fd, piece, size < sizeof(piece) ? size : sizeof(piece), offset);
	if (n <= 0)
		return n < 0 ? -errno : 0;
	/* What is there still was there when it was read: files are freed from their beginning. */
	tail_skip_freed(t);
	if (t->offset != offset)
		return 0;
	written = write(out_fd, piece, (size_t)n);
	if (written < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	t->offset += written;
	if (written > 0)
		t->is_in_line = piece[written - 1] != '\n';
	return 0;
}
