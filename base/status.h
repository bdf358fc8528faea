/*
 * status: what a job can be, by number and by name. The names are what the store, the records and
 * the commands show.
 */
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

#include <stdbool.h>

enum status {
	STATUS_QUEUED,
	STATUS_STARTING, /* told to the supervisor, not yet known to run; people see "queued" */
	STATUS_RUNNING,
	STATUS_SUSPENDED, /* it has ended its process, to be run again later */
	STATUS_COMPLETED,
	STATUS_ERROR,
	STATUS_TIMEOUT,
	STATUS_CANCELLED,
	STATUS_LOST,
	STATUS_SKIPPED, /* it never ran: what it waited for has failed */
	STATUS_COUNT
};

/* "queued", "starting" and so on; never NULL for a value below STATUS_COUNT. */
const char *status_name(enum status s);

/* The status of that name, or -EINVAL. */
int status_parse(const char *name);

/* Whether the job has ended and will never change again. */
bool status_is_final(enum status s);

#endif
