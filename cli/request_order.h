/*
 * request_order: when a job is to be run, before and after whom, and how often: from the options of
 * enqueue and run to parameters of Enqueue. The server decides what is right; what it needs not be asked about
 * is told sooner.
 */
#ifndef CLI_REQUEST_ORDER_H
#define CLI_REQUEST_ORDER_H

#include "cli/options.h"

#include <jansson.h>

/* 0, or EX_USAGE after telling what is wrong. */
int request_order_check(const struct options *o);

/* Adds what was given, and has been checked, to the parameters. */
void request_order_add(json_t *parameters, const struct options *o);

#endif
