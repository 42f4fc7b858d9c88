/* SPDX-License-Identifier: GPL-2.0 */
/* Loads a shared library when it is needed, so that commands which do not use it start faster. */
#ifndef PORTCULLIS_BASE_LIBRARY_H
#define PORTCULLIS_BASE_LIBRARY_H

#include <stddef.h>

struct library_symbol {
	const char *name;
	void *function; /* the address of a pointer to the function */
};

/*
 * Sets the pointers, and leaves the library loaded. `names`: of its files, ending with NULL; the
 * first that is there is loaded. Returns NULL, or the reason why it cannot be used, valid until the
 * next call.
 */
const char *library_load(const char *const *names, const struct library_symbol *symbol,
			 size_t count);

#endif
