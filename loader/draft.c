// SPDX-License-Identifier: GPL-2.0
/* The services of the chosen profiles as drafts, and the search among them by name. */
#include "loader/draft.h"

#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"

void drafts_free(struct drafts *drafts)
{
	names_free(&drafts->features);
	free(drafts->profile);
	free(drafts->draft);
	names_free(&drafts->group);
}

int drafts_start(struct drafts *drafts)
{
	int result = catalog_resolve(drafts->catalog, &drafts->recipe->profiles, &drafts->profile,
				     &drafts->profiles, drafts->diag);

	if (result)
		return result;
	for (size_t i = 0; i < drafts->profiles; i++) {
		const struct profile *profile = drafts->profile[i];

		for (size_t j = 0; j < profile->services; j++) {
			const struct service *service = &profile->service[j];

			drafts->draft = grow(drafts->draft, drafts->count, sizeof(*drafts->draft));
			drafts->draft[drafts->count++] = (struct draft){
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

const struct profile *drafts_profile(const struct drafts *drafts, const char *name)
{
	for (size_t i = 0; i < drafts->profiles; i++) {
		if (!strcmp(drafts->profile[i]->name, name))
			return drafts->profile[i];
	}
	return NULL;
}

struct draft *drafts_service(struct drafts *drafts, const struct profile *profile, const char *name)
{
	struct draft *former = NULL;

	for (size_t i = 0; i < drafts->count; i++) {
		struct draft *draft = &drafts->draft[i];

		if (draft->profile != profile)
			continue;
		if (!strcmp(draft->service->name, name))
			return draft;
		if (!former && names_have(&draft->service->formerly, name))
			former = draft;
	}
	return former;
}

const char *draft_feature_name(const struct profile *profile, const char *feature)
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

const char *draft_cut_feature(const char *word, char **profile)
{
	const char *colon = strchr(word, ':');

	*profile = colon ? xstrndup(word, (size_t)(colon - word)) : NULL;
	return colon ? colon + 1 : word;
}
