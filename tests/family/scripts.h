/*
 * scripts: what users and jobs do: by chance, one thing after another, each as one of the commands would. The
 * simulator of queue and family.
 */
#ifndef FAMILY_SCRIPTS_H
#define FAMILY_SCRIPTS_H

#include <stdbool.h>
#include <stdint.h>

/* A world of so many users, who enqueue so many jobs, those of their jobs included. */
void scripts_init(unsigned users, unsigned jobs);

/* Nothing new is begun: all that there is comes to its end. */
void scripts_calm_down(void);

/* Whether the users have seen the records of all. */
bool scripts_are_done(void);

#endif
