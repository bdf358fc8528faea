/*
 * outage: see outage.h.
 */
#include "cli/outage.h"

bool
outage_lose(struct outage *o, uint64_t now_ns)
{
	bool is_new =
	    o->lost_ns == 0 || (o->found_ns != 0 && now_ns - o->found_ns >= OUTAGE_LASTING_NS);

	if (is_new)
		o->lost_ns = now_ns;
	o->found_ns = 0;
	return is_new;
}

void
outage_find(struct outage *o, uint64_t now_ns)
{
	o->found_ns = now_ns;
}

void
outage_end(struct outage *o)
{
	o->lost_ns = o->found_ns = 0;
}

uint64_t
outage_length_ns(const struct outage *o, uint64_t now_ns)
{
	return now_ns - o->lost_ns;
}
