// SPDX-License-Identifier: GPL-2.0
/* Compiles a composition into the port tables, their rules, and the prefixes of the groups. */
#include "loader/compile/compile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/compile/classes.h"
#include "loader/compile/group_trie.h"
#include "loader/compile/port_table.h"
#include "loader/compile/tallies.h"
#include "loader/recipe/sends.h"

/* For the BPF programs, `outbound: any` means that outbound rules are not enforced. */
static enum pc_outbound outbound_of(const struct composition *composition)
{
	return composition_sends_any(composition) ? PC_OUTBOUND_TRACK :
						    composition->recipe->outbound;
}

static void name_protocols(const struct composition *composition, __u8 protocol[256])
{
	for (size_t i = 0; i < composition->profiles; i++) {
		for (size_t n = 0; n < 256; n++)
			protocol[n] |= composition->profile[i]->protocol[n];
	}
}

static void write_settings(const struct composition *composition, struct pc_generation *generation)
{
	const struct recipe *recipe = composition->recipe;
	unsigned int limit = recipe_echo_limit(recipe);

	generation->policy = (__u8)recipe->policy;
	generation->outbound = (__u8)outbound_of(composition);
	generation->forward = recipe->forward	    ? PC_FORWARD_ALL :
			      composition->machines ? PC_FORWARD_MACHINES :
						      0;
	generation->echo_interval = limit ? (__u32)(PC_SECOND / limit) : 0;
	name_protocols(composition, generation->protocol);
}

/* Most entries are 0: their pages, which are zero already, are not touched. */
static void move_ports(__u32 from[PC_PORTS], __u16 to[PC_PORTS])
{
	for (size_t i = 0; i < PC_PORTS; i++)
		if (from[i]) {
			to[i] = (__u16)from[i];
			from[i] = 0;
		}
}

/* Leaves the ports of the table closed, for the machines. */
static int compile_host(struct port_table *table, const struct composition *composition,
			struct pc_generation *generation, struct diag *diag)
{
	if (port_table_compile(table, composition, diag))
		return -EINVAL;
	write_settings(composition, generation);
	generation->denied =
		port_table_groups(table, composition, &composition->recipe->deny, false);
	generation->never_ban =
		port_table_groups(table, composition, &composition->recipe->never_ban, true);
	move_ports(table->in, generation->port);
	move_ports(table->out, generation->out);
	return 0;
}

/* --- machines --- */

static int compile_machine(struct port_table *table, struct classes *classes,
			   const struct composed_machine *composed, struct diag *diag)
{
	const struct composition *composition = &composed->composition;
	struct pc_class class = {
		.policy = (__u8)composition->recipe->policy,
		.outbound = (__u8)outbound_of(composition),
	};

	name_protocols(composition, class.protocol);
	if (port_table_compile(table, composition, diag))
		return -EINVAL;
	return classes_add(classes, table, composition, &class);
}

static void pass_on(const char *machine, const struct diag *found, struct diag *diag)
{
	for (size_t i = 0; i < found->count; i++)
		diag_error(diag, NULL, "machine %s: %s", machine, found->entry[i].message);
}

static void add_machine(struct tables *tables, const struct machine *machine, __u16 class)
{
	tables->machine[tables->machines++] = (struct table_machine){
		.name = xstrdup(machine->name),
		.class = class,
		.prefix = tables->prefixes,
		.prefixes = machine->addresses,
	};
	for (size_t i = 0; i < machine->addresses; i++) {
		tables->prefix = grow(tables->prefix, tables->prefixes, sizeof(*tables->prefix));
		tables->prefix[tables->prefixes++] =
			(struct machine_prefix){.prefix = machine->address[i], .class = class};
	}
}

static int check_addresses(const struct composition *composition, struct diag *diag)
{
	int err = 0;

	for (size_t i = 0; i < composition->machines; i++) {
		const struct machine *machine = composition->machine[i].machine;

		for (size_t j = 0; j < machine->addresses; j++) {
			char text[PREFIX_TEXT];

			if (!machine_prefix_reserved(&machine->address[j]))
				continue;
			diag_error(
				diag, NULL,
				"machine %s: %s has multicast, broadcast or loopback addresses, which are the interface's own; write the prefixes that are behind this host",
				machine->name, prefix_format(&machine->address[j], text));
			err = -EINVAL;
		}
	}
	return err;
}

static int compile_machines(struct port_table *table, const struct composition *composition,
			    struct tables *tables, struct diag *diag)
{
	__cleanup(classes_free) struct classes classes = {};
	__cleanup(tallies_free) struct tallies tallies = {};
	int err = check_addresses(composition, diag);

	tables->machine = xcalloc(composition->machines, sizeof(*tables->machine));
	for (size_t i = 0; i < composition->machines && !err; i++) {
		const struct composed_machine *composed = &composition->machine[i];
		__cleanup(diag_free) struct diag found = {};
		int class = composed->like < i ? tables->machine[composed->like].class :
						 compile_machine(table, &classes, composed, &found);

		pass_on(composed->machine->name, &found, diag);
		if (class < 0)
			err = class;
		else
			add_machine(tables, composed->machine, (__u16) class);
	}
	if (!err)
		err = machine_table_check(tables->prefix, tables->prefixes, diag);
	if (!err)
		err = classes_write(&classes, tables, diag);
	if (err)
		return err;
	/* number the tallies as for a new filter; a swap numbers them again */
	tallies_assign(&tallies, tables);
	return machine_table_fill(tables->prefix, tables->prefixes, tables->generation);
}

int compile(const struct composition *composition, struct tables *tables, struct diag *diag)
{
	__cleanup(port_table_free) struct port_table *table = xcalloc(1, sizeof(*table));
	__cleanup(tables_free) struct tables made = {.generation =
							     xcalloc(1, sizeof(*made.generation))};

	if (compile_host(table, composition, made.generation, diag) ||
	    (composition->machines && compile_machines(table, composition, &made, diag)) ||
	    port_table_write_rules(table, made.generation, diag) ||
	    tries_compile(&table->words, &made, diag))
		return -EINVAL;
	group_words_write(&table->words, made.generation);
	*tables = made;
	made = (struct tables){0};
	return 0;
}
