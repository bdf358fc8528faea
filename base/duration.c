/*
 * duration: see duration.h. Any process. Exact: no floating point is involved.
 */
#include "base/duration.h"

#include "base/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* 100 years of 365.25 days. */
#define MAX_SECONDS UINT64_C(3155760000)

static const struct {
	char letter;
	uint64_t seconds;
} units[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};

#define UNIT_COUNT (sizeof(units) / sizeof(units[0]))

static int
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Reads digits; stands still at MAX_SECONDS + 1, which is too much in any unit. */
static uint64_t
read_whole(const char **p)
{
	uint64_t value = 0;

	for (; is_digit(**p); (*p)++)
		if (value <= MAX_SECONDS)
			value = value * 10 + (uint64_t)(**p - '0');
	return value <= MAX_SECONDS ? value : MAX_SECONDS + 1;
}

/* Reads digits behind a point as billionths; what is finer is dropped. */
static uint64_t
read_fraction(const char **p)
{
	uint64_t value = 0, digit = NSEC_PER_SEC / 10;

	for (; is_digit(**p); (*p)++, digit /= 10)
		value += (uint64_t)(**p - '0') * digit;
	return value;
}

int
duration_parse(const char *text, uint64_t *ret_ns)
{
	const char *p = text;
	uint64_t whole, fraction = 0, seconds = 1;
	size_t i;

	if (strcmp(text, "off") == 0) {
		*ret_ns = DURATION_OFF;
		return 0;
	}
	if (!is_digit(*p))
		return -EINVAL;
	whole = read_whole(&p);
	if (*p == '.') {
		p++;
		if (!is_digit(*p))
			return -EINVAL;
		fraction = read_fraction(&p);
	}
	if (*p != '\0') {
		for (i = 0; i < UNIT_COUNT && units[i].letter != *p; i++)
			continue;
		if (i == UNIT_COUNT || p[1] != '\0')
			return -EINVAL;
		seconds = units[i].seconds;
	}
	if (whole > MAX_SECONDS / seconds)
		return -ERANGE;
	whole = whole * seconds * NSEC_PER_SEC + fraction * seconds;
	if (whole > MAX_SECONDS * NSEC_PER_SEC)
		return -ERANGE;
	*ret_ns = whole;
	return 0;
}

static void
format_fraction(uint64_t ns, char text[DURATION_TEXT_SIZE])
{
	size_t len;

	snprintf(text, DURATION_TEXT_SIZE, "%" PRIu64 ".%09" PRIu64, ns / NSEC_PER_SEC,
	    ns % NSEC_PER_SEC);
	len = strlen(text);
	while (text[len - 1] == '0')
		len--;
	text[len] = 's';
	text[len + 1] = '\0';
}

void
duration_format(uint64_t ns, char text[DURATION_TEXT_SIZE])
{
	uint64_t seconds = ns / NSEC_PER_SEC;
	size_t i;

	if (ns == DURATION_OFF) {
		strcpy(text, "off");
		return;
	}
	if (ns % NSEC_PER_SEC != 0) {
		format_fraction(ns, text);
		return;
	}
	for (i = 0; i < UNIT_COUNT - 1; i++)
		if (seconds != 0 && seconds % units[i].seconds == 0)
			break;
	snprintf(text, DURATION_TEXT_SIZE, "%" PRIu64 "%c", seconds / units[i].seconds,
	    units[i].letter);
}
