/*
 * fault: see fault.h. Any process. Formats; never prints, never allocates.
 */
#include "base/fault.h"

#include <stdarg.h>
#include <stdio.h>

int
fault_set(struct fault *f, int error, const char *format, ...)
{
	va_list ap;

	if (f != NULL) {
		va_start(ap, format);
		vsnprintf(f->text, sizeof(f->text), format, ap);
		va_end(ap);
	}
	return -error;
}
