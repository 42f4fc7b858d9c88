/* SPDX-License-Identifier: GPL-2.0 */
/* Lists of names; valid names; the name that was probably meant. */
#ifndef PORTCULLIS_BASE_NAMES_H
#define PORTCULLIS_BASE_NAMES_H

#include <stdbool.h>
#include <stddef.h>

/* An ordered list of names; each is owned. */
struct names {
	char **name;
	size_t count;
};

void names_add(struct names *names, const char *name);
void names_add_once(struct names *names, const char *name);
bool names_have(const struct names *names, const char *name);
void names_copy(struct names *to, const struct names *from);
void names_add_all(struct names *names, const struct names *more);
/* The first name that is in the list more than once, or NULL. */
const char *names_twice(const struct names *names);
void names_free(struct names *names);
/* "a, b, c"; the caller frees. */
char *names_join(const struct names *names, const char *separator);

/* `[a-z0-9-]+`, at most NAME_LIMIT characters: profiles, services, features, groups. */
#define NAME_LIMIT 63
bool name_valid(const char *name);

/*
 * The candidate nearest to `word` (edit distance at most a third of its length; one for a word of
 * two letters), or NULL.
 */
const char *nearest(const char *word, const char *const *candidate, size_t candidates);
const char *nearest_name(const char *word, const struct names *names);

/* Sorts the names by their distance from `word`; equally distant ones stay in order. */
void names_sort_near(struct names *names, const char *word);

#endif
