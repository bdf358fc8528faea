/*
 * spawnd reload: has the daemon read its configuration again, or, with --exec, go over to the program that
 * now stands where its own was. Starts none. A program that does not even say its version is not gone over
 * to: the daemon would die of it.
 */
#include "cli/client.h"
#include "cli/cmd.h"
#include "cli/options.h"

#include "base/clock.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>

#define PATIENCE_NS (60 * NSEC_PER_SEC)
#define PAUSE_MS 20

/* Whether the program runs and says its version. 0 or an exit code, after telling. */
static int
check_program(const char *program)
{
	extern char **environ;
	char *const argv[] = {"spawnd", "version", NULL};
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int status = -1, error = posix_spawn_file_actions_init(&actions);

	if (error == 0)
		error = posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null",
		    O_WRONLY, 0);
	if (error == 0)
		error = posix_spawn(&pid, program, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	while (error == 0 && waitpid(pid, &status, 0) < 0)
		error = errno == EINTR ? 0 : errno;
	if (error == 0 && WIFEXITED(status) && WEXITSTATUS(status) == EX_OK)
		return EX_OK;
	warnx("%s: %s; the daemon stays as it is", program,
	    error != 0 ? strerror(error) : "does not say its version");
	return EX_UNAVAILABLE;
}

/* Info, as far as it is wanted here. 0, or an exit code after telling. */
static int
ask(struct client *c, json_int_t *ret_server_pid, json_t **ret_info)
{
	if (client_call(c, "Info", json_object(), ret_info) < 0)
		return client_fail(c);
	*ret_server_pid = json_integer_value(json_object_get(*ret_info, "server_pid"));
	return 0;
}

static int
reload(struct client *c, bool is_exec)
{
	const char *reason;

	if (client_call(c, "Reload", json_pack("{s:b}", "exec", is_exec), NULL) == 0)
		return EX_OK;
	reason = json_string_value(json_object_get(c->error_parameters, "reason"));
	if (!client_is_error(c, "InvalidArgument") || reason == NULL)
		return client_fail(c);
	/* One line for each fault, and each names the file: nothing to add. */
	fprintf(stderr, "%s\n", reason);
	return EX_CONFIG;
}

/* Until another server answers. */
static int
await_other(struct client *c, json_int_t server_pid)
{
	const uint64_t deadline_ns = clock_add_ns(clock_mono_ns(), PATIENCE_NS);
	json_int_t now = server_pid;
	json_t *info;
	int code = EX_OK;

	while (code == EX_OK && now == server_pid) {
		if (clock_mono_ns() >= deadline_ns) {
			warnx(
			    "the daemon has not gone over yet, and goes on waiting; its log says why");
			return EX_TEMPFAIL;
		}
		poll(NULL, 0, PAUSE_MS);
		code = ask(c, &now, &info);
		if (code == EX_OK)
			json_decref(info);
	}
	return code;
}

int
cmd_reload(const struct options *o)
{
	CLIENT_CLEANUP struct client c = {.fd = -1};
	const char *program;
	json_int_t server_pid;
	json_t *info;
	int code;

	if (client_open(&c, false) < 0)
		return client_fail(&c);
	if (o->value[OPTION_EXEC] == NULL)
		return reload(&c, false);
	code = ask(&c, &server_pid, &info);
	if (code != EX_OK)
		return code;
	program = json_string_value(json_object_get(info, "program"));
	code = check_program(program != NULL ? program : "");
	json_decref(info);
	if (code == EX_OK)
		code = reload(&c, true);
	return code == EX_OK ? await_other(&c, server_pid) : code;
}
