// SPDX-License-Identifier: GPL-2.0
/* Loads a shared library when it is needed. */
#include "loader/base/library.h"

#include <dlfcn.h>
#include <string.h>

const char *library_load(const char *const *names, const struct library_symbol *symbol,
			 size_t count)
{
	void *handle = NULL;
	size_t i;

	for (; *names && !handle; names++)
		handle = dlopen(*names, RTLD_NOW | RTLD_LOCAL);
	for (i = 0; handle && i < count; i++) {
		void *function = dlsym(handle, symbol[i].name);

		if (!function)
			break;
		memcpy(symbol[i].function, &function, sizeof(function));
	}
	return handle && i == count ? NULL : dlerror() ?: "it lacks a function";
}
