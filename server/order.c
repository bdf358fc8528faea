/*
 * order: see order.h.
 */
#include "server/order.h"

#include "base/clock.h"
#include "base/duration.h"
#include "config/moment.h"
#include "config/profile.h"
#include "server/due.h"

#include <bsd/stdlib.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define RETRIES_MOST 1000000

/* What is waited before the first retry where nothing is said. */
#define RETRY_DELAY_NS NSEC_PER_SEC

_Static_assert(STORE_RETRY_ERROR == 1 << 0 && STORE_RETRY_TIMEOUT == 1 << 1 &&
	STORE_RETRY_LOST == 1 << 2,
    "the words of retry_on have their order");

#define AT(member) offsetof(struct order_parameters, member)

static const struct api_field own_fields[ORDER_FIELDS] = {
    {"priority", API_INTEGER, AT(priority), false},
    {"pool", API_STRING, AT(pool), false},
    {"delay", API_STRING, AT(delay), false},
    {"at", API_STRING, AT(at), false},
    {"retries", API_INTEGER, AT(retries), false},
    {"retry_delay", API_STRING, AT(retry_delay), false},
    {"retry_on", API_STRING, AT(retry_on), false},
};

void
order_fields(struct api_field *fields, size_t offset)
{
	for (size_t i = 0; i < ORDER_FIELDS; i++) {
		fields[i] = own_fields[i];
		fields[i].offset += offset;
	}
}

static bool
check_priority(struct call *call, int64_t priority)
{
	char reason[64];

	if (priority >= CONFIG_PRIORITY_LEAST && priority <= CONFIG_PRIORITY_MOST)
		return true;
	snprintf(reason, sizeof(reason), "must be a whole number from %d to %d (first)",
	    CONFIG_PRIORITY_LEAST, CONFIG_PRIORITY_MOST);
	call_fail_argument(call, "priority", reason);
	return false;
}

static bool
check_pool(struct call *call, const char *name)
{
	const struct line_pool *pool =
	    name == NULL ? NULL : queue_find_pool(call->server->queue, name);
	struct fault f;
	char names[256];

	if (name == NULL || (name[0] != '\0' && pool != NULL && pool->is_known))
		return true;
	queue_list_pools(call->server->queue, true, names, sizeof(names));
	if (names[0] != '\0')
		fault_set(&f, ENOENT, "there is no pool '%.100s'; there are %s", name, names);
	else
		fault_set(&f, ENOENT,
		    "there is no pool '%.100s', nor any other; write [pool NAME] and max_running "
		    "into the configuration, and 'spawnd reload'",
		    name);
	call_fail_argument(call, "pool", f.text);
	return false;
}

void
order_inherit(struct order_parameters *p, const struct sections *sections,
    const struct section *profile)
{
	const char *priority = profile_value(sections, profile, "priority");

	if (p->pool == NULL)
		p->pool = profile_value(sections, profile, "pool");
	if (p->priority == ORDER_NO_PRIORITY)
		p->priority = priority == NULL
		    ? 0
		    : strtonum(priority, CONFIG_PRIORITY_LEAST, CONFIG_PRIORITY_MOST, NULL);
}

static bool
check_delay(struct call *call, const char *field, const char *text, uint64_t *ret_ns)
{
	uint64_t ns = 0;
	int r = text == NULL ? 0 : duration_parse(text, &ns);

	if (r < 0) {
		call_fail_argument(call, field,
		    r == -ERANGE ? "is longer than 100 years"
				 : "must be a duration: 90, 90s, 1.5m, 2h, 1d or off");
		return false;
	}
	if (text != NULL)
		*ret_ns = ns == DURATION_OFF ? 0 : ns;
	return true;
}

static bool
check_at(struct call *call, const char *text, int64_t *ret_ms)
{
	int64_t now_ms = clock_wall_ms();
	char now[CLOCK_TEXT_SIZE];
	struct fault f;

	if (text == NULL)
		return true;
	if (moment_parse(text, false, now_ms, ret_ms) < 0) {
		call_fail_argument(call, "at",
		    "must be a time as in RFC 3339 with its zone, such as 2026-12-31T08:00:00Z");
		return false;
	}
	if (*ret_ms > now_ms)
		return true;
	clock_format(now_ms, now);
	fault_set(&f, EINVAL, "is in the past: it is %s now; give a later time, or none for now",
	    now);
	call_fail_argument(call, "at", f.text);
	return false;
}

/* Words with commas between. */
static bool
check_retry_on(struct call *call, const char *text, uint32_t *ret_bits)
{
	static const char *const words[] = {"error", "timeout", "lost"};
	uint32_t bits = 0, bit;
	struct fault f;

	for (const char *end; text != NULL; text = *end == ',' ? end + 1 : NULL) {
		end = strchrnul(text, ',');
		bit = 0;
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
			if (strlen(words[i]) == (size_t)(end - text) &&
			    strncmp(words[i], text, strlen(words[i])) == 0)
				bit = UINT32_C(1) << i;
		}
		if (bit == 0) {
			fault_set(&f, EINVAL,
			    "'%.*s': must be one or more of error, timeout, lost, with commas between",
			    (int)(end - text), text);
			call_fail_argument(call, "retry_on", f.text);
			return false;
		}
		bits |= bit;
	}
	if (bits != 0)
		*ret_bits = bits;
	return true;
}

static bool
check_retries(struct call *call, const struct order_parameters *p, struct store_order *o)
{
	o->retries = (uint32_t)p->retries;
	o->retry_delay_ns = RETRY_DELAY_NS;
	o->retry_on = STORE_RETRY_ERROR | STORE_RETRY_TIMEOUT;
	if (p->retries < 0 || p->retries > RETRIES_MOST) {
		call_fail_argument(call, "retries", "must be a whole number from 0 to 1000000");
		return false;
	}
	if (p->retries == 0 && (p->retry_delay != NULL || p->retry_on != NULL)) {
		call_fail_argument(call, p->retry_delay != NULL ? "retry_delay" : "retry_on",
		    "is for jobs that are run again: give `retries` as well");
		return false;
	}
	return check_delay(call, "retry_delay", p->retry_delay, &o->retry_delay_ns) &&
	    check_retry_on(call, p->retry_on, &o->retry_on);
}

bool
order_check(struct call *call, const struct order_parameters *p, struct store_order *ret_order)
{
	struct store_order o = {.priority = (int32_t)p->priority, .pool = p->pool};

	if (p->delay != NULL && p->at != NULL) {
		call_fail_argument(call, "at", "cannot go together with `delay`: give one of them");
		return false;
	}
	if (!check_priority(call, p->priority) || !check_pool(call, p->pool) ||
	    !check_delay(call, "delay", p->delay, &o.delay_ns) || !check_retries(call, p, &o) ||
	    !check_at(call, p->at, &o.due_ms))
		return false;
	*ret_order = o;
	return true;
}

void
order_show(const struct server *s, json_t *o, const struct store_job *job)
{
	char due[CLOCK_TEXT_SIZE];

	json_object_set_new(o, "priority", json_integer(job->order.priority));
	json_object_set_new(o, "pool",
	    job->order.pool != NULL ? json_string(job->order.pool) : json_null());
	clock_format(due_wall_ms(s, &job->order), due);
	json_object_set_new(o, "retries", json_integer(job->order.retries));
	json_object_set_new(o, "retried", json_integer(job->order.retried));
	json_object_set_new(o, "due_at", due_is_set(&job->order) ? json_string(due) : json_null());
}
