/*
 * failpoint: see failpoint.h. Run by supervisor and server of the build for tests. Without a page
 * nothing happens. Only processes of this very program are ever killed.
 */
#include "tests/torture/failpoint.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

_Static_assert(sizeof(struct failpoint_page) <= FAILPOINT_PAGE_SIZE, "the page is too small");

int __real_clock_gettime(clockid_t clock, struct timespec *now);

static struct failpoint_page *page;
static enum failpoint_role own_role = FAILPOINT_ROLE_COUNT;
static pid_t own_pid;

static const char *const role_names[] = {"supervisor", "server"};
static const char *const phase_names[] = {"before", "after"};

#define FAILPOINT_NAME(name) [FAILPOINT_##name] = #name,
static const char *const names[FAILPOINT_COUNT] = {FAILPOINTS(FAILPOINT_NAME)};

static const char *const wire_names[WIRE_TYPE_COUNT] = {
    [WIRE_HELLO] = "HELLO",
    [WIRE_STARTED] = "STARTED",
    [WIRE_ENDED] = "ENDED",
    [WIRE_SYNCED] = "SYNCED",
    [WIRE_LOOKED] = "LOOKED",
    [WIRE_RELOAD] = "RELOAD",
    [WIRE_STOPPING] = "STOPPING",
    [WIRE_READY] = "READY",
    [WIRE_SPAWN] = "SPAWN",
    [WIRE_ADOPT] = "ADOPT",
    [WIRE_CANCEL] = "CANCEL",
    [WIRE_PAUSE] = "PAUSE",
    [WIRE_UNPAUSE] = "UNPAUSE",
    [WIRE_LULL] = "LULL",
    [WIRE_FORGET] = "FORGET",
    [WIRE_LOOK] = "LOOK",
    [WIRE_REPORT] = "REPORT",
    [WIRE_HOLD] = "HOLD",
    [WIRE_RELEASE] = "RELEASE",
    [WIRE_QUIT] = "QUIT",
    [WIRE_UPGRADE] = "UPGRADE",
};

/* Of a type that is not named above, its number. */
static void
name_messages(unsigned first, const char *direction)
{
	unsigned type;

	for (type = 0; type < WIRE_TYPE_COUNT; type++) {
		char *name = page->points[first + type].name;

		if (wire_names[type] != NULL)
			snprintf(name, FAILPOINT_NAME_SIZE, "%s/%s", direction, wire_names[type]);
		else
			snprintf(name, FAILPOINT_NAME_SIZE, "%s/%u", direction, type);
	}
}

static void __attribute__((constructor)) map_page(void)
{
	const char *path = getenv("TORTURE_PAGE");
	unsigned i;
	void *map;
	int fd;

	if (path == NULL)
		return;
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd == -1)
		err(1, "TORTURE_PAGE %s", path);
	map = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		err(1, "TORTURE_PAGE %s", path);
	close(fd);
	page = map;
	for (i = 0; i < FAILPOINT_WIRE_SEND; i++)
		snprintf(page->points[i].name, FAILPOINT_NAME_SIZE, "%s", names[i]);
	name_messages(FAILPOINT_WIRE_SEND, "wire_send");
	name_messages(FAILPOINT_WIRE_RECEIVE, "wire_receive");
}

void
failpoint_begin(enum failpoint_role role)
{
	own_role = role;
	own_pid = getpid();
	if (page == NULL)
		return;
	page->pid[role] = own_pid;
	/* A server becomes the supervisor where that has died. */
	if (page->pid[1 - role] == own_pid)
		page->pid[1 - role] = 0;
}

int
failpoint_is(enum failpoint_role role)
{
	return page != NULL && own_role == role && getpid() == own_pid;
}

int64_t
failpoint_shift_ms(void)
{
	return page != NULL ? page->shift_ms : 0;
}

/* Whether that is a process of this program, and not a stranger that has its number now. */
static bool
is_ours(pid_t pid)
{
	struct stat ours, theirs;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	return stat("/proc/self/exe", &ours) == 0 && stat(path, &theirs) == 0 &&
	    ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

static void
kill_other(void)
{
	pid_t pid = page->pid[1 - own_role];

	if (pid > 1 && is_ours(pid))
		kill(pid, SIGKILL);
}

static void
carry_out(const char *action)
{
	struct timespec now, left = {0};

	__real_clock_gettime(CLOCK_REALTIME, &now);
	page->done_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	page->done++;
	if (strcmp(action, "kill-other") == 0 || strcmp(action, "kill-both") == 0)
		kill_other();
	if (strcmp(action, "kill-self") == 0 || strcmp(action, "kill-both") == 0)
		raise(SIGKILL);
	if (sscanf(action, "stall-%ld", &left.tv_sec) == 1) {
		while (nanosleep(&left, &left) == -1 && errno == EINTR)
			continue;
	}
}

/* Whether the plan is about this passage; its action then, and nobody else's any more. */
static int
is_due(enum failpoint point, enum failpoint_phase phase, char action[FAILPOINT_PLAN_SIZE])
{
	char name[FAILPOINT_NAME_SIZE], when[8], who[16], plan[FAILPOINT_PLAN_SIZE];
	uint32_t number;

	memcpy(plan, page->plan, sizeof(plan));
	plan[sizeof(plan) - 1] = '\0';
	if (sscanf(plan, "!%31[^:]:%7[^:]:%u:%15[^:]:%127s", name, when, &number, who, action) !=
		5 ||
	    strcmp(name, page->points[point].name) != 0 || strcmp(when, phase_names[phase]) != 0 ||
	    strcmp(who, role_names[own_role]) != 0)
		return 0;
	return ++page->passed == number &&
	    __atomic_exchange_n(&page->plan[0], '\0', __ATOMIC_SEQ_CST) == '!';
}

void
failpoint_pass(enum failpoint point, enum failpoint_phase phase)
{
	char action[FAILPOINT_PLAN_SIZE];
	int error = errno;

	if (page == NULL || own_role == FAILPOINT_ROLE_COUNT || getpid() != own_pid)
		return;
	if (phase == FAILPOINT_AFTER)
		page->points[point].count[own_role]++;
	if (page->plan[0] == '!' && is_due(point, phase, action))
		carry_out(action);
	errno = error;
}
