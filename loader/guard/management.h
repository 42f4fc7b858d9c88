/* SPDX-License-Identifier: GPL-2.0 */
/* Ports by which hosts are managed, and others that should not be open to anyone. */
#ifndef PORTCULLIS_GUARD_MANAGEMENT_H
#define PORTCULLIS_GUARD_MANAGEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "loader/catalog/ports.h"
#include "loader/compile/plan.h"

struct management_port {
	__u16 port;
	enum pc_transport transport;
	bool login; /* administrators log in by it: watched unless the site file has its own list */
	const char *why; /* why it should not be open to anyone, if the number does not say it */
};

#define MANAGEMENT_PORTS 13
extern const struct management_port management_port[MANAGEMENT_PORTS];

/* True if the lockout guard watches the port. `given`: the site's own list, or NULL. */
bool management_watched(const struct ports *given, enum pc_transport transport, __u16 port);

/*
 * Warns of management ports that anyone may reach by a plan, and of services for administration:
 * those that have "admin" in their name or title. `interface`: the one that gets the plan; NULL:
 * all interfaces of the command.
 */
void management_warn_open(const char *interface, const struct plan *plan);

#endif
