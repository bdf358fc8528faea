/*
 * passed: see passed.h.
 */
#include "server/passed.h"

#include "base/fd.h"

#include <string.h>

void
passed_keep(struct passed *p, struct msghdr *mh)
{
	for (struct cmsghdr *cm = CMSG_FIRSTHDR(mh); cm != NULL; cm = CMSG_NXTHDR(mh, cm)) {
		size_t count;

		if (cm->cmsg_level != SOL_SOCKET || cm->cmsg_type != SCM_RIGHTS)
			continue;
		count = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(cm) + i * sizeof(int), sizeof(fd));
			if (p->count < PASSED_MAX)
				p->fds[p->count++] = fd;
			else
				fd_close(&fd);
		}
	}
}

int
passed_take(struct passed *p, size_t index)
{
	return index < p->count ? fd_take(&p->fds[index]) : -1;
}

void
passed_close(struct passed *p)
{
	for (size_t i = 0; i < p->count; i++)
		fd_close(&p->fds[i]);
	p->count = 0;
}
