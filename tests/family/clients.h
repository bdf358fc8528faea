/*
 * clients: who calls the server: each has a connection, and one call at a time, which is repeated when the
 * connection was lost, as the commands do it. Linked in place of server/conn.c: calls come in as JSON, replies
 * leave when the server flushes. The simulator of queue and family.
 */
#ifndef FAMILY_CLIENTS_H
#define FAMILY_CLIENTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct server;

/*
 * A reply to the call of client number: parameters are borrowed; error is NULL or the name without its
 * interface; is_last: the client may call again.
 */
typedef void clients_replied_cb(unsigned number, uint64_t tag, const char *error,
    const json_t *parameters, bool is_last);

void clients_init(void);

/* A new one, of that process (0: none); tag is passed on to replied(). */
unsigned clients_new(pid_t pid, clients_replied_cb *replied, uint64_t tag);

/* It calls org.spawnd.METHOD; takes parameters over. It must not be in a call. */
void clients_call(unsigned number, const char *method, json_t *parameters, bool is_more);

/* It is gone: no reply comes any more. */
void clients_close(unsigned number);

bool clients_is_calling(unsigned number);

/* The server that runs in this process, or NULL. */
struct server *clients_server(void);

#endif
