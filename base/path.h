/*
 * path: where spawnd keeps its things, and the rule for its directories: ours, 0700, no
 * link; and for its files: ours, 0600, no link.
 */
#ifndef BASE_PATH_H
#define BASE_PATH_H

#include "base/fault.h"

#include <limits.h>
#include <sys/types.h>

struct paths {
	char state[PATH_MAX];   /* survives reboots: spawnd.db, lock, output/, spawnd.log */
	char runtime[PATH_MAX]; /* may vanish: socket, notify, lock, parents/, beats/ */
	char config[PATH_MAX];  /* spawnd.ini; need not exist */
	char socket[PATH_MAX];
	char listening[PATH_MAX]; /* the same, or where a service manager has the server's socket */
	char notify[PATH_MAX];    /* the jobs' NOTIFY_SOCKET */
	char lock[PATH_MAX];
	char store_lock[PATH_MAX]; /* beside the store: one daemon for each store, too */
	char database[PATH_MAX];
	char log[PATH_MAX];
	char output_dir[PATH_MAX];
	char parents_dir[PATH_MAX];
	char beats_dir[PATH_MAX];
};

/*
 * Fills p from SPAWND_HOME, XDG_STATE_HOME, XDG_RUNTIME_DIR, XDG_CONFIG_HOME, HOME and the user's
 * number, as spawnd(1) says under FILES. Touches no file but to see which configuration exists.
 * Returns 0, -ENAMETOOLONG, or -EINVAL (a variable that is not absolute), with f filled.
 */
int paths_init(struct paths *p, struct fault *f);

/*
 * Makes the directory 0700, with missing ones above it (those 0755 less the umask where they are
 * not spawnd's), and checks that it is a directory, no link, ours and closed to others. Returns 0
 * or -errno (ENOTDIR, EPERM), with f naming the path, the fault and the mend.
 */
int path_make_dir(const char *dir, struct fault *f);

/*
 * Checks that fd, opened at path without following a link, is a regular file, ours and closed to
 * others. Returns 0 or -errno (EPERM), with f naming the path, the fault and the mend.
 */
int path_check_file(const char *path, int fd, struct fault *f);

/* path_make_dir() for state and runtime with their subdirectories. */
int paths_make(const struct paths *p, struct fault *f);

/*
 * Where the program stands that runs here, or stood: one that has been replaced is named as the one that stands
 * there now. "" if that is not known. proc_pid_exe(5).
 */
void path_of_program(char out[PATH_MAX]);

/*
 * The path to which a Unix socket is bound into out (PATH_MAX bytes). 0, or -ENOENT where it has
 * none that everybody can use: it is not bound, abstract, or bound to a relative path. unix(7).
 */
int path_of_socket(int fd, char *out);

/* dir/name into out (PATH_MAX bytes). 0 or -ENAMETOOLONG. */
int path_join(const char *dir, const char *name, char out[PATH_MAX]);

#endif
