/* SPDX-License-Identifier: GPL-2.0 */
/* Opens the filters of the interfaces named, or of all in the network namespace, to read them. */
#ifndef PORTCULLIS_HOST_ATTACHED_H
#define PORTCULLIS_HOST_ATTACHED_H

#include <jansson.h>

#include "loader/filter/filter.h"
#include "loader/filter/hook.h"
#include "loader/report/counters.h"

struct live {
	struct hook hook;
	struct filter filter;
	json_t *kept; /* recipe and profiles of its active generation */
	struct counters *counters;
};

/*
 * live_open opens the filters, live_read_kept reads what was kept with each, live_read also its
 * counters. -ENOENT with a message if a
 * named interface has none. With no names, a filter that is removed meanwhile is left out, and so
 * is one of another version, with a message and `*left_out`.
 */
int live_open(const struct names *interfaces, const char *command, struct live **list,
	      size_t *count, bool *left_out);
int live_read_kept(const struct names *interfaces, const char *command, struct live **list,
		   size_t *count, bool *left_out);
int live_read(const struct names *interfaces, const char *command, struct live **list,
	      size_t *count, bool *left_out);
void live_free(struct live *list, size_t count);

/*
 * Reads the recipe and services that are kept with the current generation of an interface's filter.
 * -EINVAL with a message if they are damaged.
 */
int filter_kept(const char *interface, const struct filter *filter, json_t **kept);
/* Also returns the text; the caller frees both. */
int filter_kept_text(const char *interface, const struct filter *filter, json_t **kept,
		     char **text);

/* As filter_kept, for a filter known by its id, for the record of its detach; NULL: it cannot be
 * read. The caller frees. */
json_t *filter_kept_of(const char *id, __u32 *flows);

/*
 * A pending change, or one that was reverted: {"state": "waiting" or "reverted", "seconds_left",
 * "deadline", "fallback": the generation's number, or null}; null: there is none.
 */
json_t *filter_confirm_json(const struct filter *filter);

/*
 * Lists the hooks of the named interfaces, each of which must have a filter; with no names, of all
 * that have one. The caller frees `*list`. -errno with a message.
 */
int hooks_of(const struct hooks *hooks, const struct names *interfaces, const char *command,
	     struct hook **list, size_t *count);

/* Adds the names of all interfaces of the network namespace that have a filter. */
void hooks_names(const struct hooks *hooks, struct names *names);

/* Opens the filter of a hook. -ENOENT with a message if there is none, or -errno. */
int hook_open(const struct hook *hook, const char *command, struct filter *filter);
/* Opens the filter of an interface. -ENODEV or -ENOENT with a message if there is none. */
int filter_of(const char *interface, const char *command, struct filter *filter);

#endif
