// SPDX-License-Identifier: GPL-2.0
/* Compares the addresses of machines with those of this host. */
#include "loader/host/machine_addresses.h"

#include <arpa/inet.h>
#include <errno.h>

#include "loader/base/memory.h"
#include "loader/net/link.h"
#include "loader/net/local_address.h"

static const struct place *place_of(const struct site_interface *site, size_t machine,
				    const struct prefix *prefix)
{
	const struct site_interface *entry;

	if (!site || machine >= site->machines)
		return NULL;
	entry = &site->machine[machine];
	for (size_t i = 0; i < entry->addresses; i++)
		if (!prefix_compare(&entry->address[i].prefix, prefix))
			return &entry->address[i].place;
	return &entry->place;
}

static bool is_whole(const struct prefix *prefix)
{
	return prefix->length == (prefix->family == AF_INET ? 32 : 128);
}

/*
 * At boot a filter may be there before the addresses are, so that a machine's prefix takes this
 * host's address until the next change.
 */
static void warn_around(const struct links *links, const struct machine *machine,
			const struct prefix *prefix, const struct place *place, struct diag *diag)
{
	for (size_t i = 0; i < links->addresses; i++) {
		const struct link_address *address = &links->address[i];
		char around[PREFIX_TEXT], text[INET6_ADDRSTRLEN];

		if (!prefix_contains(prefix, address->family, address->address) ||
		    !inet_ntop(address->family, address->address, text, sizeof(text)))
			continue;
		prefix_format(prefix, around);
		diag_warning_fix(
			diag, place,
			"give the addresses of the machines, or prefixes without this host's",
			"machine %s: %s has %s, an address of this host; after a boot it counts as the machine's until the next apply or swap",
			machine->name, around, text);
	}
}

int machine_addresses_check(const struct recipe *recipe, const struct site_interface *site,
			    bool warns, struct diag *diag)
{
	__cleanup(links_free) struct links links = {};
	int err = 0;

	if (!recipe->machines || links_read(&links))
		return 0;
	for (size_t i = 0; i < recipe->machines; i++) {
		const struct machine *machine = &recipe->machine[i];

		for (size_t j = 0; j < machine->addresses; j++) {
			const struct prefix *prefix = &machine->address[j];
			char text[PREFIX_TEXT];

			if (!is_whole(prefix))
				warn_around(&links, machine, prefix, place_of(site, i, prefix),
					    diag);
			if (!is_whole(prefix) ||
			    !local_find(&links, prefix->family, prefix->address))
				continue;
			prefix_format(prefix, text);
			(warns ? diag_warning : diag_error)(
				diag, place_of(site, i, prefix),
				"machine %s: %s is an address of this host; list what is behind it at the interface itself",
				machine->name, text);
			err = warns ? err : -EINVAL;
		}
	}
	return err;
}
