/*
 * reaper: see reaper.h. Run by the supervisor, in which alone children are reaped. Never waits.
 */
#include "supervisor/reaper.h"

#include "base/clock.h"
#include "supervisor/proc.h"
#include "supervisor/talk.h"

/* So long a turn: a tree may make strays faster than they can be reaped. */
#define REAP_NS (2 * NSEC_PER_MSEC)

/* Whether it was reaped. */
static bool
server_exited(struct supervisor *s)
{
	int code, rc = 0;
	bool is_last;

	/* No SPAWN of its may be half known: first what it still had to say. */
	while (keeper_wire(&s->keeper) != -1 && (rc = talk_take(s)) == 1)
		continue;
	if (talk_is_starved_by(rc)) {
		state_arm_again(s);
		return false;
	}
	is_last = s->is_quitting || (s->brood.report.is_stopping && !brood_is_busy(&s->brood));
	code = keeper_reap(&s->keeper);
	/* What keeps the very first server from serving is told to whoever started us. */
	if (!is_last && !s->has_served && code > 0 && !brood_is_busy(&s->brood)) {
		s->exit_code = code;
		is_last = true;
	}
	s->is_done = is_last;
	if (!is_last)
		keeper_restart(&s->keeper);
	return true;
}

/* A child has exited. Whether it will be found no more by proc_next_exited(). */
static bool
handle_exit(struct supervisor *s, pid_t pid)
{
	switch (brood_exited(&s->brood, pid)) {
	case BROOD_EXIT_REAPED:
		return true;
	case BROOD_EXIT_AGAIN:
		state_arm_again(s);
		return false;
	case BROOD_EXIT_KEPT:
		return false;
	case BROOD_EXIT_NOT_OURS:
	case BROOD_EXIT_COUNT:
		break;
	}
	if (keeper_is_server(&s->keeper, pid))
		return server_exited(s);
	/* It may be the leader of a job that is about to be adopted. */
	if (s->is_boarding)
		return false;
	linger_reaps(&s->brood.linger, pid);
	proc_reap_stray(pid);
	return true;
}

/* Until none is left, or one that is kept hides the others: then returns true. */
static bool
reap_in_turn(struct supervisor *s)
{
	uint64_t until_ns = clock_mono_ns() + REAP_NS;
	pid_t pid;

	while (proc_next_exited(&pid) == 0) {
		if (pid == 0)
			return false;
		if (!handle_exit(s, pid))
			return true;
		if (clock_mono_ns() >= until_ns)
			break;
	}
	state_arm_again(s);
	return false;
}

static void
visit(void *arg, pid_t pid)
{
	int rc = proc_has_exited(pid);

	if (rc == 1)
		handle_exit(arg, pid);
	else if (rc < 0)
		state_arm_again(arg);
}

/* One by one, from where the last turn came to. Who exits behind that is seen by another pass. */
static void
reap_by_scan(struct supervisor *s)
{
	uint64_t until_ns = clock_mono_ns() + REAP_NS;
	bool is_new = s->scan.fd == -1;
	int rc;

	do
		rc = proc_scan_step(&s->scan, visit, s);
	while (rc == 1 && clock_mono_ns() < until_ns);
	/* Who was not seen now may be the last of its tree, and would be seen by no other signal. */
	if (rc != 0 || !is_new)
		state_arm_again(s);
}

void
reaper_reap(struct supervisor *s)
{
	bool is_hidden = reap_in_turn(s);

	if (is_hidden) {
		/* Most that are kept have an empty group, and are gone after this look. */
		linger_look(&s->brood.linger);
		is_hidden = reap_in_turn(s);
	}
	if (is_hidden)
		reap_by_scan(s);
	else
		proc_scan_stop(&s->scan);
	linger_look(&s->brood.linger);
	sweep_exited(&s->brood.sweep);
}
