// SPDX-License-Identifier: GPL-2.0
/* The state of the filters that `top` read at one time. */
#include "loader/report/top_looks.h"

#include <stdlib.h>
#include <string.h>

void top_looks_free(struct top_looks *looks)
{
	for (size_t i = 0; i < looks->count; i++) {
		free(looks->look[i].interface);
		free(looks->look[i].counters);
		top_listing_free(looks->look[i].listing);
		top_machines_free(looks->look[i].behind);
		names_free(&looks->look[i].machines);
	}
	free(looks->look);
	drops_free(&looks->drops);
	*looks = (struct top_looks){};
}

size_t top_look_index(const struct top_looks *looks, const char *interface)
{
	size_t i = 0;

	while (i < looks->count && strcmp(looks->look[i].interface, interface) != 0)
		i++;
	return i;
}
