/* SPDX-License-Identifier: GPL-2.0 */
/* An interface's entry in the site file. */
#ifndef PORTCULLIS_RECIPE_SITE_INTERFACE_H
#define PORTCULLIS_RECIPE_SITE_INTERFACE_H

#include "loader/recipe/recipe.h"

struct reader;
struct yaml_node;

#define SITE_WORDS 1024 /* of one kind, of one interface */

/* How to attach. Not part of a recipe, which is the rule set. */
enum hook_mode {
	HOOK_AUTO, /* native, else generic with a warning that says why */
	HOOK_NATIVE,
	HOOK_GENERIC,
};

#define CONFIRM_LIMIT 86400 /* seconds */

/* A word of an interface as behind its option, and its place in the file. */
struct site_word {
	enum recipe_word kind;
	char *text;
	struct place place;
};

/* A group that an interface names in `from`. */
struct site_use {
	char *group;
	struct place place;
};

struct site_interface {
	char *name;
	/* The pattern that took it, whose words it shares; NULL: the file names it. */
	const struct site_interface *pattern;
	struct place place;
	struct recipe recipe; /* its groups are those of the site */
	enum hook_mode mode;
	unsigned int flows;	/* 0: not given */
	unsigned int confirm;	/* seconds, 0: not given */
	struct site_word *word; /* the words that the recipe was made of */
	size_t words;
	struct site_use *use;
	size_t uses;
	bool wrong;	     /* read in part: something here could not be read */
	bool profiles_wrong; /* read in part: a profile is missing */
};

/* Reads the keys of one interface; name and groups are set already. */
void site_read_interface(struct reader *reader, const struct yaml_node *mapping,
			 struct site_interface *interface);

#endif
