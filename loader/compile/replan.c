// SPDX-License-Identifier: GPL-2.0
/* Makes a plan again from the text kept with a generation. */
#include "loader/compile/replan.h"

#include "loader/base/memory.h"
#include "loader/compile/kept.h"
#include "loader/recipe/recipe_json.h"

int remake_kept(const char *interface, const struct names *first, struct remade *remade,
		struct diag *diag)
{
	__cleanup(names_free) struct names folders = {};
	int err = kept_folders(interface, remade->kept, &remade->folders);

	if (first)
		names_add_all(&folders, first);
	names_add_all(&folders, &remade->folders);
	if (!err)
		err = catalog_open(&folders, &remade->catalog, diag);
	if (!err)
		err = recipe_from_json(&remade->recipe, json_object_get(remade->kept, "recipe"),
				       diag);
	if (!err)
		err = plan_make(&remade->catalog, &remade->folders, &remade->recipe, false,
				&remade->plan, diag);
	return err;
}

int remake(const char *interface, const char *recipe, const struct names *first,
	   struct remade *remade)
{
	__cleanup(diag_free) struct diag diag = {};
	int err = kept_parse(interface, recipe, &remade->kept);

	if (!err)
		err = remake_kept(interface, first, remade, &diag);
	diag_report(&diag);
	return err;
}

void remade_free(struct remade *remade)
{
	plan_free(&remade->plan);
	recipe_free(&remade->recipe);
	catalog_close(&remade->catalog);
	names_free(&remade->folders);
	json_decref(remade->kept);
	*remade = (struct remade){};
}
