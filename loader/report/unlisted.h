/* SPDX-License-Identifier: GPL-2.0 */
/* The unlisted ports of a report of counters: those with the most drops first. */
#ifndef PORTCULLIS_REPORT_UNLISTED_H
#define PORTCULLIS_REPORT_UNLISTED_H

#include <jansson.h>
#include <stddef.h>

/*
 * The sort key is looked up once for each port, because a flood over all ports leaves 131,072 of
 * them.
 */
struct unlisted {
	json_int_t refused;
	size_t index; /* among the report's ports */
	const json_t *port;
};

/*
 * The ports of a direction that no service lists, by what was refused; equal ones stay in order.
 * The caller frees `*list`. Returns how many there are.
 */
size_t unlisted_ports(const json_t *ports, const char *direction, struct unlisted **list);

/*
 * Leaves the first `top` of each direction in an interface's "ports", and all that a service lists.
 * Sets "ports_left_out" to the number of the others.
 */
void unlisted_limit(json_t *one, size_t top);

#endif
