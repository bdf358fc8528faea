/*
 * trouble: see trouble.h.
 */
#include "server/trouble.h"

#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <string.h>

#define AGAIN_NS (60 * NSEC_PER_SEC)

static const char *
mend_of(int error)
{
	switch (-error) {
	case ENOSPC:
		return "; make room on its file system";
	case EBUSY:
		return "; end the other program that has locked it (sqlite3, for instance)";
	case EROFS:
		return "; see to it that it and its directory can be written to";
	case EIO:
		return "; see to its disk";
	case ENOMEM:
		return "; memory is short";
	case EBADMSG:
		return "; it is checked, and set aside if it is damaged";
	default:
		return "";
	}
}

void
trouble_begin(struct trouble *t, uint64_t now_ns, const char *path, int error, const char *words,
    const char *effect)
{
	bool is_same;

	/* Some words name the path themselves, and how to mend it. */
	if (strncmp(words, path, strlen(path)) == 0)
		fault_set(&t->fault, -error, "%s", words);
	else
		fault_set(&t->fault, -error, "%s: %s%s", path,
		    words[0] != '\0' ? words : strerror(-error), mend_of(error));
	t->is_on = true;
	is_same = t->logged_ns != 0 && strcmp(t->fault.text, t->logged.text) == 0;
	if (is_same && now_ns - t->logged_ns < AGAIN_NS) {
		t->unlogged++;
		return;
	}
	if (t->unlogged > 0)
		log_line("%s (%u more times)", t->logged.text, t->unlogged);
	if (!is_same || t->unlogged == 0)
		log_line("%s; trying again; meanwhile %s", t->fault.text, effect);
	t->logged = t->fault;
	t->logged_ns = now_ns;
	t->unlogged = 0;
	t->is_end_due = true;
}

void
trouble_end(struct trouble *t)
{
	if (!t->is_on)
		return;
	t->is_on = false;
	if (t->is_end_due)
		log_line("the store works again");
	t->is_end_due = false;
}
