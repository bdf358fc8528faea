/*
 * id: the names that users give to children and parents: 1 to 100 bytes of A-Z a-z 0-9 . _ : @ + -,
 * not beginning with '.' or '-'. Such a name is safe as a file name and as one word of a line.
 */
#ifndef BASE_ID_H
#define BASE_ID_H

#include <stddef.h>

#define ID_MAX 100
#define ID_SIZE (ID_MAX + 1)

/*
 * Returns NULL if text is a valid id, else a constant phrase that says what is wrong and what is
 * allowed, fit to follow "child id 'x': ".
 */
const char *id_fault(const char *text);

/*
 * The same for the name of a model, which is no id: 1 to 200 bytes of UTF-8 without control characters, not
 * beginning with '-', so that it may stand as a word of a command and in a line of JSON.
 */
#define MODEL_MAX 200
#define MODEL_SIZE (MODEL_MAX + 1)
const char *id_model_fault(const char *text);

/*
 * Makes up an id that nobody else has: prefix, '-', 12 random hexadecimal digits (arc4random(3)).
 */
void id_make_up(const char *prefix, char id[ID_SIZE]);

#endif
