/*
 * fault: see fault.h. Run by the supervisor under test and by its children up to their exec, and, for
 * its table, by the driver. Makes no system call but to ask for the time: it is what wraps them.
 */
#include "tests/fault/fault.h"

#include "base/clock.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

static struct {
	struct fault_page *page; /* NULL: nothing is counted */
	enum fault_side side;
} state;

/*
 * From the manual pages, without what only a mistake of the caller's brings about, and without lies: that a
 * process or a file which is there is not.
 */
static const struct fault_kind kinds[FAULT_CALL_COUNT] = {
    [FAULT_CLONE3] = {"clone3", false, {EAGAIN, ENOMEM, EMFILE, ENOSPC, ENOSYS, EPERM}},
    [FAULT_CLOSE] = {"close", true, {EINTR, EIO}},
    [FAULT_DUP2] = {"dup2", false, {EMFILE, EBUSY}},
    [FAULT_EPOLL_CREATE] = {"epoll_create1", false, {EMFILE, ENOMEM}},
    [FAULT_EPOLL_CTL] = {"epoll_ctl", false, {ENOMEM, ENOSPC}},
    [FAULT_EPOLL_WAIT] = {"epoll_wait", false, {EINTR, ENOMEM}},
    [FAULT_EXECVE] = {"execve", false, {ENOMEM, EACCES, ENOENT, ETXTBSY, EIO}},
    [FAULT_FACCESSAT] = {"faccessat", false, {EACCES, ENOMEM}},
    [FAULT_FCHDIR] = {"fchdir", false, {EACCES, ESTALE}},
    [FAULT_FCNTL] = {"fcntl", false, {EMFILE, EPERM}},
    [FAULT_FGETS] = {"fgets", false, {EIO}},
    [FAULT_FOPEN] = {"fopen", false, {EMFILE, ENOMEM, EACCES}},
    [FAULT_FORK] = {"fork", false, {EAGAIN, ENOMEM}},
    [FAULT_FLOCK] = {"flock", false, {EINTR, ENOLCK}},
    [FAULT_FSTAT] = {"fstat", false, {EIO, ESTALE, ENOMEM}},
    [FAULT_GETDENTS] = {"getdents64", false, {ENOMEM, EINTR}},
    [FAULT_FUTIMENS] = {"futimens", false, {EPERM, EROFS}},
    [FAULT_GETPGID] = {"getpgid", false, {EPERM}},
    [FAULT_GETXATTR] = {"getxattr", false, {EACCES, ENOMEM}},
    [FAULT_IOCTL] = {"ioctl", false, {ENOTTY, EINVAL}},
    [FAULT_KILL] = {"kill", false, {EPERM}},
    [FAULT_LSEEK] = {"lseek", false, {ESPIPE}},
    [FAULT_MADVISE] = {"madvise", false, {EINVAL, ENOMEM}},
    [FAULT_MALLOC] = {"malloc", false, {ENOMEM}},
    [FAULT_MKDIR] = {"mkdir", false, {ENOSPC, EACCES, ENOMEM}},
    [FAULT_MKDIRAT] = {"mkdirat", false, {EAGAIN, EACCES, ENOMEM}},
    [FAULT_MMAP] = {"mmap", false, {ENOMEM, EAGAIN}},
    [FAULT_MUNMAP] = {"munmap", false, {ENOMEM}},
    [FAULT_NANOSLEEP] = {"nanosleep", false, {EINTR}},
    [FAULT_OPEN] = {"open", false, {EMFILE, ENFILE, ENOMEM, EACCES}},
    [FAULT_OPENAT] = {"openat", false, {EMFILE, ENFILE, ENOMEM, EACCES}},
    [FAULT_PIDFD_OPEN] = {"pidfd_open", false, {EMFILE, ENOMEM}},
    [FAULT_PIDFD_SEND_SIGNAL] = {"pidfd_send_signal", false, {EPERM, EAGAIN}},
    [FAULT_PIPE2] = {"pipe2", false, {EMFILE, ENFILE}},
    [FAULT_PRCTL] = {"prctl", false, {EINVAL}},
    [FAULT_PRLIMIT] = {"prlimit", false, {EPERM}},
    [FAULT_READ] = {"read", false, {EINTR, EAGAIN, EIO, ENOMEM, FAULT_SHORT}},
    [FAULT_RECVMSG] = {"recvmsg", false, {EINTR, EAGAIN, ENOMEM, ENOBUFS, ECONNRESET}},
    [FAULT_RMDIR] = {"rmdir", false, {EBUSY}},
    [FAULT_SENDMSG] = {"sendmsg", false, {EINTR, EAGAIN, ENOMEM, ENOBUFS, EPIPE, ECONNRESET}},
    [FAULT_SENDTO] = {"sendto", false, {EAGAIN, ECONNREFUSED, ENOBUFS}},
    [FAULT_SETPRIORITY] = {"setpriority", false, {EACCES, EPERM}},
    [FAULT_SETRLIMIT] = {"setrlimit", false, {EPERM}},
    [FAULT_SETSID] = {"setsid", false, {EPERM}},
    [FAULT_SETSOCKOPT] = {"setsockopt", false, {ENOMEM, EPERM}},
    [FAULT_SETXATTR] = {"setxattr", false, {EACCES, ENOMEM, ENOSPC}},
    [FAULT_SIGNALFD] = {"signalfd", false, {EMFILE, ENOMEM}},
    [FAULT_SOCKET] = {"socket", false, {EMFILE, ENOBUFS}},
    [FAULT_SOCKETPAIR] = {"socketpair", false, {EMFILE, ENFILE, ENOMEM}},
    [FAULT_TIMERFD_CREATE] = {"timerfd_create", false, {EMFILE, ENOMEM}},
    [FAULT_TIMERFD_SETTIME] = {"timerfd_settime", false, {ENOMEM}},
    [FAULT_UNLINKAT] = {"unlinkat", false, {EBUSY, EACCES, ENOMEM}},
    [FAULT_WAITID] = {"waitid", false, {EINTR, ENOMEM}},
    [FAULT_WAITPID] = {"waitpid", false, {EINTR}},
    [FAULT_WRITE] = {"write", false, {EINTR, EAGAIN, EIO, ENOSPC, FAULT_SHORT}},
};

const struct fault_kind *
fault_kind(enum fault_call call)
{
	return &kinds[call];
}

struct fault_page *
fault_map(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	void *page;

	if (fd == -1)
		err(1, "%s", path);
	page = mmap(NULL, sizeof(struct fault_page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		err(1, "%s", path);
	close(fd);
	return page;
}

void
fault_begin(struct fault_page *page)
{
	page->supervisor = getpid();
	state.side = FAULT_SUPERVISOR;
	state.page = page;
}

void
fault_end(void)
{
	state.page = NULL;
}

void
fault_is_child(void)
{
	state.side = FAULT_CHILD;
}

/* No lock: children of this process do the same, and may be killed at any point of it. */
static void
count(struct fault_site *sites, enum fault_call call, uint64_t address)
{
	uint64_t none;
	unsigned i, at = (unsigned)(address * 2654435761u >> 8);

	for (i = 0; i < FAULT_SITES; i++) {
		struct fault_site *site = &sites[(at + i) % FAULT_SITES];

		none = 0;
		atomic_compare_exchange_strong(&site->address, &none, address);
		if (site->address != address)
			continue;
		site->call = call;
		site->count++;
		return;
	}
}

int
fault_decide(enum fault_call call, const void *site)
{
	struct fault_page *page = state.page;
	const struct fault_plan *plan;
	uint64_t address = (uint64_t)(uintptr_t)site, none = 0, now_ns;
	uint32_t number;

	if (page == NULL)
		return 0;
	plan = &page->plan;
	page->calls[state.side]++;
	count(page->sites[state.side], call, address);
	if (plan->first == 0 || plan->side != state.side || plan->call != call ||
	    (plan->address != 0 && plan->address != address))
		return 0;
	number = ++page->seen;
	if (number < plan->first || page->failed >= plan->times)
		return 0;
	now_ns = clock_mono_ns();
	atomic_compare_exchange_strong(&page->since_ns, &none, now_ns);
	if (now_ns - page->since_ns > plan->for_ns)
		return 0;
	page->failed++;
	return plan->error;
}
