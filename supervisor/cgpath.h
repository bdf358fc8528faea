/*
 * cgpath: where in the file system the cgroup v2 of a process is: where that hierarchy is mounted,
 * mountinfo of proc_pid_mountinfo(5), and the line "0::PATH" of /proc/PID/cgroup, cgroups(7).
 */
#ifndef SUPERVISOR_CGPATH_H
#define SUPERVISOR_CGPATH_H

#include <stddef.h>
#include <sys/types.h>

#define CGPATH_SIZE 512

/*
 * The directory of the cgroup that a process is in, without a '/' at its end; pid 0: this one. Allocates
 * if pid is 0 (stdio), else not. 0, -ENOENT (no cgroup v2, or it is not mounted here), -ENAMETOOLONG, or
 * -errno.
 */
int cgpath_find(pid_t pid, char path[CGPATH_SIZE]);

#endif
