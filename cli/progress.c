/*
 * progress: see progress.h.
 */
#include "cli/progress.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#define PAUSE_NS (100 * NSEC_PER_MSEC)

/* To the beginning of the line, and nothing on it. */
#define WIPE "\r\033[K"

void
progress_init(struct progress *p)
{
	/* What is over at once needs no line. */
	*p = (struct progress){.is_on = isatty(STDERR_FILENO) != 0,
	    .next_ns = clock_mono_ns() + PAUSE_NS};
}

void
progress_show(struct progress *p, const char *format, ...)
{
	uint64_t now_ns = p->is_on ? clock_mono_ns() : 0;
	va_list args;

	p->is_late = p->is_on && now_ns < p->next_ns;
	if (!p->is_on || p->is_late)
		return;
	p->next_ns = now_ns + PAUSE_NS;
	p->is_shown = true;
	fputs(WIPE, stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fflush(stderr);
}

int
progress_timeout_ms(const struct progress *p)
{
	uint64_t now_ns = p->is_late ? clock_mono_ns() : 0;

	if (!p->is_late)
		return -1;
	return now_ns < p->next_ns ? (int)((p->next_ns - now_ns) / NSEC_PER_MSEC) + 1 : 0;
}

const char *
progress_prefix(const struct progress *p)
{
	return p->is_shown ? WIPE : "";
}

void
progress_clear(struct progress *p)
{
	if (!p->is_shown)
		return;
	fputs(WIPE, stderr);
	fflush(stderr);
	p->is_shown = false;
}
