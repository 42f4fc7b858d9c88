// SPDX-License-Identifier: GPL-2.0
/* Lists of names; valid names; the name that was probably meant. */
#include "loader/base/names.h"

#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"

/* characters; longer words get no suggestion; PROFILE:SERVICE has at most 127 characters */
#define NEAREST_LIMIT 128

void names_add(struct names *names, const char *name)
{
	names->name = grow(names->name, names->count, sizeof(*names->name));
	names->name[names->count++] = xstrdup(name);
}

void names_add_once(struct names *names, const char *name)
{
	if (!names_have(names, name))
		names_add(names, name);
}

bool names_have(const struct names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++) {
		if (!strcmp(names->name[i], name))
			return true;
	}
	return false;
}

void names_copy(struct names *to, const struct names *from)
{
	for (size_t i = 0; i < from->count; i++)
		names_add(to, from->name[i]);
}

void names_add_all(struct names *names, const struct names *more)
{
	for (size_t i = 0; i < more->count; i++)
		names_add(names, more->name[i]);
}

const char *names_twice(const struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		for (size_t j = 0; j < i; j++)
			if (!strcmp(names->name[i], names->name[j]))
				return names->name[i];
	return NULL;
}

void names_free(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->name[i]);
	free(names->name);
	*names = (struct names){0};
}

char *names_join(const struct names *names, const char *separator)
{
	size_t room = 1, gap = strlen(separator);
	char *text, *end;

	for (size_t i = 0; i < names->count; i++)
		room += strlen(names->name[i]) + gap;
	text = end = xcalloc(room, 1);
	for (size_t i = 0; i < names->count; i++) {
		if (i)
			end = stpcpy(end, separator);
		end = stpcpy(end, names->name[i]);
	}
	return text;
}

bool name_valid(const char *name)
{
	size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return length && length <= NAME_LIMIT && !name[length];
}

/*
 * How many edits make one word of the other: insert, remove, replace, or swap two neighbours (the
 * "optimal string alignment" distance). Three rows of the usual table are enough.
 */
static size_t distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	size_t table[3][NEAREST_LIMIT + 1];
	size_t *before = table[0], *last = table[1], *row = table[2], *spare;

	for (size_t j = 0; j <= b_length; j++)
		last[j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		row[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			size_t least = last[j - 1] + (a[i - 1] != b[j - 1]);

			if (least > last[j] + 1)
				least = last[j] + 1;
			if (least > row[j - 1] + 1)
				least = row[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    least > before[j - 2] + 1)
				least = before[j - 2] + 1;
			row[j] = least;
		}
		spare = before;
		before = last;
		last = row;
		row = spare;
	}
	return last[b_length];
}

const char *nearest(const char *word, const char *const *candidate, size_t candidates)
{
	size_t length = strlen(word), limit = length / 3, best;
	const char *found = NULL;

	/* In a word of two letters one may be wrong ("im" for "in"); a word of one letter gets no
	 * suggestion. */
	if (length == 2)
		limit = 1;
	best = limit + 1;
	if (length > NEAREST_LIMIT)
		return NULL;
	for (size_t i = 0; i < candidates; i++) {
		size_t other = strlen(candidate[i]), edits;

		if (other > length + limit || other + limit < length || other > NEAREST_LIMIT)
			continue;
		edits = distance(word, length, candidate[i], other);
		if (edits < best) {
			best = edits;
			found = candidate[i];
		}
	}
	return found;
}

/* The distance of a word from another; words above NEAREST_LIMIT are all equally far. */
static size_t distance_of(const char *word, const char *other)
{
	size_t length = strlen(word), other_length = strlen(other);

	if (length > NEAREST_LIMIT || other_length > NEAREST_LIMIT)
		return NEAREST_LIMIT + 1;
	return distance(word, length, other, other_length);
}

void names_sort_near(struct names *names, const char *word)
{
	for (size_t i = 1; i < names->count; i++) {
		char *name = names->name[i];
		size_t far = distance_of(word, name), at = i;

		for (; at && distance_of(word, names->name[at - 1]) > far; at--)
			names->name[at] = names->name[at - 1];
		names->name[at] = name;
	}
}

const char *nearest_name(const char *word, const struct names *names)
{
	return nearest(word, (const char *const *)names->name, names->count);
}
