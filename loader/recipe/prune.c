// SPDX-License-Identifier: GPL-2.0
/* Parks the words of a recipe that its profiles do not know. */
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

static void park(struct names *parked, const char *option, const char *word)
{
	__free_text char *text = xasprintf("%s %s", option, word);

	names_add(parked, text);
}

static void prune_names(struct overlays *overlays, struct names *names, const char *option,
			bool (*knows)(struct overlays *overlays, const char *word),
			struct names *parked)
{
	size_t kept = 0;

	for (size_t i = 0; i < names->count; i++) {
		if (knows(overlays, names->name[i])) {
			names->name[kept++] = names->name[i];
			continue;
		}
		park(parked, option, names->name[i]);
		free(names->name[i]);
	}
	names->count = kept;
}

static void prune_sets(struct overlays *overlays, struct recipe *recipe, struct names *parked)
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
		park(parked, "--set", text);
		override_set_free(set);
	}
	recipe->sets = kept;
}

static void prune_froms(struct overlays *overlays, struct recipe *recipe, struct names *parked)
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
		park(parked, "--from", text);
		override_from_free(from);
	}
	recipe->froms = kept;
}

static void prune_limits(struct overlays *overlays, struct recipe *recipe, struct names *parked)
{
	size_t kept = 0;

	for (size_t i = 0; i < recipe->limits; i++) {
		struct override_limit *limit = &recipe->limit[i];
		__free_text char *text = NULL;

		if (knows_service(overlays, limit->profile, limit->service)) {
			recipe->limit[kept++] = *limit;
			continue;
		}
		text = override_limit_text(limit);
		park(parked, "--limit", text);
		override_limit_free(limit);
	}
	recipe->limits = kept;
}

/* Puts every parked word back, whether a profile knows it or not. */
static void unpark(struct recipe *recipe)
{
	static const struct {
		const char *option;
		enum recipe_word kind;
	} place[] = {{"--enable ", RECIPE_ENABLE},
		     {"--disable ", RECIPE_DISABLE},
		     {"--set ", RECIPE_SET},
		     {"--from ", RECIPE_FROM},
		     {"--limit ", RECIPE_LIMIT}};
	__cleanup(names_free) struct names parked = recipe->parked;
	__cleanup(diag_free) struct diag unused = {};

	recipe->parked = (struct names){};
	for (size_t i = 0; i < parked.count; i++) {
		for (size_t j = 0; j < ARRAY_SIZE(place); j++) {
			size_t length = strlen(place[j].option);

			if (!strncmp(parked.name[i], place[j].option, length))
				recipe_add(recipe, place[j].kind, parked.name[i] + length,
					   &(struct place){}, &unused);
		}
	}
}

int recipe_prune(struct recipe *recipe, struct catalog *catalog, struct diag *diag)
{
	struct names *parked = &recipe->parked;
	__cleanup(overlays_free) struct overlays overlays = {
		.catalog = catalog, .recipe = recipe, .diag = diag};
	int result = overlays_start(&overlays);

	if (result)
		return result;
	unpark(recipe);
	prune_names(&overlays, &recipe->features, "--enable", knows_feature, parked);
	prune_names(&overlays, &recipe->disabled, "--disable", knows_disabled, parked);
	prune_sets(&overlays, recipe, parked);
	prune_froms(&overlays, recipe, parked);
	prune_limits(&overlays, recipe, parked);
	return 0;
}
