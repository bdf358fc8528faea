/*
 * trim: see trim.h. Makes no system call.
 */
#include "server/trim.h"

#include "base/clock.h"

#define STEP_MIN (UINT64_C(64) << 10)

#define LOOK_NS NSEC_PER_SEC
/* However fast it grows: so often is the most that one file may cost. */
#define LOOK_MIN_NS (20 * NSEC_PER_MSEC)
/* Long enough to tell a flood from a line. */
#define WAKE_NS (50 * NSEC_PER_MSEC)
/* A file that has not grown for this long is quiet. */
#define QUIET_NS (2 * NSEC_PER_SEC)

static uint64_t
step(const struct trim *t, const struct trim_file *f)
{
	uint64_t bytes = t->max_output / 8;

	if (t->is_strict)
		return 0;
	if (bytes < STEP_MIN)
		bytes = STEP_MIN;
	if (bytes > t->max_output / 2)
		bytes = t->max_output / 2;
	return bytes < f->block ? f->block : bytes;
}

static uint64_t
taken(const struct trim_file *f)
{
	uint64_t length = f->size > f->begin ? f->size - f->begin : 0;

	return length < f->room ? length : f->room;
}

bool
trim_is_over(const struct trim *t, const struct trim_file *f)
{
	uint64_t bytes = taken(f);

	return bytes > t->max_output && bytes - t->max_output > step(t, f);
}

uint64_t
trim_to(const struct trim *t, const struct trim_file *f)
{
	uint64_t to;

	if (!trim_is_over(t, f))
		return 0;
	to = f->size - t->max_output;
	to -= to % f->block;
	return to > f->begin ? to : 0;
}

uint64_t
trim_wake(struct trim *t, uint64_t now_ns)
{
	t->looked_ns = t->grown_ns = now_ns;
	return clock_add_ns(now_ns, WAKE_NS);
}

static uint64_t
bound(double wait_ns)
{
	if (wait_ns > (double)LOOK_NS)
		return LOOK_NS;
	return wait_ns < (double)LOOK_MIN_NS ? LOOK_MIN_NS : (uint64_t)wait_ns;
}

/* How long it may go on growing by `grown` bytes in elapsed_ns, starting from f. */
static uint64_t
patience(const struct trim *t, const struct trim_file *f, uint64_t grown, uint64_t elapsed_ns)
{
	double left = (double)t->max_output + (double)step(t, f) - (double)taken(f);

	/* It is over, and could not be helped: there is no hurry any more. */
	if (left < 0)
		return LOOK_NS;
	/* A pause between two bursts is not the end of them: step by step to the longest wait. */
	if (grown == 0)
		return bound(2 * (double)elapsed_ns);
	return bound(left / (double)grown * (double)elapsed_ns);
}

uint64_t
trim_next(struct trim *t, const struct trim_file *f, uint64_t now_ns)
{
	uint64_t grown = f->size > t->size ? f->size - t->size : 0;
	uint64_t wait_ns = patience(t, f, grown, now_ns - t->looked_ns);

	if (f->size != t->size)
		t->grown_ns = now_ns;
	t->size = f->size;
	t->looked_ns = now_ns;
	if (now_ns - t->grown_ns >= QUIET_NS)
		return TRIM_QUIET;
	return clock_add_ns(now_ns, wait_ns);
}
