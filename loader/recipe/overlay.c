// SPDX-License-Identifier: GPL-2.0
/* The services of the chosen profiles as overlays, and searching them by name. */
#include "loader/recipe/overlay.h"

#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"

void overlays_free(struct overlays *overlays)
{
	names_free(&overlays->features);
	free(overlays->profile);
	profile_free(overlays->site);
	free(overlays->overlay);
	names_free(&overlays->group);
}

int overlays_start(struct overlays *overlays)
{
	int result = catalog_resolve(overlays->catalog, &overlays->recipe->profiles,
				     &overlays->profile, &overlays->profiles, overlays->diag);

	if (result)
		return result;
	overlays->site = opens_profile(&overlays->recipe->opens);
	if (overlays->site) {
		overlays->profile =
			grow(overlays->profile, overlays->profiles, sizeof(*overlays->profile));
		overlays->profile[overlays->profiles++] = overlays->site;
	}
	for (size_t i = 0; i < overlays->profiles; i++) {
		const struct profile *profile = overlays->profile[i];

		for (size_t j = 0; j < profile->services; j++) {
			const struct service *service = &profile->service[j];

			overlays->overlay = grow(overlays->overlay, overlays->count,
						 sizeof(*overlays->overlay));
			overlays->overlay[overlays->count++] = (struct overlay){
				.profile = profile,
				.service = service,
				.in = &service->in,
				.out = &service->out,
				.from = &service->from,
			};
		}
	}
	return 0;
}

const struct profile *overlays_profile(const struct overlays *overlays, const char *name)
{
	for (size_t i = 0; i < overlays->profiles; i++) {
		if (!strcmp(overlays->profile[i]->name, name))
			return overlays->profile[i];
	}
	return NULL;
}

struct overlay *overlays_service(struct overlays *overlays, const struct profile *profile,
				 const char *name)
{
	struct overlay *former = NULL;

	for (size_t i = 0; i < overlays->count; i++) {
		struct overlay *overlay = &overlays->overlay[i];

		if (overlay->profile != profile)
			continue;
		if (!strcmp(overlay->service->name, name))
			return overlay;
		if (!former && names_have(&overlay->service->formerly, name))
			former = overlay;
	}
	return former;
}

const char *overlay_feature_name(const struct profile *profile, const char *feature)
{
	const char *former = NULL;

	for (size_t i = 0; i < profile->services; i++) {
		const struct service *service = &profile->service[i];

		if (!service->feature)
			continue;
		if (!strcmp(service->feature, feature))
			return service->feature;
		if (!former && names_have(&service->feature_formerly, feature))
			former = service->feature;
	}
	return former;
}

const char *overlay_cut_feature(const char *word, char **profile)
{
	const char *colon = strchr(word, ':');

	*profile = colon ? xstrndup(word, (size_t)(colon - word)) : NULL;
	return colon ? colon + 1 : word;
}
