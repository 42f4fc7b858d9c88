/* SPDX-License-Identifier: GPL-2.0 */
/* Compares the configuration kept for boot with the attached filters. */
#ifndef PORTCULLIS_HOST_STATE_LIVE_H
#define PORTCULLIS_HOST_STATE_LIVE_H

#include <jansson.h>
#include <stdbool.h>

/* After a confirm: if all that waited is in place for good, it is promoted. */
void state_settle(void);

/* Before another change: what an interrupted command was trying waits if it is in place. */
void state_recover(void);

/* Whether an interface of the caller's network namespace waits to be confirmed now. */
bool state_is_waiting(void);

/*
 * "xeams changed since it was applied: opens 587/tcp", of what an interface's filter was made from,
 * against the catalog as it is; NULL: nothing waits, or it cannot be told. The caller frees.
 */
char *state_waits(const char *interface, const json_t *kept);

#endif
