/*
 * request: see request.h. Run by `enqueue` and `run`. Must not change a byte of argv or of the
 * environment's values.
 */
#include "cli/request.h"

#include "cli/inside.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/id.h"
#include "base/quote.h"
#include "cli/request_order.h"
#include "wire/launch.h"

#include <bsd/string.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

/* What the daemon adds to the environment: a dozen names, some of them with a path. */
#define ENV_SPARE (4 * PATH_MAX)

#define OWN_PREFIX "SPAWND_"
#define TOKEN_SIZE 33

/* Variables of spawnd are set anew for each job; only where its directories are is passed on. */
static bool
is_own(const char *variable)
{
	return strncmp(variable, OWN_PREFIX, strlen(OWN_PREFIX)) == 0 &&
	    strncmp(variable, "SPAWND_HOME=", strlen("SPAWND_HOME=")) != 0;
}

static int
check_model(const char *model)
{
	const char *fault = model == NULL ? NULL : id_model_fault(model);
	json_t *text = json_string(model == NULL ? "" : model);

	json_decref(text);
	if (text == NULL)
		fault = "it is not UTF-8, which is what JSON takes";
	if (fault == NULL)
		return 0;
	warnx("--model '%s': %s", QUOTE(model), fault);
	return EX_USAGE;
}

/* The ids that an option joins by commas. 0, or EX_USAGE after telling. */
static int
check_ids(const struct options *o, enum option_id id)
{
	const char *names = o->value[id], *fault;
	char name[ID_SIZE + 1];
	size_t len;

	for (; names != NULL; names = names[len] == ',' ? names + len + 1 : NULL) {
		len = strcspn(names, ",");
		/* One that is too long stays too long. */
		strlcpy(name, names, len < ID_SIZE ? len + 1 : sizeof(name));
		fault = id_fault(name);
		if (fault != NULL) {
			warnx("--%s: child id '%s': %s", option_row(id)->name, QUOTE(name), fault);
			return EX_USAGE;
		}
	}
	return 0;
}

int
request_check(const struct options *o)
{
	static const char *const words[] = {"refuse", "ignore", "replace", NULL};
	static const char *const policies[] = {"all", "any", "first_error", NULL};

	for (size_t i = 0; i < o->env.count; i++) {
		if (is_own(o->env.items[i])) {
			warnx("--env '%s': SPAWND_ names are spawnd's own; use another",
			    QUOTE(o->env.items[i]));
			return EX_USAGE;
		}
	}
	for (size_t i = 0; i < o->meta.count; i++) {
		json_t *text = json_string(o->meta.items[i]);

		json_decref(text);
		if (text == NULL) {
			warnx("--meta '%s': not UTF-8, which is what JSON takes",
			    QUOTE(o->meta.items[i]));
			return EX_USAGE;
		}
	}
	if (check_model(o->value[OPTION_MODEL]) != 0 || request_order_check(o) != 0)
		return EX_USAGE;
	if (check_ids(o, OPTION_AFTER) != 0 || check_ids(o, OPTION_AFTER_OK) != 0 ||
	    options_check_word(o, OPTION_AFTER_POLICY, policies) != 0)
		return EX_USAGE;
	return options_check_word(o, OPTION_IF_EXISTS, words);
}

/* Whether two variables "NAME=value" have the same name. */
static bool
is_same_name(const char *a, const char *b)
{
	size_t len = strcspn(a, "=") + 1;

	return strncmp(a, b, len) == 0;
}

/* Whether one of the variables from `first` on has the name of this one. */
static bool
is_replaced(const struct option_words *env, size_t first, const char *variable)
{
	for (size_t i = first; i < env->count; i++) {
		if (is_same_name(env->items[i], variable))
			return true;
	}
	return false;
}

/*
 * The child's environment; the array is the caller's to free, the strings are not. NULL: no
 * memory.
 */
static char **
make_env(const struct options *o)
{
	size_t count = 0, n = 0;
	char **env;

	while (environ[count] != NULL)
		count++;
	env = calloc(count + o->env.count + 1, sizeof(*env));
	if (env == NULL)
		return NULL;
	for (size_t i = 0; i < count && o->value[OPTION_CLEAN_ENV] == NULL; i++) {
		if (!is_own(environ[i]) && !is_replaced(&o->env, 0, environ[i]))
			env[n++] = environ[i];
	}
	for (size_t i = 0; i < o->env.count; i++) {
		if (!is_replaced(&o->env, i + 1, o->env.items[i]))
			env[n++] = (char *)(uintptr_t)o->env.items[i];
	}
	return env;
}

/* The path of the child's standard input into path. 0 or an exit code, after telling. */
static int
find_stdin(const struct options *o, const char *directory, char path[PATH_MAX])
{
	const char *file = o->value[OPTION_STDIN] != NULL ? o->value[OPTION_STDIN] : "/dev/null";
	struct stat st;
	int r = 0;

	if (file[0] == '/')
		r = path_join("", file + 1, path);
	else
		r = path_join(directory, file, path);
	if (r < 0)
		errno = -r;
	else if (stat(path, &st) < 0 || faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) < 0)
		r = -errno;
	else if (S_ISDIR(st.st_mode))
		r = -(errno = EISDIR);
	if (r == 0)
		return 0;
	warn("--stdin '%s'", QUOTE(file));
	return EX_NOINPUT;
}

static mode_t
read_umask(void)
{
	mode_t mask = umask(0);

	umask(mask);
	return mask;
}

/*
 * Packs and seals what is to be executed. 0 with *ret_fd, the caller's; or an exit code, after
 * telling.
 */
static int
seal_launch(const struct launch *l, int *ret_fd)
{
	struct fault f;
	void *block;
	size_t len;
	int r;

	if (launch_check_size(l, ENV_SPARE, &f) < 0) {
		warnx("%s", QUOTE(f.text));
		return EX_DATAERR;
	}
	r = launch_pack(l, &block, &len);
	if (r == 0) {
		r = launch_to_memfd(block, len);
		free(block);
	}
	if (r < 0) {
		warnx("cannot pack the command: %s", strerror(-r));
		return EX_OSERR;
	}
	*ret_fd = r;
	return 0;
}

static int
make_launch(const struct options *o, int *ret_fd)
{
	char directory[PATH_MAX], stdin_path[PATH_MAX];
	struct launch l = {.directory = directory, .stdin_path = stdin_path, .argv = o->operands};
	int r;

	if (getcwd(directory, sizeof(directory)) == NULL) {
		warn("the current directory, in which the child is to run; change to another one");
		return EX_NOINPUT;
	}
	r = find_stdin(o, directory, stdin_path);
	if (r != 0)
		return r;
	l.umask = read_umask();
	l.env = make_env(o);
	if (l.env == NULL)
		err(EX_OSERR, "the environment");
	r = seal_launch(&l, ret_fd);
	free(l.env);
	return r;
}

static json_t *
make_meta(const struct option_words *words)
{
	json_t *meta = words->count == 0 ? NULL : json_object();

	for (size_t i = 0; i < words->count; i++) {
		const char *item = words->items[i];
		size_t len = strcspn(item, "=");
		char *key = strndup(item, len);

		if (key == NULL || json_object_set_new(meta, key, json_string(item + len + 1)) < 0)
			errx(EX_OSERR, "out of memory");
		free(key);
	}
	return meta;
}

/* The names of these variables; NULL where there is none. */
static json_t *
name_env(const struct option_words *words)
{
	json_t *names = words->count == 0 ? NULL : json_array();

	for (size_t i = 0; i < words->count; i++) {
		const char *item = words->items[i];

		/* One that JSON cannot say is left out: no profile has it. */
		json_array_append_new(names, json_stringn(item, strcspn(item, "=")));
	}
	return names;
}

/* The time first, so that tokens stand in the store in the order in which they came. */
static void
make_token(char token[TOKEN_SIZE])
{
	struct timespec now;
	uint64_t ns, random;

	clock_gettime(CLOCK_REALTIME, &now);
	ns = (uint64_t)now.tv_sec * NSEC_PER_SEC + (uint64_t)now.tv_nsec;
	/* arc4random(3) would make a stock of them first. */
	if (getentropy(&random, sizeof(random)) < 0)
		err(EX_OSERR, "getentropy");
	snprintf(token, TOKEN_SIZE, "%016" PRIx64 "%016" PRIx64, ns, random);
}

static void
set_word(json_t *parameters, const char *key, const char *word)
{
	if (word != NULL && json_object_set_new(parameters, key, json_string(word)) < 0)
		errx(EX_OSERR, "out of memory");
}

static json_t *
make_parameters(const struct options *o)
{
	const char *token = o->value[OPTION_TOKEN];
	char made_up[TOKEN_SIZE];
	json_t *p;

	if (token == NULL) {
		make_token(made_up);
		token = made_up;
	}
	p = json_pack("{s:s*, s:s*, s:s*, s:s*, s:s*, s:o*, s:o*, s:b, s:s, s:i}", "parent",
	    options_parent(o), "child", o->value[OPTION_CHILD], "if_exists",
	    o->value[OPTION_IF_EXISTS], "profile", o->value[OPTION_PROFILE], "model",
	    o->value[OPTION_MODEL], "env_given", name_env(&o->env), "meta", make_meta(&o->meta),
	    "no_wait", o->value[OPTION_NO_WAIT] != NULL, "token", token, "launch", 0);
	if (p == NULL)
		errx(EX_OSERR, "out of memory");
	json_object_set_new(p, "parent_job", inside_parent_job(options_parent(o)));
	request_order_add(p, o);
	set_word(p, "after", o->value[OPTION_AFTER]);
	set_word(p, "after_ok", o->value[OPTION_AFTER_OK]);
	set_word(p, "after_policy", o->value[OPTION_AFTER_POLICY]);
	for (size_t i = 0; i < CONFIG_LIMITS_MAX; i++) {
		if (o->limit[i] != NULL)
			json_object_set_new(p, config_limit(i)->key, json_string(o->limit[i]));
	}
	return p;
}

int
request_make(const struct options *o, json_t **ret_parameters, int *ret_fd)
{
	int r = make_launch(o, ret_fd);

	if (r == 0)
		*ret_parameters = make_parameters(o);
	return r;
}

void
request_warn(const json_t *reply)
{
	const json_t *warning;
	size_t i;

	json_array_foreach (json_object_get(reply, "warnings"), i, warning)
		warnx("warning: %s", QUOTE(json_string_value(warning)));
}

int
request_enqueue(struct client *c, const struct options *o, json_t **ret_reply)
{
	FD_CLEANUP int launch_fd = -1;
	json_t *parameters;
	int r;

	*ret_reply = NULL;
	r = request_make(o, &parameters, &launch_fd);
	if (r != 0)
		return r;
	r = client_call_with_fd(c, "Enqueue", parameters, launch_fd, ret_reply);
	if (r == -EINTR) {
		warnx("interrupted before the job was accepted");
		return EX_TEMPFAIL;
	}
	if (r < 0)
		return client_fail(c);
	request_warn(*ret_reply);
	return 0;
}
