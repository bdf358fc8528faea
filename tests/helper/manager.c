/*
 * manager: a service manager for one service, as small as can be. `manager [-a] [-l SOCKET] [-p PID]
 * [-w USEC] LOG COMMAND...` starts the command with NOTIFY_SOCKET, with -w also with WATCHDOG_USEC
 * and WATCHDOG_PID (-p: this one), with -l with a listening socket by LISTEN_FDS, writes what it is
 * told into LOG, one line for each line of a datagram, `PID TEXT`, and ends as the command did.
 * With -a the address is an abstract one. Run by tests only; links nothing but libc.
 */
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define LISTEN_FD 3

struct order {
	bool is_abstract;
	const char *socket;
	const char *watchdog_pid;
	const char *watchdog_usec;
};

static pid_t service;

static int
make_socket(const char *path, bool is_abstract, int type)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0), on = 1;

	if (strlen(path) >= sizeof(address.sun_path))
		errx(64, "%s: too long for a socket", path);
	strcpy(address.sun_path, path);
	if (is_abstract)
		address.sun_path[0] = '\0';
	else
		len++;
	if (!is_abstract)
		unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0)
		err(71, "%s", path);
	return fd;
}

static void
set(const char *name, const char *value)
{
	if (setenv(name, value, 1) < 0)
		err(71, "setenv");
}

static _Noreturn void
become_service(const struct order *o, const char *address, int listen_fd, char **command)
{
	char pid[16];

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	set("NOTIFY_SOCKET", address);
	if (o->watchdog_usec != NULL) {
		set("WATCHDOG_USEC", o->watchdog_usec);
		set("WATCHDOG_PID", o->watchdog_pid != NULL ? o->watchdog_pid : pid);
	}
	if (o->socket != NULL) {
		set("LISTEN_PID", pid);
		set("LISTEN_FDS", "1");
		set("LISTEN_FDNAMES", "spawnd.socket");
		if (listen_fd != LISTEN_FD && dup2(listen_fd, LISTEN_FD) < 0)
			err(71, "dup2");
	}
	execvp(command[0], command);
	err(127, "%s", command[0]);
}

/* One line for each that the datagram has. */
static void
write_lines(FILE *log, pid_t sender, char *text)
{
	char *line;

	for (line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"))
		fprintf(log, "%d %s\n", (int)sender, line);
	fflush(log);
}

/* Whether something came, or the service's end broke in. */
static bool
take(int fd, FILE *log, int flags)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct ucred))];
	} control = {0};
	char text[4096];
	struct iovec part = {.iov_base = text, .iov_len = sizeof(text) - 1};
	struct msghdr packet = {.msg_iov = &part,
	    .msg_iovlen = 1,
	    .msg_control = control.bytes,
	    .msg_controllen = sizeof(control.bytes)};
	struct ucred sender = {0};
	ssize_t n = recvmsg(fd, &packet, flags);

	if (n < 0)
		return false;
	memcpy(&sender, CMSG_DATA(&control.align), sizeof(sender));
	text[n] = '\0';
	write_lines(log, sender.pid, text);
	return true;
}

static void
pass_on(int signo)
{
	kill(service, signo);
}

static void
break_in(int signo)
{
	(void)signo;
}

static int
manage(int fd, FILE *log)
{
	int status;

	/* SIGCHLD may come just before recvmsg(2): it is asked for each tenth of a second as well. */
	while (waitpid(service, &status, WNOHANG) == 0) {
		struct timeval tenth = {.tv_usec = 100000};

		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tenth, sizeof(tenth));
		take(fd, log, 0);
	}
	while (take(fd, log, MSG_DONTWAIT))
		continue;
	fprintf(log, "0 ended\n");
	fclose(log);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int
main(int argc, char **argv)
{
	struct sigaction passes = {.sa_handler = pass_on}, breaks = {.sa_handler = break_in};
	struct order o = {0};
	char address[100];
	int option, fd, listen_fd = -1;
	FILE *log;

	while ((option = getopt(argc, argv, "+al:p:w:")) != -1) {
		if (option == 'a')
			o.is_abstract = true;
		else if (option == 'l')
			o.socket = optarg;
		else if (option == 'p')
			o.watchdog_pid = optarg;
		else if (option == 'w')
			o.watchdog_usec = optarg;
		else
			errx(64,
			    "usage: manager [-a] [-l SOCKET] [-p PID] [-w USEC] LOG COMMAND...");
	}
	if (argc - optind < 2)
		errx(64, "a log and a command are wanted");
	log = fopen(argv[optind], "we");
	if (log == NULL)
		err(73, "%s", argv[optind]);
	if ((size_t)snprintf(address, sizeof(address), "%s%s.notify", o.is_abstract ? "@" : "",
		argv[optind]) >= sizeof(address))
		errx(64, "%s: too long a path", argv[optind]);
	fd = make_socket(address, o.is_abstract, SOCK_DGRAM);
	if (o.socket != NULL) {
		listen_fd = make_socket(o.socket, false, SOCK_STREAM);
		if (listen(listen_fd, SOMAXCONN) < 0)
			err(71, "listen");
	}
	sigaction(SIGCHLD, &breaks, NULL);
	service = fork();
	if (service < 0)
		err(71, "fork");
	if (service == 0)
		become_service(&o, address, listen_fd, &argv[optind + 1]);
	sigaction(SIGTERM, &passes, NULL);
	sigaction(SIGHUP, &passes, NULL);
	return manage(fd, log);
}
