/*
 * call_acknowledge: see call_acknowledge.h.
 */
#include "server/call_acknowledge.h"

struct parameters {
	json_t *seqs;
};

static const struct api_field fields[] = {
    {"seqs", API_NUMBERS, offsetof(struct parameters, seqs), true},
    {NULL, API_STRING, 0, false},
};

static int
touch_parent(void *arg, const struct store_record *r)
{
	server_touch_parent(arg, r->parent);
	return 0;
}

void
call_acknowledge(struct call *call)
{
	struct server *s = call->server;
	struct parameters p = {0};
	struct fault f;
	const char *field = api_read(&call->api, fields, &p, &f);
	size_t i;
	json_t *value;

	if (field != NULL) {
		call_fail_argument(call, field, f.text);
		return;
	}
	json_array_foreach (p.seqs, i, value) {
		int64_t seq = json_integer_value(value);
		bool was_pending;

		if (server_check(s, store_acknowledge(s->store, seq, &was_pending)) < 0) {
			call_fail_store(call);
			return;
		}
		deliver_forget(s->deliver, seq);
		holds_remove(s->holds, seq);
		/* It may have been the last: then the FIFO's reader gets the end of the file. */
		if (was_pending)
			store_each_record(s->store, NULL, seq - 1, 1, touch_parent, s);
	}
	s->has_news = true;
	call_reply(call, NULL);
}
