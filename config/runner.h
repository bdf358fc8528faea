/*
 * runner: [runner NAME] of spawnd.ini: what a job executes for which no command was given, or around the
 * one that was. Pure but for allocation.
 *
 * The first runner in the file matches of which all patterns, fnmatch(3), do. Around a command that was given
 * only such a runner is put as has a place for it, %a: what was given is never dropped.
 */
#ifndef CONFIG_RUNNER_H
#define CONFIG_RUNNER_H

#include "base/fault.h"
#include "config/section.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is known of a job before it has its command. */
struct runner_job {
	const char *child, *parent;
	const char *model, *profile; /* NULL: none, which patterns see as the empty text */
	int64_t job;
	char *const *argv; /* as it was given, NULL-terminated */
};

/* The key of that number, or NULL behind the last. */
const char *runner_key(size_t number);

/* 0; -ENOENT: there is no such key; or -EINVAL/-ENOMEM with f saying what is wrong with the value. */
int runner_check(const char *key, const char *value, struct fault *f);

/* The first that matches, or NULL; s may be NULL. j->job does not matter. */
const struct section *runner_find(const struct sections *s, const struct runner_job *j);

/* Whether its command names the job's number, %j. */
bool runner_names_job(const struct section *runner);

/*
 * *ret_argv is the command for this job, NULL-terminated: one allocation, the caller's to free(3), which may
 * have pointers into j->argv. 0 or -ENOMEM.
 */
int runner_expand(const struct section *runner, const struct runner_job *j, char ***ret_argv);

/*
 * What of all that a runner needs is missing, or keeps it from ever matching, with *ret_entry what is at
 * fault, or NULL. 0, -ENOENT or -EINVAL.
 */
int runner_check_use(const struct sections *s, const struct section *runner,
    const struct section_entry **ret_entry, struct fault *f);

/* All runners with their patterns, for people: "ssh (match_child = a*, match_model = b), box". */
void runner_list(const struct sections *s, char *text, size_t size);

#endif
