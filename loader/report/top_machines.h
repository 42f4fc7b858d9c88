/* SPDX-License-Identifier: GPL-2.0 */
/* The services of machines behind an interface by tally, for the rows of `top`. */
#ifndef PORTCULLIS_REPORT_TOP_MACHINES_H
#define PORTCULLIS_REPORT_TOP_MACHINES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "loader/report/machine_counters.h"

/* Ports of a machine that the same services list; or one port, or all ports, that no service
 * lists. */
struct top_machine {
	char *name;  /* "core: asterisk:sip", "core: unlisted" */
	char *ports; /* "5060/tcp, 5060/udp", "any" */
	bool out, listed;
	__u32 *tally;
	size_t tallies;
};

struct top_machines {
	struct top_machine *row;
	size_t count;
};

struct top_machines *top_machines_new(const struct machine_tallies *tallies, const json_t *kept);
void top_machines_free(struct top_machines *machines);

#endif
