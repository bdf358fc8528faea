/*
 * spawnd: main(). Every process of spawnd begins here; the first word says what it is to be.
 */
#include "cli/cmd.h"
#include "cli/command.h"

#include <stddef.h>

static const struct command commands[] = {
    {"enqueue", COMMAND_ENQUEUE, "[[--] COMMAND [ARGUMENT...]]", 0, COMMAND_ANY,
	"store one job and print its number", cmd_enqueue},
    {"run", COMMAND_RUN, "[--] COMMAND [ARGUMENT...]", 1, COMMAND_ANY,
	"run one job, pass on its output, exit as it does", cmd_run},
    {"wait", COMMAND_WAIT, "[CHILD...]", 0, COMMAND_ANY,
	"wait for children, or all children of --parent; print their records", cmd_wait},
    {"next", COMMAND_NEXT, "", 0, 0, "take one record of a parent, the oldest", cmd_next},
    {"fifo", COMMAND_FIFO, "PARENT", 1, 1, "make a parent's FIFO and print its path", cmd_fifo},
    {"results", COMMAND_RESULTS, "", 0, 0, "print records again", cmd_results},
    {"events", COMMAND_EVENTS, "", 0, 0, "print what happened, and what happens", cmd_events},
    {"status", COMMAND_STATUS, "[CHILD]", 0, 1, "show a child's latest job, or the daemon",
	cmd_status},
    {"list", COMMAND_LIST, "", 0, 0, "list jobs, oldest first", cmd_list},
    {"tree", COMMAND_TREE, "[CHILD | PARENT]", 0, 1, "show jobs below those that they are below",
	cmd_tree},
    {"logs", COMMAND_LOGS, "CHILD", 1, 1, "print a child's output", cmd_logs},
    {"cancel", COMMAND_CANCEL, "[CHILD...]", 0, COMMAND_ANY,
	"end children, or all children of --parent, and what is below them", cmd_cancel},
    {"pause", COMMAND_PAUSE, "[CHILD...]", 0, COMMAND_ANY,
	"stop children that run, and their clocks, until unpause", cmd_pause},
    {"unpause", COMMAND_UNPAUSE, "[CHILD...]", 0, COMMAND_ANY,
	"let children that were paused go on", cmd_unpause},
    {"beat", COMMAND_BEAT, "[MESSAGE...]", 0, COMMAND_ANY, "inside a job: show a sign of life",
	cmd_beat},
    {"suspend", COMMAND_SUSPEND, "", 0, 0,
	"inside a job: be run again when its children have ended", cmd_suspend},
    {"ask", COMMAND_ASK, "QUESTION", 1, 1, "inside a job: may I? Exit 0: yes, 1: no", cmd_ask},
    {"approvals", COMMAND_APPROVALS, "", 0, 0, "list the questions that wait for an answer",
	cmd_approvals},
    {"answer", COMMAND_ANSWER, "ID allow|deny [REASON]", 2, 3, "answer one of them", cmd_answer},
    {"daemon", COMMAND_DAEMON, "", 0, 0, "the daemon, in the foreground", cmd_daemon},
    {"server", COMMAND_SERVER, "[MODE LAST-END DEATHS]", 0, 3, NULL, cmd_server},
    {"stop", COMMAND_STOP, "", 0, 0, "end the daemon when what runs has ended", cmd_stop},
    {"reload", COMMAND_RELOAD, "", 0, 0, "have the daemon read its configuration again",
	cmd_reload},
    {"config", COMMAND_CONFIG, "check [FILE] | show", 1, 2,
	"check the configuration, or show the settings", cmd_config},
    {"version", COMMAND_VERSION, "", 0, 0, "print the version", cmd_version},
    {NULL, 0, NULL, 0, 0, NULL, NULL},
};

int
main(int argc, char **argv)
{
	return command_main(commands, argc, argv);
}
