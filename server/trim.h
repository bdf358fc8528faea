/*
 * trim: how much of a growing file goes so that what is left keeps to a limit, and when to look at
 * the file again. Pure: no system call, the time is an argument. Runs in the server.
 *
 * What is freed is the oldest part, in whole blocks, and in steps of an eighth of the limit (64 KiB
 * at least, half the limit at most), so that it happens seldom.
 */
#ifndef SERVER_TRIM_H
#define SERVER_TRIM_H

#include <stdbool.h>
#include <stdint.h>

/* The file does not grow: wait for its next write instead of looking. */
#define TRIM_QUIET UINT64_MAX

/* What one look at the file says. */
struct trim_file {
	uint64_t size;  /* the position of its end */
	uint64_t begin; /* where its data begins: what is before is freed already */
	uint64_t room;  /* bytes that it takes on the disk */
	uint64_t block; /* what is freed is a multiple of this, and more than 0 */
};

/* A value. At the start: the first two, looked_ns the time, and zeros. */
struct trim {
	uint64_t max_output;
	bool is_strict;     /* the limit itself counts, without the step */
	uint64_t size;      /* at the last look */
	uint64_t looked_ns; /* when that was */
	uint64_t grown_ns;  /* the last look that found another size; 0: none yet */
};

/*
 * Whether the file takes more room than it may. Of its length without what is freed, and the room
 * on the disk, the smaller counts: a file with holes of its own takes less than it is long, and a
 * file system may reserve more than is written.
 */
bool trim_is_over(const struct trim *t, const struct trim_file *f);

/*
 * If the file is over: the offset before which all is to be freed, so that the newest max_output
 * bytes stay and less than a block more. 0: nothing is to be freed.
 */
uint64_t trim_to(const struct trim *t, const struct trim_file *f);

/* A write woke us: the next look measures the rate from now on. Returns when that is to be. */
uint64_t trim_wake(struct trim *t, uint64_t now_ns);

/*
 * After a look (and what was freed then: f->begin says so): when to look again, or TRIM_QUIET.
 * Once a second while the file grows; sooner where at the rate seen it would be over before.
 */
uint64_t trim_next(struct trim *t, const struct trim_file *f, uint64_t now_ns);

#endif
