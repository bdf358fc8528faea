/*
 * request_order: see request_order.h.
 */
#include "cli/request_order.h"

#include "base/clock.h"
#include "base/quote.h"
#include "config/moment.h"

#include <err.h>
#include <sysexits.h>

#define RETRIES_MOST 1000000

static int
check_at(const struct options *o, int64_t *ret_ms)
{
	const char *at = o->value[OPTION_AT_TIME];
	char then[CLOCK_TEXT_SIZE];

	if (at == NULL)
		return 0;
	if (o->value[OPTION_DELAY] != NULL) {
		warnx("--delay and --at cannot go together; give one of them");
		return EX_USAGE;
	}
	if (moment_parse(at, true, clock_wall_ms(), ret_ms) < 0) {
		warnx("--at '%s': not a time; write " MOMENT_FORMS
		      ", or let date(1) say it: --at \"$(date -Is -d 'tomorrow 8:00')\"",
		    QUOTE(at));
		return EX_USAGE;
	}
	if (*ret_ms > clock_wall_ms())
		return 0;
	clock_format(*ret_ms, then);
	warnx(
	    "--at '%s': in the past (%s); give a later time, or leave it out to have it run at once",
	    QUOTE(at), then);
	return EX_USAGE;
}

int
request_order_check(const struct options *o)
{
	int64_t number;
	int r = options_number(o, OPTION_PRIORITY, CONFIG_PRIORITY_LEAST, CONFIG_PRIORITY_MOST,
	    &number);

	if (r == 0 && o->value[OPTION_POOL] != NULL)
		r = options_check_id("pool", o->value[OPTION_POOL]);
	if (r == 0)
		r = options_duration_ms(o, OPTION_DELAY, &number);
	if (r == 0)
		r = options_duration_ms(o, OPTION_RETRY_DELAY, &number);
	if (r == 0)
		r = options_number(o, OPTION_RETRIES, 0, RETRIES_MOST, &number);
	return r == 0 ? check_at(o, &number) : r;
}

static void
add_text(json_t *parameters, const struct options *o, enum option_id id, const char *name)
{
	if (o->value[id] != NULL)
		json_object_set_new(parameters, name, json_string(o->value[id]));
}

void
request_order_add(json_t *parameters, const struct options *o)
{
	char at[CLOCK_TEXT_SIZE];
	int64_t number = 0;

	if (o->value[OPTION_PRIORITY] != NULL) {
		options_number(o, OPTION_PRIORITY, CONFIG_PRIORITY_LEAST, CONFIG_PRIORITY_MOST,
		    &number);
		json_object_set_new(parameters, "priority", json_integer(number));
	}
	if (o->value[OPTION_RETRIES] != NULL) {
		options_number(o, OPTION_RETRIES, 0, RETRIES_MOST, &number);
		json_object_set_new(parameters, "retries", json_integer(number));
	}
	add_text(parameters, o, OPTION_RETRY_DELAY, "retry_delay");
	add_text(parameters, o, OPTION_RETRY_ON, "retry_on");
	add_text(parameters, o, OPTION_POOL, "pool");
	add_text(parameters, o, OPTION_DELAY, "delay");
	if (o->value[OPTION_AT_TIME] != NULL &&
	    moment_parse(o->value[OPTION_AT_TIME], true, clock_wall_ms(), &number) == 0) {
		clock_format(number, at);
		json_object_set_new(parameters, "at", json_string(at));
	}
}
