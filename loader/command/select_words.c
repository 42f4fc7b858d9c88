// SPDX-License-Identifier: GPL-2.0
/* Suggests commands that show the packets that words or options of `drops` and `monitor` mean. */
#include "loader/command/select_words.h"

#include <stdio.h>
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

char *select_words_passes(const struct options *options)
{
	__cleanup(names_free) struct names words = {};
	char text[PREFIX_TEXT];

	if (!options->source.family && options->port < 0)
		return NULL;
	names_add(&words, "portcullis monitor --all");
	if (options->source.family) {
		names_add(&words, "--source");
		names_add(&words, prefix_format(&options->source, text));
	}
	if (options->port >= 0) {
		snprintf(text, sizeof(text), "%u/%s", pc_port_number((__u32)options->port),
			 pc_port_transport((__u32)options->port) == PC_TCP ? "tcp" : "udp");
		names_add(&words, "--port");
		names_add(&words, text);
	}
	return names_join(&words, " ");
}
