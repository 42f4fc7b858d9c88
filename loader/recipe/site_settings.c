// SPDX-License-Identifier: GPL-2.0
/* The keys of an interface of the site file. */
#include "loader/recipe/site_settings.h"

#include <string.h>

#include "loader/base/memory.h"
#include "loader/recipe/machines.h"
#include "loader/recipe/site_groups.h"
#include "loader/recipe/site_machines.h"
#include "loader/recipe/site_words.h"

enum {
	KEY_OBSERVE = SITE_WORD_KEYS,
	KEY_OUTBOUND,
	KEY_FORWARD,
	KEY_ECHO_LIMIT,
	KEY_FLOWS,
	KEY_MODE,
	KEY_CONFIRM,
	KEY_GROUPS,
	KEY_MACHINES,
	KEY_ENFORCE, /* these two are known only so that the error can say what is meant */
	KEY_POLICY,
	KEYS,
};

static const struct yaml_key interface_key[KEYS] = {
	SITE_WORD_ROWS,
	[KEY_OBSERVE] = {"observe", false, YAML_TEXT, SITE_BOOL, ""},
	[KEY_OUTBOUND] = {"outbound", false, YAML_TEXT, "track or enforce", "out egress"},
	[KEY_FORWARD] = {"forward", false, YAML_TEXT, SITE_BOOL, "forwarding"},
	[KEY_ECHO_LIMIT] = {"echo-limit", false, YAML_TEXT, "a number", "echo ping icmp"},
	[KEY_FLOWS] = {"flows", false, YAML_TEXT, "a number", ""},
	[KEY_MODE] = {"mode", false, YAML_TEXT, "native or generic", "xdp"},
	[KEY_CONFIRM] = {"confirm", false, YAML_TEXT, "a time, as in 90, 10m or 1h30m", "timeout"},
	[KEY_GROUPS] = {"groups", false, YAML_MAPPING, SITE_GROUPS_EXPECTED, SITE_GROUPS_ALIASES},
	[KEY_MACHINES] = {"machines", false, YAML_MAPPING,
			  "a mapping of names, as in 'mail: {address: 192.0.2.1, profiles: ssh}'",
			  "machine hosts guests containers behind"},
	[KEY_ENFORCE] = {"enforce", false, SITE_ANY, SITE_BOOL, ""},
	[KEY_POLICY] = {"policy", false, SITE_ANY, SITE_BOOL, ""},
};

static void read_mode(struct reader *reader, const struct yaml_node *node, enum hook_mode *mode)
{
	if (!node)
		return;
	if (!strcmp(node->text, "native"))
		*mode = HOOK_NATIVE;
	else if (!strcmp(node->text, "generic"))
		*mode = HOOK_GENERIC;
	else
		complain(reader, node, "'%s' is not valid here; write native or generic",
			 node->text);
}

static void read_settings(struct reader *reader, const struct yaml_field *field,
			  struct site_interface *interface)
{
	struct recipe *recipe = &interface->recipe;
	unsigned int limit = recipe_echo_limit(recipe);

	site_read_policy(reader, &field[KEY_OBSERVE], &field[KEY_ENFORCE], &field[KEY_POLICY],
			 "an interface", recipe);
	site_read_outbound(reader, field[KEY_OUTBOUND].value, recipe);
	site_read_switch(reader, field[KEY_FORWARD].value, &recipe->forward);
	read_number(reader, field[KEY_ECHO_LIMIT].value, 0, PC_ECHO_LIMIT_MAX, &limit);
	recipe_limit_echo(recipe, limit);
	read_number(reader, field[KEY_FLOWS].value, 1, PC_FLOWS_MAX, &interface->flows);
	read_mode(reader, field[KEY_MODE].value, &interface->mode);
	read_duration(reader, field[KEY_CONFIRM].value, CONFIRM_LIMIT, &interface->confirm);
}

void site_read_interface(struct reader *reader, const struct yaml_node *mapping,
			 const struct site_files *files, struct site_interface *interface)
{
	__free_text char *scope = xasprintf("%s:", interface->name);
	const struct site_files own = {files->path, files->saved, scope, files->names};
	struct yaml_field field[KEYS];
	size_t errors = reader->diag->errors;

	interface->profiles_wrong = true;
	yaml_fields(&reader->yaml, mapping, interface_key, KEYS, field, reader->diag);
	site_read_words(reader, field, interface);
	read_settings(reader, field, interface);
	if (field[KEY_GROUPS].value)
		site_read_groups(reader, field[KEY_GROUPS].value, &own, &interface->recipe.groups,
				 NULL);
	if (field[KEY_MACHINES].value)
		site_read_machines(reader, field[KEY_MACHINES].value, &own, interface);
	machines_inherit(&interface->recipe);
	interface->own_groups = field[KEY_GROUPS].value;
	interface->wrong = reader->diag->errors != errors;
}
