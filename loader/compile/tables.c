// SPDX-License-Identifier: GPL-2.0
/* The tables of one generation. */
#include "loader/compile/tables.h"

#include <stdlib.h>

void tables_free(struct tables *tables)
{
	free(tables->generation);
	free(tables->trie4);
	free(tables->trie6);
	for (size_t i = 0; i < tables->machines; i++)
		free(tables->machine[i].name);
	free(tables->machine);
	free(tables->prefix);
	free(tables->own);
	for (size_t i = 0; i < PC_CLASSES; i++)
		free(tables->tallies[i].tally);
	*tables = (struct tables){0};
}
