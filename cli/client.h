/*
 * client: calls to the daemon, as server/org.spawnd.varlink has them: one JSON object and a NUL
 * each way.
 *
 * A daemon whose server dies in the middle of a call keeps its listening socket: the client
 * connects again and repeats the call, for up to 30 seconds. So every call must bear repeating:
 * Enqueue does by its token.
 */
#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H

#include "base/fault.h"
#include "base/path.h"
#include "cli/frame.h"
#include "cli/outage.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct client {
	struct paths paths;
	const char *socket; /* in paths, or in the environment */
	int fd;             /* -1: not connected */
	/*
	 * Whether a daemon is started where none answers. A command that waits clears it once it
	 * is connected, so that it does not undo a `spawnd stop`.
	 */
	bool may_start;
	/*
	 * Whether the call waits for records: where the daemon cannot store anything it is asked
	 * again until it can, for no record is lost by that.
	 */
	bool is_waiting;
	bool has_told;       /* that it is asked again */
	uint64_t give_up_ns; /* it is asked no more from then on, but TimedOut; 0: for ever */
	/*
	 * Whether the call is worth little by now: once the connection is lost, an answer has one
	 * second left, and none at all where nobody listens.
	 */
	bool is_brief;
	/*
	 * Whether that there is no daemon is an answer. It is one soon after the connection was
	 * lost: a directory that somebody has removed has its socket again by then.
	 */
	bool takes_nobody;
	bool has_fields; /* what is given has fields, and not options: lines of a batch */
	/*
	 * A descriptor of the caller's, or -1. When it becomes readable while a call waits, the
	 * answer has one second left; then the call ends with -EINTR.
	 */
	int wake_fd;
	bool is_hurried;   /* wake_fd was readable */
	uint64_t hurry_ns; /* when that second is over */
	struct outage outage;
	struct frame_buffer received;
	char error[64]; /* the last error that the daemon answered with, without "org.spawnd." */
	json_t *error_parameters;
	struct fault fault; /* any other failure */
	int exit_code;      /* and the exit code for it */
};

/*
 * A connection to the daemon of SPAWND_SOCKET (inside a job) or of the user's directories;
 * started if none answers and may_start. 0, or -errno for client_fail(). client_close() in either
 * case.
 */
int client_open(struct client *c, bool may_start);
void client_close(struct client *c);

#define CLIENT_CLEANUP __attribute__((cleanup(client_close)))

/*
 * One call, one reply. method is without "org.spawnd."; the reference to parameters is taken.
 * *ret_reply gets the reply's parameters, the caller's, and may be NULL. 0; -EREMOTEIO if the
 * daemon answered with an error (c->error); -EINTR (wake_fd); or another -errno.
 */
int client_call(struct client *c, const char *method, json_t *parameters, json_t **ret_reply);

/*
 * Tells the daemon that the records of these numbers have been taken. Where that cannot be done (not
 * connected is such a case), a line on standard error says of each that it may come again, and
 * the connection is closed: no failure of the caller, who has the records. From here on c
 * is_brief, and is_waiting no more.
 */
void client_acknowledge(struct client *c, const json_int_t *seqs, size_t count);

/* client_call() with a descriptor, which stays the caller's, sent along. */
int client_call_with_fd(struct client *c, const char *method, json_t *parameters, int fd,
    json_t **ret_reply);

/* One reply of a stream, borrowed. A return other than 0 ends the stream and is returned. */
typedef int client_reply_cb(void *arg, json_t *reply);

/*
 * A call with many replies. parameters stay the caller's; when the call must be repeated, they
 * are sent as they are then, and cb sees replies again unless it has changed them. A timeout_ms
 * among them counts from the first attempt.
 */
int client_stream(struct client *c, const char *method, json_t *parameters, client_reply_cb *cb,
    void *arg);

/*
 * The halves of client_call(), for a caller that waits for c->fd and other things at once. Both
 * answer -ECONNRESET where the connection is lost: client_reconnect(), and send again.
 */
int client_send(struct client *c, const char *method, json_t *parameters);
/* With a descriptor, which stays the caller's; -1: none. */
int client_send_with_fd(struct client *c, const char *method, json_t *parameters, int fd);
int client_receive(struct client *c, json_t **ret_reply);
/* Whether client_receive() would find a reply that has been received already. */
bool client_has_reply(const struct client *c);

/*
 * Connects again after a loss, as soon as that is possible. 0, -EINTR, or -errno after 30 seconds
 * without an answer (is_brief: as said there).
 */
int client_reconnect(struct client *c);

/* Tells why the last call failed. Returns the exit code, of sysexits(3). */
int client_fail(const struct client *c);

/* Whether the last call failed with this error ("NotFound"). */
bool client_is_error(const struct client *c, const char *name);

#endif
