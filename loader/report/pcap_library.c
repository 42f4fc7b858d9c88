// SPDX-License-Identifier: GPL-2.0
/* Loads libpcap when it is needed. */
#include "loader/report/pcap_library.h"

#include <errno.h>

#include "loader/base/memory.h"

int pcap_library_load(const struct library_symbol *symbol, size_t count, char **why)
{
	/* The library's name in Debian, and in a build from its own source. */
	static const char *const names[] = {"libpcap.so.0.8", "libpcap.so.1", NULL};
	const char *reason = library_load(names, symbol, count);

	if (!reason)
		return 0;
	*why = xasprintf(
		"libpcap, which reads filters and captures, cannot be loaded (%s); on Debian: apt install libpcap0.8",
		reason);
	return -ENOENT;
}
