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

/* One call; the reference to its answer is the caller's. Takes the reference to parameters. */
json_t *client_call(struct client *s, const char *method, json_t *parameters);

/* Queues n jobs of command, whose last word is NULL, with made-up child ids. */
void client_enqueue(struct client *s, const char *parent, int n, const char *const *command);

/* What Info answers; the reference is the caller's. */
json_t *client_info(struct client *s);
int client_number(const json_t *object, const char *key);

/* Takes all records of parent; calls each(arg, record), the last time with NULL if there was none. */
void client_records(struct client *s, const char *parent, void (*each)(void *, const json_t *),
    void *arg);

#endif
