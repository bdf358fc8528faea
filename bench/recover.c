/*
 * recover: how long nobody answers when the server is killed: from SIGKILL to the answer to the next call, in ms, on
 * standard output. The daemon serves at $SPAWND_HOME/run/socket. What a client does who waits: connects at once,
 * for the socket is there all the time, and again if the connection ends before the answer.
 */
#include "bench/client.h"

#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_S 60

static const char call[] = "{\"method\":\"org.spawnd.Info\"}";

/* Whether a call on a connection of its own was answered. */
static bool
is_answered(void)
{
	static struct client s;
	bool is_answer;

	client_open(&s);
	is_answer = send(s.fd, call, sizeof(call), MSG_NOSIGNAL) == sizeof(call) &&
	    recv(s.fd, s.buffer, sizeof(s.buffer), 0) > 0;
	close(s.fd);
	return is_answer;
}

int
main(void)
{
	static struct client s;
	json_t *info;
	double began;
	int server;

	client_open(&s);
	info = client_info(&s);
	server = client_number(info, "server_pid");
	json_decref(info);
	began = bench_now();
	if (server <= 1 || kill(server, SIGKILL) < 0)
		err(1, "the server, process %d", server);
	while (!is_answered()) {
		if (bench_now() - began > PATIENCE_S)
			errx(1, "no answer in %d s", PATIENCE_S);
	}
	printf("%.3f\n", (bench_now() - began) * 1e3);
	return 0;
}
