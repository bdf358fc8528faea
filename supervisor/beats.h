/*
 * beats: a slot's signs of life: its heartbeat pipe, the growth of its output, its notices. A quiet
 * child costs nothing; one that floods its pipe is not read for a while, fills it up, and waits.
 */
#ifndef SUPERVISOR_BEATS_H
#define SUPERVISOR_BEATS_H

#include "supervisor/slots.h"
#include "watchdog/notice.h"

/*
 * Gets ready to watch slot->beats_fd and remembers the size of slot->output_fd. 0, -EINVAL if the
 * pipe is not open non-blocking, or -errno of fcntl(2), fstat(2) or epoll_ctl(2) (EPERM: not a pipe).
 */
int beats_start(struct slot *slot);

/*
 * For a job that was adopted, whose watchdog was restored: the last sign of life that an earlier supervisor may
 * have seen is when its pipe, or its output, was written to. fstat(2): pipes have an mtime as files do.
 */
void beats_recall(struct slot *slot, uint64_t now_ns);

/* Signs count from now on: the watchdog was started. Cannot fail. */
void beats_listen(struct slot *slot);

/*
 * Looks once more, at now_ns: takes what lies in the pipe, and whether the output has grown since the
 * look before. Growth counts from the file's mtime. fstat(2).
 */
void beats_look(struct slot *slot, uint64_t now_ns);

/* Finds out whether half of max_idle has passed without a sign of life, for those who watch. */
void beats_judge(struct slot *slot, uint64_t now_ns);

/*
 * What its watchdog takes from a notice that came at now_ns: a sign of life, a request for more time,
 * a line in place of the last. is_triggered is the caller's.
 */
void beats_notice(struct slot *slot, const struct notice *notice, uint64_t now_ns);

/* Stops watching and closes both. */
void beats_stop(struct slot *slot);

#endif
