// SPDX-License-Identifier: GPL-2.0
/* The words of ban and grant: prefixes, a list, and the end of what they do. */
#include "loader/command/end_words.h"

#include <errno.h>
#include <string.h>

#include "loader/base/clock.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/base/utf8.h"
#include "loader/recipe/ban_set.h"

int end_words_read(const struct options *options, const char *command, __u64 *seconds)
{
	__free_text char *shown = options->until ? text_printable(options->until) : NULL;
	__u64 wall = clock_wall() / PC_SECOND, until;

	*seconds = options->span;
	if (!options->until)
		return 0;
	if (options->span) {
		error("%s: give either --for or --until, not both", command);
		return -EINVAL;
	}
	switch (moment_parse_until(options->until, wall, &until)) {
	case 0: break;
	case -ERANGE: error("%s: --until %s: has passed already", command, shown); return -EINVAL;
	default:
		error("%s: --until must be " MOMENT_UNTIL_FORMS ", not '%s'", command, shown);
		return -EINVAL;
	}
	*seconds = until - wall;
	return 0;
}

int list_word_check(const char *command, const char *list)
{
	__free_text char *shown = list ? text_printable(list) : NULL;

	if (!list || ban_list_valid(list))
		return 0;
	error("%s: --list must be letters, digits, '.', '_' and '-', at most %d, and begin with a letter or digit, not '%s'",
	      command, BAN_LIST_LIMIT, shown);
	return -EINVAL;
}

#define TOLD 16 /* prefixes in a line of the journal */

char *prefixes_told(const struct prefix *prefix, size_t count)
{
	__cleanup(names_free) struct names names = {};
	__free_text char *list = NULL;
	char text[PREFIX_TEXT];

	for (size_t i = 0; i < count && i < TOLD; i++)
		names_add(&names, prefix_format(&prefix[i], text));
	list = names_join(&names, ", ");
	return count > TOLD ? xasprintf("%s and %zu more", list, count - TOLD) : xstrdup(list);
}

int prefix_words_wrong(const struct names *words)
{
	for (size_t i = 0; i < words->count; i++)
		if (strchr("@-", *words->name[i]))
			return EXIT_FAILED;
	return EXIT_USAGE;
}
