/* SPDX-License-Identifier: GPL-2.0 */
/* A live filter as an interface of a site file. */
#ifndef PORTCULLIS_COMMAND_LIVE_ENTRY_H
#define PORTCULLIS_COMMAND_LIVE_ENTRY_H

#include "loader/host/attached.h"
#include "loader/recipe/site_write.h"

/*
 * Makes the entry: the filter's recipe, which the caller frees, and how it was attached. -EINVAL
 * with errors in `diag`. The entry uses the name.
 */
int live_entry(const struct live *live, struct site_entry *entry, struct diag *diag);

#endif
