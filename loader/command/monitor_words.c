// SPDX-License-Identifier: GPL-2.0
/* The arguments of `monitor`: interfaces, then a capture filter. */
#include "loader/command/monitor_words.h"

#include <net/if.h>
#include <stdlib.h>

#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/command/select_words.h"
#include "loader/net/link.h"

void monitor_words_read(const struct names *arguments, struct monitor_words *words)
{
	__cleanup(names_free) struct names filter = {};
	char real[IF_NAMESIZE];

	*words = (struct monitor_words){};
	for (size_t i = 0; i < arguments->count; i++) {
		if (!filter.count && link_find(arguments->name[i], real) > 0)
			names_add_once(&words->interfaces, real);
		else
			names_add(&filter, arguments->name[i]);
	}
	if (!filter.count)
		return;
	words->first = xstrdup(filter.name[0]);
	words->filter = names_join(&filter, " ");
}

void monitor_words_free(struct monitor_words *words)
{
	names_free(&words->interfaces);
	free(words->first);
	free(words->filter);
	*words = (struct monitor_words){};
}

void monitor_words_wrong(const struct monitor_words *words, const char *why)
{
	__free_text char *there = links_there(words->first);
	__free_text char *fix = select_words_fix("monitor", words->filter);

	error_fix(
		fix,
		"monitor: '%s' is neither an interface of this network namespace nor a filter: %s%s; for filters see pcap-filter(7)",
		words->filter, why, there);
}
