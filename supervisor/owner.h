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

#endif
