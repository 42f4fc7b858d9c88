// SPDX-License-Identifier: GPL-2.0
/* Removes the words of a recipe that its profiles do not know. */
#include "loader/recipe/prune.h"

#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/recipe/overlay.h"

static bool knows_service(struct overlays *overlays, const char *profile_name, const char *name)
{
	const struct profile *profile = overlays_profile(overlays, profile_name);

	return profile && overlays_service(overlays, profile, name);
}

static bool knows_disabled(struct overlays *overlays, const char *word)
{
	const char *colon = strchrnul(word, ':');
	__free_text char *profile = xstrndup(word, (size_t)(colon - word));

	return *colon && knows_service(overlays, profile, colon + 1);
}

static bool knows_feature(struct overlays *overlays, const char *word)
{
	__free_text char *only = NULL;
	const char *feature = overlay_cut_feature(word, &only);

	for (size_t i = 0; i < overlays->profiles; i++) {
		if ((!only || !strcmp(overlays->profile[i]->name, only)) &&
		    overlay_feature_name(overlays->profile[i], feature))
			return true;
	}
	return false;
}

static void add_dropped(struct names *dropped, const char *option, const char *word)
{
	__free_text char *text = xasprintf("%s %s", option, word);

	names_add(dropped, text);
}

static void prune_names(struct overlays *overlays, struct names *names, const char *option,
			bool (*knows)(struct overlays *overlays, const char *word),
			struct names *dropped)
{
	size_t kept = 0;

	for (size_t i = 0; i < names->count; i++) {
		if (knows(overlays, names->name[i])) {
			names->name[kept++] = names->name[i];
			continue;
		}
		add_dropped(dropped, option, names->name[i]);
		free(names->name[i]);
	}
	names->count = kept;
}

static void prune_sets(struct overlays *overlays, struct recipe *recipe, struct names *dropped)
{
	size_t kept = 0;

	for (size_t i = 0; i < recipe->sets; i++) {
		struct override_set *set = &recipe->set[i];
		__free_text char *text = NULL;

		if (knows_service(overlays, set->profile, set->service)) {
			recipe->set[kept++] = *set;
			continue;
		}
		text = override_set_text(set);
		add_dropped(dropped, "--set", text);
		override_set_free(set);
	}
	recipe->sets = kept;
}

static void prune_froms(struct overlays *overlays, struct recipe *recipe, struct names *dropped)
{
	size_t kept = 0;

	for (size_t i = 0; i < recipe->froms; i++) {
		struct override_from *from = &recipe->from[i];
		__free_text char *text = NULL;

		if (knows_service(overlays, from->profile, from->service)) {
			recipe->from[kept++] = *from;
			continue;
		}
		text = override_from_text(from);
		add_dropped(dropped, "--from", text);
		override_from_free(from);
	}
	recipe->froms = kept;
}

int recipe_prune(struct recipe *recipe, struct catalog *catalog, struct names *dropped,
		 struct diag *diag)
{
	__cleanup(overlays_free) struct overlays overlays = {
		.catalog = catalog, .recipe = recipe, .diag = diag};
	int result = overlays_start(&overlays);

	if (result)
		return result;
	prune_names(&overlays, &recipe->features, "--enable", knows_feature, dropped);
	prune_names(&overlays, &recipe->disabled, "--disable", knows_disabled, dropped);
	prune_sets(&overlays, recipe, dropped);
	prune_froms(&overlays, recipe, dropped);
	return 0;
}
