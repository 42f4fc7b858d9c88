/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The filters that `status`, `counters` and `flows` read: of the interfaces named, or all of the
 * namespace.
 */
#ifndef PORTCULLIS_HOST_ATTACHED_H
#define PORTCULLIS_HOST_ATTACHED_H

#include <jansson.h>

#include "loader/filter/filter.h"
#include "loader/filter/hook.h"
#include "loader/report/counters.h"

struct live {
	struct hook hook;
	struct filter filter;
	json_t *kept; /* recipe and profiles of its generation */
	struct counters *counters;
};

/*
 * live_open opens them, live_read reads recipe and counters too. Named ones must have a filter:
 * else a message and -ENOENT. A filter that goes away while all are listed is left out; and so is
 * one of another version, with a message and `*left_out`.
 */
int live_open(const struct names *interfaces, const char *command, struct live **list,
	      size_t *count, bool *left_out);
int live_read(const struct names *interfaces, const char *command, struct live **list,
	      size_t *count, bool *left_out);
void live_free(struct live *list, size_t count);

/*
 * What was kept with the current generation of an interface's filter. -EINVAL with a message if it
 * is damaged.
 */
int filter_kept(const char *interface, const struct filter *filter, json_t **kept);

/*
 * The hooks of the named interfaces, each of which must have a filter, or of all that have one. The
 * caller frees `*list`. -errno with a message.
 */
int hooks_of(const struct names *interfaces, const char *command, struct hook **list,
	     size_t *count);

/* Adds the names of all interfaces of the network namespace that have a filter. -errno with a
 * message. */
int hooks_names(struct names *names);

/* Opens the filter of a hook; a message and -ENOENT, or -errno, if there is none to open. */
int hook_open(const struct hook *hook, const char *command, struct filter *filter);
/* The filter of an interface by name; a message and -ENODEV or -ENOENT if there is none. */
int filter_of(const char *interface, const char *command, struct filter *filter);

#endif
