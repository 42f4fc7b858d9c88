// SPDX-License-Identifier: GPL-2.0
/* Commands that a message offers. */
#include "loader/base/shell.h"

#include <string.h>

#include "loader/base/memory.h"

char *shell_word(const char *text)
{
	char *word, *to;

	if (*text && !text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					"0123456789_.:@%+=,/-")])
		return xstrdup(text);
	to = word = xcalloc(4 * strlen(text) + 3, 1);
	*to++ = '\'';
	for (; *text; text++)
		to = *text == '\'' ? stpcpy(to, "'\\''") : (*to = *text, to + 1);
	*to = '\'';
	return word;
}

char *shell_words(const struct names *names)
{
	struct names words = {};
	char *joined;

	for (size_t i = 0; i < names->count; i++) {
		__free_text char *word = shell_word(names->name[i]);

		names_add(&words, word);
	}
	joined = names_join(&words, " ");
	names_free(&words);
	return joined;
}
