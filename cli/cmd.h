/*
 * cmd: the commands, each in cmd_NAME.c, for the table in spawnd.c. Each is called with options
 * that were checked against the option table, and returns the exit code after telling what went
 * wrong.
 */
#ifndef CLI_CMD_H
#define CLI_CMD_H

struct options;

int cmd_daemon(const struct options *o);
int cmd_server(const struct options *o);
int cmd_enqueue(const struct options *o);
int cmd_run(const struct options *o);
int cmd_wait(const struct options *o);
int cmd_next(const struct options *o);
int cmd_fifo(const struct options *o);
int cmd_results(const struct options *o);
int cmd_ask(const struct options *o);
int cmd_approvals(const struct options *o);
int cmd_answer(const struct options *o);
int cmd_events(const struct options *o);
int cmd_status(const struct options *o);
int cmd_list(const struct options *o);
int cmd_logs(const struct options *o);
int cmd_cancel(const struct options *o);
int cmd_pause(const struct options *o);
int cmd_unpause(const struct options *o);
int cmd_beat(const struct options *o);
int cmd_suspend(const struct options *o);
int cmd_tree(const struct options *o);
int cmd_stop(const struct options *o);
int cmd_reload(const struct options *o);
int cmd_config(const struct options *o);
int cmd_version(const struct options *o);

#endif
