/* SPDX-License-Identifier: GPL-2.0 */
/* Makes a pending generation final, or falls back from it. */
#ifndef PORTCULLIS_FILTER_CONFIRM_H
#define PORTCULLIS_FILTER_CONFIRM_H

#include "loader/filter/filter.h"

/* Seconds until a generation's deadline, rounded up; 0: it has passed, or there is none. */
unsigned int seconds_left(const struct pc_generation *generation);

/*
 * Makes the current generation final, with one store. Returns 0 also if it was final; -ETIME,
 * without a message, if it was reverted.
 */
int filter_confirm(struct filter *filter);

/*
 * Undo a pending change. filter_expire moves its deadline to the past, so that all packets see the
 * fallback; a filter opened after that is a reverted one. filter_settle_undone works as
 * filter_settle_reverted, but leaves no record that a deadline passed.
 */
int filter_expire(struct filter *filter);
int filter_settle_undone(struct filter *filter);

/*
 * For a command that changes a filter which it has just opened: the deadline may have passed since
 * hooks_settle. Settles a reverted swap as filter_settle_reverted does; -ENOENT with a message for
 * a reverted attach, which must be detached.
 */
int filter_ready(struct filter *filter, const char *interface);

/*
 * For a change whose deadline passed: stores the fallback, which is already active, as the current
 * generation, and removes the reverted one.
 */
int filter_settle_reverted(struct filter *filter);

#endif
