/*
 * test_policy: that the policy of approvals only gets tighter from parent to child.
 */
#include "base/policy.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
names_and_numbers_belong_together(void **state)
{
	(void)state;
	for (int p = 0; p < POLICY_COUNT; p++)
		assert_int_equal(policy_parse(policy_name((enum policy)p)), p);
	assert_int_equal(policy_parse("never"), -EINVAL);
	assert_int_equal(policy_parse(""), -EINVAL);
}

/* Each pair of what a job and its parent may have. */
static void
what_is_inherited_cannot_be_loosened(void **state)
{
	static const struct {
		int own, above;
		enum policy expected;
	} rows[] = {
	    {-1, -1, POLICY_ASK},
	    {POLICY_ALLOW, -1, POLICY_ALLOW},
	    {POLICY_ASK, -1, POLICY_ASK},
	    {POLICY_DENY, -1, POLICY_DENY},
	    {-1, POLICY_ALLOW, POLICY_ALLOW},
	    {POLICY_ALLOW, POLICY_ALLOW, POLICY_ALLOW},
	    {POLICY_ASK, POLICY_ALLOW, POLICY_ASK},
	    {POLICY_DENY, POLICY_ALLOW, POLICY_DENY},
	    {-1, POLICY_ASK, POLICY_ASK},
	    {POLICY_ALLOW, POLICY_ASK, POLICY_ASK},
	    {POLICY_ASK, POLICY_ASK, POLICY_ASK},
	    {POLICY_DENY, POLICY_ASK, POLICY_DENY},
	    {-1, POLICY_DENY, POLICY_DENY},
	    {POLICY_ALLOW, POLICY_DENY, POLICY_DENY},
	    {POLICY_ASK, POLICY_DENY, POLICY_DENY},
	    {POLICY_DENY, POLICY_DENY, POLICY_DENY},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(policy_inherit(rows[i].own, rows[i].above), rows[i].expected);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_and_numbers_belong_together),
	    cmocka_unit_test(what_is_inherited_cannot_be_loosened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
