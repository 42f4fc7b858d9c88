// SPDX-License-Identifier: GPL-2.0
/* Makes the plan of a generation, and prints its summary. */
#include "loader/compile/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/json.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/base/utf8.h"
#include "loader/compile/compile.h"
#include "loader/compile/kept.h"
#include "loader/recipe/compose_json.h"
#include "loader/recipe/kept_machines.h"
#include "loader/recipe/recipe_json.h"
#include "loader/recipe/sends.h"

/* The folders as absolute paths. A folder whose path is not UTF-8 cannot be kept. */
static json_t *folders_json(const struct names *folders)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < folders->count; i++) {
		__free_text char *path = realpath(folders->name[i], NULL);

		if (path)
			json_array_append_new(list, json_string(path));
	}
	return list;
}

/* Checks a warning against --strict: -EINVAL if it counts as an error. */
static int warn(const char *text, const char *fix, bool strict, struct diag *diag)
{
	if (text && strict)
		diag_error_fix(diag, NULL, fix, "%s", text);
	else if (text)
		diag_warning_fix(diag, NULL, fix, "%s", text);
	return text && strict ? -EINVAL : 0;
}

static int warn_of_sending(const struct composition *composition, bool strict, struct diag *diag)
{
	__free_text char *nothing = composition_sends_nothing(composition);
	__free_text char *forward = composition_needs_forward(composition);
	int err = warn(nothing, SENDS_FIX, strict, diag);

	return warn(forward, FORWARD_FIX, strict, diag) ?: err;
}

int plan_make(struct catalog *catalog, const struct names *folders, const struct recipe *recipe,
	      bool strict, struct plan *plan, struct diag *diag)
{
	struct composition composition;
	int err;

	*plan = (struct plan){};
	err = compose(catalog, recipe, strict, &composition, diag);
	if (!err)
		err = plan_compile(&composition, folders, plan, diag);
	if (!err)
		err = warn_of_sending(&plan->composition, strict, diag);
	if (err)
		plan_free(plan);
	return err;
}

int plan_compile(struct composition *composition, const struct names *folders, struct plan *plan,
		 struct diag *diag)
{
	json_t *recipe;
	int err;

	*plan = (struct plan){.composition = *composition};
	*composition = (struct composition){};
	err = compile(&plan->composition, &plan->tables, diag);
	if (err) {
		plan_free(plan);
		return err;
	}
	recipe = recipe_without_machines_json(plan->composition.recipe);
	if (plan->composition.machines)
		json_object_set(recipe, "machines", plan->composition.machines_json);
	plan->kept =
		json_pack("{s:i, s:o, s:o, s:o}", "version", 1, "recipe", recipe, "catalog",
			  folders_json(folders), "profiles", composition_json(&plan->composition));
	if (plan->composition.machines)
		json_object_set_new(plan->kept, "machines", kept_machines_json(&plan->composition));
	plan->text = kept_text(plan->kept);
	return 0;
}

void plan_free(struct plan *plan)
{
	composition_free(&plan->composition);
	tables_free(&plan->tables);
	json_decref(plan->kept);
	free(plan->text);
	*plan = (struct plan){};
}

static bool has_feature(const json_t *kept, const char *word)
{
	return json_list_has(json_object_get(json_object_get(kept, "recipe"), "features"), word);
}

void plan_features(const struct plan *plan, const json_t *before, FILE *to)
{
	const struct names *given = &plan->composition.recipe->features;
	const struct names *meant = &plan->composition.features;
	size_t i, j;

	for (i = 0; i < given->count; i++)
		for (j = 0; !strchr(given->name[i], ':') && !has_feature(before, given->name[i]) &&
			    j < meant->count;
		     j++)
			if (!strcmp(strchr(meant->name[j], ':') + 1, given->name[i]))
				fprintf(to, "  enables %s\n", meant->name[j]);
}

static void print_summary(const struct plan *plan, const char *interface, const char *mode,
			  FILE *to)
{
	const struct composition *composition = &plan->composition;
	const struct recipe *recipe = composition->recipe;
	__free_text char *profiles = names_join(&recipe->profiles, " + ");
	__free_text char *name = text_printable(interface);
	size_t closed[WHYS] = {}, all = 0, i;
	__free_text char *any = sends_any_text(json_object_get(plan->kept, "recipe"),
					       json_object_get(plan->kept, "profiles"));
	const char *separator = " (";

	for (i = 0; i < composition->services; i++)
		if (composition->service[i].direction & DIRECTION_IN)
			closed[composition->service[i].why]++;
	for (i = WHY_OPEN + 1; i < WHYS; i++)
		all += closed[i];
	fprintf(to, "%s: %s%s%s, %s: %zu open in, %zu closed", name, mode ? mode : "",
		mode ? ", " : "", recipe->policy == PC_POLICY_OBSERVE ? "observe" : "enforce",
		profiles, closed[WHY_OPEN], all);
	for (i = WHY_OPEN + 1; i < WHYS; i++) {
		if (!closed[i])
			continue;
		fprintf(to, "%s%zu %s", separator, closed[i], why_closed_name[i]);
		separator = ", ";
	}
	fprintf(to, "%s%s%s", all ? ")" : "",
		any ? ", everything may go out: outbound any of " : "", any ?: "");
}

void plan_summary(const struct plan *plan, const char *interface, const char *mode, FILE *to)
{
	__free_text char *text = NULL;
	size_t length = 0;
	FILE *line = open_memstream(&text, &length);

	if (!line)
		return;
	print_summary(plan, interface, mode, line);
	fclose(line);
	message_print("", text, NULL, to);
}
