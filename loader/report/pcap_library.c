// SPDX-License-Identifier: GPL-2.0
/* Loads libpcap when it is needed. */
#include "loader/report/pcap_library.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#include "loader/base/memory.h"

int pcap_library_load(const struct pcap_symbol *symbol, size_t count, char **why)
{
	/* The name in Debian, and that of the library's own build. */
	static const char *const name[] = {"libpcap.so.0.8", "libpcap.so.1"};
	void *handle = NULL;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(name) && !handle; i++)
		handle = dlopen(name[i], RTLD_NOW | RTLD_LOCAL);
	for (i = 0; handle && i < count; i++) {
		void *function = dlsym(handle, symbol[i].name);

		if (!function)
			break;
		memcpy(symbol[i].function, &function, sizeof(function));
	}
	if (handle && i == count)
		return 0;
	*why = xasprintf(
		"libpcap, which reads filters and captures, cannot be loaded (%s); on Debian: apt install libpcap0.8",
		dlerror() ?: "it lacks a function");
	return -ENOENT;
}
