/* SPDX-License-Identifier: GPL-2.0 */
/* Tells which open services list a port. */
#ifndef PORTCULLIS_REPORT_PORT_SERVICES_H
#define PORTCULLIS_REPORT_PORT_SERVICES_H

#include <jansson.h>
#include <stdbool.h>

#include "bpf/abi.h"

/* For each port (PC_PORT), the array of its services ("PROFILE:SERVICE"); NULL: none. */
struct port_services {
	json_t *of[PC_PORTS];
};

/*
 * The open services of a direction that list the wanted ports. `profiles` is the array of `show
 * --json` that a generation was made from. Ports in the same ranges share one array.
 */
struct port_services *port_services(const json_t *profiles, bool out, const bool *wanted);
void port_services_free(struct port_services *services);

#endif
