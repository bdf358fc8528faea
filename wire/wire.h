/*
 * wire: the only thing that supervisor and server share: fixed-size messages over a SOCK_SEQPACKET
 * pair, one message a packet, some with descriptors (SCM_RIGHTS, unix(7)).
 *
 * Either side takes a message only if its version, type, direction, size and number of descriptors
 * are right, and closes what came with one that is not. The supervisor believes no value either.
 * Texts on the wire are bytes with a length; the supervisor never looks into them.
 */
#ifndef WIRE_WIRE_H
#define WIRE_WIRE_H

#include "watchdog/watchdog.h"
#include "wire/standing.h"

#include <stdbool.h>
#include <stdint.h>

#define WIRE_VERSION 7
#define WIRE_LINE_MAX 1024
#define WIRE_FDS_MAX 6
#define WIRE_SURVIVORS_MAX 8

/* Marks lie above all that anybody would set as a limit of locks; supervisor/contain.h. */
#define WIRE_MARK_LEAST (UINT64_C(1) << 20)

/* No wait status: by wait(2)'s macros neither an exit nor a signal. */
#define WIRE_WAIT_UNKNOWN (-1)

/* What the server finds open when the supervisor starts it. */
#define WIRE_SERVER_FD 3     /* the wire */
#define WIRE_LISTEN_FD 4     /* the listening socket of the control interface */
#define WIRE_LOCK_FD 5       /* the daemon's lock, held by both */
#define WIRE_NOTIFY_FD 6     /* the socket for jobs' notices, which only the supervisor reads */
#define WIRE_STORE_LOCK_FD 7 /* the store's lock, held by both */

enum wire_type {
	/* supervisor to server */
	WIRE_HELLO,   /* first, always */
	WIRE_STARTED, /* a program was executed; told again when the job's standing changes */
	WIRE_ENDED,   /* a job is over; repeated after each HELLO and REPORT until WIRE_FORGET. Once
			  before if something of it survives SIGKILL: not to be forgotten then */
	WIRE_SYNCED,  /* all slots have been told since HELLO or REPORT */
	WIRE_LOOKED,  /* answer to WIRE_LOOK */
	WIRE_RELOAD,  /* somebody sent SIGHUP */
	WIRE_STOPPING, /* somebody sent SIGTERM or SIGINT: cancel what runs, then WIRE_QUIT */
	/* server to supervisor */
	WIRE_READY, /* the server serves */
	WIRE_SPAWN, /* start a job */
	WIRE_ADOPT, /* take over a job that an earlier supervisor has started: answered by WIRE_STARTED,
			 or by WIRE_ENDED */
	WIRE_CANCEL,  /* end a job */
	WIRE_PAUSE,   /* stop its tree and its clocks */
	WIRE_UNPAUSE, /* and let them go on */
	WIRE_FORGET,  /* the end of that job is stored: its slot is free */
	WIRE_LOOK,    /* how is that job? */
	WIRE_REPORT,  /* tell all slots again */
	WIRE_HOLD,    /* keep a FIFO's writing end open, in place of what that index had */
	WIRE_RELEASE, /* close the one of that index */
	WIRE_QUIT,    /* nothing runs any more: end the daemon */
	WIRE_UPGRADE, /* give way to the program that now stands where this one was */
	WIRE_RENEW,   /* somebody removed a file of the daemon's: here is another */
	/* supervisor to server, for those who watch: a line that is lost with a server is gone */
	WIRE_PROGRESS, /* the last of the lines that came */
	WIRE_IDLE, /* half of max_idle has passed without a sign of life; or one has come since */
	/* server to supervisor */
	WIRE_LULL, /* stop a job's idle clock, or let it go on */
	WIRE_TYPE_COUNT
};

/* Why the supervisor ended a job; the first cause stands. */
enum wire_cause {
	WIRE_CAUSE_NONE, /* it ended by itself */
	WIRE_CAUSE_TOTAL,
	WIRE_CAUSE_IDLE,
	WIRE_CAUSE_TRIGGER, /* it told its watchdog that it had failed */
	WIRE_CAUSE_OUTPUT,
	WIRE_CAUSE_CANCEL,
	WIRE_CAUSE_COUNT
};

/* Which step of starting a job failed. */
enum wire_stage {
	WIRE_STAGE_NONE,      /* none: the program was executed */
	WIRE_STAGE_SLOT,      /* no free slot, or the job is there already */
	WIRE_STAGE_FORK,      /* clone(2), pipe2(2) */
	WIRE_STAGE_LAUNCH,    /* the launch block is damaged */
	WIRE_STAGE_SETUP,     /* descriptors, session */
	WIRE_STAGE_CONTAIN,   /* the containment that was demanded cannot be had */
	WIRE_STAGE_LIMITS,    /* setrlimit(2), setpriority(2), cgroup limits */
	WIRE_STAGE_EXEC,      /* execve(2) */
	WIRE_STAGE_DIRECTORY, /* it may not be entered */
	WIRE_STAGE_COUNT
};

/* How a tree is held together; a wish in WIRE_SPAWN, a fact in the messages about the job. */
enum wire_containment {
	WIRE_CONTAIN_AUTO, /* the best that can be had; never a fact */
	WIRE_CONTAIN_CGROUP,
	WIRE_CONTAIN_SUBREAPER,
	WIRE_CONTAIN_GROUP,
	WIRE_CONTAIN_COUNT
};

/* A line from a heartbeat pipe, as it came. */
struct wire_line {
	uint32_t len;
	uint32_t is_cut;
	char text[WIRE_LINE_MAX];
};

struct wire_hello {
	uint64_t instance;   /* random: tells the server whether this supervisor is a new one */
	uint64_t mark_limit; /* marks lie below it; 0: none can be set */
	uint32_t slot_count; /* how many jobs fit at once */
	int32_t pid;
	uint32_t
	    counts_processes; /* whether max_processes of a job in a cgroup holds for its tree, and for root */
	uint32_t reserved;
};

struct wire_ended {
	uint64_t job;
	uint64_t mark;           /* which start of the job it is the end of; 0: not known */
	int64_t started_wall_ms; /* 0 if it never ran */
	int64_t ended_wall_ms;
	uint64_t elapsed_ns; /* from the exec to the end of the tree, pauses not counted */
	uint64_t
	    verdict_ns; /* from the exec to the watchdog's verdict, likewise; 0: there was none */
	uint64_t max_total_ns; /* in force at the end: with what the job was granted beyond */
	uint64_t idle_ns;      /* since the last sign of life: at the verdict, else at the end */
	uint64_t
	    cpu_ns; /* user and system, of the leader and all it waited for; STANDING_UNKNOWN */
	uint64_t max_rss_kb; /* likewise */
	int32_t pid;
	int32_t wait_status;     /* wait(2) or WIRE_WAIT_UNKNOWN, if stage is WIRE_STAGE_NONE */
	int32_t error;           /* errno of the stage that failed */
	uint32_t stage;          /* enum wire_stage */
	uint32_t cause;          /* enum wire_cause */
	uint32_t was_killed;     /* whether SIGKILL was needed */
	uint32_t containment;    /* enum wire_containment */
	uint32_t survivor_count; /* 0: nothing is left. Else it is told again when that is so */
	int32_t
	    survivors[WIRE_SURVIVORS_MAX]; /* their numbers, the first few; 0: it cannot be told */
	struct wire_line last;
};

struct wire_looked {
	uint64_t job;
	uint64_t elapsed_ns;
	uint64_t idle_ns;
	uint64_t max_total_ns; /* in force: with what the job was granted beyond */
	uint32_t is_paused;
	uint32_t containment; /* enum wire_containment */
	struct wire_line last;
};

/* Lines that come faster than they are told are skipped, but for the last. */
struct wire_progress {
	uint64_t job;
	int64_t at_wall_ms; /* when the last came */
	uint32_t skipped;   /* how many lines before it were not told */
	uint32_t reserved;
	struct wire_line last;
};

/* Told again after each HELLO and REPORT while is_idle. */
struct wire_idle {
	uint64_t job;
	uint64_t idle_ns; /* since the last sign of life */
	uint32_t is_idle;
	uint32_t reserved;
};

/*
 * Descriptors, in this order: launch block (memfd, wire/launch.h), standard input, output (the
 * child's 1 and 2, and where the supervisor looks for growth), heartbeat pipe for the supervisor
 * (O_RDWR|O_NONBLOCK), heartbeat pipe for the child (O_RDWR), working directory (O_PATH).
 */
struct wire_spawn {
	uint64_t job;
	uint64_t
	    mark; /* for its processes, so that they are found should this supervisor die; 0: none */
	struct limits limits;
	uint32_t containment; /* enum wire_containment: what is wished for */
	uint32_t reserved;
};

enum wire_spawn_fd {
	WIRE_FD_LAUNCH,
	WIRE_FD_STDIN,
	WIRE_FD_OUTPUT,
	WIRE_FD_BEATS,
	WIRE_FD_CHILD_BEATS,
	WIRE_FD_DIRECTORY,
	WIRE_FD_COUNT
};

/* Descriptors: output, heartbeat pipe for the supervisor, as in WIRE_SPAWN. */
struct wire_adopt {
	struct standing standing;
	struct limits limits;
};

enum wire_adopt_fd {
	WIRE_ADOPT_OUTPUT,
	WIRE_ADOPT_BEATS,
	WIRE_ADOPT_FD_COUNT
};

struct wire_job { /* PAUSE, UNPAUSE, FORGET, LOOK */
	uint64_t job;
};

struct wire_cancel {
	uint64_t job;
	uint32_t cause; /* WIRE_CAUSE_CANCEL or WIRE_CAUSE_OUTPUT */
	uint32_t reserved;
};

/*
 * LULL: the job waits for somebody: its idle clock stands still, or goes on where it stood. Not counted: what
 * was said last holds, and is told as standing.lull_ns.
 */
struct wire_lull {
	uint64_t job;
	uint32_t is_lulled;
	uint32_t reserved;
};

/*
 * HOLD (with one descriptor), RELEASE. The supervisor holds the writing ends of FIFOs, so that no
 * reader sees the end of the file because the server has died. index is below slot_count. When
 * WIRE_READY comes from a new server, what an earlier server had it hold, and the new one did
 * not, is closed.
 */
struct wire_hold {
	uint64_t index;
};

enum wire_renewed {
	WIRE_RENEWED_LISTEN, /* the listening socket of the control interface, for later servers */
	WIRE_RENEWED_LOCK,   /* the daemon's lock */
	WIRE_RENEWED_NOTIFY, /* the socket for notices of jobs */
	WIRE_RENEWED_COUNT
};

/* RENEW, with one descriptor. */
struct wire_renew {
	uint32_t what; /* enum wire_renewed */
	uint32_t reserved;
};

struct wire_message {
	uint16_t version;
	uint16_t type; /* enum wire_type */
	uint32_t size; /* of the whole packet */
	union {
		struct wire_hello hello;
		struct standing started;
		struct wire_ended ended;
		struct wire_looked looked;
		struct wire_progress progress;
		struct wire_idle idle;
		struct wire_spawn spawn;
		struct wire_adopt adopt;
		struct wire_job job;
		struct wire_cancel cancel;
		struct wire_lull lull;
		struct wire_hold hold;
		struct wire_renew renew;
	};
};

/* Which side is asking. */
enum wire_side {
	WIRE_SUPERVISOR,
	WIRE_SERVER
};

/* Makes the pair, close-on-exec and non-blocking; ends[0] for the supervisor. 0 or -errno. */
int wire_pair(int ends[2]);

/*
 * Sends m, whose type and union member the caller filled, with nfds descriptors (which stay the
 * caller's). Never waits. 0, -EAGAIN (full: try when writable), -EPIPE/-ECONNRESET (the other
 * side is gone), or another -errno.
 */
int wire_send(int fd, enum wire_type type, struct wire_message *m, const int *fds, unsigned nfds);

/*
 * Receives one message that is meant for `side` into m, and its descriptors, close-on-exec, into
 * fds (WIRE_FDS_MAX of them, the unused -1); they are the caller's then. Returns 1; 0 at the end
 * of the file; -EAGAIN; -EBADMSG for a message that was dropped, descriptors and all, with
 * *ret_why a constant phrase; -EMFILE for a message that is right but whose descriptors did not
 * all fit into this process (m is filled, so that it can be answered; its descriptors are
 * closed); or another -errno.
 */
int wire_receive(int fd, enum wire_side side, struct wire_message *m, int fds[WIRE_FDS_MAX],
    const char **ret_why);

#endif
