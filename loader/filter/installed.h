/* SPDX-License-Identifier: GPL-2.0 */
/* The generations that are pinned with a filter. */
#ifndef PORTCULLIS_FILTER_INSTALLED_H
#define PORTCULLIS_FILTER_INSTALLED_H

#include <stdbool.h>

#include "loader/filter/filter.h"

/* Opens the pinned generation with this id. -ENOENT: none; -EPROTO: it has another layout. */
int installed_open_id(const struct filter *filter, __u32 id, struct installed *installed);

/*
 * The id of a filter's program, read from its generations, for callers who cannot open the program.
 * 0: there is no generation, or it has another version.
 */
int filter_program(const char *id, __u32 *program_id);

/*
 * Looks for a pinned generation that is neither active nor a fallback: a command was interrupted
 * before it committed this generation, or (if its number is lower) before it removed this old one.
 * Opens it as `prepared` or `replaced`. `*batch` is its batch; 0: there is none.
 */
int filter_left_over(struct filter *filter, __u64 *batch);

/* True if a command, running or interrupted, has begun to detach that filter. */
bool filter_is_empty(const char *id);

/* Pins a generation in the folder of its filter; 0, or -errno with a message. */
int installed_pin(const struct filter *filter, const struct installed *installed);
/* True if other generations or recipes than those of current and fallback are pinned. */
bool installed_has_others(const struct filter *filter);
/* Unpins every generation except current and fallback. A filter that is not pinned has none. */
void installed_unpin_others(const struct filter *filter);

/* Removes the pins of a filter whose names begin with `prefix`. */
void installed_unpin_all(const char *id, const char *prefix);

#endif
