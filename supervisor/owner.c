/*
 * owner: see owner.h. Run by the supervisor. Must never guess: a process without a mark belongs to nobody.
 */
#include "supervisor/owner.h"

#include "supervisor/contain.h"

struct slot *
owner_find(struct slots *s, pid_t pid)
{
	uint64_t mark, outer;
	struct slot *slot;

	if (contain_read_mark(pid, &mark, &outer) != 0)
		return NULL;
	slot = slots_find_mark(s, mark);
	return slot != NULL ? slot : slots_find_mark(s, outer);
}

struct slot *
owner_of(struct slots *s, pid_t pid)
{
	struct slot *slot = slots_find_pid(s, pid);

	return slot != NULL ? slot : owner_find(s, pid);
}
