// SPDX-License-Identifier: GPL-2.0
/* Finds CommuniGate Pro, by its settings. */
#include "loader/recipe/claims_communigate.h"

#include "loader/base/memory.h"

void claims_communigate(const struct root *root, struct claims *claims)
{
	__cleanup(names_free) struct names found = {};

	root_find(root, "/var/CommuniGate/Settings/Main.settings", &found);
	if (found.count)
		claims_product(claims, "communigate-pro", found.name[0]);
}
