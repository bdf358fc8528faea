/*
 * crash: see crash.h. The functions of the real server around which it may die are wrapped by the linker; the
 * simulated rooms have points of their own.
 */
#include "tests/family/crash.h"

#include "server/deliver.h"
#include "store/store.h"
#include "tests/sim/world.h"

#include <signal.h>
#include <unistd.h>

#define RARELY 400

static struct {
	bool is_deadly;
	uint64_t deaths;
} * crash;

void
crash_init(bool is_deadly)
{
	if (crash == NULL)
		crash = world_memory(sizeof(*crash));
	crash->is_deadly = is_deadly;
	crash->deaths = 0;
}

void
crash_stop(void)
{
	crash->is_deadly = false;
}

void
crash_here(const char *name, unsigned rarity)
{
	if (!crash->is_deadly || !world_once_in(rarity))
		return;
	world_note(0, name, (int64_t)++crash->deaths, 0);
	kill(getpid(), SIGKILL);
}

int __real_store_commit(struct store *s);
int __wrap_store_commit(struct store *s);
int
__wrap_store_commit(struct store *s)
{
	int r;

	crash_here("the server dies before a commit", RARELY);
	r = __real_store_commit(s);
	crash_here("the server dies after a commit", RARELY);
	return r;
}

void __real_deliver_flush(struct deliver *d);
void __wrap_deliver_flush(struct deliver *d);
void
__wrap_deliver_flush(struct deliver *d)
{
	crash_here("the server dies before records leave", RARELY);
	__real_deliver_flush(d);
}
