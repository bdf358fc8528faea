/*
 * escalation: see escalation.h.
 */
#include "server/escalation.h"

#include <string.h>

bool
escalation_is_bound(const struct taker *t, const struct ancestor *a)
{
	if (t->job != 0)
		return a->job == t->job;
	return t->id != NULL && strcmp(t->id, a->id) == 0;
}

size_t
escalation_find(const struct ancestor *above, size_t count, const struct escalation_world *w)
{
	size_t i;

	for (i = 0; i < count; i++) {
		bool is_there =
		    above[i].job == 0 || (above[i].job > 0 && w->is_there(w->arg, above[i].job));

		if (is_there && w->is_taken(w->arg, &above[i]))
			break;
	}
	return i;
}

bool
escalation_may_answer(const struct taker *t, const struct ancestor *to)
{
	if (t->job == 0 && t->id == NULL)
		return true;
	return to != NULL && escalation_is_bound(t, to);
}
