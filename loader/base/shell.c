// SPDX-License-Identifier: GPL-2.0
/* Commands that a message offers. */
#include "loader/base/shell.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/base/utf8.h"

/* $'...' hides control characters from the terminal. bash, ksh, zsh and POSIX of 2024 know it. */
static char *escaped(const char *text)
{
	char *word = xcalloc(4 * strlen(text) + 4, 1), *to = stpcpy(word, "$'");

	while (*text) {
		unsigned int code = 0;
		size_t bytes = utf8_decode(text, strlen(text), &code), i;
		bool plain = bytes && !utf8_control(code);

		for (i = 0; i < (bytes ?: 1); i++, text++) {
			if (plain && *text != '\'' && *text != '\\')
				*to++ = *text;
			else
				to += sprintf(to, "\\%03o", (unsigned char)*text);
		}
	}
	*to = '\'';
	return word;
}

char *shell_word(const char *text)
{
	__free_text char *shown = NULL;
	char *word, *to;

	if (*text && !text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					"0123456789_.:@%+=,/-")])
		return xstrdup(text);
	shown = text_printable(text);
	if (strcmp(shown, text))
		return escaped(text);
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
