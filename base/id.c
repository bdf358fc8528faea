/*
 * id: see id.h. Clients and server. Independent of the locale.
 */
#include "base/id.h"

#include <bsd/stdlib.h>
#include <stdio.h>
#include <string.h>

#define ALLOWED \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"abcdefghijklmnopqrstuvwxyz" \
	"0123456789._:@+-"

#define RANDOM_DIGITS 12

const char *
id_fault(const char *text)
{
	size_t len = strnlen(text, ID_MAX + 1);

	if (len == 0)
		return "it is empty; 1 to 100 bytes of A-Z a-z 0-9 . _ : @ + - are allowed";
	if (len > ID_MAX)
		return "it is longer than the 100 bytes that are allowed";
	if (text[0] == '.' || text[0] == '-')
		return "it begins with '.' or '-'; begin with one of A-Z a-z 0-9 _ : @ +";
	if (strspn(text, ALLOWED) != len)
		return "it has a character that is not one of A-Z a-z 0-9 . _ : @ + -";
	return NULL;
}

const char *
id_model_fault(const char *text)
{
	size_t len = strnlen(text, MODEL_MAX + 1);

	if (len == 0)
		return "it is empty; 1 to 200 bytes are allowed";
	if (len > MODEL_MAX)
		return "it is longer than the 200 bytes that are allowed";
	if (text[0] == '-')
		return "it begins with '-', like an option; begin with something else";
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return "it has a control character; remove that";
	}
	return NULL;
}

void
id_make_up(const char *prefix, char id[ID_SIZE])
{
	snprintf(id, ID_SIZE, "%.*s-%08x%04x", ID_MAX - RANDOM_DIGITS - 1, prefix, arc4random(),
	    arc4random() & 0xffff);
}
