/* SPDX-License-Identifier: GPL-2.0 */
/* An interface's entry in the site file, and a machine's. */
#ifndef PORTCULLIS_RECIPE_SITE_INTERFACE_H
#define PORTCULLIS_RECIPE_SITE_INTERFACE_H

#include "loader/recipe/recipe.h"

#define SITE_WORDS 1024 /* words of one kind, of one interface */

/* How to attach. It is not a part of a recipe, which is the rule set. */
enum hook_mode {
	HOOK_AUTO, /* native, else generic with a warning that says why */
	HOOK_NATIVE,
	HOOK_GENERIC,
};

#define CONFIRM_LIMIT 86400 /* seconds */

/* A word of an interface as the argument of its option, and its place in the file. */
struct site_word {
	enum recipe_word kind;
	char *text;
	struct place place;
};

/* A group that `from` of an interface names. */
struct site_use {
	char *group;
	struct place place;
};

struct site_address {
	struct prefix prefix;
	struct place place;
};

/* An interface, or a machine behind one; a machine has the fields up to `addresses`. */
struct site_interface {
	char *name;
	/* The pattern that matched it, whose words it shares; NULL: the file names the
	 * interface. */
	const struct site_interface *pattern;
	struct place place;
	/*
	 * Its groups are the interface's own and the file's others. The recipe of a machine is in
	 * the interface's recipe, and empty here.
	 */
	struct recipe recipe;
	struct site_word *word; /* the words from which the recipe was made */
	size_t words;
	struct site_use *use;
	size_t uses;
	bool wrong;		      /* read in part: something in the entry is invalid */
	bool profiles_wrong;	      /* read in part: a profile is missing */
	struct site_address *address; /* addresses of a machine */
	size_t addresses;
	bool own_groups; /* the entry has `groups` */
	enum hook_mode mode;
	unsigned int flows;		/* 0: not given */
	unsigned int confirm;		/* seconds, 0: not given */
	struct site_interface *machine; /* for each machine of the recipe, in the same order */
	size_t machines;
};

void site_interface_free(struct site_interface *interface);

#endif
