/*
 * moment: see moment.h. Any process. strptime(3) takes too much for one field, such as "2026-1-1": the
 * digits are counted here.
 */
#include "config/moment.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <time.h>

struct parts {
	struct tm tm;
	int ms;
	int zone_min; /* east of Greenwich */
	bool has_date, has_zone;
};

/* Reads exactly `digits` digits up to a number from `least` to `most`. */
static bool
take_number(const char **text, int digits, int least, int most, int *ret_number)
{
	int number = 0;

	for (int i = 0; i < digits; i++, (*text)++) {
		if (!isdigit((unsigned char)**text))
			return false;
		number = number * 10 + (**text - '0');
	}
	*ret_number = number;
	return number >= least && number <= most;
}

static bool
take_letter(const char **text, const char *letters)
{
	if (**text == '\0' || strchr(letters, **text) == NULL)
		return false;
	(*text)++;
	return true;
}

static bool
take_date(const char **text, struct parts *p)
{
	if (strlen(*text) < strlen("2026-") || (*text)[4] != '-')
		return true; /* there is none */
	p->has_date = true;
	if (!take_number(text, 4, 1970, 9999, &p->tm.tm_year) || !take_letter(text, "-") ||
	    !take_number(text, 2, 1, 12, &p->tm.tm_mon) || !take_letter(text, "-") ||
	    !take_number(text, 2, 1, 31, &p->tm.tm_mday) || !take_letter(text, "Tt "))
		return false;
	p->tm.tm_year -= 1900;
	p->tm.tm_mon--;
	return true;
}

static bool
take_time(const char **text, struct parts *p)
{
	int scale = 100;

	if (!take_number(text, 2, 0, 23, &p->tm.tm_hour) || !take_letter(text, ":") ||
	    !take_number(text, 2, 0, 59, &p->tm.tm_min))
		return false;
	if (!take_letter(text, ":"))
		return true;
	if (!take_number(text, 2, 0, 60, &p->tm.tm_sec))
		return false;
	if (!take_letter(text, "."))
		return true;
	if (!isdigit((unsigned char)**text))
		return false;
	for (; isdigit((unsigned char)**text); (*text)++, scale /= 10)
		p->ms += (**text - '0') * scale;
	return true;
}

/* ISO 8601 knows +0100 besides RFC 3339's +01:00; `date +%z` says it so. */
static bool
take_minutes_of_zone(const char **text, int *ret_minutes)
{
	take_letter(text, ":");
	return take_number(text, 2, 0, 59, ret_minutes);
}

static bool
take_zone(const char **text, struct parts *p)
{
	bool is_west = **text == '-';
	int hours, minutes;

	if (**text == '\0')
		return true; /* there is none */
	p->has_zone = true;
	if (take_letter(text, "Zz"))
		return true;
	if (!take_letter(text, "+-") || !take_number(text, 2, 0, 23, &hours) ||
	    !take_minutes_of_zone(text, &minutes))
		return false;
	p->zone_min = (is_west ? -1 : 1) * (hours * 60 + minutes);
	return true;
}

/* In its own zone, or the local one. -1: there is no such day. */
static int64_t
seconds_of(const struct parts *p)
{
	struct tm tm = p->tm;
	time_t seconds;

	tm.tm_isdst = -1;
	seconds = p->has_zone ? timegm(&tm) - p->zone_min * 60 : mktime(&tm);
	/* The 31st of June has become the 1st of July. */
	return tm.tm_mday == p->tm.tm_mday || !p->has_date ? (int64_t)seconds : -1;
}

/* Today's, or if that has passed tomorrow's. */
static int64_t
next_of_day(struct parts *p, int64_t now_ms)
{
	time_t now = (time_t)(now_ms / 1000);
	struct tm today;
	int64_t at_ms = 0;

	localtime_r(&now, &today);
	p->tm.tm_year = today.tm_year;
	p->tm.tm_mon = today.tm_mon;
	for (int day = 0; day < 2 && at_ms <= now_ms; day++) {
		p->tm.tm_mday = today.tm_mday + day;
		at_ms = seconds_of(p) * 1000 + p->ms;
	}
	return at_ms;
}

int
moment_parse(const char *text, bool is_local, int64_t now_ms, int64_t *ret_ms)
{
	struct parts p = {.has_date = false};
	int64_t seconds;

	if (!take_date(&text, &p) || !take_time(&text, &p) || !take_zone(&text, &p) ||
	    *text != '\0')
		return -EINVAL;
	if (!p.has_date && (p.has_zone || !is_local))
		return -EINVAL;
	if (!p.has_date) {
		*ret_ms = next_of_day(&p, now_ms);
		return 0;
	}
	seconds = p.has_zone || is_local ? seconds_of(&p) : -1;
	if (seconds < 0)
		return -EINVAL;
	*ret_ms = seconds * 1000 + p.ms;
	return 0;
}
