/*
 * command: see command.h.
 */
#include "server/command.h"

#include "base/fd.h"
#include "config/profile.h"
#include "server/starter.h"
#include "wire/launch.h"

#include <bsd/string.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* The longest launch block; more than execve(2) takes on any system. */
#define BLOCK_MAX (16 * 1024 * 1024)

#define NO_MEMORY "the command is too large for this machine's memory"

void
command_fini(struct command *c)
{
	if (c->block != c->given)
		free(c->block);
	free(c->given);
	c->block = c->given = NULL;
}

/* argv for people. */
static void
describe(struct command *c, char *const *argv)
{
	json_t *probe;

	c->text[0] = '\0';
	for (; *argv != NULL; argv++) {
		if (c->text[0] != '\0')
			strlcat(c->text, " ", sizeof(c->text));
		strlcat(c->text, *argv, sizeof(c->text));
	}
	probe = json_string(c->text);
	for (char *p = c->text; *p != '\0'; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f || (probe == NULL && *p & 0x80))
			*p = '?';
	}
	json_decref(probe);
}

/* The functions below that return bool answer the call themselves where they find a fault. */

static bool
fail_too_long(struct call *call, const char *reason)
{
	call_fail(call, "CommandTooLong", json_pack("{s:s}", "reason", reason));
	return false;
}

/* The block came as a descriptor: it is copied, so that it stands still. */
static bool
copy_block(struct call *call, struct command *c)
{
	FD_CLEANUP int fd = conn_take_fd(call->conn, (size_t)c->from->launch);
	const void *mapped;
	int r = fd < 0 ? -EBADF : launch_map_memfd(fd, BLOCK_MAX, &mapped, &c->given_len);

	if (r == 0) {
		c->given = malloc(c->given_len);
		if (c->given != NULL)
			memcpy(c->given, mapped, c->given_len);
		munmap((void *)mapped, c->given_len);
		r = c->given == NULL ? -ENOMEM : 0;
	}
	if (r == -EFBIG)
		return fail_too_long(call,
		    "the launch block is larger than any system can execute");
	if (r < 0)
		call_fail_argument(call, "launch",
		    "must be the index of a sealed memfd with a launch block, sent along");
	return r == 0;
}

/* NULL-terminated; the strings stay the array's. */
static char **
strings_of(const json_t *array)
{
	char **strings = calloc(json_array_size(array) + 1, sizeof(*strings));
	size_t i;
	const json_t *value;

	if (strings == NULL)
		return NULL;
	json_array_foreach (array, i, value)
		strings[i] = (char *)json_string_value(value);
	return strings;
}

/* What was read from a client's own environment may be anything; what is given as a list is to be right. */
static bool
check_env(struct call *call, const json_t *env)
{
	const json_t *value;
	struct fault f;
	size_t i;

	json_array_foreach (env, i, value) {
		const char *variable = json_string_value(value);

		if (variable[0] != '=' && strchr(variable, '=') != NULL)
			continue;
		fault_set(&f, EINVAL, "must be NAME=VALUE each, and element %zu is not", i);
		call_fail_argument(call, "env", f.text);
		return false;
	}
	return true;
}

static bool
pack_block(struct call *call, struct command *c)
{
	const struct command_given *g = c->from;
	struct launch l = {.directory = g->cwd != NULL ? g->cwd : "/",
	    .stdin_path = g->stdin_path != NULL ? g->stdin_path : "/dev/null",
	    .umask = (mode_t)(g->umask & 0777)};
	bool is_good;

	if (g->umask < 0 || g->umask > 0777) {
		call_fail_argument(call, "umask", "must be 0 to 511 (octal 777)");
		return false;
	}
	if (l.directory[0] != '/' || l.stdin_path[0] != '/') {
		call_fail_argument(call, l.directory[0] != '/' ? "cwd" : "stdin",
		    "must be an absolute path");
		return false;
	}
	if (!check_env(call, g->env))
		return false;
	l.argv = strings_of(g->argv);
	l.env = strings_of(g->env);
	is_good = l.argv != NULL && l.env != NULL && launch_pack(&l, &c->given, &c->given_len) == 0;
	free(l.argv);
	free(l.env);
	return is_good || fail_too_long(call, NO_MEMORY);
}

/* Whether the variable "NAME=value" or "NAME" has that name. */
static bool
has_name(const char *variable, const char *name)
{
	size_t len = strlen(name);

	return strncmp(variable, name, len) == 0 && (variable[len] == '=' || variable[len] == '\0');
}

/* Whether whoever enqueues the job has set the variable for it: no profile goes over that. */
static bool
is_given(const struct command_given *g, const char *name)
{
	size_t i;
	const json_t *value;

	json_array_foreach (g->launch >= 0 ? g->env_given : g->env, i, value)
		if (has_name(json_string_value(value), name))
			return true;
	return false;
}

static void
drop_variable(char **env, const char *name)
{
	char **kept = env;

	for (; *env != NULL; env++) {
		if (!has_name(*env, name))
			*kept++ = *env;
	}
	*kept = NULL;
}

/*
 * The environment with the profile's variables in it, in an array of its own; *ret_made gets an array of those that
 * are allocated. Both are the caller's. 0 or -ENOMEM.
 */
static int
add_variables(const struct command *c, char *const *given, char ***ret_env, char ***ret_made)
{
	const struct section_entry *v;
	size_t count = 0, made = 0, n = 0;
	char **env, **own;

	while (profile_variable(c->sections, c->profile, made, NULL) != NULL)
		made++;
	while (given[count] != NULL)
		count++;
	env = *ret_env = calloc(count + made + 1, sizeof(*env));
	own = *ret_made = calloc(made + 1, sizeof(*own));
	if (env == NULL || own == NULL)
		return -ENOMEM;
	memcpy(env, given, count * sizeof(*env));
	for (size_t i = 0; (v = profile_variable(c->sections, c->profile, i, NULL)) != NULL; i++) {
		const char *name = v->key + strlen(PROFILE_ENV);

		if (is_given(c->from, name))
			continue;
		if (asprintf(&own[n], "%s=%s", name, v->value) < 0) {
			own[n] = NULL;
			return -ENOMEM;
		}
		drop_variable(env, name);
		for (count = 0; env[count] != NULL;)
			count++;
		env[count] = own[n++];
	}
	return 0;
}

/* Puts l together anew as the block that will be executed. 0 or -ENOMEM. */
static int
dress(struct command *c, struct launch *l)
{
	char *const *given_env = l->env;
	char **argv = NULL, **env = NULL, **made = NULL;
	int r = add_variables(c, given_env, &env, &made);

	c->job.argv = l->argv;
	if (r == 0 && c->runner != NULL)
		r = runner_expand(c->runner, &c->job, &argv);
	if (r == 0) {
		struct launch full = *l;

		full.env = env;
		full.argv = argv != NULL ? argv : l->argv;
		describe(c, full.argv);
		if (c->block != c->given)
			free(c->block);
		c->block = NULL;
		r = launch_pack(&full, &c->block, &c->block_len);
	}
	for (size_t i = 0; made != NULL && made[i] != NULL; i++)
		free(made[i]);
	free(made);
	free(env);
	free(argv);
	return r < 0 ? -ENOMEM : 0;
}

/* What was given, as it is to be executed; where nothing is to be added, the block stays as it came. */
static int
build(struct command *c)
{
	struct launch l;
	int r = launch_unpack(c->given, c->given_len, &l);

	if (r < 0)
		return r;
	if (c->runner != NULL || profile_variable(c->sections, c->profile, 0, NULL) != NULL) {
		r = dress(c, &l);
	} else {
		describe(c, l.argv);
		c->block = c->given;
		c->block_len = c->given_len;
	}
	free(l.argv);
	return r;
}

static void
fail_no_runner(struct call *call, const struct command *c)
{
	char tried[1024], reason[1400];

	runner_list(c->sections, tried, sizeof(tried));
	snprintf(reason, sizeof(reason),
	    "no runner matches child %s, and no command was given: give `argv`, or write a "
	    "[runner NAME] for it into spawnd.ini; %s%s",
	    c->job.child, tried[0] != '\0' ? "tried were " : "there is none", tried);
	call_fail(call, "NoRunner", json_pack("{s:s}", "reason", reason));
}

/* Finds the runner of what was given; without a command there must be one. */
static bool
find_runner(struct call *call, struct command *c)
{
	struct launch l;
	bool is_good = false;
	int r = launch_unpack(c->given, c->given_len, &l);

	if (r == -ENOMEM)
		return fail_too_long(call, NO_MEMORY);
	if (r < 0) {
		call_fail_argument(call, "launch",
		    "must be the index of a sealed memfd with a launch block, sent along");
		return false;
	}
	c->job.argv = l.argv;
	c->runner = runner_find(c->sections, &c->job);
	if (l.argv[0] != NULL && l.argv[0][0] == '\0')
		call_fail_argument(call, "argv", "is empty: name the program to run");
	else if (l.argv[0] == NULL && c->runner == NULL)
		fail_no_runner(call, c);
	else
		is_good = true;
	free(l.argv);
	return is_good;
}

static bool
check_block(struct call *call, const struct command *c)
{
	struct fault f;
	struct launch l;
	bool is_good = false;

	if (launch_unpack(c->block, c->block_len, &l) < 0)
		return fail_too_long(call, NO_MEMORY);
	if (l.argv[0] == NULL || l.argv[0][0] == '\0')
		call_fail_argument(call, "argv", "is empty: name the program to run");
	else if (launch_check_size(&l, STARTER_ENV_SPARE, &f) < 0)
		fail_too_long(call, f.text);
	else
		is_good = true;
	free(l.argv);
	return is_good;
}

bool
command_make(struct call *call, struct command *c, const struct command_given *g,
    const struct sections *sections, const struct section *profile, const struct runner_job *j)
{
	c->from = g;
	c->sections = sections;
	c->profile = profile;
	c->job = *j;
	c->job.job = INT64_MAX; /* none is longer */
	if (g->launch >= 0 ? !copy_block(call, c) : !pack_block(call, c))
		return false;
	if (!find_runner(call, c))
		return false;
	if (build(c) < 0)
		return fail_too_long(call, NO_MEMORY);
	return check_block(call, c);
}

bool
command_names_job(const struct command *c)
{
	return c->runner != NULL && runner_names_job(c->runner);
}

int
command_number(struct command *c, int64_t job)
{
	c->job.job = job;
	return build(c);
}
