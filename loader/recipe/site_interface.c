// SPDX-License-Identifier: GPL-2.0
/* Frees an interface's entry in the site file, and a machine's. */
#include "loader/recipe/site_interface.h"

#include <stdlib.h>

void site_interface_free(struct site_interface *interface)
{
	if (interface->pattern) {
		free(interface->name);
		return;
	}
	for (size_t i = 0; i < interface->words; i++)
		free(interface->word[i].text);
	for (size_t i = 0; i < interface->uses; i++)
		free(interface->use[i].group);
	for (size_t i = 0; i < interface->machines; i++)
		site_interface_free(&interface->machine[i]);
	free(interface->word);
	free(interface->use);
	free(interface->address);
	free(interface->machine);
	free(interface->name);
	recipe_free(&interface->recipe);
}
