/*
 * batch: JOBS jobs of /bin/true, stored and recorded, by one connection to the daemon that serves at
 * $SPAWND_HOME/run/socket; ends when each has its record. To be timed from outside, beside bench/loop.c.
 *
 *	batch JOBS [one]
 *
 * With `one` the next job is enqueued when the record of the one before has come, and lasts long enough for its start
 * to be told before its end: then what the daemon does is the same each time, to be counted by bench/check.
 */
#include "bench/client.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Collects the numbers of the records. */
static void
note(void *arg, const json_t *record)
{
	if (json_is_object(record))
		json_array_append(arg, json_object_get(record, "seq"));
}

static void
run(struct client *s, const char *parent, int n, const char *const *command)
{
	json_t *seqs = json_array();

	client_enqueue(s, parent, n, command);
	client_records(s, parent, note, seqs);
	if (json_array_size(seqs) != (size_t)n)
		errx(1, "%d jobs, %zu records", n, json_array_size(seqs));
	json_decref(client_call(s, "org.spawnd.Acknowledge", json_pack("{s:o}", "seqs", seqs)));
}

int
main(int argc, char **argv)
{
	static const char *const shortest[] = {"/bin/true", NULL},
				 *const brief[] = {"/bin/sleep", "0.05", NULL};
	int n = argc > 1 ? atoi(argv[1]) : 0;
	bool is_one = argc == 3 && strcmp(argv[2], "one") == 0;
	static struct client s;
	char parent[32];

	if (n < 1 || argc > 3 || (argc == 3 && !is_one))
		errx(64, "usage: batch JOBS [one]");
	snprintf(parent, sizeof(parent), "batch-%d", (int)getpid());
	client_open(&s);
	for (int i = 0; i < (is_one ? n : 1); i++)
		run(&s, parent, is_one ? 1 : n, is_one ? brief : shortest);
	return 0;
}
