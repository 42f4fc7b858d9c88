// SPDX-License-Identifier: GPL-2.0
/* Reads what a filter counted of the machines behind its interface. */
#include "loader/host/machine_counts.h"

#include <string.h>

#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/compile/tallies.h"
#include "loader/filter/tally_maps.h"
#include "loader/recipe/kept_machines.h"
#include "loader/report/machine_counters.h"

void machine_counts_add(const struct live *live, bool all, json_t *interface)
{
	__cleanup(tallies_free) struct tallies tallies = {};
	int err;

	if (!kept_machines(live->kept))
		return;
	err = tallies_read(&live->filter, &tallies);
	if (err) {
		error("%s: cannot read what is counted of machines: %s", live->hook.name,
		      strerror(-err));
		return;
	}
	json_object_set_new(
		interface, "machines",
		report_machine_counters(
			live->counters,
			&(struct machine_tallies){tallies.tally, tallies.count, tallies_machine},
			live->kept, all));
}
