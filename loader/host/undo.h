/* SPDX-License-Identifier: GPL-2.0 */
/* Undoes pending changes at once, in the same way as their deadline would. */
#ifndef PORTCULLIS_HOST_UNDO_H
#define PORTCULLIS_HOST_UNDO_H

#include <stdbool.h>

#include "loader/filter/change_log.h"
#include "loader/filter/hook.h"
#include "loader/report/answer.h"

/* Whether the filter has a change that waits to be confirmed. */
bool undo_is_pending(const struct hook *hook);

/*
 * Undoes the pending changes of these interfaces: first all of them fall back, then each is cleaned
 * up. If this command is killed, the next one completes the clean-up. Reads `hooks` again. The
 * caller must hold the lock, unless it is a dry run. 0, or -errno with a message.
 */
int undo_pending(struct hooks *hooks, const struct hook *hook, size_t count, bool dry_run,
		 struct change_log *log, struct answer *answer);

#endif
