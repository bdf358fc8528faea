/*
 * exitcode: what `run` and `wait` exit with, as timeout(1) and the shell do.
 */
#ifndef CLI_EXITCODE_H
#define CLI_EXITCODE_H

#include <jansson.h>

#define EXIT_NOT_RUN 123 /* cancelled, skipped or lost */
#define EXIT_TIMEOUT 124
#define EXIT_OWN 125 /* a failure of spawnd itself */
#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NOT_FOUND 127

/*
 * The exit code for a completion record: the child's own, 128+n for a signal, 124 after a
 * timeout, 126 or 127 if the command could not be executed or found, 123 if the job was
 * cancelled, skipped or lost, and 125 for whatever else kept it from running, or a record that
 * says nothing of the kind.
 */
int exitcode_of_record(const json_t *record);

#endif
