/*
 * signame: see signame.h. Any process. Pure.
 */
#include "base/signame.h"

#include <bsd/stdlib.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* "", or sign and number behind RTMIN or RTMAX. */
static int
parse_realtime(const char *text, int base, char sign)
{
	const char *fault;
	int offset = 0;

	if (*text != '\0') {
		if (*text != sign || text[1] < '0' || text[1] > '9')
			return -EINVAL;
		offset = (int)strtonum(text + 1, 0, SIGRTMAX - SIGRTMIN, &fault);
		if (fault != NULL)
			return -EINVAL;
	}
	return sign == '+' ? base + offset : base - offset;
}

static int
parse_number(const char *text)
{
	const char *fault;
	int signo = (int)strtonum(text, 1, SIGRTMAX, &fault);

	return fault != NULL ? -EINVAL : signo;
}

int
signame_parse(const char *text)
{
	const char *name;
	int signo;

	if (text[0] >= '0' && text[0] <= '9')
		return parse_number(text);
	if (strncasecmp(text, "SIG", 3) == 0)
		text += 3;
	if (strncasecmp(text, "RTMIN", 5) == 0)
		return parse_realtime(text + 5, SIGRTMIN, '+');
	if (strncasecmp(text, "RTMAX", 5) == 0)
		return parse_realtime(text + 5, SIGRTMAX, '-');
	for (signo = 1; signo < SIGRTMIN; signo++) {
		name = sigabbrev_np(signo);
		if (name != NULL && strcasecmp(text, name) == 0)
			return signo;
	}
	return -EINVAL;
}

void
signame_format(int signo, char name[SIGNAME_SIZE])
{
	const char *known = signo > 0 ? sigabbrev_np(signo) : NULL;

	if (known != NULL)
		snprintf(name, SIGNAME_SIZE, "%s", known);
	else if (signo == SIGRTMIN)
		snprintf(name, SIGNAME_SIZE, "RTMIN");
	else if (signo > SIGRTMIN && signo <= SIGRTMAX)
		snprintf(name, SIGNAME_SIZE, "RTMIN+%d", signo - SIGRTMIN);
	else
		snprintf(name, SIGNAME_SIZE, "%d", signo);
}
