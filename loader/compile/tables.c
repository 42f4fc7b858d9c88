// SPDX-License-Identifier: GPL-2.0
/* The tables of one generation. */
#include "loader/compile/tables.h"

#include <stdlib.h>

void tables_free(struct tables *tables)
{
	free(tables->generation);
	free(tables->trie4);
	free(tables->trie6);
	*tables = (struct tables){0};
}
