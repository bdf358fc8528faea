/*
 * fd: descriptors. Each has one owner, is close-on-exec from birth, and -1 is none.
 */
#ifndef BASE_FD_H
#define BASE_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Closes *fd unless it is -1, and sets it to -1. Keeps errno. */
void fd_close(int *fd);

/* Hands the descriptor over to the caller: returns *fd and sets it to -1. */
int fd_take(int *fd);

#define FD_CLEANUP __attribute__((cleanup(fd_close)))

/* Writes all len bytes, through EINTR and short writes; blocking descriptors only. 0 or -errno. */
int fd_write_all(int fd, const void *data, size_t len);

/*
 * Reads up to len bytes until the end of the file, through EINTR and short reads. Returns how many
 * came, or -errno.
 */
ssize_t fd_read_all(int fd, void *data, size_t len);

/* What fd_read_entries() fills in, one behind the other, each reclen bytes long. */
struct fd_entry {
	uint64_t inode;
	int64_t offset;
	uint16_t reclen;
	uint8_t type; /* DT_DIR and so on */
	char name[];
};

/* readdir(3) without its allocation: getdents64(2). buffer is aligned as struct fd_entry. Bytes, 0 at the end, or -errno. */
ssize_t fd_read_entries(int dir_fd, void *buffer, size_t size);

/*
 * Raises the soft RLIMIT_NOFILE to the hard one. Returns the limit now in force; *ret_before is the
 * soft limit that was, to be given back to children. getrlimit(2).
 */
uint64_t fd_raise_limit(uint64_t *ret_before);

/* Sets or clears FD_CLOEXEC. 0 or -errno. fcntl(2). */
int fd_set_cloexec(int fd, int on);

/* Whether it is a regular file: nobody but us puts the time into a log that is one. */
bool fd_is_file(int fd);

/*
 * Opens /dev/null where one of the descriptors 0 to 2 is closed, so that none of ours becomes what a child
 * or the log takes for them. 0 or -errno.
 */
int fd_fill_standard(void);

#endif
