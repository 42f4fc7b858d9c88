// SPDX-License-Identifier: GPL-2.0
/* Looks up names of hosts in options, before the groups are read. */
#include "loader/command/dns_words.h"

#include "loader/base/memory.h"
#include "loader/host/dns_renew.h"

void dns_words_learn(const struct options *options)
{
	__cleanup(names_free) struct names words = {};

	names_copy(&words, &options->group);
	for (size_t i = 0; i < options->machines; i++)
		names_add_all(&words, &options->machine[i].options->group);
	dns_learn_words(&words);
}
