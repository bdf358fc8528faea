/*
 * fault: the text of an error, made where the fault is known, shown where a user looks.
 *
 * Lower floors return a negative errno and, where a number says too little, fill a struct fault
 * with one line that names the thing, the fault and the mend. They never print it themselves.
 */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

struct fault {
	char text[1024];
};

/*
 * Writes the formatted line into f, cut to fit; f may be NULL. Returns -error, so that a function
 * can say `return fault_set(f, EINVAL, "...", ...);`. error is a positive errno.
 */
int fault_set(struct fault *f, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
