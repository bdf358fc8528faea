/*
 * rival: see rival.h.
 */
#include "server/rival.h"

#include "base/id.h"

#include <bsd/string.h>
#include <errno.h>
#include <string.h>

int
rival_fault(const char *path, const char *rival, struct fault *f)
{
	return fault_set(f, EBUSY,
	    "%s: is the place of the FIFO of parent %s; choose another path with fifo --at", path,
	    rival);
}

static int
copy_name(void *arg, const struct store_parent *p)
{
	strlcpy(arg, p->name, ID_SIZE);
	return 0;
}

int
rival_check(struct store *store, const char *parents_dir, const char *parent, const char *path,
    struct fault *f)
{
	size_t dir_len = strlen(parents_dir);
	char name[ID_SIZE];
	int r;

	if (strncmp(path, parents_dir, dir_len) == 0 && path[dir_len] == '/' &&
	    id_fault(path + dir_len + 1) == NULL)
		return rival_fault(path, path + dir_len + 1, f);
	r = store_find_fifo(store, path, parent, copy_name, name);
	if (r == 0)
		return rival_fault(path, name, f);
	return r == -ENOENT ? 0 : fault_set(f, -r, "%s", store_fault(store));
}
