// SPDX-License-Identifier: GPL-2.0
/* Sorts the unlisted ports of a counters report: those with most drops first. */
#include "loader/report/unlisted.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/report/text.h"

static int by_refused(const void *a, const void *b)
{
	const struct unlisted *left = a, *right = b;

	if (left->refused != right->refused)
		return left->refused < right->refused ? 1 : -1;
	return left->index < right->index ? -1 : left->index > right->index;
}

size_t unlisted_ports(const json_t *ports, const char *direction, struct unlisted **list)
{
	const json_t *port;
	size_t count = 0, i;

	*list = xcalloc(json_array_size(ports) + 1, sizeof(**list));
	json_array_foreach (ports, i, port)
		if (!json_array_size(json_object_get(port, "services")) &&
		    !strcmp(text_of(port, "direction"), direction))
			(*list)[count++] = (struct unlisted){text_refused(port), i, port};
	qsort(*list, count, sizeof(**list), by_refused);
	return count;
}

void unlisted_limit(json_t *one, size_t top)
{
	static const char *const direction[] = {"in", "out"};
	const json_t *ports = json_object_get(one, "ports");
	__free_text bool *out = xcalloc(json_array_size(ports) + 1, sizeof(*out));
	json_t *kept = json_array(), *port;
	size_t left_out = 0, i, j;

	for (i = 0; i < ARRAY_SIZE(direction); i++) {
		struct unlisted *list;
		size_t count = unlisted_ports(ports, direction[i], &list);

		for (j = top; j < count; j++, left_out++)
			out[list[j].index] = true;
		free(list);
	}
	json_array_foreach (ports, i, port)
		if (!out[i])
			json_array_append(kept, port);
	json_object_set_new(one, "ports", kept);
	json_object_set_new(one, "ports_left_out", json_integer((json_int_t)left_out));
}
