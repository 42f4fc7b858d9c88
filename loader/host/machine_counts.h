/* SPDX-License-Identifier: GPL-2.0 */
/* Reads what a filter counted of the machines behind its interface. */
#ifndef PORTCULLIS_HOST_MACHINE_COUNTS_H
#define PORTCULLIS_HOST_MACHINE_COUNTS_H

#include <jansson.h>
#include <stdbool.h>

#include "loader/host/attached.h"

/*
 * Adds "machines" (machine_counters.h) to the counters of an interface, if its recipe has machines.
 * A message if they cannot be read.
 */
void machine_counts_add(const struct live *live, bool all, json_t *interface);

#endif
