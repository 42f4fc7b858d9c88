// SPDX-License-Identifier: GPL-2.0
/* An address or a port that stands where an interface is expected. */
#include "loader/command/select_words.h"

#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/catalog/group.h"
#include "loader/catalog/ports.h"

static bool is_prefix(const char *word)
{
	__free_text char *why = NULL;
	struct prefix prefix;

	return !prefix_parse(word, &prefix, &why);
}

static bool is_ports(const char *word)
{
	__cleanup(ports_free) struct ports ports = {};
	__free_text char *why = NULL;

	return !ports_parse(word, &ports, &why);
}

char *select_words_fix(const char *command, const char *word)
{
	__free_text char *with_tcp = xasprintf("%s/tcp", word);

	if (is_prefix(word))
		return xasprintf("portcullis %s --source %s", command, word);
	if (is_ports(word))
		return xasprintf("portcullis %s --port %s", command, word);
	if (is_ports(with_tcp))
		return xasprintf("portcullis %s --port %s", command, with_tcp);
	return NULL;
}
