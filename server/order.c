/*
 * order: see order.h.
 */
#include "server/order.h"

#include "server/state.h"

#include <stdio.h>

#define AT(member) offsetof(struct order_parameters, member)

static const struct api_field own_fields[ORDER_FIELDS] = {
    {"priority", API_INTEGER, AT(priority), false},
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

	if (priority >= QUEUE_PRIORITY_LEAST && priority <= QUEUE_PRIORITY_MOST)
		return true;
	snprintf(reason, sizeof(reason), "must be a whole number from %d to %d (first)",
	    QUEUE_PRIORITY_LEAST, QUEUE_PRIORITY_MOST);
	call_fail_argument(call, "priority", reason);
	return false;
}

bool
order_check(struct call *call, const struct order_parameters *p, struct store_order *ret_order)
{
	if (!check_priority(call, p->priority))
		return false;
	*ret_order = (struct store_order){.priority = (int32_t)p->priority};
	return true;
}

void
order_show(json_t *o, const struct store_order *order)
{
	json_object_set_new(o, "priority", json_integer(order->priority));
}
