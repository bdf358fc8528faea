/*
 * row: a job as the store has it, in a copy that outlives the callback in which it was read. Runs in
 * the server.
 */
#ifndef SERVER_ROW_H
#define SERVER_ROW_H

#include "base/id.h"
#include "store/store.h"

/* The strings of `job` are the arrays' below, or NULL: its command, meta and boot_id are not copied. */
struct row {
	struct store_job job;
	char parent[ID_SIZE];
	char child[ID_SIZE];
	char profile[ID_SIZE];
	char model[MODEL_SIZE];
	char disabled_tools[STORE_TOOLS_SIZE];
	char pool[ID_SIZE];
	char due_boot[64];
};

/* A store_job_cb: arg is the struct row. A row stays where it is, for it points into itself. */
int row_copy(void *arg, const struct store_job *j);

#endif
