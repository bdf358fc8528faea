/*
 * test_api: a call's parameters arrive as the table says, and the first that is wrong is named.
 */
#include "server/api.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct target {
	const char *text;
	int64_t number;
	bool flag;
	json_t *strings, *numbers, *object;
};

static const struct api_field fields[] = {
    {"text", API_STRING, offsetof(struct target, text), true},
    {"number", API_INTEGER, offsetof(struct target, number), false},
    {"flag", API_BOOLEAN, offsetof(struct target, flag), false},
    {"strings", API_STRINGS, offsetof(struct target, strings), false},
    {"numbers", API_NUMBERS, offsetof(struct target, numbers), false},
    {"object", API_OBJECT, offsetof(struct target, object), false},
    {NULL, API_STRING, 0, false},
};

/* The field that is wrong in these parameters, "" if none; t gets the values. */
static const char *
read_text(const char *parameters, struct api_call *call, struct target *t, struct fault *f)
{
	json_t *message =
	    json_pack("{s:s, s:o}", "method", "m", "parameters", json_loads(parameters, 0, NULL));
	const char *field;

	memset(t, 0, sizeof(*t));
	assert_int_equal(api_call_init(call, message), 0);
	field = api_read(call, fields, t, f);
	return field == NULL ? "" : field;
}

static void
good_parameters_arrive(void **state)
{
	struct api_call call;
	struct target t;
	struct fault f;

	(void)state;
	assert_string_equal(read_text("{\"text\":\"x\",\"number\":-5,\"flag\":true,"
				      "\"strings\":[\"a\",\"b\"],\"numbers\":[1],"
				      "\"object\":{\"k\":\"v\"}}",
				&call, &t, &f),
	    "");
	assert_string_equal(t.text, "x");
	assert_int_equal(t.number, -5);
	assert_true(t.flag);
	assert_int_equal(json_array_size(t.strings), 2);
	assert_int_equal(json_array_size(t.numbers), 1);
	assert_int_equal(json_object_size(t.object), 1);
	api_call_fini(&call);
	assert_string_equal(read_text("{\"text\":\"x\",\"number\":null}", &call, &t, &f), "");
	api_call_fini(&call);
}

static void
what_is_wrong_is_named(void **state)
{
	static const struct {
		const char *parameters;
		const char *field;
		const char *reason;
	} faults[] = {
	    {"{}", "text", "is missing"},
	    {"{\"text\":null}", "text", "is missing"},
	    {"{\"text\":5}", "text", "must be a string"},
	    {"{\"text\":\"\",\"number\":1.5}", "number", "must be a whole number"},
	    {"{\"text\":\"\",\"flag\":1}", "flag", "must be true or false"},
	    {"{\"text\":\"\",\"strings\":[1]}", "strings", "must be an array of strings"},
	    {"{\"text\":\"\",\"numbers\":\"1\"}", "numbers", "must be an array of whole numbers"},
	    {"{\"text\":\"\",\"object\":{\"k\":1}}", "object", "must be an object of strings"},
	    {"{\"text\":\"\",\"other\":1}", "other", "m has no parameter of this name"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct api_call call;
		struct target t;
		struct fault f;

		assert_string_equal(read_text(faults[i].parameters, &call, &t, &f),
		    faults[i].field);
		assert_string_equal(f.text, faults[i].reason);
		api_call_fini(&call);
	}
}

static void
what_is_no_call_is_refused(void **state)
{
	static const char *const messages[] = {"{}", "{\"method\":5}",
	    "{\"method\":\"m\",\"parameters\":[]}"};
	struct api_call call;

	(void)state;
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
		assert_int_equal(api_call_init(&call, json_loads(messages[i], 0, NULL)), -EBADMSG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(good_parameters_arrive),
	    cmocka_unit_test(what_is_wrong_is_named),
	    cmocka_unit_test(what_is_no_call_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
