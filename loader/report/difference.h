/* SPDX-License-Identifier: GPL-2.0 */
/* Compares two generations by their kept text: ports that open, close, or change their groups. */
#ifndef PORTCULLIS_REPORT_DIFFERENCE_H
#define PORTCULLIS_REPORT_DIFFERENCE_H

#include <jansson.h>
#include <stdio.h>

#include "loader/report/difference_groups.h"

/*
 * Compares two kept texts ({"recipe", "profiles"}; `before` may be an empty object: no filter was
 * attached) and prints a line for each range of ports that opens, closes, or changes its sources,
 * `out` after `in` (`out` ports are listed or unlisted while outbound only tracks), and for each
 * group, protocol and setting that changes; one line if nothing changes. All open services of a
 * port count together. Returns the number of lines that report a change.
 */
size_t difference_print(const json_t *before, const json_t *after, FILE *to);

/*
 * Compares the kept texts and calls `tell` for each difference; difference_own ignores machines. A
 * machine's difference begins with its name: "mail: 25/tcp".
 */
size_t difference_own(const json_t *before, const json_t *after, difference_tell *tell,
		      void *context);
size_t difference_each(const json_t *before, const json_t *after, difference_tell *tell,
		       void *context);

/*
 * "opens 25/tcp, 587/tcp; closes 22/tcp", with the first DIFFERENCE_SHORT changes; NULL: nothing
 * changes. The caller frees.
 */
#define DIFFERENCE_SHORT 32
char *difference_short(const json_t *before, const json_t *after);

#endif
