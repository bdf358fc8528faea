/*
 * signame: signals by name, as in "TERM" (sigabbrev_np(3)); "SIGTERM" and numbers are read as well.
 */
#ifndef BASE_SIGNAME_H
#define BASE_SIGNAME_H

/* Fits every name with its NUL ("RTMIN+30"). */
#define SIGNAME_SIZE 16

/* Returns the signal's number, or -EINVAL where there is none of that name. */
int signame_parse(const char *text);

/* Writes the name without "SIG"; for a number that has none, the number. */
void signame_format(int signo, char name[SIGNAME_SIZE]);

#endif
