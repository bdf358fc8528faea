/*
 * socket: connect and listen. Run by clients and, before it serves, the daemon.
 */
#include "cli/socket.h"

#include "base/fd.h"
#include "base/path.h"

#include <bsd/string.h>
#include <bsd/unistd.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/*
 * paths_init() refuses paths that do not fit; SPAWND_SOCKET may hold anything. 0 or -errno with f
 * filled.
 */
static int
make_address(const char *path, struct sockaddr_un *a, struct fault *f)
{
	*a = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlcpy(a->sun_path, path, sizeof(a->sun_path)) < sizeof(a->sun_path))
		return 0;
	return fault_set(f, ENAMETOOLONG, "%s: too long for a socket", path);
}

static int
check_peer(int fd, const char *path, struct fault *f)
{
	uid_t uid;
	gid_t gid;

	if (getpeereid(fd, &uid, &gid) < 0)
		return fault_set(f, errno, "%s: who listens there? %s", path, strerror(errno));
	if (uid == geteuid() || uid == 0)
		return 0;
	return fault_set(f, EPERM,
	    "%s: who listens there is user %u, not you; remove it, or set "
	    "SPAWND_HOME to a directory of yours",
	    path, (unsigned)uid);
}

/* connect(2) that a signal in between does not spoil. */
static int
connect_whole(int fd, const struct sockaddr_un *a)
{
	int r;

	do {
		r = connect(fd, (const struct sockaddr *)a, sizeof(*a));
	} while (r < 0 && errno == EINTR);
	return r < 0 && errno != EISCONN ? -errno : 0;
}

int
socket_connect(const char *path, int *ret_fd, struct fault *f)
{
	FD_CLEANUP int fd = -1;
	struct sockaddr_un address;
	int r;

	r = make_address(path, &address, f);
	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fault_set(f, errno, "socket: %s", strerror(errno));
	r = connect_whole(fd, &address);
	if (r == -EACCES)
		return fault_set(f, EPERM,
		    "%s may not be used by you: it is another user's; set SPAWND_HOME to a directory of "
		    "your own",
		    path);
	if (r < 0)
		return fault_set(f, -r,
		    "no daemon answers at %s (%s); 'spawnd daemon --detach' starts one", path,
		    strerror(-r));
	r = check_peer(fd, path, f);
	if (r == 0)
		*ret_fd = fd_take(&fd);
	return r;
}

/* A socket of that type at path, in place of what an earlier daemon left there. 0 or -errno. */
static int
bind_anew(const char *path, int type, int *ret_fd, struct fault *f)
{
	FD_CLEANUP int fd = -1;
	struct sockaddr_un address;
	struct stat st;
	mode_t mask;
	int r;

	r = make_address(path, &address, f);
	if (r < 0)
		return r;
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fault_set(f, errno, "socket: %s", strerror(errno));
	if (lstat(path, &st) == 0 && !S_ISSOCK(st.st_mode))
		return fault_set(f, EEXIST, "%s: is no socket; remove it", path);
	if (unlink(path) < 0 && errno != ENOENT)
		return fault_set(f, errno, "%s: cannot remove what an earlier daemon left: %s",
		    path, strerror(errno));
	mask = umask(0177);
	r = bind(fd, (struct sockaddr *)&address, sizeof(address));
	umask(mask);
	if (r < 0)
		return fault_set(f, errno, "%s: cannot listen there: %s", path, strerror(errno));
	*ret_fd = fd_take(&fd);
	return 0;
}

int
socket_listen(const char *path, int *ret_fd, struct fault *f)
{
	FD_CLEANUP int fd = -1;
	int r = bind_anew(path, SOCK_STREAM, &fd, f);

	if (r < 0)
		return r;
	if (listen(fd, SOMAXCONN) < 0)
		return fault_set(f, errno, "%s: cannot listen there: %s", path, strerror(errno));
	*ret_fd = fd_take(&fd);
	return 0;
}

int
socket_bind_notices(const char *path, int *ret_fd, struct fault *f)
{
	FD_CLEANUP int fd = -1;
	int r = bind_anew(path, SOCK_DGRAM | SOCK_NONBLOCK, &fd, f), on = 1;

	if (r < 0)
		return r;
	if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0)
		return fault_set(f, errno, "%s: SO_PASSCRED: %s", path, strerror(errno));
	*ret_fd = fd_take(&fd);
	return 0;
}

bool
socket_is_served(const char *path, int type)
{
	FD_CLEANUP int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address;
	struct fault f;

	if (fd < 0 || make_address(path, &address, &f) < 0)
		return true; /* nothing can be said, nothing could be done */
	/* EAGAIN: so many have connected that there is no room for one more. */
	return connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 || errno == EAGAIN;
}

bool
socket_is_at(int fd, const char *path)
{
	struct sockaddr_un address = {0};
	socklen_t len = sizeof(address);

	return getsockname(fd, (struct sockaddr *)&address, &len) == 0 &&
	    strncmp(address.sun_path, path, sizeof(address.sun_path)) == 0;
}

static int
get_option(int fd, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, name, &value, &len) < 0 ? -1 : value;
}

int
socket_check_listening(int fd, struct fault *f)
{
	char path[PATH_MAX];

	if (get_option(fd, SO_DOMAIN) != AF_UNIX || get_option(fd, SO_TYPE) != SOCK_STREAM ||
	    get_option(fd, SO_ACCEPTCONN) != 1)
		return fault_set(f, EINVAL,
		    "LISTEN_FDS: descriptor %d is no listening Unix stream socket; see "
		    "ListenStream= in systemd.socket(5)",
		    fd);
	if (path_of_socket(fd, path) < 0)
		return fault_set(f, EINVAL,
		    "LISTEN_FDS: descriptor %d has no path by which a job could find it; give "
		    "ListenStream= an absolute one",
		    fd);
	return 0;
}
