/*
 * slots: see slots.h. Run by the supervisor. Allocates in slots_init() only; makes no system call
 * after that.
 */
#include "supervisor/slots.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define NOFILE_RESERVED 64
#define NOFILE_PER_JOB 5
#define COUNT_MAX 32768

static int
compare_job(const struct slot *a, const struct slot *b)
{
	return a->job < b->job ? -1 : a->job > b->job;
}

static int
compare_pid(const struct slot *a, const struct slot *b)
{
	return a->proc.pid < b->proc.pid ? -1 : a->proc.pid > b->proc.pid;
}

static int
compare_mark(const struct slot *a, const struct slot *b)
{
	return a->mark < b->mark ? -1 : a->mark > b->mark;
}

/* What RB_GENERATE_STATIC() would say, were __unused known outside of BSD. */
RB_GENERATE_INTERNAL(slots_by_job, slot, by_job, compare_job, static __attribute__((unused)))
RB_GENERATE_INTERNAL(slots_by_pid, slot, by_pid, compare_pid, static __attribute__((unused)))
RB_GENERATE_INTERNAL(slots_by_mark, slot, by_mark, compare_mark, static __attribute__((unused)))

uint32_t
slots_count_for(uint64_t nofile_limit)
{
	uint64_t count;

	if (nofile_limit < NOFILE_RESERVED + NOFILE_PER_JOB)
		return 1;
	count = (nofile_limit - NOFILE_RESERVED) / NOFILE_PER_JOB;
	return count < COUNT_MAX ? (uint32_t)count : COUNT_MAX;
}

/*
 * Zeroed memory that costs nothing until it is touched. Children do not need it: without it a fork
 * copies less, and the supervisor's next write does not copy a page.
 */
static void *
reserve(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		return NULL;
	madvise(memory, size, MADV_DONTFORK);
	/* A huge page for one slot would touch a thousand others. */
	madvise(memory, size, MADV_NOHUGEPAGE);
	return memory;
}

int
slots_init(struct slots *s, uint32_t count, struct loop *loop, struct brood *brood)
{
	size_t total = (size_t)count + SLOTS_REFUSALS;
	size_t i;

	*s = (struct slots){.loop = loop, .brood = brood, .count = count};
	STAILQ_INIT(&s->free);
	STAILQ_INIT(&s->free_refusals);
	STAILQ_INIT(&s->refusals);
	TAILQ_INIT(&s->news);
	RB_INIT(&s->by_job);
	RB_INIT(&s->by_pid);
	RB_INIT(&s->by_mark);
	s->slots = reserve(total * sizeof(*s->slots));
	s->heartbeats = reserve(total * sizeof(*s->heartbeats));
	if (s->slots == NULL || s->heartbeats == NULL) {
		slots_fini(s);
		return -ENOMEM;
	}
	for (i = count; i < total; i++)
		STAILQ_INSERT_TAIL(&s->free_refusals, &s->slots[i], next);
	return 0;
}

void
slots_fini(struct slots *s)
{
	size_t total = (size_t)s->count + SLOTS_REFUSALS;

	if (s->slots != NULL)
		munmap(s->slots, total * sizeof(*s->slots));
	if (s->heartbeats != NULL)
		munmap(s->heartbeats, total * sizeof(*s->heartbeats));
	s->slots = NULL;
	s->heartbeats = NULL;
}

struct heartbeat *
slots_heartbeat(const struct slots *s, const struct slot *slot)
{
	return &s->heartbeats[slot - s->slots];
}

static bool
is_refusal(const struct slots *s, const struct slot *slot)
{
	return slot >= s->slots + s->count;
}

static void
clear(struct slots *s, struct slot *slot, uint64_t job)
{
	struct heartbeat *h;

	/* What the slot's last job left there. */
	if (slot->has_lines) {
		h = slots_heartbeat(s, slot);
		h->partial_len = 0;
		h->last_len = 0;
		h->is_partial_cut = false;
		h->has_partial_nul = false;
		h->extend_ns = 0;
		h->is_last_cut = false;
	}
	*slot = (struct slot){.slots = s, .job = job, .proc = PROC_NONE};
	child_init(&slot->child);
	slot->report_io.fd = -1;
	slot->exit_io.fd = -1;
	slot->beats_io.fd = -1;
	slot->base_fd = -1;
	slot->beats_fd = -1;
	slot->output_fd = -1;
	RB_INSERT(slots_by_job, &s->by_job, slot);
	s->used++;
}

struct slot *
slots_take(struct slots *s, uint64_t job)
{
	struct slot *slot = STAILQ_FIRST(&s->free);

	if (slot != NULL)
		STAILQ_REMOVE_HEAD(&s->free, next);
	else if (s->touched < s->count)
		slot = &s->slots[s->touched++];
	else
		return NULL;
	clear(s, slot, job);
	return slot;
}

static struct slot *
oldest_told(const struct slots *s)
{
	struct slot *slot;

	STAILQ_FOREACH (slot, &s->refusals, next)
		if (slot->to_tell == 0)
			return slot;
	return NULL;
}

struct slot *
slots_take_refusal(struct slots *s, uint64_t job)
{
	struct slot *slot;

	if (STAILQ_EMPTY(&s->free_refusals)) {
		slot = oldest_told(s);
		if (slot == NULL)
			return NULL;
		slots_give_back(s, slot);
	}
	slot = STAILQ_FIRST(&s->free_refusals);
	STAILQ_REMOVE_HEAD(&s->free_refusals, next);
	clear(s, slot, job);
	STAILQ_INSERT_TAIL(&s->refusals, slot, next);
	return slot;
}

bool
slots_has_room(const struct slots *s)
{
	return s->touched < s->count || !STAILQ_EMPTY(&s->free) ||
	    !STAILQ_EMPTY(&s->free_refusals) || oldest_told(s) != NULL;
}

void
slots_give_back(struct slots *s, struct slot *slot)
{
	RB_REMOVE(slots_by_job, &s->by_job, slot);
	if (slot->mark != 0)
		RB_REMOVE(slots_by_mark, &s->by_mark, slot);
	s->used--;
	if (is_refusal(s, slot)) {
		STAILQ_REMOVE(&s->refusals, slot, slot, next);
		STAILQ_INSERT_TAIL(&s->free_refusals, slot, next);
	} else {
		/* The one used last is the one that is in the cache. */
		STAILQ_INSERT_HEAD(&s->free, slot, next);
	}
}

struct slot *
slots_find(struct slots *s, uint64_t job)
{
	struct slot key = {.job = job};

	return RB_FIND(slots_by_job, &s->by_job, &key);
}

struct slot *
slots_find_pid(struct slots *s, pid_t pid)
{
	struct slot key = {.proc.pid = pid};

	return RB_FIND(slots_by_pid, &s->by_pid, &key);
}

void
slots_set_pid(struct slots *s, struct slot *slot)
{
	slot->pid = slot->proc.pid;
	slot->has_pid = true;
	RB_INSERT(slots_by_pid, &s->by_pid, slot);
}

void
slots_drop_pid(struct slots *s, struct slot *slot)
{
	if (!slot->has_pid)
		return;
	RB_REMOVE(slots_by_pid, &s->by_pid, slot);
	slot->has_pid = false;
}

void
slots_set_mark(struct slots *s, struct slot *slot, uint64_t mark)
{
	slot->mark = mark;
	RB_INSERT(slots_by_mark, &s->by_mark, slot);
}

struct slot *
slots_find_mark(struct slots *s, uint64_t mark)
{
	struct slot key = {.mark = mark};

	return mark == 0 ? NULL : RB_FIND(slots_by_mark, &s->by_mark, &key);
}

struct slot *
slots_next(struct slots *s, struct slot *slot)
{
	return slot == NULL ? RB_MIN(slots_by_job, &s->by_job) : slots_by_job_RB_NEXT(slot);
}

void
slots_note_news(struct slots *s, struct slot *slot, unsigned what)
{
	if (slot->news == 0)
		TAILQ_INSERT_TAIL(&s->news, slot, newsworthy);
	slot->news |= (uint8_t)what;
}

unsigned
slots_take_news(struct slots *s, struct slot *slot)
{
	unsigned what = slot->news;

	if (what != 0)
		TAILQ_REMOVE(&s->news, slot, newsworthy);
	slot->news = 0;
	return what;
}
