/*
 * oddenv: `oddenv TEXT COMMAND...` executes the command with TEXT, which need not have a '=', at the
 * end of its environment. Run by tests only; links nothing but libc.
 */
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	size_t count = 0;
	char **env;

	if (argc < 3)
		errx(64, "usage: oddenv TEXT COMMAND...");
	while (environ[count] != NULL)
		count++;
	env = calloc(count + 2, sizeof(*env));
	if (env == NULL)
		err(1, "calloc");
	memcpy(env, environ, count * sizeof(*env));
	env[count] = argv[1];
	execvpe(argv[2], argv + 2, env);
	err(1, "%s", argv[2]);
}
