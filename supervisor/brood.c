/*
 * brood: see brood.h. Run by the supervisor.
 *
 * Starting: slot, then start.h; the report pipe tells whether the program was executed (settle), which
 * starts the clocks. Ending: the leader's exit or a limit or a cancel; child_step() says what to do; hunt
 * signals those who left the group; linger finds out when the tree is empty; only then is the end told,
 * or when SIGKILL does not help for PATIENCE_NS.
 *
 * Must never wait, never allocate after brood_init(), never signal what was not found to be the job's.
 */
#include "supervisor/brood.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "supervisor/beats.h"
#include "supervisor/spawn.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* So long after SIGKILL the end is told, whoever is left. */
#define PATIENCE_NS (30 * NSEC_PER_SEC)
/* The signal that tells of an exit which was seen already comes well before. */
#define EXIT_NS NSEC_PER_MSEC

static int
base_fd(const struct slot *slot)
{
	return slot->base_fd != -1 ? slot->base_fd : slot->slots->brood->contain.base_fd;
}

/* To everybody in the group; those who left it are found by their marks, a little later. */
static void
signal_tree(struct slot *slot, int signo)
{
	struct brood *b = slot->slots->brood;
	int error = slot->is_by_mark ? 0 : proc_signal_group(&b->abilities, &slot->proc, signo);

	/* Nobody there to be signalled is what we want; the look at the group will tell. */
	if (error != 0 && error != -ESRCH)
		log_line("job %" PRIu64 ": cannot send signal %d to process group %d: %s",
		    slot->job, signo, (int)slot->pid, strerror(-error));
	if (signo == SIGKILL && slot->containment == WIRE_CONTAIN_CGROUP) {
		error = contain_kill(base_fd(slot), slot->job);
		/* One that is gone has nobody in it: whoever finds an earlier base empty removes it. */
		if (error != 0 && error != -ENOENT && error != -ENODEV)
			log_line("job %" PRIu64 ": cannot kill its cgroup: %s", slot->job,
			    strerror(-error));
	}
	if (slot->containment != WIRE_CONTAIN_GROUP || slot->is_by_mark)
		hunt_signal(&b->hunt, slot, signo);
}

/* Its process group, after kill_signal: whoever is stopped could not obey. */
static void
continue_group(struct slot *slot)
{
	if (!slot->is_by_mark)
		proc_signal_group(&slot->slots->brood->abilities, &slot->proc, SIGCONT);
}

/* The job is over as far as its record goes: the first time stands. */
static void
note_end(struct slot *slot)
{
	if (slot->ended_wall_ms != 0)
		return;
	slot->ended_ns = clock_mono_ns();
	slot->ended_wall_ms = clock_wall_ms();
	if (slot->started_wall_ms == 0)
		return;
	beats_look(slot, slot->ended_ns);
	if (!slot->has_verdict)
		slot->idle_ns = watchdog_idle_ns(&slot->watchdog, slot->ended_ns);
}

/* Nothing of the job is left: completes what its record needs and lets go of all it held. */
static void
finish(struct slot *slot)
{
	struct brood *b = slot->slots->brood;
	struct proc_end end;

	timer_disarm(&b->loop->timers, &slot->deadline);
	linger_remove(&b->linger, slot);
	hunt_forget(&b->hunt, slot);
	if (slot->has_pid && proc_wait(&slot->proc, true, &end) == 0) {
		slot->end = end;
		slot->has_exited = true;
	}
	slots_drop_pid(&b->slots, slot);
	note_end(slot);
	beats_stop(slot);
	loop_remove(b->loop, &slot->exit_io);
	proc_close(&slot->proc);
	/* In the base of an earlier supervisor it goes with that, at the end. */
	if (slot->containment == WIRE_CONTAIN_CGROUP &&
	    contain_remove(base_fd(slot), slot->job) != 0 && slot->base_fd == -1)
		sweep_left(&b->sweep);
	fd_close(&slot->base_fd);
}

static void
note_cause(struct slot *slot, enum child_event event)
{
	if (event == CHILD_CANCEL || event == CHILD_OUTPUT_PASSED)
		return;
	slot->has_verdict = true;
	slot->idle_ns = watchdog_idle_ns(&slot->watchdog, slot->slots->loop->now_ns);
	slot->verdict_ns = watchdog_elapsed_ns(&slot->watchdog, slot->slots->loop->now_ns);
}

/* What concerns processes, of the actions that a step asked for. */
static void
act_on_processes(struct slot *slot, unsigned actions)
{
	struct brood *b = slot->slots->brood;

	if ((actions & CHILD_SIGNAL) != 0) {
		signal_tree(slot, slot->watchdog.limits.kill_signal);
		continue_group(slot);
	}
	if ((actions & CHILD_STOP) != 0)
		signal_tree(slot, SIGSTOP);
	if ((actions & CHILD_CONTINUE) != 0)
		signal_tree(slot, SIGCONT);
	if ((actions & (CHILD_KILL | CHILD_KILL_LEADER)) != 0)
		slot->was_killed = true;
	if ((actions & CHILD_KILL) != 0)
		signal_tree(slot, SIGKILL);
	if ((actions & CHILD_KILL_LEADER) != 0)
		proc_signal(&slot->proc, SIGKILL);
	if ((actions & CHILD_PROBE) != 0)
		linger_add(&b->linger, slot);
}

/* What concerns its clocks. */
static void
act_on_clocks(struct slot *slot, unsigned actions)
{
	struct loop *loop = slot->slots->loop;
	uint64_t now_ns = clock_mono_ns();
	bool is_stopping = (actions & CHILD_STOP) != 0;

	/* A sign of life that is found after a pause cannot be dated by clocks that stood still. */
	if (is_stopping || slot->watchdog.is_paused)
		beats_look(slot, now_ns);
	if (is_stopping) {
		watchdog_pause(&slot->watchdog, now_ns);
		timer_disarm(&loop->timers, &slot->deadline);
	} else if (slot->child.state != CHILD_PAUSED) {
		watchdog_resume(&slot->watchdog, now_ns);
	}
	if ((actions & (CHILD_WATCH | CHILD_CONTINUE)) != 0 && slot->child.state == CHILD_RUNNING)
		timer_arm(&loop->timers, &slot->deadline, watchdog_wake(&slot->watchdog));
	if ((actions & CHILD_ARM_GRACE) != 0)
		timer_arm(&loop->timers, &slot->deadline,
		    clock_add_ns(now_ns, slot->watchdog.limits.kill_grace_ns));
	if ((actions & CHILD_ARM_PATIENCE) != 0)
		timer_arm(&loop->timers, &slot->deadline, clock_add_ns(now_ns, PATIENCE_NS));
}

void
brood_event(struct slot *slot, enum child_event event)
{
	struct brood *b = slot->slots->brood;
	enum child_state before = slot->child.state;
	unsigned actions = child_step(&slot->child, event);

	b->stuck += (slot->child.state == CHILD_STUCK) - (before == CHILD_STUCK);
	if ((actions & CHILD_COMPLAIN) != 0)
		log_line("job %" PRIu64 ": ignored '%s': it is %s", slot->job,
		    child_event_name(event), child_state_name(before));
	if ((actions & CHILD_BLAME) != 0)
		note_cause(slot, event);
	if ((actions & (CHILD_SIGNAL | CHILD_KILL | CHILD_KILL_LEADER)) != 0 &&
	    slot->ending_ns == 0)
		slot->ending_ns = clock_mono_ns();
	if ((actions & CHILD_TELL_STANDING) != 0)
		report_standing(slot);
	if ((actions & CHILD_WATCH) != 0)
		beats_listen(slot);
	act_on_clocks(slot, actions);
	act_on_processes(slot, actions);
	if ((actions & CHILD_TELL_ENDED) != 0) {
		if (slot->child.state == CHILD_OVER)
			finish(slot);
		else
			note_end(slot);
		report_slot(&b->report, slot, SLOT_TELL_ENDED);
	}
	if ((actions & CHILD_RELEASE) != 0) {
		report_forget(&b->report, slot);
		slots_give_back(&b->slots, slot);
	}
}

static void
judge(struct slot *slot)
{
	struct brood *b = slot->slots->brood;
	struct loop *loop = slot->slots->loop;
	uint64_t now_ns = loop->now_ns, next_ns;
	enum watchdog_verdict verdict = watchdog_judge(&slot->watchdog, now_ns);

	/*
	 * Who was suspended comes to the deadline before the signal that tells of an exit, and does not
	 * know which of them came first: whoever ended before he was asked to has ended by himself.
	 */
	if (verdict != WATCHDOG_ALIVE && !slot->has_exited &&
	    proc_has_exited(slot->proc.pid) == 1) {
		timer_arm(&loop->timers, &slot->deadline, now_ns + EXIT_NS);
		return;
	}
	/* There may be signs of life that nobody has read. */
	if (verdict != WATCHDOG_ALIVE) {
		beats_look(slot, now_ns);
		if (b->last_look != NULL)
			b->last_look(b->last_look_arg);
		/* It may have asked for its end. */
		if (slot->child.state != CHILD_RUNNING)
			return;
		verdict = watchdog_judge(&slot->watchdog, now_ns);
	}
	switch (verdict) {
	case WATCHDOG_ALIVE:
		beats_judge(slot, now_ns);
		next_ns = watchdog_wake(&slot->watchdog);
		/* Later than now in any case, or the loop would call us for ever. */
		timer_arm(&loop->timers, &slot->deadline, next_ns > now_ns ? next_ns : now_ns + 1);
		break;
	case WATCHDOG_TOTAL:
		brood_event(slot, CHILD_TOTAL_PASSED);
		break;
	case WATCHDOG_IDLE:
		brood_event(slot, CHILD_IDLE_PASSED);
		break;
	case WATCHDOG_VERDICT_COUNT:
		break;
	}
}

/* SIGKILL has not helped. Names the leader, unless it has exited, if nobody was found who could be named. */
static void
despair(struct slot *slot)
{
	if (slot->survivor_count == 0)
		slot->survivors[slot->survivor_count++] = slot->has_exited ? 0 : slot->pid;
	log_line("job %" PRIu64 ": %" PRIu32 " of its processes survive SIGKILL, %d among them",
	    slot->job, slot->survivor_count, (int)slot->survivors[0]);
	brood_event(slot, CHILD_NOTHING_HELPS);
}

static void
lose_patience(struct slot *slot)
{
	struct hunt *hunt = &slot->slots->brood->hunt;

	/* One more pass, to name those who are left. */
	slot->is_despaired = true;
	if (slot->mark != 0)
		hunt_signal(hunt, slot, SIGKILL);
	else
		despair(slot);
}

void
brood_deadline_passed(void *arg)
{
	struct slot *slot = arg;

	if (slot->child.state == CHILD_RUNNING)
		judge(slot);
	else if (slot->child.state == CHILD_KILLING)
		lose_patience(slot);
	else
		brood_event(slot, CHILD_GRACE_PASSED);
}

static void
set_executed(struct slot *slot, const struct proc_stat *st)
{
	struct limits limits = slot->watchdog.limits;

	slot->start_time = st->start_time;
	slot->started_wall_ms = clock_wall_ms();
	watchdog_start(&slot->watchdog, &limits, clock_mono_ns());
	brood_event(slot, CHILD_EXECUTED);
}

/*
 * Asks the report pipe whether the program was executed. A leader that has exited holds it open no
 * more, so there is an answer then, whatever read(2) says.
 */
static void
settle(struct slot *slot, bool has_exited)
{
	struct brood *b = slot->slots->brood;
	struct proc_stat st = {.has_executed = true};
	int error = spawn_outcome(slot->report_io.fd, &slot->stage, &slot->error);
	int report_fd = slot->report_io.fd;

	if (error == -EAGAIN && !has_exited)
		return;
	loop_remove(b->loop, &slot->report_io);
	fd_close(&report_fd);
	/* It was not reaped, so this is the right process. It may have died before the exec. */
	if (slot->stage == WIRE_STAGE_NONE && proc_stat_read(slot->pid, &st) == 0 &&
	    !st.has_executed) {
		slot->stage = WIRE_STAGE_EXEC;
		slot->error = ECANCELED;
	}
	if (slot->stage == WIRE_STAGE_NONE)
		set_executed(slot, &st);
	else
		brood_event(slot, CHILD_NOT_EXECUTED);
	report_settled(&b->report, slot);
}

static void
report_ready(void *arg, uint32_t events)
{
	(void)events;
	settle(arg, false);
}

void
brood_leader_exited(struct slot *slot)
{
	slot->has_exited = true;
	if (slot->child.state == CHILD_RUNNING)
		timer_disarm(&slot->slots->loop->timers, &slot->deadline);
	brood_event(slot, CHILD_LEADER_EXITED);
}

enum brood_exit
brood_exited(struct brood *b, pid_t pid)
{
	struct slot *slot = slots_find_pid(&b->slots, pid);
	bool is_reaping = b->abilities.has_group_pidfd;

	if (slot == NULL)
		return BROOD_EXIT_NOT_OURS;
	if (slot->has_exited)
		return BROOD_EXIT_KEPT;
	if (slot->report_io.fd != -1)
		settle(slot, true);
	if (proc_wait(&slot->proc, is_reaping, &slot->end) != 0)
		return BROOD_EXIT_AGAIN;
	if (is_reaping)
		slots_drop_pid(&b->slots, slot);
	brood_leader_exited(slot);
	return is_reaping ? BROOD_EXIT_REAPED : BROOD_EXIT_KEPT;
}

void
brood_notice(struct brood *b, struct slot *slot, const struct notice *notice)
{
	/* It can only speak once its program was executed, but that may not have been asked yet. */
	if (slot->report_io.fd != -1)
		settle(slot, false);
	if (!child_is_live(&slot->child) || slot->started_wall_ms == 0)
		return;
	beats_notice(slot, notice, b->loop->now_ns);
	if (notice->is_triggered)
		brood_event(slot, CHILD_TRIGGERED);
}

/* What is to become of those that the leader left behind. */
static enum child_event
leftovers_event(const struct slot *slot)
{
	/* A program that never ran has left nothing that anybody wants. */
	if (slot->started_wall_ms == 0)
		return CHILD_LEFTOVERS;
	switch ((enum leftovers)slot->watchdog.limits.leftovers) {
	case LEFTOVERS_WAIT:
		return CHILD_LEFTOVERS_WAIT;
	case LEFTOVERS_LEAVE:
		return CHILD_LEFTOVERS_LEAVE;
	case LEFTOVERS_KILL:
	case LEFTOVERS_COUNT:
		break;
	}
	return CHILD_LEFTOVERS;
}

static void
tree_found(struct slot *slot, bool is_empty)
{
	enum child_event event = is_empty ? CHILD_TREE_EMPTY : leftovers_event(slot);

	/* Who is left alone for good must have had what was sent before; linger asks again. */
	if (event == CHILD_LEFTOVERS_LEAVE && slot->child.state == CHILD_LEAVING &&
	    hunt_is_after(slot))
		return;
	brood_event(slot, event);
}

/* Everybody that could be found was sent SIGKILL. */
static void
hunt_passed(struct slot *slot)
{
	if (slot->is_despaired && slot->child.state == CHILD_KILLING)
		despair(slot);
}

void
brood_refuse(struct brood *b, uint64_t job, int error)
{
	struct slot *slot = NULL;

	if (slots_find(&b->slots, job) == NULL)
		slot = slots_take_refusal(&b->slots, job);
	if (slot == NULL) {
		log_line("job %" PRIu64 ": dropped SPAWN: %s", job, strerror(error));
		return;
	}
	slot->stage = WIRE_STAGE_SLOT;
	slot->error = error;
	brood_event(slot, CHILD_NOT_EXECUTED);
}

void
brood_spawn(struct brood *b, const struct wire_spawn *spawn, int *fds)
{
	struct slot *slot = slots_find(&b->slots, spawn->job);
	int i;

	if (slot != NULL) {
		log_line("job %" PRIu64 ": ignored SPAWN: it is here already, %s", spawn->job,
		    child_state_name(slot->child.state));
	} else if ((slot = slots_take(&b->slots, spawn->job)) == NULL) {
		brood_refuse(b, spawn->job, EAGAIN);
	} else {
		timer_init(&slot->deadline, brood_deadline_passed, slot);
		slot->output_fd = fds[WIRE_FD_OUTPUT];
		slot->beats_fd = fds[WIRE_FD_BEATS];
		slot->error = -start_child(&b->start, slot, spawn, fds);
		fds[WIRE_FD_OUTPUT] = -1;
		fds[WIRE_FD_BEATS] = -1;
		brood_event(slot, slot->error == 0 ? CHILD_CLONED : CHILD_NOT_EXECUTED);
	}
	for (i = 0; i < WIRE_FD_COUNT; i++)
		fd_close(&fds[i]);
}

bool
brood_is_busy(const struct brood *b)
{
	return b->slots.used > b->stuck;
}

int
brood_init(struct brood *b, struct loop *loop, const struct proc_abilities *abilities,
    uint32_t slot_count, uint64_t nofile_limit)
{
	int error;

	*b = BROOD_NONE;
	error = report_init(&b->report, slot_count);
	if (error != 0)
		return error;
	b->loop = loop;
	b->abilities = *abilities;
	contain_init(&b->contain, b->report.instance);
	b->report.mark_limit = b->contain.mark_limit;
	b->report.counts_processes = (b->contain.controllers & CONTAIN_PIDS) != 0;
	linger_init(&b->linger, loop, &b->slots, &b->abilities, &b->contain, tree_found);
	hunt_init(&b->hunt, loop, &b->slots, &b->contain, hunt_passed);
	sweep_init(&b->sweep, loop, &b->slots, &b->contain);
	b->start = (struct start){.loop = loop,
	    .abilities = &b->abilities,
	    .contain = &b->contain,
	    .nofile_limit = nofile_limit,
	    .report_ready = report_ready};
	error = slots_init(&b->slots, slot_count, loop, b);
	b->slots.report = &b->report;
	return error;
}

void
brood_fini(struct brood *b)
{
	hunt_fini(&b->hunt);
	linger_fini(&b->linger);
	sweep_fini(&b->sweep);
	contain_fini(&b->contain);
	slots_fini(&b->slots);
}
