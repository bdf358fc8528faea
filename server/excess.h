/*
 * excess: what becomes of a job whose output takes more room than max_output: an event in the feed,
 * and its end if that was asked for. Runs in the server.
 */
#ifndef SERVER_EXCESS_H
#define SERVER_EXCESS_H

#include "server/outputs.h"

/* For struct outputs_handlers; the arg is the struct server. */
void excess_exceeded(void *server, const struct outputs_excess *x);
void excess_trouble(void *server, const char *text);

#endif
