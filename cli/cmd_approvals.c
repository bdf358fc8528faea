/*
 * spawnd approvals, spawnd answer: what waits for leave, and giving it, or not.
 */
#include "cli/client.h"
#include "cli/cmd.h"
#include "cli/options.h"
#include "cli/show.h"

#include "base/quote.h"

#include <err.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

struct list {
	bool is_json;
	json_t *shown; /* ids: a call that is repeated begins anew */
};

static const char *
text_of(const json_t *approval, const char *key, const char *otherwise)
{
	const char *text = json_string_value(json_object_get(approval, key));

	return text == NULL ? otherwise : text;
}

/* For people: id, who asks, who is asked, until when; and the question below. */
static void
show_approval(const json_t *a)
{
	printf("%s  job %lld  child %s  asks %s%s%s\n    %s\n", text_of(a, "id", ""),
	    (long long)json_integer_value(json_object_get(a, "job")), text_of(a, "child", ""),
	    text_of(a, "to", "you"),
	    json_is_string(json_object_get(a, "expires_at")) ? "  until " : "",
	    text_of(a, "expires_at", ""), QUOTE(text_of(a, "question", "")));
}

/* A client_reply_cb. */
static int
take_reply(void *arg, json_t *reply)
{
	struct list *list = arg;
	json_t *approval = json_object_get(reply, "approval");
	const char *id = text_of(approval, "id", "");

	if (!json_is_object(approval) || json_object_get(list->shown, id) != NULL)
		return 0;
	json_object_set_new(list->shown, id, json_true());
	if (list->is_json)
		show_json(approval);
	else
		show_approval(approval);
	return 0;
}

int
cmd_approvals(const struct options *o)
{
	CLIENT_CLEANUP struct client c = {.fd = -1};
	struct list list = {.is_json = o->value[OPTION_JSON] != NULL, .shown = json_object()};
	json_t *parameters = json_object();
	int code;

	if (list.shown == NULL || parameters == NULL)
		errx(EX_OSERR, "out of memory");
	if (client_open(&c, o->value[OPTION_NO_AUTOSTART] == NULL) < 0)
		code = client_fail(&c);
	else
		code = client_stream(&c, "Approvals", parameters, take_reply, &list) < 0
		    ? client_fail(&c)
		    : EX_OK;
	json_decref(parameters);
	json_decref(list.shown);
	return show_flush(code);
}

/* Somebody was faster. */
static int
fail_decided(const struct client *c)
{
	const json_t *p = c->error_parameters;
	const char *decision = text_of(p, "decision", "");
	const char *by = text_of(p, "by", ""), *ancestor = text_of(p, "ancestor", "");

	warnx("approval %s was decided already: %s, by %s%s%s%s, at %s", text_of(p, "id", ""),
	    decision, by, ancestor[0] != '\0' ? " '" : "", QUOTE(ancestor),
	    ancestor[0] != '\0' ? "'" : "", text_of(p, "decided_at", ""));
	return EX_DATAERR;
}

int
cmd_answer(const struct options *o)
{
	CLIENT_CLEANUP struct client c = {.fd = -1};
	const char *reason = o->operand_count > 2 ? o->operands[2] : NULL;
	json_t *parameters;

	if (strcmp(o->operands[1], "allow") != 0 && strcmp(o->operands[1], "deny") != 0) {
		warnx("'%s': say allow or deny", QUOTE(o->operands[1]));
		return EX_USAGE;
	}
	parameters = json_pack("{s:s, s:s, s:s*, s:s*}", "id", o->operands[0], "decision",
	    o->operands[1], "reason", reason, "parent", o->value[OPTION_PARENT]);
	if (parameters == NULL) {
		warnx("id and reason must be UTF-8, which is what JSON takes");
		return EX_DATAERR;
	}
	if (client_open(&c, o->value[OPTION_NO_AUTOSTART] == NULL) < 0) {
		json_decref(parameters);
		return client_fail(&c);
	}
	if (client_call(&c, "Answer", parameters, NULL) == 0)
		return EX_OK;
	return client_is_error(&c, "AlreadyDecided") ? fail_decided(&c) : client_fail(&c);
}
