/*
 * record: see record.h. Makes no system call.
 */
#include "server/record.h"

#include "base/clock.h"
#include "base/duration.h"
#include "base/signame.h"
#include "config/config.h"
#include "watchdog/heartbeat.h"

#include <bsd/string.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

/* How much of a beat's message goes into a record. */
#define MESSAGE_MAX 256

static json_t *
time_or_null(int64_t wall_ms)
{
	char text[CLOCK_TEXT_SIZE];

	if (wall_ms == 0)
		return json_null();
	clock_format(wall_ms, text);
	return json_string(text);
}

/* Bytes of a user, as JSON must have them: what is not UTF-8 is replaced by '?'. */
static json_t *
string_of_bytes(const char *bytes, size_t len)
{
	json_t *string = json_stringn(bytes, len);
	char *copy;

	if (string != NULL)
		return string;
	copy = malloc(len + 1);
	if (copy == NULL)
		return NULL;
	for (size_t i = 0; i < len; i++)
		copy[i] = (unsigned char)bytes[i] < 0x80 ? bytes[i] : '?';
	string = json_stringn(copy, len);
	free(copy);
	return string;
}

/* Cuts text to at most max bytes, between two characters. */
static size_t
cut_length(const char *text, size_t max)
{
	size_t len = strlen(text);

	if (len <= max)
		return len;
	while (max > 0 && ((unsigned char)text[max] & 0xc0) == 0x80)
		max--;
	return max;
}

static void
set_event_text(json_t *event, const char *key, const char *text)
{
	if (text != NULL && text[0] != '\0')
		json_object_set_new(event, key,
		    string_of_bytes(text, cut_length(text, MESSAGE_MAX)));
}

static void
copy_text(const json_t *line, const char *key, char *out, size_t size)
{
	const json_t *text = json_object_get(line, key);

	if (json_is_string(text))
		heartbeat_clean(out, size, json_string_value(text), json_string_length(text));
}

/* What a JSON object says, by the names that words have; false: it has none of them. */
static bool
read_object(const json_t *line, struct heartbeat_event *ret_said)
{
	const json_t *round = json_object_get(line, "round");
	const json_t *progress = json_object_get(line, "progress");

	*ret_said = (struct heartbeat_event){.round = -1, .progress = -1};
	copy_text(line, "tool", ret_said->tool, sizeof(ret_said->tool));
	copy_text(line, "phase", ret_said->phase, sizeof(ret_said->phase));
	copy_text(line, "message", ret_said->message, sizeof(ret_said->message));
	/* What is below 0 is not said, as in the struct. */
	if (json_is_integer(round))
		ret_said->round = json_integer_value(round);
	if (json_is_number(progress))
		ret_said->progress = json_number_value(progress);
	return ret_said->tool[0] != '\0' || ret_said->phase[0] != '\0' ||
	    ret_said->message[0] != '\0' || ret_said->round >= 0 || ret_said->progress >= 0;
}

static json_t *
make_event(const struct heartbeat_event *said)
{
	json_t *event = json_object();

	set_event_text(event, "tool", said->tool);
	set_event_text(event, "phase", said->phase);
	if (said->round >= 0)
		json_object_set_new(event, "round", json_integer(said->round));
	if (said->progress >= 0)
		json_object_set_new(event, "progress", json_real(said->progress));
	set_event_text(event, "message", said->message);
	if (said->is_cut || cut_length(said->message, MESSAGE_MAX) < strlen(said->message))
		json_object_set_new(event, "cut", json_true());
	return event;
}

json_t *
record_last_event(const struct wire_line *line)
{
	struct heartbeat_event said;
	json_t *object;

	if (line->len == 0 || line->len > WIRE_LINE_MAX)
		return NULL;
	object = json_loadb(line->text, line->len, 0, NULL);
	if (!read_object(object, &said))
		heartbeat_read(line->text, line->len, line->is_cut, &said);
	said.is_cut = line->is_cut;
	json_decref(object);
	return make_event(&said);
}

/* "1.5 s" of 1.54 s: as people say it. */
static void
format_seconds(uint64_t ns, char *text, size_t size)
{
	snprintf(text, size, "%.1f s", (double)ns / (double)NSEC_PER_SEC);
}

/* "; last: tool=grep phase=begin round=12" */
static void
append_last(const struct wire_line *line, char *error, size_t size)
{
	json_t *event = record_last_event(line);
	const char *key;
	json_t *value;
	size_t used = strlen(error);

	if (json_object_size(event) > 0)
		used += (size_t)snprintf(error + used, size - used, "; last:");
	json_object_foreach (event, key, value) {
		char *text = json_dumps(value, JSON_ENCODE_ANY);

		if (used >= size || text == NULL) {
			free(text);
			break;
		}
		if (json_is_string(value))
			used += (size_t)snprintf(error + used, size - used, " %s=%s", key,
			    json_string_value(value));
		else
			used += (size_t)snprintf(error + used, size - used, " %s=%s", key, text);
		free(text);
	}
	json_decref(event);
}

static void
describe_timeout(const struct store_job *job, const struct wire_ended *ended, char *error,
    size_t size)
{
	char figure[32], limit[DURATION_TEXT_SIZE];

	if (ended->cause == WIRE_CAUSE_TOTAL) {
		format_seconds(ended->verdict_ns, figure, sizeof(figure));
		/* An extension comes to the nanosecond. */
		duration_format(ended->max_total_ns - ended->max_total_ns % NSEC_PER_MSEC, limit);
		snprintf(error, size, "total timeout: ran for %s (max_total %s%s)", figure, limit,
		    ended->max_total_ns > job->limits.max_total_ns ? " with its extension" : "");
	} else if (ended->cause == WIRE_CAUSE_TRIGGER) {
		format_seconds(ended->verdict_ns, figure, sizeof(figure));
		snprintf(error, size, "watchdog triggered: it said WATCHDOG=trigger after %s",
		    figure);
		append_last(&ended->last, error, size);
	} else {
		format_seconds(ended->idle_ns, figure, sizeof(figure));
		duration_format(job->limits.max_idle_ns, limit);
		snprintf(error, size, "idle timeout: no activity for %s (max_idle %s)", figure,
		    limit);
		append_last(&ended->last, error, size);
	}
}

/* "nice -5", as it stands in the configuration. */
static void
append_limit(const struct limits *limits, const char *key, const char *between, char *text,
    size_t size)
{
	const struct config_row *row = config_find("limits", key);
	size_t used = strlen(text);
	char value[128];

	config_format_limit(limits, row, value, sizeof(value));
	if (strcmp(value, "off") != 0 && strcmp(value, "inherit") != 0 && used < size)
		snprintf(text + used, size - used, "%s%s %s", used > 0 ? between : "", key, value);
}

void
record_blame_limits(const struct limits *limits, int error, char *text, size_t size)
{
	static const char *const keys[] = {"nice", "max_memory", "max_processes", "max_open_files",
	    "max_cpu"};
	/* setpriority(2) alone says EACCES, and setrlimit(2) alone EPERM about oneself. */
	size_t first = error == EPERM ? 1 : 0;
	size_t end = error == EACCES ? 1 : sizeof(keys) / sizeof(keys[0]);
	char words[256] = "";

	for (size_t i = first; i < end; i++)
		append_limit(limits, keys[i], ", ", words, sizeof(words));
	text[0] = '\0';
	if (words[0] != '\0')
		snprintf(text, size, " (%s)", words);
}

/*
 * The signal; and max_cpu where that sent it: SIGXCPU, or SIGKILL one second of processor time after
 * it, setrlimit(2).
 */
static void
describe_signal(const struct store_job *job, const struct wire_ended *ended, char *error,
    size_t size)
{
	int signo = WTERMSIG(ended->wait_status);
	char name[SIGNAME_SIZE], limit[64] = "", figure[32];
	/* For the limit the kernel counts ticks; its report is more exact, and may be less. */
	bool is_used_up =
	    ended->cpu_ns != STANDING_UNKNOWN && ended->cpu_ns >= job->limits.max_cpu_ns / 4 * 3;

	signame_format(signo, name);
	append_limit(&job->limits, "max_cpu", "", limit, sizeof(limit));
	format_seconds(ended->cpu_ns, figure, sizeof(figure));
	if (limit[0] != '\0' && signo == SIGXCPU)
		snprintf(error, size, "killed by signal %s (%s)", name, limit);
	else if (limit[0] != '\0' && signo == SIGKILL && is_used_up && !ended->was_killed)
		snprintf(error, size, "killed by signal %s after %s of processor time (%s)", name,
		    figure, limit);
	else
		snprintf(error, size, "killed by signal %s", name);
	if (WCOREDUMP(ended->wait_status))
		strlcat(error, " (core dumped)", size);
}

enum status
record_judge(const struct store_job *job, const struct wire_ended *ended, char *error, size_t size)
{
	error[0] = '\0';
	if (ended->cause == WIRE_CAUSE_TOTAL || ended->cause == WIRE_CAUSE_IDLE ||
	    ended->cause == WIRE_CAUSE_TRIGGER) {
		describe_timeout(job, ended, error, size);
		return STATUS_TIMEOUT;
	}
	if (ended->cause == WIRE_CAUSE_OUTPUT) {
		snprintf(error, size,
		    "output limit: wrote more than max_output (%" PRIu64 " bytes)",
		    job->limits.max_output);
		return STATUS_ERROR;
	}
	if (ended->cause == WIRE_CAUSE_CANCEL) {
		snprintf(error, size, "cancelled while it ran");
		return STATUS_CANCELLED;
	}
	if (ended->wait_status == WIRE_WAIT_UNKNOWN) {
		snprintf(error, size, "lost: how it ended cannot be known");
		return STATUS_LOST;
	}
	if (WIFEXITED(ended->wait_status) && WEXITSTATUS(ended->wait_status) == 0)
		return STATUS_COMPLETED;
	if (WIFEXITED(ended->wait_status))
		snprintf(error, size, "exited with code %d", WEXITSTATUS(ended->wait_status));
	else
		describe_signal(job, ended, error, size);
	return STATUS_ERROR;
}

/* The program's own end: exit code or signal. */
static void
add_outcome(json_t *o, const struct wire_ended *ended)
{
	char name[SIGNAME_SIZE];
	bool is_known = ended != NULL && ended->stage == WIRE_STAGE_NONE;

	json_object_set_new(o, "ran", json_boolean(is_known));
	json_object_set_new(o, "exit_code",
	    is_known && WIFEXITED(ended->wait_status)
		? json_integer(WEXITSTATUS(ended->wait_status))
		: json_null());
	if (is_known && WIFSIGNALED(ended->wait_status)) {
		signame_format(WTERMSIG(ended->wait_status), name);
		json_object_set_new(o, "signal", json_string(name));
	} else {
		json_object_set_new(o, "signal", json_null());
	}
}

static void
add_times(json_t *o, const struct record *r, bool is_known)
{
	int64_t started_ms = is_known ? r->ended->started_wall_ms : r->job->started_ms;

	json_object_set_new(o, "queued_at", time_or_null(r->job->queued_ms));
	json_object_set_new(o, "started_at", time_or_null(started_ms));
	json_object_set_new(o, "completed_at", time_or_null(r->ended_ms));
	json_object_set_new(o, "elapsed_ms",
	    is_known ? json_integer((json_int_t)(r->ended->elapsed_ns / NSEC_PER_MSEC))
		     : json_null());
	json_object_set_new(o, "idle_ms",
	    is_known ? json_integer((json_int_t)(r->ended->idle_ns / NSEC_PER_MSEC)) : json_null());
}

static const char *const containments[WIRE_CONTAIN_COUNT] = {
    [WIRE_CONTAIN_CGROUP] = "cgroup",
    [WIRE_CONTAIN_SUBREAPER] = "subreaper",
    [WIRE_CONTAIN_GROUP] = "group",
};

/* Of a process that somebody else reaped nobody knows what it used. */
static json_t *
amount_or_null(uint64_t amount, uint64_t unit)
{
	return amount == STANDING_UNKNOWN ? json_null() : json_integer((json_int_t)(amount / unit));
}

static void
add_costs(json_t *o, const struct record *r, bool is_known)
{
	json_t *last = is_known ? record_last_event(&r->ended->last) : NULL;

	json_object_set_new(o, "last_event", last != NULL ? last : json_null());
	json_object_set_new(o, "containment",
	    is_known && r->ended->containment != WIRE_CONTAIN_AUTO &&
		    r->ended->containment < WIRE_CONTAIN_COUNT
		? json_string(containments[r->ended->containment])
		: json_null());
	json_object_set_new(o, "cpu_ms",
	    is_known ? amount_or_null(r->ended->cpu_ns, NSEC_PER_MSEC) : json_null());
	json_object_set_new(o, "max_rss_kb",
	    is_known ? amount_or_null(r->ended->max_rss_kb, 1) : json_null());
}

/* "unkillable": those that survive SIGKILL, of which there are few, or none and no such field. */
static void
add_survivors(json_t *o, const struct wire_ended *ended)
{
	uint32_t count = ended == NULL ? 0 : ended->survivor_count, i;
	json_t *list;

	if (count == 0)
		return;
	list = json_array();
	for (i = 0; i < count && i < WIRE_SURVIVORS_MAX; i++)
		if (ended->survivors[i] != 0)
			json_array_append_new(list, json_integer(ended->survivors[i]));
	json_object_set_new(o, "unkillable", list);
}

static json_t *
make_object(const struct record *r)
{
	json_t *o = json_object();
	bool is_known = r->ended != NULL && r->ended->stage == WIRE_STAGE_NONE;
	const char *name;

	json_object_set_new(o, "seq", json_integer(r->seq));
	json_object_set_new(o, "event", json_string("completed"));
	json_object_set_new(o, "job", json_integer(r->job->job));
	json_object_set_new(o, "run", json_integer(r->job->run));
	json_object_set_new(o, "parent", json_string(r->job->parent));
	json_object_set_new(o, "child", json_string(r->job->child));
	json_object_set_new(o, "status", json_string(status_name(r->status)));
	json_object_set_new(o, "error",
	    r->error == NULL || r->error[0] == '\0' ? json_null()
						    : string_of_bytes(r->error, strlen(r->error)));
	add_outcome(o, r->ended);
	if (r->status == STATUS_LOST)
		json_object_set_new(o, "ran", r->job->started_ms != 0 ? json_true() : json_null());
	else if (r->job->started_ms != 0) /* also in an earlier run, before a suspension */
		json_object_set_new(o, "ran", json_true());
	else if (r->job->order.retried > 0)
		json_object_set_new(o, "ran",
		    json_true()); /* an earlier run of it, if not the last */
	if (r->stage != NULL) {
		name = strerrorname_np(r->start_error);
		json_object_set_new(o, "stage", json_string(r->stage));
		json_object_set_new(o, "errno", json_string(name != NULL ? name : "EUNKNOWN"));
	}
	add_times(o, r, is_known);
	add_costs(o, r, is_known);
	add_survivors(o, r->ended);
	json_object_set_new(o, "output", string_of_bytes(r->output, strlen(r->output)));
	json_object_set_new(o, "output_bytes", json_integer(r->output_bytes));
	json_object_set_new(o, "result", string_of_bytes(r->result, strlen(r->result)));
	json_object_set_new(o, "result_bytes", json_integer(r->result_bytes));
	return o;
}

/* The last that is put in, and only if it fits. Takes the line, returns that or a longer one. */
static char *
add_freed(json_t *o, const struct record *r, char *line)
{
	char *longer;

	json_object_set_new(o, "output_freed", json_integer(r->output_freed));
	longer = json_dumps(o, JSON_COMPACT);
	if (longer == NULL || strlen(longer) + 1 > RECORD_MAX) {
		free(longer);
		return line;
	}
	free(line);
	return longer;
}

char *
record_make(const struct record *r)
{
	json_t *o = make_object(r);
	char *line = json_dumps(o, JSON_COMPACT);
	const char *error = json_string_value(json_object_get(o, "error"));
	size_t keep = error == NULL ? 0 : strlen(error);

	/* First the reason gives way, then the last event; ids, numbers and paths stay. */
	while (line != NULL && strlen(line) + 1 > RECORD_MAX && keep > 0) {
		size_t over = strlen(line) + 1 - RECORD_MAX;

		keep = cut_length(error, keep > over ? keep - over : keep / 2);
		json_object_set_new(o, "error", json_stringn(error, keep));
		error = json_string_value(json_object_get(o, "error"));
		free(line);
		line = json_dumps(o, JSON_COMPACT);
	}
	if (line != NULL && strlen(line) + 1 > RECORD_MAX) {
		json_object_set_new(o, "last_event", json_null());
		free(line);
		line = json_dumps(o, JSON_COMPACT);
	}
	if (line != NULL && r->output_freed > 0)
		line = add_freed(o, r, line);
	json_decref(o);
	return line;
}

/*
 * Appends a word to a line of tab-separated ones; what would break the line is written as \t, \n,
 * \\.
 */
static void
append_word(char *line, size_t size, const char *word)
{
	size_t used = strlen(line);

	for (; *word != '\0' && used + 3 < size; word++) {
		const char *at = strchr("\t\n\\", *word);

		if (at == NULL) {
			line[used++] = *word;
			continue;
		}
		line[used++] = '\\';
		line[used++] = "tn\\"[at - "\t\n\\"];
	}
	line[used] = '\0';
}

char *
record_to_tsv(const char *record)
{
	static const char *const keys[] = {"seq", "status", "child", "job", "exit_code", "signal",
	    "elapsed_ms", "error"};
	json_t *o = json_loads(record, 0, NULL);
	char *line = calloc(1, RECORD_MAX);

	for (size_t i = 0; line != NULL && i < sizeof(keys) / sizeof(keys[0]); i++) {
		json_t *value = json_object_get(o, keys[i]);
		char number[32] = "";

		if (json_is_integer(value))
			snprintf(number, sizeof(number), "%" PRId64,
			    (int64_t)json_integer_value(value));
		if (i > 0)
			strcat(line, "\t");
		append_word(line, RECORD_MAX - 16,
		    json_is_string(value) ? json_string_value(value) : number);
	}
	json_decref(o);
	return line;
}
