/*
 * owner: whose a process is. The one rule by which a stranger is told from a member of a job.
 */
#ifndef SUPERVISOR_OWNER_H
#define SUPERVISOR_OWNER_H

#include "supervisor/slots.h"

#include <sys/types.h>

/*
 * The job whose mark a process carries, itself or by the spawnd that runs in it (contain.h). NULL: none,
 * or it has gone. Who acts on the process must hold it fast before asking, or act on the job alone.
 */
struct slot *owner_find(struct slots *s, pid_t pid);

/*
 * The job that a process belongs to, by its number if it is a leader, else by its mark. NULL: none,
 * or it has gone. Whoever acts on it must hold the process fast, or act on the job alone.
 */
struct slot *owner_of(struct slots *s, pid_t pid);

#endif
