// SPDX-License-Identifier: GPL-2.0
/* The machines behind an interface: finds, adds, removes and compares them. */
#include "loader/recipe/machines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"

#define NO_MACHINE_FIX "write --machine NAME=PREFIX[,PREFIX] to add it"

struct machine *machines_find(const struct recipe *recipe, const char *name)
{
	for (size_t i = 0; i < recipe->machines; i++)
		if (!strcmp(recipe->machine[i].name, name))
			return &recipe->machine[i];
	return NULL;
}

struct machine *machines_add(struct recipe *recipe, const char *name, struct prefix *address,
			     size_t addresses)
{
	struct machine *machine;

	recipe->machine = grow(recipe->machine, recipe->machines, sizeof(*recipe->machine));
	machine = &recipe->machine[recipe->machines++];
	*machine =
		(struct machine){.name = xstrdup(name), .address = address, .addresses = addresses};
	prefixes_sort(machine->address, machine->addresses);
	return machine;
}

bool machines_remove(struct recipe *recipe, const char *name)
{
	struct machine *machine = machines_find(recipe, name);
	size_t behind;

	if (!machine)
		return false;
	machine_free(machine);
	behind = (size_t)(recipe->machine + --recipe->machines - machine);
	memmove(machine, machine + 1, behind * sizeof(*machine));
	return true;
}

/* --- words --- */

int machine_check_prefix(const struct prefix *prefix, char **why)
{
	static const char *const other[] = {"0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/3", "::/127",
					    "ff00::/8"};
	char text[PREFIX_TEXT];

	prefix_format(prefix, text);
	if (!prefix->length) {
		*why = xasprintf("%s is every address; write the networks of the machine", text);
		return -EINVAL;
	}
	for (size_t i = 0; i < ARRAY_SIZE(other); i++) {
		__free_text char *unused = NULL;
		struct prefix range;

		prefix_parse(other[i], &range, &unused);
		if (prefix->length < range.length ||
		    !prefix_contains(&range, prefix->family, prefix->address))
			continue;
		*why = xasprintf("no machine can have %s: it is in %s", text, other[i]);
		return -EINVAL;
	}
	return 0;
}

/* Reads the prefixes of "PREFIX[,PREFIX]", none twice. */
static int parse_prefixes(const char *list, const struct place *place, struct diag *diag,
			  struct prefix **address, size_t *addresses)
{
	__cleanup(text_free) struct prefix *read = NULL;
	__free_text char *copy = xstrdup(list);
	char *rest = copy, *item;
	size_t count = 0;

	while ((item = strsep(&rest, ","))) {
		__free_text char *why = NULL;

		read = grow(read, count, sizeof(*read));
		if (prefix_parse(item, &read[count], &why) ||
		    machine_check_prefix(&read[count], &why)) {
			diag_error(diag, place, "%s", why);
			return -EINVAL;
		}
		for (size_t i = 0; i < count; i++) {
			if (prefix_compare(&read[i], &read[count]))
				continue;
			diag_error(diag, place, "%s appears twice", item);
			return -EINVAL;
		}
		count++;
	}
	*address = read;
	*addresses = count;
	read = NULL;
	return 0;
}

static void report_missing(const struct recipe *recipe, const char *name, const struct place *place,
			   struct diag *diag)
{
	__cleanup(names_free) struct names names = {};
	const char *near;

	for (size_t i = 0; i < recipe->machines; i++)
		names_add(&names, recipe->machine[i].name);
	near = nearest_name(name, &names);
	if (near)
		diag_error(diag, place, "there is no machine '%s'; did you mean '%s'?", name, near);
	else
		diag_error_fix(diag, place, NO_MACHINE_FIX, "there is no machine '%s'", name);
}

struct machine *machines_word(struct recipe *recipe, const char *word, const struct place *place,
			      struct diag *diag)
{
	__free_text char *name = xstrdup(word);
	char *list = strchr(name, '=');
	struct prefix *address = NULL;
	struct machine *machine;
	size_t addresses = 0;

	if (list)
		*list++ = '\0';
	if (!name_valid(name)) {
		diag_error(
			diag, place,
			"'%s' is not a machine name; use only a-z, 0-9 and '-', at most %d characters",
			name, NAME_LIMIT);
		return NULL;
	}
	machine = machines_find(recipe, name);
	if (!list) {
		if (!machine)
			report_missing(recipe, name, place, diag);
		return machine;
	}
	if (parse_prefixes(list, place, diag, &address, &addresses))
		return NULL;
	if (!machine)
		return machines_add(recipe, name, address, addresses);
	free(machine->address);
	machine->address = address;
	machine->addresses = addresses;
	prefixes_sort(machine->address, machine->addresses);
	return machine;
}

char *machine_addresses(const struct machine *machine, const char *separator)
{
	__cleanup(names_free) struct names names = {};
	char text[PREFIX_TEXT];

	for (size_t i = 0; i < machine->addresses; i++)
		names_add(&names, prefix_format(&machine->address[i], text));
	return names_join(&names, separator);
}

/* --- checks --- */

struct owned {
	const struct prefix *prefix;
	const struct machine *machine;
};

static int compare_owned(const void *a, const void *b)
{
	const struct owned *one = a, *other = b;

	return prefix_compare(one->prefix, other->prefix);
}

static int check_prefixes(const struct recipe *recipe, const struct place *place, struct diag *diag)
{
	__cleanup(text_free) struct owned *owned = NULL;
	size_t count = 0, all = 0;
	int err = 0;

	for (size_t i = 0; i < recipe->machines; i++)
		all += recipe->machine[i].addresses;
	owned = xcalloc(all + 1, sizeof(*owned));
	for (size_t i = 0; i < recipe->machines; i++)
		for (size_t j = 0; j < recipe->machine[i].addresses; j++)
			owned[count++] =
				(struct owned){&recipe->machine[i].address[j], &recipe->machine[i]};
	qsort(owned, count, sizeof(*owned), compare_owned);
	for (size_t i = 1; i < count; i++) {
		char text[PREFIX_TEXT];

		if (compare_owned(&owned[i - 1], &owned[i]))
			continue;
		diag_error(diag, place, "machines '%s' and '%s' both have %s; remove it from one of them",
			   owned[i - 1].machine->name, owned[i].machine->name,
			   prefix_format(owned[i].prefix, text));
		err = -EINVAL;
	}
	return err;
}

int machines_check(const struct recipe *recipe, const struct place *place, struct diag *diag)
{
	int err = check_prefixes(recipe, place, diag);

	for (size_t i = 0; i < recipe->machines; i++) {
		const struct machine *machine = &recipe->machine[i];

		if (machine->own.profiles.count)
			continue;
		diag_error(diag, place,
			   "machine '%s' has no profile; write --machine %s -p PROFILE",
			   machine->name, machine->name);
		err = -EINVAL;
	}
	return err;
}

/* --- settings and addresses --- */

void machines_inherit(struct recipe *recipe)
{
	for (size_t i = 0; i < recipe->machines; i++) {
		struct machine *machine = &recipe->machine[i];

		if (!machine->policy_given)
			machine->own.policy = recipe->policy;
		if (!machine->outbound_given)
			machine->own.outbound = recipe->outbound;
		machine->own.forward = true;
		machine->own.echo_limit = recipe->echo_limit;
	}
}

const struct machine *machines_of_address(const struct recipe *recipe, __u8 family,
					  const __u8 *address)
{
	const struct machine *found = NULL;
	int longest = -1;

	for (size_t i = 0; i < recipe->machines; i++) {
		for (size_t j = 0; j < recipe->machine[i].addresses; j++) {
			const struct prefix *prefix = &recipe->machine[i].address[j];

			if (prefix->length <= longest || !prefix_contains(prefix, family, address))
				continue;
			found = &recipe->machine[i];
			longest = prefix->length;
		}
	}
	return found;
}
