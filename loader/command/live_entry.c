// SPDX-License-Identifier: GPL-2.0
/* A live filter as an interface of a site file. */
#include "loader/command/live_entry.h"

#include "loader/filter/confirm.h"
#include "loader/filter/flow_maps.h"
#include "loader/recipe/recipe_json.h"

/* Remarks about an interface for the reader of the file. */
static const char *note_of(const struct filter *filter)
{
	if (filter->reverted.copy || filter->current.copy->reverted_at)
		return "the last change was not confirmed in time, and was undone";
	if (filter->current.copy->deadline)
		return "the last change is not confirmed yet";
	return NULL;
}

int live_entry(const struct live *live, struct site_entry *entry, struct diag *diag)
{
	__u32 flows = flow_maps_size(&live->filter);

	*entry = (struct site_entry){
		.name = live->hook.name,
		.note = note_of(&live->filter),
		.mode = live->hook.mode == HOOK_GENERIC ? HOOK_GENERIC : HOOK_AUTO,
		.flows = PC_FLOWS_CONNECTIONS(flows) == PC_FLOWS_CONNECTIONS(PC_FLOWS) ? 0 : flows,
	};
	return recipe_from_json(&entry->recipe, json_object_get(live->kept, "recipe"), diag);
}
