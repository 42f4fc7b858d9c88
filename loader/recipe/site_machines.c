// SPDX-License-Identifier: GPL-2.0
/* The machines behind an interface of the site file. */
#include "loader/recipe/site_machines.h"

#include <string.h>

#include "loader/base/memory.h"
#include "loader/base/yaml_fields.h"
#include "loader/recipe/machines.h"
#include "loader/recipe/site_keys.h"
#include "loader/recipe/site_words.h"

enum {
	KEY_ADDRESS = SITE_WORD_KEYS,
	KEY_GROUPS,
	KEY_OBSERVE,
	KEY_OUTBOUND,
	KEY_ENFORCE, /* known only so that the error can say what is meant */
	KEY_POLICY,
	KEY_MACHINES,
	KEYS,
};

static const struct yaml_key machine_key[KEYS] = {
	SITE_WORD_ROWS,
	[KEY_ADDRESS] = {"address", true, YAML_ITEMS,
			 "an address or prefix, or a list of them, as in 192.0.2.10",
			 "addresses ip ips prefix prefixes network networks"},
	[KEY_GROUPS] = {"groups", false, YAML_MAPPING, SITE_GROUPS_EXPECTED, SITE_GROUPS_ALIASES},
	[KEY_OBSERVE] = {"observe", false, YAML_TEXT, SITE_BOOL, ""},
	[KEY_OUTBOUND] = {"outbound", false, YAML_TEXT, "track or enforce", "out egress"},
	[KEY_ENFORCE] = {"enforce", false, SITE_ANY, SITE_BOOL, ""},
	[KEY_POLICY] = {"policy", false, SITE_ANY, SITE_BOOL, ""},
	[KEY_MACHINES] = {"machines", false, SITE_ANY, "a mapping", ""},
};

/* The machine of the interface that already has the prefix, or NULL. */
static const struct site_interface *find_prefix(const struct site_interface *interface,
						const struct prefix *prefix, int *line)
{
	for (size_t i = 0; i < interface->machines; i++) {
		const struct site_interface *machine = &interface->machine[i];

		for (size_t j = 0; j < machine->addresses; j++) {
			if (prefix_compare(&machine->address[j].prefix, prefix))
				continue;
			*line = machine->address[j].place.line;
			return machine;
		}
	}
	return NULL;
}

/* Adds the prefix to `machine`, the last one of the interface. */
static void read_address(struct reader *reader, const struct yaml_node *item,
			 const struct site_interface *interface, struct site_interface *machine)
{
	const struct site_interface *other;
	__free_text char *why = NULL;
	struct site_address address;
	int line = 0;

	if (item->kind == YAML_BAD)
		return;
	if (item->kind != YAML_TEXT) {
		complain(reader, item, "an address is %s; write it as 192.0.2.10", yaml_what(item));
		return;
	}
	if (prefix_parse(item->text, &address.prefix, &why) ||
	    machine_check_prefix(&address.prefix, &why)) {
		complain(reader, item, "%s", why);
		return;
	}
	yaml_place(&reader->yaml, item, &address.place);
	other = find_prefix(interface, &address.prefix, &line);
	if (other == machine) {
		complain(reader, item, "'%s' appears twice (first on line %d)", item->text, line);
		return;
	}
	if (other) {
		complain(reader, item, "'%s' is an address of machine '%s' already (line %d)",
			 item->text, other->name, line);
		return;
	}
	machine->address = grow(machine->address, machine->addresses, sizeof(*machine->address));
	machine->address[machine->addresses++] = address;
}

/* Compares all prefixes with each other, because their number is bounded. */
static void read_addresses(struct reader *reader, const struct yaml_node *value,
			   const struct site_interface *interface, struct site_interface *machine)
{
	const struct yaml_node *item;
	size_t all = 0;

	for (size_t i = 0; i < interface->machines; i++)
		all += interface->machine[i].addresses;
	yaml_for_each(item, value)
	{
		if (diag_full(reader->diag) || (value->cut && !item->next))
			return;
		if (all++ == PC_MACHINE_PREFIXES) {
			complain(reader, item,
				 "the machines of an interface have at most %d prefixes together",
				 PC_MACHINE_PREFIXES);
			return;
		}
		read_address(reader, item, interface, machine);
	}
}

static void read_settings(struct reader *reader, const struct yaml_field *field,
			  const struct site_files *files, struct site_interface *machine)
{
	if (field[KEY_MACHINES].key)
		complain(reader, field[KEY_MACHINES].key,
			 "a machine has no machines; write them side by side under the interface");
	site_read_policy(reader, &field[KEY_OBSERVE], &field[KEY_ENFORCE], &field[KEY_POLICY],
			 "a machine", &machine->recipe);
	site_read_outbound(reader, field[KEY_OUTBOUND].value, &machine->recipe);
	if (field[KEY_GROUPS].value)
		site_read_groups(reader, field[KEY_GROUPS].value, files, &machine->recipe.groups,
				 NULL);
}

/* Moves the recipe and the prefixes of an entry to the interface's recipe. */
static void add_machine(struct recipe *recipe, const struct yaml_field *field,
			struct site_interface *entry)
{
	struct prefix *address = xcalloc(entry->addresses + 1, sizeof(*address));
	struct machine *machine;

	for (size_t i = 0; i < entry->addresses; i++)
		address[i] = entry->address[i].prefix;
	machine = machines_add(recipe, entry->name, address, entry->addresses);
	machine->own = entry->recipe;
	machine->policy_given = field[KEY_OBSERVE].key != NULL;
	machine->outbound_given = field[KEY_OUTBOUND].key != NULL;
	entry->recipe = (struct recipe){};
}

static void read_machine(struct reader *reader, const struct yaml_node *key,
			 const struct site_files *files, struct site_interface *interface)
{
	const struct yaml_key expected = {
		key->text, false, YAML_MAPPING,
		"a mapping of keys, as in '{address: 192.0.2.10, profiles: ssh}'", ""};
	__free_text char *scope = xasprintf("%s%s:", files->scope, key->text);
	const struct site_files own = {files->path, files->saved, scope, files->names};
	struct yaml_field field[KEYS] = {};
	struct site_interface *machine;
	size_t errors = reader->diag->errors;
	char *name = NULL;

	read_name(reader, key, "machine name", &name);
	if (!name)
		return;
	interface->machine =
		grow(interface->machine, interface->machines, sizeof(*interface->machine));
	machine = &interface->machine[interface->machines++];
	*machine = (struct site_interface){.name = name, .profiles_wrong = true};
	yaml_place(&reader->yaml, key, &machine->place);
	if (yaml_usable(&reader->yaml, key->next, &expected, reader->diag)) {
		yaml_fields(&reader->yaml, key->next, machine_key, KEYS, field, reader->diag);
		site_read_words(reader, field, machine);
		read_settings(reader, field, &own, machine);
		if (field[KEY_ADDRESS].value)
			read_addresses(reader, field[KEY_ADDRESS].value, interface, machine);
	}
	machine->wrong = reader->diag->errors != errors;
	add_machine(&interface->recipe, field, machine);
}

void site_read_machines(struct reader *reader, const struct yaml_node *mapping,
			const struct site_files *files, struct site_interface *interface)
{
	const struct yaml_node *key;

	if (site_keys_too_many(reader, mapping, "machines", PC_MACHINE_PREFIXES))
		return;
	site_keys_check(reader, mapping, "machine");
	yaml_for_each_key(key, mapping)
	{
		if (diag_full(reader->diag))
			break;
		read_machine(reader, key, files, interface);
	}
}
