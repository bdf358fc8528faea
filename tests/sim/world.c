/*
 * world: see world->h. The simulator. Must never ask the real clock, nor anything else that differs
 * between two runs with one seed.
 */
#include "tests/sim/world.h"

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sysexits.h>

#define HAPPENINGS_MAX 65536
#define NOTES_MAX 16384 /* a power of two */
#define NOTES_SHOWN 30

struct happening {
	uint64_t at_ns;
	uint64_t number; /* those of one time happen in the order in which they were planned */
	void (*happen)(void *arg, uint64_t tag);
	void *arg;
	uint64_t tag;
};

struct note {
	uint64_t at_ns;
	uint64_t job;
	const char *what;
	int64_t a, b;
};

static struct {
	uint64_t seed;
	const char *option;
	uint64_t amount;
	uint64_t chance[4];
	uint64_t now_ns;
	uint64_t happened; /* steps */
	uint64_t passed;   /* calls */
	uint64_t noted;
	uint64_t planned;
	size_t count;
	struct happening heap[HAPPENINGS_MAX]; /* no later than its children, 2i+1 and 2i+2 */
	struct note notes[NOTES_MAX];
} * world;

void *
world_memory(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		err(EX_OSERR, "no memory for a world");
	return memory;
}

/* splitmix64, which its authors advise to seed the other one with. */
static uint64_t
stir(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

void
world_init(uint64_t seed, const char *option, uint64_t amount)
{
	uint64_t state = seed;
	int i;

	if (world == NULL)
		world = world_memory(sizeof(*world));
	world->seed = seed;
	world->option = option;
	world->amount = amount;
	for (i = 0; i < 4; i++)
		world->chance[i] = stir(&state);
	world->now_ns = 1000 * NSEC_PER_SEC;
	world->noted = 0;
	world->happened = 0;
	world->passed = 0;
	world->planned = 0;
	world->count = 0;
}

static uint64_t
rotate(uint64_t x, int by)
{
	return x << by | x >> (64 - by);
}

/* xoshiro256**, Blackman and Vigna. */
uint64_t
world_random(void)
{
	uint64_t *s = world->chance, result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate(s[3], 45);
	return result;
}

uint64_t
world_below(uint64_t n)
{
	return world_random() % n;
}

uint64_t
world_between(uint64_t low, uint64_t high)
{
	return low + world_below(high - low + 1);
}

bool
world_once_in(uint64_t n)
{
	return world_below(n) == 0;
}

uint64_t
world_now(void)
{
	return world->now_ns;
}

void
world_pass(uint64_t ns)
{
	world->now_ns += ns;
	world->passed++;
}

static bool
is_earlier(const struct happening *a, const struct happening *b)
{
	return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->number < b->number;
}

void
world_at(uint64_t at_ns, void (*happen)(void *arg, uint64_t tag), void *arg, uint64_t tag)
{
	struct happening new = {at_ns, world->planned++, happen, arg, tag};
	size_t i = world->count++, parent;

	if (i == HAPPENINGS_MAX)
		world_broken(0, "the world stays small", "too much is going to happen");
	for (; i > 0 && is_earlier(&new, &world->heap[parent = (i - 1) / 2]); i = parent)
		world->heap[i] = world->heap[parent];
	world->heap[i] = new;
}

uint64_t
world_next(void)
{
	return world->count == 0 ? WORLD_NEVER : world->heap[0].at_ns;
}

void
world_step(void)
{
	struct happening next = world->heap[0], last = world->heap[--world->count];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < world->count) {
		if (child + 1 < world->count &&
		    is_earlier(&world->heap[child + 1], &world->heap[child]))
			child++;
		if (!is_earlier(&world->heap[child], &last))
			break;
		world->heap[i] = world->heap[child];
		i = child;
	}
	world->heap[i] = last;
	if (next.at_ns > world->now_ns)
		world->now_ns = next.at_ns;
	world->happened++;
	next.happen(next.arg, next.tag);
}

void
world_catch_up(void)
{
	while (world_next() <= world->now_ns)
		world_step();
}

uint64_t
world_happenings(void)
{
	return world->happened;
}

uint64_t
world_events(void)
{
	return world->happened + world->passed;
}

void
world_note(uint64_t job, const char *what, int64_t a, int64_t b)
{
	world->notes[world->noted++ % NOTES_MAX] = (struct note){world->now_ns, job, what, a, b};
}

static void
print_notes(uint64_t job)
{
	uint64_t shown[NOTES_SHOWN], i = world->noted;
	unsigned count = 0;
	const struct note *n;

	while (i > 0 && world->noted - i < NOTES_MAX && count < NOTES_SHOWN) {
		i--;
		n = &world->notes[i % NOTES_MAX];
		if (job == 0 || n->job == job)
			shown[count++] = i;
	}
	while (count > 0) {
		n = &world->notes[shown[--count] % NOTES_MAX];
		fprintf(stderr, "%17.9f  job %" PRIu64 "  %s  %" PRId64 " %" PRId64 "\n",
		    (double)n->at_ns / 1e9, n->job, n->what, n->a, n->b);
	}
}

void
world_broken(uint64_t job, const char *promise, const char *format, ...)
{
	va_list ap;

	print_notes(job);
	fprintf(stderr, "%17.9f  job %" PRIu64 "  BROKEN: %s: ", (double)world->now_ns / 1e9, job,
	    promise);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fprintf(stderr, "\nagain by: %s --seed %" PRIu64 " --%s %" PRIu64 "\n",
	    program_invocation_short_name, world->seed, world->option, world->amount);
	exit(1);
}
