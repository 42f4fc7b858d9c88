// SPDX-License-Identifier: GPL-2.0
/* Compares the configuration kept for boot with the attached filters. */
#include "loader/host/state_live.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/clock.h"
#include "loader/base/memory.h"
#include "loader/compile/kept.h"
#include "loader/compile/plan.h"
#include "loader/compile/replan.h"
#include "loader/filter/open.h"
#include "loader/host/attached.h"
#include "loader/host/site_links.h"
#include "loader/net/link.h"
#include "loader/recipe/state.h"
#include "loader/recipe/state_write.h"
#include "loader/report/difference.h"

/* True if the filter was made from the same words; with `final` only if it has no pending
 * change. */
static bool is_made_from(const struct hook *hook, const struct plan *plan, bool final)
{
	__cleanup(filter_close) struct filter filter = FILTER_NONE;
	json_t *kept = NULL;
	bool same;

	if (filter_try_open(hook->id, &filter) || (final && filter.current.copy->deadline) ||
	    filter.reverted.copy || filter_kept(hook->name, &filter, &kept))
		return false;
	/* Compare without DNS answers, because names may have been asked again since. */
	same = kept_same_words(kept, plan->kept);
	json_decref(kept);
	return same;
}

/* True if the interface has the filter of the snapshot, or does not exist. */
static bool interface_in_place(const struct hooks *hooks, struct snapshot *waited,
			       const struct site_interface *interface, bool final)
{
	__cleanup(diag_free) struct diag unused = {};
	__cleanup(plan_free) struct plan plan = {};
	const struct names folders = {};
	char real[IF_NAMESIZE];
	struct hook hook;

	if (link_find(interface->name, real) <= 0)
		return true;
	return !hook_find(hooks, interface->name, &hook) && hook.id[0] &&
	       !plan_make(&waited->catalog, &folders, &interface->recipe, false, &plan, &unused) &&
	       is_made_from(&hook, &plan, final);
}

/* True if every interface that was applied has the filter of the snapshot. */
static bool in_place(const struct hooks *hooks, struct snapshot *waited, bool final)
{
	__cleanup(diag_free) struct diag unused = {};
	size_t i;

	site_take_links(&waited->site, NULL, &unused);
	for (i = 0; i < waited->site.interfaces; i++) {
		const struct site_interface *interface = &waited->site.interface[i];

		if (waited->interfaces.count && !names_have(&waited->interfaces, interface->name))
			continue;
		if (!interface_in_place(hooks, waited, interface, final))
			return false;
	}
	return true;
}

bool state_is_waiting(const struct hooks *hooks)
{
	bool waiting = false;
	size_t i;

	for (i = 0; i < hooks->count && !waiting; i++) {
		__cleanup(filter_close) struct filter filter = FILTER_NONE;

		waiting = !filter_open_head(hooks->hook[i].id, &filter) &&
			  filter.current.copy->deadline > clock_boot();
	}
	return waiting;
}

/* Promotes the snapshot if it is in place. Returns whether it was. */
static bool settle(const struct hooks *hooks, const char *path, const char *link)
{
	__cleanup(snapshot_free) struct snapshot waited = {};
	__cleanup(diag_free) struct diag unused = {};

	if (snapshot_open(path, &waited, &unused) || !waited.there ||
	    !in_place(hooks, &waited, true))
		return false;
	state_promote(&waited, link);
	return true;
}

void state_settle(const struct hooks *hooks)
{
	/* Try the later snapshot first: an interrupted command may have made its change. */
	if (!settle(hooks, STATE_TRYING, "trying"))
		settle(hooks, STATE_PENDING, "pending");
}

void state_recover(const struct hooks *hooks)
{
	__cleanup(snapshot_free) struct snapshot waited = {};
	__cleanup(diag_free) struct diag unused = {};
	bool made = !snapshot_open(STATE_TRYING, &waited, &unused) && waited.there &&
		    in_place(hooks, &waited, false);

	if (made)
		state_pend();
}

/* The names of profiles that differ between `before` and `after`; the caller frees. */
static char *changed_profiles(const json_t *before, const json_t *after)
{
	const json_t *old, *now;
	struct names names = {};
	size_t i, j;
	char *text;

	json_array_foreach (json_object_get(before, "profiles"), i, old)
		json_array_foreach (json_object_get(after, "profiles"), j, now)
			if (json_equal(json_object_get(old, "name"),
				       json_object_get(now, "name")) &&
			    !kept_same_profile(old, now))
				names_add(&names, json_string_value(json_object_get(old, "name")));
	text = names_join(&names, ", ");
	names_free(&names);
	return text;
}

char *state_waits(const char *interface, const json_t *kept)
{
	__cleanup(remade_free) struct remade now = {.kept = json_incref((json_t *)kept)};
	__cleanup(diag_free) struct diag unused = {};

	return remake_kept(interface, NULL, &now, &unused) ?
		       NULL :
		       state_waits_against(kept, now.plan.kept);
}

char *state_waits_against(const json_t *kept, const json_t *now)
{
	__free_text char *what = difference_short(kept, now);
	__free_text char *names = changed_profiles(kept, now);

	return what && *names ? xasprintf("%s changed since it was applied: %s", names, what) :
				NULL;
}
