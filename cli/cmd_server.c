/*
 * spawnd server: the role in which the supervisor starts its server; not for people.
 */
#include "cli/cmd.h"
#include "cli/options.h"
#include "server/server.h"
#include "wire/wire.h"

#include <err.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sysexits.h>

/* Whether fd is a socket of this type. */
static int
is_socket(int fd, int type)
{
	int value;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &len) == 0 && value == type;
}

int
cmd_server(const struct options *o)
{
	struct server_setup setup;

	prctl(PR_SET_NAME, "spawnd"); /* not "exe", as execution by way of /proc/self/exe has it */
	if (is_socket(WIRE_SERVER_FD, SOCK_SEQPACKET) && is_socket(WIRE_LISTEN_FD, SOCK_STREAM))
		return setup_parse(o->operands, (size_t)o->operand_count, &setup) == 0
		    ? server_run(&setup, o->value[OPTION_MANAGED] != NULL)
		    : EX_USAGE;
	warnx("only the supervisor starts this; 'spawnd daemon' starts both");
	return EX_USAGE;
}
