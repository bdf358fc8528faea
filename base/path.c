/*
 * path: see path.h. Any process. Follows no link at the end of a path, changes nothing that exists,
 * and trusts no directory that others may write to.
 */
#include "base/path.h"

#include <bsd/string.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define SYSTEM_CONFIG "/etc/spawnd/spawnd.ini"

static int
too_long(struct fault *f, const char *what)
{
	return fault_set(f, ENAMETOOLONG,
	    "the path of %s becomes too long: set SPAWND_HOME to a shorter one", what);
}

int
path_join(const char *dir, const char *name, char out[PATH_MAX])
{
	int len = snprintf(out, PATH_MAX, "%s/%s", dir, name);

	return len < 0 || len >= PATH_MAX ? -ENAMETOOLONG : 0;
}

/* The variable if it is an absolute path: XDG Base Directory says to ignore what is not. */
static const char *
xdg_variable(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && value[0] == '/' ? value : NULL;
}

/* out = variable/name, or else HOME/under/name. */
static int
xdg_path(const char *variable, const char *under, const char *name, char out[PATH_MAX],
    struct fault *f)
{
	const char *base = xdg_variable(variable), *home = getenv("HOME");
	char dir[PATH_MAX];

	if (base == NULL) {
		if (home == NULL || home[0] != '/')
			return fault_set(f, EINVAL,
			    "HOME is %s: set it to an absolute path, or set SPAWND_HOME",
			    home == NULL ? "not set" : "not an absolute path");
		if (path_join(home, under, dir) != 0)
			return too_long(f, name);
		base = dir;
	}
	return path_join(base, name, out) != 0 ? too_long(f, name) : 0;
}

/* Whether there is something, or something that we may not see: then opening it will say so. */
static bool
may_exist(const char *path)
{
	return access(path, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

static int
set_home(struct paths *p, const char *home, struct fault *f)
{
	if (home[0] != '/')
		return fault_set(f, EINVAL, "SPAWND_HOME is '%s': it must be an absolute path",
		    home);
	if (path_join(home, "state", p->state) != 0 || path_join(home, "run", p->runtime) != 0 ||
	    path_join(home, "spawnd.ini", p->config) != 0)
		return too_long(f, "SPAWND_HOME");
	return 0;
}

static int
set_xdg(struct paths *p, struct fault *f)
{
	const char *runtime = xdg_variable("XDG_RUNTIME_DIR");
	int error;

	error = xdg_path("XDG_STATE_HOME", ".local/state", "spawnd", p->state, f);
	if (error == 0)
		error = xdg_path("XDG_CONFIG_HOME", ".config", "spawnd/spawnd.ini", p->config, f);
	if (error != 0)
		return error;
	if (!may_exist(p->config) && may_exist(SYSTEM_CONFIG))
		strlcpy(p->config, SYSTEM_CONFIG, sizeof(p->config));
	if (runtime == NULL)
		snprintf(p->runtime, sizeof(p->runtime), "/tmp/spawnd-%u", (unsigned)geteuid());
	else if (path_join(runtime, "spawnd", p->runtime) != 0)
		return too_long(f, "XDG_RUNTIME_DIR");
	return 0;
}

int
paths_init(struct paths *p, struct fault *f)
{
	const char *home = getenv("SPAWND_HOME");
	int error;

	error = home != NULL && home[0] != '\0' ? set_home(p, home, f) : set_xdg(p, f);
	if (error != 0)
		return error;
	if (path_join(p->state, "spawnd.db", p->database) != 0 ||
	    path_join(p->state, "spawnd.log", p->log) != 0 ||
	    path_join(p->state, "lock", p->store_lock) != 0 ||
	    path_join(p->state, "output", p->output_dir) != 0)
		return too_long(f, "the state directory");
	if (path_join(p->runtime, "socket", p->socket) != 0 ||
	    path_join(p->runtime, "notify", p->notify) != 0 ||
	    path_join(p->runtime, "lock", p->lock) != 0 ||
	    path_join(p->runtime, "parents", p->parents_dir) != 0 ||
	    path_join(p->runtime, "beats", p->beats_dir) != 0)
		return too_long(f, "the runtime directory");
	strlcpy(p->listening, p->socket, sizeof(p->listening));
	/* What bind(2) can take is far shorter than what open(2) can; notify is as long as socket. */
	if (strlen(p->socket) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return fault_set(f, ENAMETOOLONG,
		    "%s: too long for a socket (%zu bytes, %zu are allowed): set SPAWND_HOME or "
		    "XDG_RUNTIME_DIR to a shorter path",
		    p->socket, strlen(p->socket),
		    sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1);
	return 0;
}

static int
fault_make(const char *dir, int error, struct fault *f)
{
	return fault_set(f, error, "%s: cannot be made: %s", dir, strerror(error));
}

/* Makes what is missing above dir. */
static int
make_parents(const char *dir, struct fault *f)
{
	char above[PATH_MAX];
	struct stat st;
	char *slash;
	int error;

	strlcpy(above, dir, sizeof(above));
	for (slash = strchr(above + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(above, 0755) == -1 && errno != EEXIST) {
			/* A file system may answer otherwise for what is there already. */
			error = errno;
			if (stat(above, &st) == -1 || !S_ISDIR(st.st_mode))
				return fault_make(above, error, f);
		}
		*slash = '/';
	}
	return 0;
}

/*
 * In a sticky directory such as /tmp somebody may have been faster; but once the name leads to a
 * directory of ours, nobody else can put another in its place.
 */
static int
check_dir(const char *dir, struct fault *f)
{
	struct stat st;

	if (lstat(dir, &st) == -1)
		return fault_set(f, errno, "%s: cannot be examined: %s", dir, strerror(errno));
	if (S_ISLNK(st.st_mode))
		return fault_set(f, ENOTDIR,
		    "%s: is a symbolic link: remove it, or set SPAWND_HOME to another directory",
		    dir);
	if (!S_ISDIR(st.st_mode))
		return fault_set(f, ENOTDIR,
		    "%s: is not a directory: remove it, or set SPAWND_HOME to another directory",
		    dir);
	if (st.st_uid != geteuid())
		return fault_set(f, EPERM,
		    "%s: belongs to user %u, not to user %u: remove it, or set SPAWND_HOME to a "
		    "directory of your own",
		    dir, (unsigned)st.st_uid, (unsigned)geteuid());
	if ((st.st_mode & 0777) != 0700)
		return fault_set(f, EPERM, "%s: has mode %04o, must be 0700: chmod 700 %s", dir,
		    (unsigned)st.st_mode & 07777, dir);
	return 0;
}

int
path_make_dir(const char *dir, struct fault *f)
{
	char path[PATH_MAX];
	struct stat st;
	size_t len;
	int error;

	len = strlcpy(path, dir, sizeof(path));
	if (len >= sizeof(path))
		return too_long(f, "a directory");
	/* lstat(2) would follow a link that ends in a slash. */
	while (len > 1 && path[len - 1] == '/')
		path[--len] = '\0';
	error = mkdir(path, 0700) == -1 ? errno : 0;
	if (error == ENOENT) {
		error = make_parents(path, f);
		if (error != 0)
			return error;
		error = mkdir(path, 0700) == -1 ? errno : 0;
	}
	/* A file system may refuse before it sees that the name is taken; then check_dir() decides. */
	if (error != 0 && lstat(path, &st) == -1)
		return fault_make(path, error, f);
	return check_dir(path, f);
}

int
path_of_socket(int fd, char *out)
{
	struct sockaddr_un address = {0};
	socklen_t len = sizeof(address);

	if (getsockname(fd, (struct sockaddr *)&address, &len) == -1 ||
	    address.sun_family != AF_UNIX || address.sun_path[0] != '/')
		return -ENOENT;
	/* One of full length has no NUL. */
	snprintf(out, PATH_MAX, "%.*s", (int)sizeof(address.sun_path), address.sun_path);
	return 0;
}

int
path_check_file(const char *path, int fd, struct fault *f)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return fault_set(f, errno, "%s: cannot be examined: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid())
		return fault_set(f, EPERM, "%s: no regular file of yours; remove it", path);
	if ((st.st_mode & 077) != 0)
		return fault_set(f, EPERM, "%s: open to other users; run: chmod 600 %s", path,
		    path);
	return 0;
}

int
paths_make(const struct paths *p, struct fault *f)
{
	const char *const dirs[] = {p->state, p->output_dir, p->runtime, p->parents_dir,
	    p->beats_dir};
	size_t i;
	int error = 0;

	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]) && error == 0; i++)
		error = path_make_dir(dirs[i], f);
	return error;
}

void
path_of_program(char out[PATH_MAX])
{
	static const char deleted[] = " (deleted)";
	ssize_t n = readlink("/proc/self/exe", out, PATH_MAX - 1);

	out[n > 0 ? n : 0] = '\0';
	if (n > (ssize_t)strlen(deleted) && strcmp(out + n - strlen(deleted), deleted) == 0)
		out[n - (ssize_t)strlen(deleted)] = '\0';
}
