/*
 * test_beatpaths: which pipe is opened for a job that is adopted, whatever became of its path.
 */
#include "server/beatpaths.h"

#include "base/fd.h"

#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define JOB 7

struct stage {
	char dir[PATH_MAX];
	struct paths paths;
	char path[PATH_MAX];
	struct stat pipe; /* the one that the job was given */
	struct standing standing;
	pid_t child;
};

/* What the job's first process does before it waits. */
enum deed {
	KEEP,  /* has the pipe as its descriptor 3 */
	CLOSE, /* has closed it */
	OTHER, /* has another FIFO there */
	HIDE,  /* cannot be looked at */
};

static void
be_job(const struct stage *st, enum deed deed, int ready)
{
	char other[PATH_MAX];
	int fd = open(st->path, O_RDWR);

	if (deed == OTHER && path_join(st->dir, "7", other) == 0 && mkfifo(other, 0600) == 0)
		fd = open(other, O_RDWR);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (fd < 0 || dup2(ready, 4) < 0 || dup2(fd, 3) < 0)
		_exit(1);
	if (deed == CLOSE)
		close(3);
	if (deed == HIDE)
		prctl(PR_SET_DUMPABLE, 0);
	if (write(4, "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static void
begin(struct stage *st, enum deed deed)
{
	int ready[2];
	char byte;

	*st = (struct stage){.dir = "/tmp/test_beatpaths.XXXXXX"};
	assert_non_null(mkdtemp(st->dir));
	assert_int_equal(path_join(st->dir, "beats", st->paths.beats_dir), 0);
	assert_int_equal(mkdir(st->paths.beats_dir, 0700), 0);
	assert_int_equal(beatpaths_of(&st->paths, JOB, st->path), 0);
	assert_int_equal(mkfifo(st->path, 0600), 0);
	assert_int_equal(stat(st->path, &st->pipe), 0);
	assert_int_equal(pipe(ready), 0);
	st->child = fork();
	if (st->child == 0)
		be_job(st, deed, ready[1]);
	assert_true(st->child > 0);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	st->standing = (struct standing){.job = JOB, .pid = st->child};
}

static void
end(struct stage *st)
{
	char command[PATH_MAX + 16];

	kill(st->child, SIGKILL);
	assert_int_equal(waitpid(st->child, NULL, 0), st->child);
	snprintf(command, sizeof(command), "rm -r %s", st->dir);
	assert_int_equal(system(command), 0);
}

/* Opens it; whether it is the pipe that the job was given. */
static bool
reopen(struct stage *st, bool *ret_is_deaf)
{
	struct fault f = {""};
	struct stat now;
	int fd = beatpaths_reopen(&st->paths, &st->standing, ret_is_deaf, &f);

	assert_string_equal(f.text, "");
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &now), 0);
	assert_true(S_ISFIFO(now.st_mode));
	assert_int_equal(fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK), O_RDWR | O_NONBLOCK);
	/* By its path the same pipe is reached. */
	close(fd);
	fd = open(st->path, O_RDWR | O_NONBLOCK);
	assert_true(fd >= 0);
	close(fd);
	return now.st_ino == st->pipe.st_ino && now.st_dev == st->pipe.st_dev;
}

/* Held here as well, so that its inode is not given to another. */
static void
remove_path(struct stage *st, const char *link)
{
	int held = open(st->path, O_RDWR);

	assert_true(held >= 0);
	assert_int_equal(unlink(st->path), 0);
	if (link != NULL)
		assert_int_equal(symlink(link, st->path), 0);
}

static void
the_path_is_first(void **state)
{
	struct stage st;
	bool is_deaf = true;

	(void)state;
	begin(&st, CLOSE);
	assert_true(reopen(&st, &is_deaf));
	assert_false(is_deaf);
	end(&st);
}

static void
the_jobs_own_descriptor_is_next(void **state)
{
	const char *const links[] = {NULL, "/proc/1234567/fd/12"};
	char target[PATH_MAX] = "";
	struct stage st;
	bool is_deaf = true;

	(void)state;
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		begin(&st, KEEP);
		remove_path(&st, links[i]);
		assert_true(reopen(&st, &is_deaf));
		assert_false(is_deaf);
		/* And again, when the next supervisor dies. */
		assert_true(readlink(st.path, target, sizeof(target) - 1) > 0);
		assert_true(reopen(&st, &is_deaf));
		end(&st);
	}
}

static void
what_else_a_job_has_there_is_not_taken(void **state)
{
	const enum deed deeds[] = {CLOSE, OTHER};
	struct stage st;
	bool is_deaf = true;

	(void)state;
	for (size_t i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++) {
		begin(&st, deeds[i]);
		remove_path(&st, "/proc/1234567/fd/12");
		assert_false(reopen(&st, &is_deaf));
		assert_false(is_deaf);
		end(&st);
	}
	begin(&st, KEEP);
	remove_path(&st, NULL);
	st.standing.mark = UINT64_C(1) << 40; /* its number is another process's by now */
	assert_false(reopen(&st, &is_deaf));
	assert_false(is_deaf);
	end(&st);
}

static void
a_file_at_the_path_is_no_pipe(void **state)
{
	struct stage st;
	bool is_deaf = true;
	int fd;

	(void)state;
	begin(&st, KEEP);
	remove_path(&st, NULL);
	fd = open(st.path, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_true(reopen(&st, &is_deaf));
	assert_false(is_deaf);
	end(&st);
}

static void
who_cannot_be_looked_at_may_not_be_heard(void **state)
{
	struct stage st;
	bool is_deaf = false, is_root = geteuid() == 0;

	(void)state;
	if (is_root) /* who sees all */
		assert_int_equal(seteuid(65534), 0);
	begin(&st, HIDE);
	remove_path(&st, NULL);
	assert_false(reopen(&st, &is_deaf));
	assert_true(is_deaf);
	if (is_root)
		assert_int_equal(seteuid(0), 0);
	end(&st);
}

static void
a_link_becomes_one_to_who_has_the_pipe_open(void **state)
{
	char expected[64], target[PATH_MAX] = "";
	struct stage st;
	bool is_deaf;

	(void)state;
	begin(&st, KEEP);
	remove_path(&st, "/proc/1234567/fd/12");
	assert_true(reopen(&st, &is_deaf));
	beatpaths_mend_job(&st.paths, JOB, getpid());
	assert_true(readlink(st.path, target, sizeof(target) - 1) > 0);
	snprintf(expected, sizeof(expected), "/proc/%d/fd/", (int)getpid());
	assert_memory_equal(target, expected, strlen(expected));
	end(&st);
}

static void
a_file_that_a_job_has_made_meanwhile_becomes_a_link(void **state)
{
	char target[PATH_MAX];
	struct stage st;
	bool is_deaf;
	int fd;

	(void)state;
	begin(&st, KEEP);
	remove_path(&st, NULL);
	assert_true(reopen(&st, &is_deaf));
	assert_int_equal(unlink(st.path), 0);
	fd = open(st.path, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	close(fd);
	beatpaths_mend(&st.paths, getpid());
	assert_true(readlink(st.path, target, sizeof(target) - 1) > 0);
	end(&st);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_path_is_first),
	    cmocka_unit_test(the_jobs_own_descriptor_is_next),
	    cmocka_unit_test(what_else_a_job_has_there_is_not_taken),
	    cmocka_unit_test(a_file_at_the_path_is_no_pipe),
	    cmocka_unit_test(who_cannot_be_looked_at_may_not_be_heard),
	    cmocka_unit_test(a_link_becomes_one_to_who_has_the_pipe_open),
	    cmocka_unit_test(a_file_that_a_job_has_made_meanwhile_becomes_a_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
