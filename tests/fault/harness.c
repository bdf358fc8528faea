/*
 * harness: the supervisor under test, and its server. usage: fault_harness PAGE DIR [old]
 *
 * Runs supervisor_run() with failures as the page says; `old` as on a kernel without the newer system
 * calls. The supervisor executes this again as its server, which plays the scenario.
 */
#include "supervisor/supervisor.h"
#include "tests/fault/fault.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

static uint64_t
own_cpu_ns(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return ((uint64_t)usage.ru_utime.tv_sec + (uint64_t)usage.ru_stime.tv_sec) * 1000000000 +
	    ((uint64_t)usage.ru_utime.tv_usec + (uint64_t)usage.ru_stime.tv_usec) * 1000;
}

int
main(int argc, char **argv)
{
	char *server_argv[] = {argv[0], "server", argv[1], argv[2], NULL};
	struct supervisor_setup setup = {
	    .lifeboat_fd = -1,
	    .listen_fd = -1,
	    .lock_fd = -1,
	    .store_lock_fd = -1,
	    .notify_fd = -1,
	    .server_argv = server_argv,
	    .ready_fd = -1,
	};
	struct fault_page *page;
	int code;

	if (argc >= 4 && strcmp(argv[1], "server") == 0)
		player_run(fault_map(argv[2]), argv[3]);
	if (argc != 3 && argc != 4)
		errx(64, "usage: fault_harness PAGE DIR [old]");
	page = fault_map(argv[1]);
	/* Nobody is there: telling the service manager fails as it may. */
	setenv("NOTIFY_SOCKET", "@spawnd-fault", 1);
	setup.ready_fd = dup(STDOUT_FILENO);
	if (argc == 4)
		setup.without = "group-pidfd clone3 exit-info";
	fault_begin(page);
	code = supervisor_run(&setup);
	fault_end();
	page->cpu_ns = own_cpu_ns();
	page->has_ended = true;
	return code;
}
