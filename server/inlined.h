/*
 * inlined: what a child wrote into SPAWND_RESULT, taken in piece by piece, as fields of its record:
 * whole if it is short, else its SHA-256 and its end, and its end alone if it is very long. Pure; the digest is libmd's. Runs in the server.
 */
#ifndef SERVER_INLINED_H
#define SERVER_INLINED_H

#include <jansson.h>
#include <sha2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is longer than the first of these is told by its last bytes, as many as the second. */
#define INLINED_MAX (48 * 1024)
#define INLINED_TAIL (8 * 1024)

/* What is longer than that is not digested: to read it would take minutes, or days if it is but a hole. */
#define INLINED_DIGESTED_MAX (INT64_C(1024) * 1024 * 1024)

struct inlined {
	uint64_t size;
	bool is_skipped; /* the end alone has come */
	SHA2_CTX sha256; /* of what is longer than INLINED_MAX */
	uint8_t head[INLINED_MAX];
	uint8_t tail[INLINED_TAIL];
};

/* Nothing has come yet. */
void inlined_begin(struct inlined *i);

/* Takes the next bytes. */
void inlined_add(struct inlined *i, const void *bytes, size_t len);

/* Before the first bytes: so many, INLINED_MAX at the least, are not handed over, but the last INLINED_TAIL are. */
void inlined_skip(struct inlined *i, uint64_t len);

/*
 * Sets the fields in the record: result_bytes, and result_text, or result_sha256 and result_tail. Bytes
 * that are no UTF-8, or have a NUL among them, are said in base64 instead, as result_base64 or
 * result_tail_base64. A tail that begins within a character of UTF-8 begins at the next one. Where bytes
 * were skipped, result_sha256 is null, and result_error says why. 0 or -ENOMEM; to be called once, at the end.
 */
int inlined_describe(struct inlined *i, json_t *record);

/* Why there is none: what regular_open() or a read answered, a positive errno. NULL: it wrote none. */
const char *inlined_reason(int error);

/* Sets the fields of a record without a result, for this reason. 0 or -ENOMEM. */
int inlined_describe_none(json_t *record, const char *reason);

#endif
