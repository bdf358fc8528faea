/*
 * call_query: the methods Status, List, Results, Info: what is going on. Runs in the
 * server. org.spawnd.varlink is their contract.
 */
#ifndef SERVER_CALL_QUERY_H
#define SERVER_CALL_QUERY_H

#include "server/call.h"

void call_status(struct call *call);
void call_list(struct call *call);
void call_results(struct call *call);
void call_info(struct call *call);

/* A job as List shows it; the caller's. */
json_t *query_job(struct server *s, const struct store_job *j);

#endif
