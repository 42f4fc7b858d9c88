// SPDX-License-Identifier: GPL-2.0
/* Reads lengths of time. */
#include "loader/base/duration.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

static const struct {
	char letter;
	unsigned int seconds;
} unit[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};

/* Reads a number of at most nine digits; returns the text behind it, NULL if there is no number. */
static const char *read_digits(const char *text, unsigned long long *number)
{
	size_t digits = strspn(text, "0123456789");

	if (!digits || digits > 9)
		return NULL;
	*number = 0;
	for (size_t i = 0; i < digits; i++)
		*number = *number * 10 + (unsigned int)(text[i] - '0');
	return text + digits;
}

int duration_parse(const char *text, unsigned int least, unsigned int most, unsigned int *seconds)
{
	unsigned long long total = 0, number;
	const char *rest = read_digits(text, &number);
	size_t next = 0; /* the largest unit that may come next */

	if (rest && !*rest)
		total = number;
	while (rest && *rest) {
		while (next < sizeof(unit) / sizeof(*unit) && unit[next].letter != *rest)
			next++;
		if (next == sizeof(unit) / sizeof(*unit))
			return -EINVAL;
		total += number * unit[next++].seconds;
		if (!*++rest)
			break;
		rest = read_digits(rest, &number);
		if (rest && !*rest) /* "1h30": its last number has no unit */
			return -EINVAL;
	}
	if (!rest || total < least || total > most)
		return -EINVAL;
	*seconds = (unsigned int)total;
	return 0;
}
