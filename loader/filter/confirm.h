/* SPDX-License-Identifier: GPL-2.0 */
/* Makes a pending generation final, or falls back from it. */
#ifndef PORTCULLIS_FILTER_CONFIRM_H
#define PORTCULLIS_FILTER_CONFIRM_H

#include "loader/filter/filter.h"

/* Seconds until a generation's deadline, of which a part counts as one; 0: it is past, or none. */
unsigned int seconds_left(const struct pc_generation *generation);

/*
 * Makes the current generation final, by one store. Returns 0 also if it is final already; -ETIME,
 * without a message, if it has been reverted.
 */
int filter_confirm(struct filter *filter);

/*
 * Undoes a pending change: filter_expire ends its time, as if the deadline had passed, so that all
 * packets see the fallback; opened again, the filter is one that has reverted. filter_settle_undone
 * is filter_settle_reverted, but nothing tells later that a deadline passed.
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
 * After its deadline: puts the fallback, which is active already, in the place of the reverted
 * generation, and removes that.
 */
int filter_settle_reverted(struct filter *filter);

#endif
