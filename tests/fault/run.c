/*
 * run: see drive.h. One run: a supervisor with a failure before it, and what is left after it. Its process
 * takes over whatever the supervisor leaves, and so sees it.
 */
#include "tests/fault/drive.h"
#include "tests/harness/observe.h"

#include "base/clock.h"

#include <bsd/string.h>
#include <bsd/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* After so long a supervisor hangs: far more than the longest back-offs on a busy machine. */
#define PATIENCE_MS 120000
/* What a failure may cost: some tries, each after a pause. Who spins is far above. */
#define CALLS_FACTOR 4
#define CALLS_MORE 4000
#define CPU_FACTOR 4
#define CPU_MORE_NS (2 * NSEC_PER_SEC)

struct
try {
	const struct config *config;
	struct run *run;
	struct fault_page *page;
	char dir[64];
	pid_t stranger;
	int status; /* of the supervisor */
};

static void __attribute__((format(printf, 2, 3))) blame(struct try *t, const char *format, ...)
{
	va_list ap;

	if (t->run->bad[0] != '\0')
		return;
	va_start(ap, format);
	vsnprintf(t->run->bad, sizeof(t->run->bad), format, ap);
	va_end(ap);
}

/* A process that nothing here concerns. Each signal that it is sent stays with it, to be seen. */
static void
start_stranger(struct try *t)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	t->stranger = fork();
	if (t->stranger == -1)
		err(1, "fork");
	if (t->stranger == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setsid();
		for (;;)
			pause();
	}
	sigemptyset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
}

static void
check_stranger(struct try *t)
{
	char path[64], line[256];
	unsigned long long pending;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)t->stranger);
	f = fopen(path, "re");
	if (f == NULL)
		err(1, "%s", path);
	while (fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, "SigPnd: %llx", &pending) != 1 &&
		    sscanf(line, "ShdPnd: %llx", &pending) != 1)
			continue;
		if (pending != 0)
			blame(t, "a stranger was sent signals: %llx", pending);
	}
	fclose(f);
	if (kill(t->stranger, SIGKILL) == -1 || waitpid(t->stranger, NULL, 0) != t->stranger)
		blame(t, "a stranger has ended");
}

static void
make_page(struct try *t, char path[PATH_MAX])
{
	int fd;

	path_in(t->dir, "page", path);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd == -1 || ftruncate(fd, sizeof(struct fault_page)) == -1)
		err(1, "%s", path);
	close(fd);
	t->page = fault_map(path);
	t->page->plan = t->run->plan;
	t->page->fds_wanted = t->config->usual[t->run->is_old].fds;
}

static pid_t
start_supervisor(struct try *t, const char *page)
{
	char log[PATH_MAX];
	pid_t pid = fork();
	int fd;

	if (pid == -1)
		err(1, "fork");
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setsid();
	path_in(t->dir, "log", log);
	fd = open("/dev/null", O_RDWR);
	dup2(fd, STDIN_FILENO);
	dup2(fd, STDOUT_FILENO);
	fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (fd == -1)
		err(1, "%s", log);
	dup2(fd, STDERR_FILENO);
	closefrom(STDERR_FILENO + 1);
	execl(t->config->harness, t->config->harness, page, t->dir,
	    t->run->is_old ? "old" : (char *)NULL, (char *)NULL);
	err(1, "%s", t->config->harness);
}

static void
await(struct try *t, pid_t pid)
{
	uint64_t began_ns = clock_mono_ns();
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd ready = {.fd = pidfd, .events = POLLIN};

	if (pidfd == -1)
		err(1, "pidfd_open");
	if (poll(&ready, 1, PATIENCE_MS) != 1) {
		blame(t, "it has not ended after %d s", PATIENCE_MS / 1000);
		kill(pid, SIGKILL);
	}
	waitpid(pid, &t->status, 0);
	close(pidfd);
	t->run->took_ms = (uint32_t)((clock_mono_ns() - began_ns) / NSEC_PER_MSEC);
}

/* Ends a child of ours, one that lives: the supervisor should have. */
static bool
end_one_left(struct try *t)
{
	struct dirent *entry;
	DIR *dir = opendir("/proc");
	bool has_found = false;
	char state;
	int ppid, pid;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		pid = atoi(entry->d_name);
		if (pid <= 1 || !read_state(entry->d_name, &state, &ppid) || ppid != getpid())
			continue;
		has_found = true;
		if (state != 'Z') {
			blame(t, "process %d is left", pid);
			kill(pid, SIGKILL);
		}
		waitpid(pid, NULL, __WALL);
	}
	if (dir != NULL)
		closedir(dir);
	return has_found;
}

static bool
has_log(const struct try *t)
{
	char path[PATH_MAX];

	path_in(t->dir, "log", path);
	return has_contents(path);
}

/* How often the job's program was executed. */
static unsigned
count_starts(const struct try *t, unsigned job)
{
	char path[PATH_MAX], name[32], line[64];
	unsigned count = 0;
	FILE *f;

	snprintf(name, sizeof(name), "%u.ran", job);
	path_in(t->dir, name, path);
	f = fopen(path, "re");
	if (f == NULL)
		return 0;
	while (fgets(line, sizeof(line), f) != NULL)
		count++;
	fclose(f);
	return count;
}

static void
examine_jobs(struct try *t)
{
	const struct fault_page *page = t->page;
	int error = page->failed == 0 ? 0 : page->plan.error;
	const char *fault;
	unsigned i;

	for (i = 0; i < player_job_count(); i++) {
		const struct fault_job *job = &page->jobs[i];

		if (job->state != FAULT_JOB_STORED) {
			blame(t, "job %u has not ended", i);
			continue;
		}
		fault = player_judge(i, &job->ended, error);
		if (fault != NULL)
			blame(t,
			    "job %u: %s: stage=%u error=%d cause=%u killed=%u status=%x started=%d",
			    i, fault, job->ended.stage, job->ended.error, job->ended.cause,
			    job->ended.was_killed, (unsigned)job->ended.wait_status,
			    job->ended.started_wall_ms != 0);
		if (count_starts(t, i) > 1)
			blame(t, "job %u was started twice", i);
		if (count_starts(t, i) > 0 && job->ended.started_wall_ms == 0)
			blame(t, "job %u was started, and is said not to have been", i);
	}
}

static void
examine(struct try *t)
{
	const struct fault_page *page = t->page;
	const struct usual *usual = &t->config->usual[t->run->is_old];

	if (WIFSIGNALED(t->status))
		blame(t, "it was killed by signal %d", WTERMSIG(t->status));
	if (!page->has_ended)
		blame(t, "it did not come to its end");
	if (page->violation[0] != '\0')
		blame(t, "%s", page->violation);
	if (page->calls[FAULT_SUPERVISOR] / CALLS_FACTOR > usual->calls + CALLS_MORE)
		blame(t, "it spins: %u calls, where %u are usual", page->calls[FAULT_SUPERVISOR],
		    usual->calls);
	if (page->cpu_ns / CPU_FACTOR > usual->cpu_ns + CPU_MORE_NS)
		blame(t, "it spins: %.3f s, where %.3f s are usual", (double)page->cpu_ns / 1e9,
		    (double)usual->cpu_ns / 1e9);
	if (!page->has_begun) {
		/* It may refuse to begin, and has to say why. */
		if (page->failed == 0 || WEXITSTATUS(t->status) == 0)
			blame(t, "it did not begin, and exited with %d", WEXITSTATUS(t->status));
		else if (!has_log(t))
			blame(t, "it did not begin, and says nothing");
		return;
	}
	examine_jobs(t);
	if (WEXITSTATUS(t->status) != 0)
		blame(t, "it exited with %d", WEXITSTATUS(t->status));
	if (!page->has_crashed || !page->has_stopped)
		blame(t, "the scenario was not played to its end");
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void
note(struct try *t)
{
	const struct fault_page *page = t->page;
	struct run *run = t->run;
	int side, i;

	run->failed = page->failed;
	run->calls = page->calls[FAULT_SUPERVISOR];
	run->fds = page->fds_found;
	run->cpu_ns = page->cpu_ns;
	for (side = 0; run->plan.first == 0 && side < FAULT_SIDE_COUNT; side++)
		for (i = 0; i < FAULT_SITES; i++)
			run->seen[side][i] = (struct seen){.address = page->sites[side][i].address,
			    .count = page->sites[side][i].count,
			    .call = page->sites[side][i].call};
}

void
run_main(const struct config *config, struct run *run, unsigned number)
{
	struct try t = {.config = config, .run = run};
	char page[PATH_MAX];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	run->bad[0] = '\0';
	snprintf(t.dir, sizeof(t.dir), "%s/%u", config->dir, number);
	if (mkdir(t.dir, 0700) == -1)
		err(1, "%s", t.dir);
	make_page(&t, page);
	start_stranger(&t);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	await(&t, start_supervisor(&t, page));
	check_stranger(&t);
	while (end_one_left(&t))
		continue;
	examine(&t);
	note(&t);
	if (run->bad[0] == '\0')
		nftw(t.dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	strlcpy(run->dir, t.dir, sizeof(run->dir));
	_exit(0);
}
