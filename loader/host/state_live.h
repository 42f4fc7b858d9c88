/* SPDX-License-Identifier: GPL-2.0 */
/* Compares the configuration kept for boot with the attached filters. */
#ifndef PORTCULLIS_HOST_STATE_LIVE_H
#define PORTCULLIS_HOST_STATE_LIVE_H

#include <jansson.h>
#include <stdbool.h>

#include "loader/filter/hook.h"

/* After a confirm: promotes the pending snapshot if every interface has it, and none is pending. */
void state_settle(const struct hooks *hooks);

/* Before another change: makes the snapshot of an interrupted command pending, if it is in place.
 */
void state_recover(const struct hooks *hooks);

/* True if an interface of the caller's network namespace has a pending change. */
bool state_is_waiting(const struct hooks *hooks);

/*
 * "xeams changed since it was applied: opens 587/tcp": compares the profiles that an interface's
 * filter was made from with the catalog. NULL: the profiles are the same, or cannot be read. The
 * caller frees.
 */
char *state_waits(const char *interface, const json_t *kept);
/* As state_waits, if the same recipe is already composed: `now` is `kept` of its plan. */
char *state_waits_against(const json_t *kept, const json_t *now);

#endif
