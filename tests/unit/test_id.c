/*
 * Units of base/id.
 */
#include "base/id.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
test_allowed_bytes_are_allowed(void **state)
{
	(void)state;
	assert_null(id_fault("a"));
	assert_null(id_fault("_.-:@+"));
	assert_null(id_fault("Lint_2.x:y@z+w-v"));
	assert_null(id_fault("0"));
}

static void
test_each_other_byte_is_refused(void **state)
{
	static const char allowed[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	    "._:@+-";
	char id[3] = "a?";
	int c;

	(void)state;
	for (c = 1; c < 256; c++) {
		id[1] = (char)c;
		if (strchr(allowed, c) != NULL)
			assert_null(id_fault(id));
		else
			assert_non_null(id_fault(id));
	}
}

static void
test_length_is_1_to_100(void **state)
{
	char id[ID_MAX + 2];

	(void)state;
	memset(id, 'a', sizeof(id));
	id[ID_MAX + 1] = '\0';
	assert_non_null(id_fault(id));
	id[ID_MAX] = '\0';
	assert_null(id_fault(id));
	assert_non_null(id_fault(""));
}

static void
test_first_byte_is_neither_dot_nor_dash(void **state)
{
	(void)state;
	assert_non_null(id_fault("."));
	assert_non_null(id_fault(".."));
	assert_non_null(id_fault("-x"));
}

static void
test_models_are_one_word_of_a_command(void **state)
{
	char model[MODEL_MAX + 2];

	(void)state;
	assert_null(id_model_fault("a/b-3.5:free"));
	assert_null(id_model_fault("two words"));
	assert_null(id_model_fault("\xc3\xb6"));
	assert_non_null(id_model_fault(""));
	assert_non_null(id_model_fault("-x"));
	assert_non_null(id_model_fault("a\nb"));
	assert_non_null(id_model_fault("a\x7f"));
	memset(model, 'm', sizeof(model));
	model[MODEL_MAX + 1] = '\0';
	assert_non_null(id_model_fault(model));
	model[MODEL_MAX] = '\0';
	assert_null(id_model_fault(model));
}

static void
test_made_up_ids_are_valid_and_differ(void **state)
{
	char a[ID_SIZE], b[ID_SIZE], prefix[300];

	(void)state;
	id_make_up("run", a);
	id_make_up("run", b);
	assert_null(id_fault(a));
	assert_int_equal(strlen(a), strlen("run-") + 12);
	assert_string_not_equal(a, b);
	memset(prefix, 'p', sizeof(prefix));
	prefix[sizeof(prefix) - 1] = '\0';
	id_make_up(prefix, a);
	assert_null(id_fault(a));
	assert_int_equal(strlen(a), ID_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_allowed_bytes_are_allowed),
	    cmocka_unit_test(test_each_other_byte_is_refused),
	    cmocka_unit_test(test_length_is_1_to_100),
	    cmocka_unit_test(test_first_byte_is_neither_dot_nor_dash),
	    cmocka_unit_test(test_models_are_one_word_of_a_command),
	    cmocka_unit_test(test_made_up_ids_are_valid_and_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
