/*
 * refusal: see refusal.h.
 */
#include "server/refusal.h"

#include "server/record.h"
#include "server/starter.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	const char *phrase; /* the program's name follows, or the directory */
} stages[WIRE_STAGE_COUNT] = {
    [WIRE_STAGE_NONE] = {"none", ""},
    [WIRE_STAGE_SLOT] = {"slot", "the supervisor has no room for"},
    [WIRE_STAGE_FORK] = {"fork", "cannot make a process for"},
    [WIRE_STAGE_LAUNCH] = {"launch", "the launch block is damaged of"},
    [WIRE_STAGE_SETUP] = {"setup", "cannot set up the process of"},
    [WIRE_STAGE_CONTAIN] = {"contain", "cannot make the cgroup that is demanded for"},
    [WIRE_STAGE_LIMITS] = {"limits", "cannot set the limits of"},
    [WIRE_STAGE_EXEC] = {"exec", "cannot execute"},
    [WIRE_STAGE_DIRECTORY] = {"directory", "cannot enter the directory"},
};

const char *
refusal_stage(const struct wire_ended *m)
{
	return m->stage < WIRE_STAGE_COUNT ? stages[m->stage].name : "unknown";
}

bool
refusal_is_temporary(const struct wire_ended *m)
{
	return (m->stage == WIRE_STAGE_SLOT || m->stage == WIRE_STAGE_FORK) &&
	    starter_is_temporary(m->error);
}

void
refusal_describe(const struct wire_ended *m, const char *subject, const struct limits *limits,
    char *text, size_t size)
{
	char which[256] = "";

	if (m->stage == WIRE_STAGE_LIMITS)
		record_blame_limits(limits, m->error, which, sizeof(which));
	snprintf(text, size, "could not be started: %s %s%s: %s",
	    m->stage < WIRE_STAGE_COUNT ? stages[m->stage].phrase : "something failed for", subject,
	    which, strerror(m->error));
}
