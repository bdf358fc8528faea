/*
 * policy: who decides when a job asks: somebody who watches over it, or its profile in advance. The
 * numbers are what the store holds; a higher one is tighter.
 */
#ifndef BASE_POLICY_H
#define BASE_POLICY_H

enum policy {
	POLICY_ALLOW,
	POLICY_ASK, /* where nobody has said anything */
	POLICY_DENY,
	POLICY_COUNT
};

/* "allow", "ask", "deny"; NULL-terminated, in the order of the numbers. */
extern const char *const policy_words[];

const char *policy_name(enum policy p);

/* The policy of that name, or -EINVAL. */
int policy_parse(const char *name);

/*
 * The policy of a job: its own (-1: its profile says nothing) and that of the job which is its parent
 * (-1: its parent is no job). The tighter of the two, for what is inherited cannot be loosened.
 */
enum policy policy_inherit(int own, int above);

#endif
