/*
 * client: the benchmarks' connection to the daemon at $SPAWND_HOME/run/socket. What fails ends the
 * program with a message.
 */
#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct client {
	int fd;
	size_t len;
	char buffer[1 << 20];
};

/* CLOCK_MONOTONIC, in seconds. */
double bench_now(void);

void client_open(struct client *s);

/* Takes the reference to call. */
void client_send(struct client *s, json_t *call);

/* The next reply; the reference is the caller's. */
json_t *client_receive(struct client *s);

/* Takes all records of parent; calls each(arg, record), the last time with NULL if there was none. */
void client_records(struct client *s, const char *parent, void (*each)(void *, const json_t *),
    void *arg);

#endif
