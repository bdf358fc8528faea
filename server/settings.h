/*
 * settings: the configuration file, into force whole or not at all. Runs in the server.
 */
#ifndef SERVER_SETTINGS_H
#define SERVER_SETTINGS_H

#include "base/fault.h"
#include "server/state.h"

/*
 * Reads the file again. On success the new settings are in force, for jobs to come. Else nothing
 * has changed, and *ret_faults (the caller frees it; NULL if memory is short) has all faults, one
 * a line. 0 or -errno.
 */
int settings_load(struct server *s, char **ret_faults);

#endif
