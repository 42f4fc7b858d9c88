/* SPDX-License-Identifier: GPL-2.0 */
/* Sorts the unlisted ports of a counters report: those with most drops first. */
#ifndef PORTCULLIS_REPORT_UNLISTED_H
#define PORTCULLIS_REPORT_UNLISTED_H

#include <jansson.h>
#include <stddef.h>

/*
 * A port with its sort key, which is looked up once, because a flood to all ports leaves 131,072
 * ports.
 */
struct unlisted {
	json_int_t refused;
	size_t index; /* index among the report's ports */
	const json_t *port;
};

/*
 * Lists the ports of a direction that no service lists, sorted by refused packets; equal ones keep
 * their order. The caller frees `*list`. Returns how many there are.
 */
size_t unlisted_ports(const json_t *ports, const char *direction, struct unlisted **list);

/*
 * Keeps the first `top` of each direction in an interface's "ports", and all ports that a service
 * lists. Sets "ports_left_out" to the number of the others.
 */
void unlisted_limit(json_t *one, size_t top);

#endif
