// SPDX-License-Identifier: GPL-2.0
/* The ports of products that keep them in the registry of Windows. */
#include "loader/recipe/claims_registry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "loader/base/memory.h"
#include "loader/catalog/settings_registry.h"

#define EXPORTS "/*.[rR][eE][gG]"

/* "HKLM\SOFTWARE\Shop" with the long name of the hive, as in exports; the caller frees. */
static char *long_name(const char *key, const char *value)
{
	static const struct {
		const char *brief, *full;
	} hive[] = {
		{"HKLM", "HKEY_LOCAL_MACHINE"},	 {"HKCU", "HKEY_CURRENT_USER"},
		{"HKCR", "HKEY_CLASSES_ROOT"},	 {"HKU", "HKEY_USERS"},
		{"HKCC", "HKEY_CURRENT_CONFIG"},
	};
	size_t length = strcspn(key, "\\");

	for (size_t i = 0; i < ARRAY_SIZE(hive); i++)
		if (strlen(hive[i].brief) == length && !strncasecmp(hive[i].brief, key, length))
			return xasprintf("%s%s\\%s", hive[i].full, key + length, value);
	return xasprintf("%s\\%s", key, value);
}

/* A service, and the name of the registry value with its port. */
struct registry_place {
	const char *profile;
	const struct service *service;
	char *name;
};

struct registry_places {
	struct registry_place *place;
	size_t count;
	struct names wanted;
};

static void find_places(struct catalog *catalog, struct registry_places *places)
{
	__cleanup(names_free) struct names names = {};
	__cleanup(diag_free) struct diag diag = {};

	catalog_names(catalog, &names, &diag);
	for (size_t i = 0; i < names.count; i++) {
		const struct profile *profile = catalog_find(catalog, names.name[i], &diag);

		for (size_t j = 0; profile && j < profile->services; j++) {
			const struct configured_in *in = &profile->service[j].configured_in;
			char *name;

			if (!in->registry)
				continue;
			name = long_name(in->registry, in->value);
			names_add_once(&places->wanted, name);
			places->place = grow(places->place, places->count, sizeof(*places->place));
			places->place[places->count++] =
				(struct registry_place){profile->name, &profile->service[j], name};
		}
	}
}

static void places_free(struct registry_places *places)
{
	for (size_t i = 0; i < places->count; i++)
		free(places->place[i].name);
	free(places->place);
	names_free(&places->wanted);
}

static __u8 transports_of(const struct service *service)
{
	const struct ports *ports = service->in.count ? &service->in : &service->out;

	return ports->count ? ports->range[0].transports : 1 << PC_TCP;
}

/*
 * The port of "-ORBListenEndpoints iiop://:9999": the only number after a colon; also reads the
 * forms of claim_ports. -EINVAL for other text.
 */
static int port_of(const char *value, __u8 transports, struct port_range *range)
{
	int result = claim_ports(value, transports, range), found = 0;

	if (result >= 0)
		return result;
	for (const char *colon = value; (colon = strchr(colon, ':')); colon++) {
		size_t length = strspn(colon + 1, "0123456789");
		__free_text char *digits = xstrndup(colon + 1, length);
		struct port_range one;

		if (!length || claim_ports(digits, transports, &one) != 1)
			continue;
		if (found++ && one.first != range->first)
			return -EINVAL;
		*range = one;
	}
	return found ? 1 : -EINVAL;
}

static void claim_setting(struct claim_file *file, const struct registry_places *places,
			  const struct setting *setting)
{
	for (size_t i = 0; i < places->count; i++) {
		const struct registry_place *place = &places->place[i];
		struct port_range range;
		int result;

		if (strcasecmp(place->name, setting->key) != 0)
			continue;
		file->profile = place->profile;
		claims_product(file->claims, place->profile, file->path);
		result = port_of(setting->value, transports_of(place->service), &range);
		if (result < 0)
			claims_problem(file, setting->line,
				       "'%.40s' is not a port, so the port of %s:%s is not known",
				       setting->value, place->profile, place->service->name);
		else
			claims_add(file, place->service->name, result ? &range : NULL, setting);
	}
}

static void claim_export(const struct root *root, struct claims *claims, const char *path,
			 const struct registry_places *places)
{
	struct claim_file file = {.claims = claims, .path = path};
	__cleanup(settings_free) struct settings settings = {};
	__free_text char *text = NULL, *why = NULL;
	size_t length;
	int err = root_read(root, path, SETTINGS_REGISTRY_LIMIT, &text, &length);

	if (err == -EFBIG)
		claims_problem(&file, 0, "it is longer than %d bytes", SETTINGS_REGISTRY_LIMIT);
	else if (err)
		claims_problem(&file, 0, "%s", strerror(-err));
	else if (settings_registry(text, length, &places->wanted, &settings, &why))
		claims_problem(&file, 0, "%s", why);
	for (size_t i = 0; i < settings.count && !why; i++)
		claim_setting(&file, places, &settings.setting[i]);
}

void claims_registry(const struct root *root, struct catalog *catalog, struct claims *claims)
{
	__cleanup(places_free) struct registry_places places = {};
	__cleanup(names_free) struct names found = {};

	root_find(root, EXPORTS, &found);
	if (found.count)
		find_places(catalog, &places);
	for (size_t i = 0; i < found.count; i++)
		claim_export(root, claims, found.name[i], &places);
}
