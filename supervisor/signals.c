/*
 * signals: see signals.h. Run by the supervisor, before there is anything that a signal could interrupt.
 */
#include "supervisor/signals.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel's struct sigaction: handler, flags, restorer, mask. All zeros is SIG_DFL. */
static const unsigned long default_action[4];
#define KERNEL_SIGSET_SIZE 8

int
signals_take(int *ret_fd)
{
	sigset_t all, known;
	int i, fd;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	/*
	 * Some cannot be set, and some callers leave signals ignored: GNU make those two that glibc keeps to
	 * itself, 32 and 33, which signal(2) therefore does not take.
	 */
	for (i = 1; i <= SIGRTMAX; i++)
		syscall(SYS_rt_sigaction, i, default_action, NULL, KERNEL_SIGSET_SIZE);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&known);
	sigaddset(&known, SIGCHLD);
	sigaddset(&known, SIGHUP);
	sigaddset(&known, SIGTERM);
	sigaddset(&known, SIGINT);
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == -1)
		return -errno;
	fd = signalfd(-1, &known, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd == -1)
		return -errno;
	*ret_fd = fd;
	return 0;
}
