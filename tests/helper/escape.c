/*
 * escape: what tests let run that will not be held: trees that never stand still, and processes that
 * SIGKILL does not make go away. Run by tests only; links nothing but libc, and ends by itself after
 * PATIENCE_S, whatever becomes of its test.
 *
 *	escape comets COUNT MS FILE	COUNT processes, each of which forks, after MS, one in a session of
 *				its own, and exits; so for ever, whatever signal comes that can be
 *				ignored. FILE is made when there have been a few generations
 *	escape stopped FILE, escape going FILE	waits until the process whose number is in FILE is
 *				stopped, or is not
 *	escape hold PID FILE	traces a process, which stops where it is, and makes FILE; whatever
 *				happens to it then, it is not waited for
 *	escape embalm PID FILE	the same, but it runs on, and stops when it is about to exit
 *	escape reaper FILE	takes in all that its descendants leave behind, makes FILE, never reaps
 *	escape orphans CMD...	the same with all that CMD leaves behind; ends when CMD does
 *	escape limit SOFT HARD CMD...	sets RLIMIT_LOCKS and executes CMD
 */
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_S 120
#define GENERATIONS 10

static void
sleep_ms(long ms)
{
	nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

static time_t
now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static _Noreturn void
stall(void)
{
	alarm(PATIENCE_S);
	for (;;)
		pause();
}

static void
make_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd == -1 || write(fd, "\n", 1) != 1)
		err(71, "%s", path);
	close(fd);
}

static _Noreturn void
comet(long ms, const char *path)
{
	time_t end = now_s() + PATIENCE_S;
	int generation;

	for (generation = 0; now_s() < end; generation++) {
		sleep_ms(ms);
		if (generation == GENERATIONS)
			make_file(path);
		switch (fork()) {
		case 0:
			setsid();
			break;
		case -1:
			break;
		default:
			_exit(0);
		}
	}
	_exit(0);
}

static _Noreturn void
comets(long count, long ms, const char *path)
{
	signal(SIGTERM, SIG_IGN);
	for (; count > 0; count--)
		if (fork() == 0)
			comet(ms, path);
	stall();
}

static _Noreturn void
hold(pid_t pid, long options, const char *path)
{
	if (ptrace(PTRACE_SEIZE, pid, NULL, options) == -1)
		err(71, "PTRACE_SEIZE %d", (int)pid);
	if (options == 0 && ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) == -1)
		err(71, "PTRACE_INTERRUPT %d", (int)pid);
	signal(SIGTERM, SIG_IGN);
	make_file(path);
	stall();
}

static bool
is_stopped(long pid)
{
	char path[32], line[512], state = '?';
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	file = fopen(path, "re");
	if (file == NULL || fgets(line, sizeof(line), file) == NULL ||
	    sscanf(line, "%*d (%*[^)]) %c", &state) != 1)
		err(71, "%s", path);
	fclose(file);
	return state == 'T';
}

static _Noreturn void
await_stop(const char *path, bool is_wanted)
{
	FILE *file = fopen(path, "re");
	time_t end = now_s() + PATIENCE_S;
	long pid;

	if (file == NULL || fscanf(file, "%ld", &pid) != 1)
		err(71, "%s", path);
	while (is_stopped(pid) != is_wanted) {
		if (now_s() >= end)
			errx(70, "%ld is %s", pid,
			    is_wanted ? "never stopped" : "stopped for ever");
		sleep_ms(5);
	}
	exit(0);
}

static _Noreturn void
reaper(const char *path)
{
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == -1)
		err(71, "PR_SET_CHILD_SUBREAPER");
	if (fork() == 0) {
		if (fork() == 0) {
			setsid();
			make_file(path);
			stall();
		}
		_exit(0);
	}
	stall();
}

static _Noreturn void
orphans(char **argv)
{
	int status;
	pid_t pid;

	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == -1)
		err(71, "PR_SET_CHILD_SUBREAPER");
	pid = fork();
	if (pid == 0) {
		execvp(argv[0], argv);
		err(71, "%s", argv[0]);
	}
	alarm(PATIENCE_S);
	if (pid == -1 || waitpid(pid, &status, 0) == -1)
		err(71, "%s", argv[0]);
	exit(WIFEXITED(status) ? WEXITSTATUS(status) : 70);
}

static _Noreturn void
limit(char **argv)
{
	struct rlimit limit = {.rlim_cur = strtoull(argv[0], NULL, 10),
	    .rlim_max = strtoull(argv[1], NULL, 10)};

	if (setrlimit(RLIMIT_LOCKS, &limit) == -1)
		err(71, "RLIMIT_LOCKS");
	execvp(argv[2], argv + 2);
	err(71, "%s", argv[2]);
}

int
main(int argc, char **argv)
{
	const char *mode = argc > 2 ? argv[1] : "";

	if (strcmp(mode, "comets") == 0 && argc == 5)
		comets(atol(argv[2]), atol(argv[3]), argv[4]);
	if ((strcmp(mode, "stopped") == 0 || strcmp(mode, "going") == 0) && argc == 3)
		await_stop(argv[2], strcmp(mode, "stopped") == 0);
	if (strcmp(mode, "hold") == 0 && argc == 4)
		hold(atoi(argv[2]), 0, argv[3]);
	if (strcmp(mode, "embalm") == 0 && argc == 4)
		hold(atoi(argv[2]), PTRACE_O_TRACEEXIT, argv[3]);
	if (strcmp(mode, "reaper") == 0 && argc == 3)
		reaper(argv[2]);
	if (strcmp(mode, "orphans") == 0)
		orphans(argv + 2);
	if (strcmp(mode, "limit") == 0 && argc > 4)
		limit(argv + 2);
	errx(64, "usage: see the head of tests/helper/escape.c");
}
