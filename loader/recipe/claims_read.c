// SPDX-License-Identifier: GPL-2.0
/* Reads the configuration of the products on a disk, with a reader of its own or by the catalog's
 * `configured-in`. */
#include "loader/recipe/claims_read.h"

#include <errno.h>
#include <fnmatch.h>
#include <regex.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/catalog/settings_communigate.h"
#include "loader/catalog/xml.h"
#include "loader/recipe/claims_asterisk.h"
#include "loader/recipe/claims_communigate.h"
#include "loader/recipe/claims_dovecot.h"
#include "loader/recipe/claims_mailcow.h"
#include "loader/recipe/claims_postfix.h"
#include "loader/recipe/claims_registry.h"
#include "loader/recipe/claims_ssh.h"

/* --- `configured-in` of the catalog --- */

/* A service with a typed `configured-in`, and where its number may be. */
struct typed {
	const struct root *root;
	struct claim_file file;
	const struct service *service;
};

static __u8 transports_of(const struct service *service)
{
	const struct ports *ports = service->in.count ? &service->in : &service->out;
	__u8 transports = 0;

	for (size_t i = 0; i < ports->count; i++)
		transports |= ports->range[i].transports;
	return transports ?: 1 << PC_TCP;
}

static void claim_value(const struct typed *typed, const struct setting *setting)
{
	struct port_range range;
	int result = claim_ports(setting->value, transports_of(typed->service), &range);

	if (result < 0)
		claims_problem(&typed->file, setting->line,
			       "'%.40s' is not a port, so the port of %s:%s is not known",
			       setting->value, typed->file.profile, typed->service->name);
	else
		claims_add(&typed->file, typed->service->name, result ? &range : NULL, setting);
}

/* A service without a port in the profile gets only the ports of the file. */
static void tell_missing(const struct typed *typed, const char *what)
{
	if (typed->service->dynamic &&
	    !claims_find(typed->file.claims, typed->file.profile, typed->service->name))
		claims_problem(&typed->file, 0, "it has no '%s', so the port of %s:%s is not known",
			       what, typed->file.profile, typed->service->name);
}

/* True if a key of the file is the wanted one: its last part is, or the whole path. */
static bool is_key(const char *key, const char *wanted)
{
	const char *slash = strrchr(key, '/');

	return strchr(wanted, '/') ? !fnmatch(wanted, key, FNM_PATHNAME) :
				     !strcmp(slash ? slash + 1 : key, wanted);
}

/* A path may match several settings, such as the listeners of a list; for a name, the last one
 * counts. */
static void claim_key(const struct typed *typed, const char *text, size_t length)
{
	static const char nested[] = ".settings";
	__cleanup(settings_free) struct settings settings = {};
	const char *key = typed->service->configured_in.key, *path = typed->file.path;
	const struct setting *found = NULL;
	__free_text char *why = NULL;
	bool all = strchr(key, '/');
	settings_reader *reader =
		strlen(path) > strlen(nested) &&
				!strcmp(path + strlen(path) - strlen(nested), nested) ?
			settings_communigate :
			settings_keys;

	if (reader(text, length, &settings, &why)) {
		claims_problem(&typed->file, 0, "%s", why);
		return;
	}
	for (size_t i = 0; i < settings.count; i++) {
		if (!is_key(settings.setting[i].key, key))
			continue;
		found = &settings.setting[i];
		if (all && *found->value)
			claim_value(typed, found);
	}
	if (!all && found && *found->value)
		claim_value(typed, found);
	if (!found)
		tell_missing(typed, key);
}

static void claim_regex(const struct typed *typed, const char *text)
{
	const char *end = text;
	regmatch_t match[2];
	regex_t regex;
	int line = 1;

	if (regcomp(&regex, typed->service->configured_in.regex, REG_EXTENDED | REG_NEWLINE))
		return;
	while (*end && !regexec(&regex, end, ARRAY_SIZE(match), match,
				end > text && end[-1] != '\n' ? REG_NOTBOL : 0)) {
		__free_text char *value = NULL;
		size_t step = match[0].rm_eo > 0 ? (size_t)match[0].rm_eo : 1;

		for (size_t i = 0; match[1].rm_so >= 0 && i < (size_t)match[1].rm_so; i++)
			line += end[i] == '\n';
		value = match[1].rm_so < 0 ? NULL :
					     xstrndup(end + match[1].rm_so,
						      (size_t)(match[1].rm_eo - match[1].rm_so));
		if (value)
			claim_value(
				typed,
				&(struct setting){.key = (char *)"", .value = value, .line = line});
		for (size_t i = match[1].rm_so < 0 ? 0 : (size_t)match[1].rm_so; i < step; i++)
			line += end[i] == '\n';
		end += step;
	}
	regfree(&regex);
	if (end == text)
		tell_missing(typed, typed->service->configured_in.regex);
}

/* An XPath expression without its conditions: it matches the same elements, whatever they
 * contain. */
static char *without_conditions(const char *xpath)
{
	char *plain = xstrdup(xpath), *to = plain, quote = '\0';
	int depth = 0;

	for (const char *from = xpath; *from; from++) {
		if (quote || *from == '"' || *from == '\'')
			quote = !quote ? *from : quote == *from ? '\0' : quote;
		depth += !quote && *from == '[';
		if (!depth)
			*to++ = *from;
		depth -= !quote && *from == ']';
	}
	*to = '\0';
	return plain;
}

/* If no node meets a path's conditions, the service has no port. True only if nodes without the
 * conditions exist. */
static bool has_place(const struct typed *typed, struct xml *xml)
{
	__free_text char *plain = without_conditions(typed->service->configured_in.xpath);
	__cleanup(settings_free) struct settings found = {};
	__free_text char *why = NULL;

	if (!xml_find(xml, plain, &found, &why) && found.count)
		return true;
	claims_problem(&typed->file, 0, "it has no %s, so what is configured there is not known",
		       plain);
	return false;
}

static void claim_xpath(const struct typed *typed, const char *text, size_t length)
{
	__cleanup(settings_free) struct settings found = {};
	__cleanup(xml_free) struct xml *xml = NULL;
	__free_text char *why = NULL;

	if (xml_parse(text, length, &xml, &why) ||
	    xml_find(xml, typed->service->configured_in.xpath, &found, &why)) {
		claims_problem(&typed->file, 0, "%s", why);
		return;
	}
	for (size_t i = 0; i < found.count; i++) {
		struct setting setting = found.setting[i];
		char *step = strrchr(setting.key, '/');

		/* For a comment, the last part of the key is enough. */
		setting.key = step && !strchr(step, ']') ? step + 1 : setting.key;
		claim_value(typed, &setting);
	}
	if (!found.count && has_place(typed, xml))
		claims_add(&typed->file, typed->service->name, NULL, NULL);
}

static void claim_typed(struct typed *typed)
{
	const struct configured_in *place = &typed->service->configured_in;
	__cleanup(names_free) struct names paths = {};

	root_find(typed->root, place->file, &paths);
	for (size_t i = 0; i < paths.count; i++) {
		__free_text char *text = NULL;
		size_t length;
		int err =
			root_read(typed->root, paths.name[i], SETTINGS_FILE_LIMIT, &text, &length);

		typed->file.path = paths.name[i];
		claims_product(typed->file.claims, typed->file.profile, paths.name[i]);
		if (err == -EFBIG)
			claims_problem(&typed->file, 0, "it is longer than %d bytes",
				       SETTINGS_FILE_LIMIT);
		else if (err)
			claims_problem(&typed->file, 0, "%s", strerror(-err));
		else if (place->xpath)
			claim_xpath(typed, text, length);
		else if (place->key)
			claim_key(typed, text, length);
		else
			claim_regex(typed, text);
	}
}

static void claim_profile(const struct root *root, const struct profile *profile,
			  struct claims *claims)
{
	struct typed typed = {.root = root, .file = {.claims = claims, .profile = profile->name}};

	for (size_t i = 0; i < profile->services; i++) {
		typed.service = &profile->service[i];
		if (typed.service->configured_in.file &&
		    !claims_find(claims, profile->name, typed.service->name))
			claim_typed(&typed);
	}
}

/* True if Debian has a package of the profile's name installed: each package has this file. Ports
 * that its configuration does not set are the vendor's. */
static void claim_package(const struct root *root, const char *name, struct claims *claims)
{
	__free_text char *list = xasprintf("/usr/share/doc/%s/copyright", name);
	__cleanup(names_free) struct names found = {};

	root_find(root, list, &found);
	if (found.count)
		claims_product(claims, name, list);
}

void claims_read(const struct root *root, struct catalog *catalog, struct claims *claims)
{
	static void (*const reader[])(const struct root *, struct claims *) = {
		claims_postfix,	 claims_dovecot, claims_ssh,
		claims_asterisk, claims_mailcow, claims_communigate,
	};
	__cleanup(names_free) struct names names = {};
	__cleanup(diag_free) struct diag diag = {};

	for (size_t i = 0; i < ARRAY_SIZE(reader); i++)
		reader[i](root, claims);
	claims_registry(root, catalog, claims);
	catalog_names(catalog, &names, &diag);
	for (size_t i = 0; i < names.count; i++) {
		const struct profile *profile = catalog_find(catalog, names.name[i], &diag);

		if (!profile)
			continue;
		claim_profile(root, profile, claims);
		claim_package(root, profile->name, claims);
	}
}
