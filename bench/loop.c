/*
 * loop: the limit of the machine: nothing but vfork, exec and wait of /bin/true, WIDTH at the same time. Linked with
 * nothing but libc, so that there is little to copy.
 *
 *	loop JOBS WIDTH
 */
#include <err.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static __attribute__((noinline)) void
start_true(void)
{
	pid_t pid = vfork();

	if (pid == 0) {
		execl("/bin/true", "true", (char *)NULL);
		_exit(127);
	}
	if (pid < 0)
		err(71, "vfork");
}

int
main(int argc, char **argv)
{
	int n = argc == 3 ? atoi(argv[1]) : 0, width = argc == 3 ? atoi(argv[2]) : 0;
	int running = 0, started = 0;

	if (n < 1 || width < 1)
		errx(64, "usage: loop JOBS WIDTH");
	for (int ended = 0; ended < n;) {
		for (; running < width && started < n; running++, started++)
			start_true();
		if (wait(NULL) > 0) {
			running--;
			ended++;
		}
	}
	return 0;
}
