/*
 * option_rows: see option_rows.h.
 */
#include "cli/option_rows.h"

#include <stddef.h>
#include <string.h>

#define JOBS COMMANDS_OF_JOBS
#define TARGETERS (COMMAND_CANCEL | COMMAND_PAUSE | COMMAND_UNPAUSE)
#define PARENTS \
	(JOBS | COMMAND_WAIT | COMMAND_NEXT | COMMAND_RESULTS | COMMAND_EVENTS | COMMAND_LIST | \
	    COMMAND_ANSWER | TARGETERS)
#define STARTERS \
	((PARENTS & ~COMMAND_LINE) | COMMAND_FIFO | COMMAND_STATUS | COMMAND_LOGS | COMMAND_TREE | \
	    COMMAND_APPROVALS)
#define ALL (~COMMAND_LINE)

static const struct option_row option_rows[OPTION_COUNT] = {
    [OPTION_PARENT] = {"parent", 'p', "X", PARENTS, "the parent; inside a job: that job"},
    [OPTION_CHILD] = {"child", 'c', "Y", JOBS, "the child's id; made up if not given"},
    [OPTION_BATCH] = {"batch", 0, "FILE", COMMAND_ENQUEUE,
	"store a job for each line of FILE (-: standard input), an object of JSON"},
    [OPTION_FROM_LINE] = {"from-line", 0, "N", COMMAND_ENQUEUE,
	"of the batch, pass over what is before this line"},
    [OPTION_TOKEN] = {"token", 0, "NAME", COMMAND_ENQUEUE | COMMAND_LINE | COMMAND_ASK,
	"what was stored with this token before is not stored again"},
    [OPTION_IF_EXISTS] = {"if-exists", 0, "WHAT", JOBS,
	"a child that has not ended: refuse (default), ignore, replace"},
    [OPTION_NO_WAIT] = {"no-wait", 0, NULL, JOBS, "do not wait for room in a full queue: exit 75"},
    [OPTION_PROFILE] = {"profile", 0, "NAME", JOBS,
	"take what is not given here from [profile NAME] of spawnd.ini"},
    [OPTION_AFTER] = {"after", 0, "CHILD,...", JOBS,
	"start it when these children have ended, however"},
    [OPTION_AFTER_OK] = {"after-ok", 0, "CHILD,...", JOBS,
	"start it when these children have completed; else it is skipped"},
    [OPTION_AFTER_POLICY] = {"after-policy", 0, "WHEN", JOBS,
	"of these children: all (default), any, first_error"},
    [OPTION_MODEL] = {"model", 0, "MODEL", JOBS,
	"what the child is to think with; it finds it in SPAWND_MODEL"},
    [OPTION_PRIORITY] = {"priority", 0, "N", JOBS,
	"-100 to 100: higher is started first (default 0)"},
    [OPTION_POOL] = {"pool", 0, "NAME", JOBS,
	"a pool of the configuration: it also waits for room there"},
    [OPTION_DELAY] = {"delay", 0, "DURATION", JOBS, "do not start it before this has passed"},
    [OPTION_AT_TIME] = {"at", 0, "TIME", JOBS,
	"do not start it before: 2026-12-31T08:00:00Z, '2026-12-31 08:00', 08:00"},
    [OPTION_RETRIES] = {"retries", 0, "N", JOBS,
	"run it again, N times at the most, until it completes"},
    [OPTION_RETRY_DELAY] = {"retry-delay", 0, "DURATION", JOBS,
	"before the first retry (default 1s); then it doubles"},
    [OPTION_RETRY_ON] = {"retry-on", 0, "LIST", JOBS,
	"after which ends: error,timeout (default), lost"},
    [OPTION_META] = {"meta", 0, "K=V", JOBS, "a note kept with the job; may be repeated"},
    [OPTION_ENV] = {"env", 0, "K=V", JOBS, "set a variable for the child; may be repeated"},
    [OPTION_CLEAN_ENV] = {"clean-env", 0, NULL, JOBS, "only the variables of --env"},
    [OPTION_STDIN] = {"stdin", 0, "FILE", JOBS, "the child's standard input (default /dev/null)"},
    [OPTION_ALL] = {"all", 0, NULL, COMMAND_SUSPEND | COMMAND_WAIT,
	"when all have ended (default)"},
    [OPTION_ANY] = {"any", 0, NULL, COMMAND_SUSPEND | COMMAND_WAIT, "when one has ended"},
    [OPTION_FIRST_ERROR] = {"first-error", 0, NULL, COMMAND_SUSPEND | COMMAND_WAIT,
	"when all have ended, or one otherwise than completed"},
    [OPTION_TIMEOUT] = {"timeout", 0, "DURATION", COMMAND_WAIT | COMMAND_NEXT | COMMAND_ASK,
	"do not wait longer than this"},
    [OPTION_AT] = {"at", 0, "PATH", COMMAND_FIFO, "make the FIFO there"},
    [OPTION_FORMAT] = {"format", 0, "FORMAT", COMMAND_FIFO, "json (default) or tsv"},
    [OPTION_SINCE] = {"since", 0, "SEQ", COMMAND_RESULTS | COMMAND_EVENTS,
	"only records after this one"},
    [OPTION_WITH_RESULTS] = {"with-results", 0, NULL, COMMAND_RESULTS,
	"put what each child wrote into SPAWND_RESULT into its record"},
    [OPTION_TREE] = {"tree", 0, NULL, COMMAND_EVENTS, "also what is below the parent's children"},
    [OPTION_APPROVALS] = {"approvals", 0, NULL, COMMAND_EVENTS,
	"take the questions of what is below the parent, as they are put to it; implies --follow"},
    [OPTION_STATUS] = {"status", 0, "STATUS", COMMAND_LIST,
	"only jobs with this status, or paused"},
    [OPTION_FOLLOW] = {"follow", 'f', NULL, COMMAND_LOGS | COMMAND_EVENTS,
	"go on until the job has ended"},
    [OPTION_LINES] = {"lines", 'n', "N", COMMAND_LOGS, "only the last N lines"},
    [OPTION_TOOL] = {"tool", 0, "TOOL", COMMAND_BEAT, "what is being used"},
    [OPTION_PHASE] = {"phase", 0, "PHASE", COMMAND_BEAT, "how far that is: begin, end, ..."},
    [OPTION_ROUND] = {"round", 0, "N", COMMAND_BEAT, "the number of the round"},
    [OPTION_PROGRESS] = {"progress", 0, "X", COMMAND_BEAT, "how much is done: 0.4, or 40%"},
    [OPTION_EXTEND] = {"extend", 0, "DURATION", COMMAND_BEAT,
	"ask for this much time from now on, as far as max_extend allows"},
    [OPTION_NOW] = {"now", 0, NULL, COMMAND_STOP, "cancel what runs instead of waiting for it"},
    [OPTION_DETACH] = {"detach", 0, NULL, COMMAND_DAEMON,
	"go into the background; return when it serves"},
    [OPTION_IF_NEEDED] = {"if-needed", 0, NULL, COMMAND_DAEMON, NULL},
    [OPTION_READY_FD] = {"ready-fd", 0, "N", COMMAND_DAEMON,
	"write a newline to this descriptor when it serves"},
    [OPTION_RESUME] = {"resume", 0, "N", COMMAND_DAEMON, NULL},
    [OPTION_MANAGED] = {"managed", 0, NULL, COMMAND_SERVER | COMMAND_DAEMON, NULL},
    [OPTION_EXEC] = {"exec", 0, NULL, COMMAND_RELOAD,
	"have the daemon go over to the program that now stands where its own was"},
    [OPTION_NO_AUTOSTART] = {"no-autostart", 0, NULL, STARTERS,
	"do not start the daemon if none answers: exit 69"},
    [OPTION_JSON] = {"json", 0, NULL,
	(JOBS & ~COMMAND_LINE) | COMMAND_EVENTS | COMMAND_STATUS | COMMAND_LIST | COMMAND_TREE |
	    COMMAND_CONFIG | COMMAND_ASK | COMMAND_APPROVALS,
	"JSON for programs"},
    [OPTION_HELP] = {"help", 'h', NULL, ALL, "this text"},
};

/* What an option says instead where it means something else to some commands. */
struct option_exception {
	enum option_id id;
	uint32_t commands;
	const char *help;
};

static const struct option_exception option_exceptions[] = {
    {OPTION_PARENT, COMMAND_LIST, "only children of this parent"},
    {OPTION_PARENT, COMMAND_EVENTS, "only of children of this parent; inside a job: of its own"},
    {OPTION_PARENT, COMMAND_ANSWER, "answer as this parent; otherwise as the user, or this job"},
    {OPTION_TOKEN, COMMAND_ASK,
	"the same again in this job is the same question, and has the same answer"},
    {OPTION_TIMEOUT, COMMAND_ASK, "denied when nobody has answered by then (default 300s)"},
    {OPTION_SINCE, COMMAND_EVENTS, "only events after this one"},
    {OPTION_FOLLOW, COMMAND_EVENTS, "go on with what comes; without --since only that"},
    {OPTION_JSON, COMMAND_EVENTS, "what is printed in any case: JSON, an event a line"},
    {OPTION_PARENT, COMMAND_CANCEL, "all children of this parent"},
    {OPTION_PARENT, COMMAND_PAUSE | COMMAND_UNPAUSE, "all children of this parent that run"},
};

const struct option_row *
option_row(enum option_id id)
{
	return &option_rows[id];
}

const char *
option_named(const char *field)
{
	/* Of a FIFO; what is called `at` is the time of a job. */
	if (strcmp(field, "path") == 0)
		return option_rows[OPTION_AT].name;
	for (int i = 0; i < OPTION_COUNT; i++) {
		const char *name = option_rows[i].name, *f = field;

		for (; *name != '\0' && *f == (*name == '-' ? '_' : *name); name++)
			f++;
		if (*name == '\0' && *f == '\0')
			return option_rows[i].name;
	}
	return NULL;
}

const char *
option_help(enum option_id id, uint32_t commands)
{
	const struct option_exception *x = option_exceptions;

	for (size_t i = 0; i < sizeof(option_exceptions) / sizeof(*x); i++) {
		if (x[i].id == id && (x[i].commands & commands))
			return x[i].help;
	}
	return option_rows[id].help;
}
