/*
 * quote: what users gave us, in a message: it must not look like two lines, nor command a terminal.
 */
#ifndef BASE_QUOTE_H
#define BASE_QUOTE_H

/* So many bytes of the quoted text, its NUL included, fit; what is longer is cut and ends in "...". */
#define QUOTE_SIZE 1024

/*
 * text with each byte that cannot be shown as \n, \t or \xHH: control characters, and what is not
 * UTF-8. A backslash stays what it is: this is for people. Writes into out, and returns it.
 */
const char *quote_text(char out[QUOTE_SIZE], const char *text);

/* The same, as long as the block lasts in which it stands. */
#define QUOTE(text) quote_text((char[QUOTE_SIZE]){0}, text)

#endif
