/*
 * status: see status.h. Any process. Pure.
 */
#include "base/status.h"

#include <errno.h>
#include <string.h>

static const char *const names[STATUS_COUNT] = {
    [STATUS_QUEUED] = "queued",
    [STATUS_STARTING] = "starting",
    [STATUS_RUNNING] = "running",
    [STATUS_SUSPENDED] = "suspended",
    [STATUS_COMPLETED] = "completed",
    [STATUS_ERROR] = "error",
    [STATUS_TIMEOUT] = "timeout",
    [STATUS_CANCELLED] = "cancelled",
    [STATUS_LOST] = "lost",
    [STATUS_SKIPPED] = "skipped",
};

const char *
status_name(enum status s)
{
	return names[s];
}

int
status_parse(const char *name)
{
	int s;

	for (s = 0; s < STATUS_COUNT; s++)
		if (strcmp(name, names[s]) == 0)
			return s;
	return -EINVAL;
}

bool
status_is_final(enum status s)
{
	switch (s) {
	case STATUS_QUEUED:
	case STATUS_STARTING:
	case STATUS_RUNNING:
	case STATUS_SUSPENDED:
	case STATUS_COUNT:
		return false;
	case STATUS_COMPLETED:
	case STATUS_ERROR:
	case STATUS_TIMEOUT:
	case STATUS_CANCELLED:
	case STATUS_LOST:
	case STATUS_SKIPPED:
		return true;
	}
	return false;
}
