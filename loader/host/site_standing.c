// SPDX-License-Identifier: GPL-2.0
/* Compares the site file with the snapshots and with the attached filters. */
#include "loader/host/site_standing.h"

#include <string.h>
#include <unistd.h>

#include "loader/base/memory.h"
#include "loader/compile/kept.h"
#include "loader/compile/plan.h"
#include "loader/host/site_links.h"
#include "loader/host/state_live.h"
#include "loader/net/link.h"
#include "loader/recipe/site_check.h"
#include "loader/recipe/state.h"
#include "loader/report/difference.h"

static bool is_waiting(void)
{
	__cleanup(hooks_free) struct hooks hooks = {};

	return !hooks_read(&hooks) && state_is_waiting(&hooks);
}

/* Compares a valid site file with the snapshots. */
static enum site_standing compare(const struct site *site)
{
	__cleanup(snapshot_free) struct snapshot confirmed = {};
	__cleanup(diag_free) struct diag unused = {};
	char digest[SHA256_TEXT];

	site_digest(site, digest);
	if (state_tried(digest))
		return is_waiting() ? SITE_WAITING : SITE_REVERTED;
	if (snapshot_open(STATE_CONFIRMED, &confirmed, &unused))
		return SITE_UNKNOWN;
	if (!confirmed.there)
		return SITE_NEW;
	return strcmp(confirmed.digest, digest) ? SITE_CHANGED : SITE_CONFIRMED;
}

void standing_read(struct standing *standing)
{
	__cleanup(catalog_close) struct catalog catalog = {};
	__cleanup(diag_free) struct diag unused = {};
	const struct names folders = {};

	*standing = (struct standing){};
	if (site_open(NULL, &standing->site, &unused) || catalog_open(&folders, &catalog, &unused))
		standing->state = SITE_WRONG;
	else if (!standing->site.path)
		standing->state = SITE_NONE;
	else if (!standing->site.interfaces_given || site_check(&catalog, &standing->site, &unused))
		standing->state = SITE_WRONG;
	else
		standing->state = compare(&standing->site);
	site_take_links(&standing->site, NULL, &unused);
	/* The administrators' group may not read all of a snapshot. */
	if (standing->state == SITE_WRONG && geteuid())
		standing->state = SITE_UNKNOWN;
}

void standing_free(struct standing *standing)
{
	site_free(&standing->site);
}

const struct site_interface *standing_interface(const struct site *site, unsigned int ifindex)
{
	char real[IF_NAMESIZE];
	size_t i;

	for (i = 0; i < site->interfaces; i++)
		if (link_find(site->interface[i].name, real) == (int)ifindex)
			return &site->interface[i];
	return NULL;
}

/* The changes that `apply` would make because the file, or otherwise the profiles, have changed. */
static char *say_changes(const struct standing *standing, const json_t *kept,
			 const struct plan *plan)
{
	__free_text char *what = NULL;
	const char *file = standing->site.path;

	if (json_equal(json_object_get(kept, "recipe"), json_object_get(plan->kept, "recipe")))
		return state_waits_against(kept, plan->kept);
	what = difference_short(kept, plan->kept);
	if (standing->state == SITE_CHANGED)
		return xasprintf("%s changed since it was applied%s%s", file, what ? ": " : "",
				 what ? what : "");
	return xasprintf("the attached filter differs from %s%s%s", file, what ? ": it " : "",
			 what ? what : "");
}

char *standing_waits(const struct standing *standing, const char *interface, unsigned int ifindex,
		     const json_t *kept)
{
	__cleanup(diag_free) struct diag unused = {};
	__cleanup(names_free) struct names folders = {};
	__cleanup(catalog_close) struct catalog catalog = {};
	__cleanup(plan_free) struct plan plan = {};
	const struct site_interface *wanted = NULL;

	/* A reverted file, or one with errors, is reported by itself, not for each interface. */
	if (standing->state != SITE_WRONG && standing->state != SITE_REVERTED)
		wanted = standing_interface(&standing->site, ifindex);
	if (wanted && !kept_folders(interface, kept, &folders) &&
	    !catalog_open(&folders, &catalog, &unused) &&
	    !plan_make(&catalog, &folders, &wanted->recipe, false, &plan, &unused))
		return say_changes(standing, kept, &plan);
	return state_waits(interface, kept);
}
