// SPDX-License-Identifier: GPL-2.0
/* The site file: groups, management ports, and interfaces, with everything wrong with them. */
#include "loader/recipe/site.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/file.h"
#include "loader/base/trust.h"
#include "loader/base/yaml.h"
#include "loader/base/yaml_fields.h"
#include "loader/catalog/values.h"
#include "loader/recipe/site_interface.h"

#define INTERFACE_NAME_LIMIT 15 /* bytes: IFNAMSIZ without the NUL */
#define PATTERN_LIMIT	     63

enum {
	KEY_GROUPS,
	KEY_MANAGEMENT,
	KEY_INTERFACES,
	KEYS,
};

static const struct yaml_key site_key[KEYS] = {
	[KEY_GROUPS] = {"groups", false, YAML_MAPPING,
			"a mapping of names, as in 'trusted: 192.0.2.0/24'", "group sources"},
	[KEY_MANAGEMENT] = {"management", false, YAML_ITEMS, "a port or a list of ports, or none",
			    "admin ports manage"},
	[KEY_INTERFACES] = {"interfaces", false, YAML_MAPPING,
			    "a mapping of interfaces, as in 'eth0: {profiles: ssh}'",
			    "interface iface ifaces device devices nics"},
};

/* Reports keys that appear twice. */
static void check_twice(struct reader *reader, const struct yaml_node *mapping, const char *what)
{
	const struct yaml_node *key;
	struct uses uses = {0};

	yaml_for_each_key(key, mapping)
	{
		if (key->kind == YAML_TEXT)
			uses_add(&uses, key->text, key);
	}
	uses_check(reader, &uses, what);
}

static bool is_twice(const struct yaml_node *mapping, const struct yaml_node *key)
{
	const struct yaml_node *other;

	yaml_for_each_key(other, mapping)
	{
		if (other != key && other->kind == YAML_TEXT && !strcmp(other->text, key->text))
			return true;
	}
	return false;
}

static bool too_many(struct reader *reader, const struct yaml_node *mapping, const char *what,
		     size_t most)
{
	if (mapping->children / 2 <= most)
		return false;
	complain(reader, mapping, "there are at most %zu %s, not %zu", most, what,
		 mapping->children / 2);
	return true;
}

/* --- groups --- */

/* A user who can write the site file can open ports. */
static int check_trust(const char *path, const struct place *place, struct diag *diag)
{
	__free_text char *why = NULL, *fix = NULL;
	int err = file_trusted(path, &why, &fix);

	if (!why) /* a path that cannot be looked up is reported by whichever function reads it */
		return 0;
	diag_error_fix(diag, place, fix, "%s", why);
	return err;
}

/* What a group is made of, as it is read. */
struct members {
	struct names prefix;
	struct group_file *file;
	size_t files;
	bool wrong; /* an item could not be read */
};

static void members_free(struct members *members)
{
	for (size_t i = 0; i < members->files; i++)
		free(members->file[i].path);
	free(members->file);
	names_free(&members->prefix);
}

/* '@FILE', looked up beside the site file; of a saved one, all prefixes of the group. */
static void read_group_file(struct reader *reader, const char *group, const struct yaml_node *item,
			    const struct site *site, struct members *members)
{
	const char *file = item->text + 1, *slash = strrchr(site->path, '/');
	size_t folder = slash && (site->saved || *file != '/') ? slash + 1 - site->path : 0;
	struct group_file *added;
	__free_text char *path = NULL;
	struct place place;

	if (site->saved && members->files)
		return;
	yaml_place(&reader->yaml, item, &place);
	if (!*file || members->files == SITE_GROUP_FILES) {
		if (*file)
			complain(reader, item, "a group has at most %d files", SITE_GROUP_FILES);
		else
			complain(reader, item, "'@' must be followed by a file; write '@FILE'");
		members->wrong = true;
		return;
	}
	path = xasprintf("%.*s%s%s", (int)folder, site->path, site->saved ? "groups/" : "",
			 site->saved ? group : file);
	if (check_trust(path, &place, reader->diag)) {
		members->wrong = true;
		return;
	}
	members->file = grow(members->file, members->files, sizeof(*members->file));
	added = &members->file[members->files++];
	*added = (struct group_file){.path = xstrdup(path), .place = place};
}

/* True if the item is one prefix; reports an error if not. */
static bool check_prefix(struct reader *reader, const struct yaml_node *item)
{
	__free_text char *why = NULL;
	struct prefix prefix;

	if (item->kind == YAML_BAD)
		return false;
	if (item->kind != YAML_TEXT)
		complain(reader, item, "a prefix is %s; write it as 192.0.2.0/24", yaml_what(item));
	else if (strchr(item->text, ','))
		complain(reader, item, "'%s' is more than one prefix; write a list: [%s]",
			 item->text, item->text);
	else if (!strncmp(item->text, "dns:", 4))
		complain(reader, item,
			 "'%s': names of hosts are not supported in groups; write their addresses",
			 item->text);
	else if (prefix_parse(item->text, &prefix, &why))
		complain(reader, item, "%s", why);
	else
		return true;
	return false;
}

/* A prefix, '@FILE', or a list of them, which may be empty. */
static void read_members(struct reader *reader, const struct yaml_node *key, struct site *site)
{
	__cleanup(members_free) struct members members = {0};
	const struct yaml_node *item, *value = key->next;
	struct place place;

	yaml_for_each(item, value)
	{
		if (diag_full(reader->diag) || (value->cut && !item->next))
			return;
		if (item->kind == YAML_TEXT && *item->text == '@') {
			read_group_file(reader, key->text, item, site, &members);
			names_add_once(&site->group_file, key->text);
		} else if (check_prefix(reader, item)) {
			names_add(&members.prefix, item->text);
		} else {
			members.wrong = true;
		}
	}
	yaml_place(&reader->yaml, key, &place);
	if (!members.wrong)
		groups_define_mixed(&site->groups, key->text, &members.prefix, members.file,
				    members.files, &place, reader->diag);
}

static void read_group(struct reader *reader, const struct yaml_node *key, struct site *site)
{
	const struct yaml_key expected = {key->text, false, YAML_ITEMS,
					  "a prefix, '@FILE', or a list of them", ""};
	const struct yaml_node *value = key->next;
	bool empty = value->kind == YAML_LIST && !value->children && !value->cut;
	__free_text char *name = NULL;

	read_name(reader, key, "group name", &name);
	site->unnamed_wrong |= !name;
	if (name && (empty || yaml_usable(&reader->yaml, value, &expected, reader->diag)))
		read_members(reader, key, site);
}

static void read_groups(struct reader *reader, const struct yaml_node *mapping, struct site *site)
{
	const struct yaml_node *key;

	if (too_many(reader, mapping, "groups", SITE_GROUPS)) {
		site->unnamed_wrong = true;
		return;
	}
	check_twice(reader, mapping, "group");
	yaml_for_each_key(key, mapping)
	{
		size_t errors = reader->diag->errors;

		if (diag_full(reader->diag))
			break;
		read_group(reader, key, site);
		if (key->kind == YAML_TEXT &&
		    (reader->diag->errors != errors || is_twice(mapping, key)))
			names_add_once(&site->wrong_group, key->text);
	}
}

/* --- management --- */

static void read_management(struct reader *reader, const struct yaml_node *value, struct site *site)
{
	site->management_given = true;
	if (value->kind != YAML_TEXT || strcmp(value->text, "none"))
		read_ports(reader, value, &site->management);
}

/* --- interfaces --- */

static bool is_pattern(const char *name)
{
	return strpbrk(name, "*?[");
}

/* Rejects names that the kernel's dev_valid_name rejects. */
static bool check_interface(struct reader *reader, const struct yaml_node *key)
{
	const char *name = key->text;
	bool odd = false;

	if (key->kind == YAML_BAD)
		return false;
	if (key->kind != YAML_TEXT) {
		complain(reader, key, "a key is %s; write the name of an interface",
			 yaml_what(key));
		return false;
	}
	if (!strcmp(name, "<<")) {
		complain(reader, key, "merge keys are not part of this language");
		return false;
	}
	for (const char *c = name; *c; c++)
		odd |= strchr("/: \t\n\v\f\r\x7f", *c) || (unsigned char)*c < ' ' || *c == '\xa0';
	if (!*name || odd || !strcmp(name, ".") || !strcmp(name, ".."))
		complain(reader, key, "'%s' cannot be the name of an interface", name);
	else if (is_pattern(name) && strlen(name) > PATTERN_LIMIT)
		complain(reader, key, "a pattern has at most %d bytes, '%s' has %zu", PATTERN_LIMIT,
			 name, strlen(name));
	else if (!is_pattern(name) && strlen(name) > INTERFACE_NAME_LIMIT)
		complain(reader, key, "the name of an interface has at most %d bytes, '%s' has %zu",
			 INTERFACE_NAME_LIMIT, name, strlen(name));
	else
		return true;
	return false;
}

static void read_interface(struct reader *reader, const struct yaml_node *key, bool twice,
			   struct site *site)
{
	const struct yaml_key expected = {key->text, false, YAML_MAPPING,
					  "a mapping of keys, as in 'profiles: ssh'", ""};
	struct site_interface *interface;

	if (!check_interface(reader, key))
		return;
	if (is_pattern(key->text)) {
		site->pattern = grow(site->pattern, site->patterns, sizeof(*site->pattern));
		interface = &site->pattern[site->patterns++];
	} else {
		site->interface = grow(site->interface, site->interfaces, sizeof(*site->interface));
		interface = &site->interface[site->interfaces++];
	}
	*interface = (struct site_interface){
		.name = xstrdup(key->text), .wrong = true, .profiles_wrong = true};
	yaml_place(&reader->yaml, key, &interface->place);
	if (yaml_usable(&reader->yaml, key->next, &expected, reader->diag))
		site_read_interface(reader, key->next, interface);
	interface->wrong |= twice;
}

static void read_interfaces(struct reader *reader, const struct yaml_node *mapping,
			    struct site *site)
{
	const struct yaml_node *key;

	if (too_many(reader, mapping, "interfaces", SITE_INTERFACES))
		return;
	check_twice(reader, mapping, "interface");
	yaml_for_each_key(key, mapping)
	{
		if (diag_full(reader->diag))
			break;
		read_interface(reader, key, key->kind == YAML_TEXT && is_twice(mapping, key), site);
	}
}

/* --- the file --- */

static void read_site(struct reader *reader, struct site *site)
{
	const struct yaml_node *root = reader->yaml.root;
	struct yaml_field field[KEYS];
	size_t errors = reader->diag->errors;

	yaml_fields(&reader->yaml, root, site_key, KEYS, field, reader->diag);
	site->interfaces_given = field[KEY_INTERFACES].key != NULL;
	site->unnamed_wrong = reader->diag->errors != errors;
	if (field[KEY_GROUPS].value)
		read_groups(reader, field[KEY_GROUPS].value, site);
	site->groups_wrong = reader->diag->errors != errors;
	if (field[KEY_MANAGEMENT].value)
		read_management(reader, field[KEY_MANAGEMENT].value, site);
	if (field[KEY_INTERFACES].value)
		read_interfaces(reader, field[KEY_INTERFACES].value, site);
}

/*
 * Fills the site; the caller frees it even after an error. `*usable`: its parts without errors can
 * be used.
 */
static int parse(const char *path, const char *text, size_t length, bool saved, struct site *site,
		 bool *usable, struct diag *diag)
{
	__cleanup(yaml_free) struct yaml yaml = {0};
	struct reader reader = {.diag = diag};
	size_t errors = diag->errors;

	*site = (struct site){
		.path = xstrdup(path), .text = xcalloc(length + 1, 1), .saved = saved};
	if (length)
		memcpy(site->text, text, length);
	yaml_load(site->path, site->text, length, &yaml, diag);
	*usable = diag->errors == errors;
	reader.yaml = yaml;
	if (yaml.root && yaml.root->kind == YAML_MAPPING)
		read_site(&reader, site);
	else if (yaml.root && !(yaml.root->kind & (YAML_EMPTY | YAML_BAD)) &&
		 diag->errors == errors)
		complain(&reader, yaml.root,
			 "a site file is %s; write a mapping of keys, as in 'groups:'",
			 yaml_what(yaml.root));
	for (size_t i = 0; i < site->interfaces; i++)
		groups_merge(&site->interface[i].recipe.groups, &site->groups);
	for (size_t i = 0; i < site->patterns; i++)
		groups_merge(&site->pattern[i].recipe.groups, &site->groups);
	return diag->errors == errors ? 0 : -EINVAL;
}

int site_parse(const char *path, const char *text, size_t length, struct site *site,
	       struct diag *diag)
{
	bool usable;
	int err = parse(path, text, length, false, site, &usable, diag);

	if (err)
		site_free(site);
	return err;
}

static int read_site_file(const char *path, bool partial, bool saved, struct site *site,
			  struct diag *diag)
{
	const struct place place = {.file = path};
	__free_text char *text = NULL;
	bool usable = false;
	size_t length;
	int err = read_file(path, SITE_FILE_LIMIT, &text, &length);

	*site = (struct site){0};
	if (!err && check_trust(path, &place, diag))
		return -EPERM;
	if (!err) {
		err = parse(path, text, length, saved, site, &usable, diag);
		if (err && !(partial && usable))
			site_free(site);
		return err;
	}
	if (err == -EFBIG)
		diag_error(diag, &place, "larger than a site file may be (%d bytes)",
			   SITE_FILE_LIMIT);
	else if (err == -EINVAL)
		diag_error(diag, &place, "not a regular file");
	else if (err != -ENOENT)
		diag_errno(diag, &place, err, NULL);
	return err;
}

static int open_site(const char *given, bool partial, struct site *site, struct diag *diag)
{
	int err = read_site_file(given ? given : SITE_FILE, partial, false, site, diag);

	if (err != -ENOENT)
		return err;
	if (!given)
		return 0;
	diag_errno(diag, &(struct place){.file = given}, -ENOENT, NULL);
	return err;
}

int site_read(const char *path, struct site *site, struct diag *diag)
{
	return read_site_file(path, false, false, site, diag);
}

int site_saved(const char *path, struct site *site, struct diag *diag)
{
	return read_site_file(path, false, true, site, diag);
}

int site_open(const char *given, struct site *site, struct diag *diag)
{
	return open_site(given, false, site, diag);
}

int site_read_partial(const char *given, struct site *site, struct diag *diag)
{
	return open_site(given, true, site, diag);
}

static const struct site_interface *match(const struct site *site, const char *name, size_t from)
{
	for (size_t i = from; i < site->patterns; i++) {
		if (!fnmatch(site->pattern[i].name, name, 0))
			return &site->pattern[i];
	}
	return NULL;
}

void site_expand(struct site *site, const struct names *present, struct diag *diag)
{
	for (size_t i = 0; i < present->count; i++) {
		const char *name = present->name[i];
		const struct site_interface *first = match(site, name, 0), *second;
		struct site_interface *taken;

		if (!first || site_interface(site, name))
			continue;
		second = match(site, name, (size_t)(first - site->pattern) + 1);
		if (second)
			diag_error(diag, &second->place,
				   "'%s' and '%s' both match %s; write %s as a key of its own",
				   first->name, second->name, name, name);
		site->interface = grow(site->interface, site->interfaces, sizeof(*site->interface));
		taken = &site->interface[site->interfaces++];
		*taken = *first;
		taken->name = xstrdup(name);
		taken->pattern = first;
		taken->wrong |= second != NULL;
	}
}

void site_warn_unmatched(const struct site *site, struct diag *diag)
{
	for (size_t i = 0; i < site->patterns; i++) {
		size_t at = 0;

		while (at < site->interfaces && site->interface[at].pattern != &site->pattern[i])
			at++;
		if (at == site->interfaces)
			diag_warning(diag, &site->pattern[i].place, "'%s' matches no interface",
				     site->pattern[i].name);
	}
}

const struct site_interface *site_interface(const struct site *site, const char *name)
{
	for (size_t i = 0; i < site->interfaces; i++) {
		if (!strcmp(site->interface[i].name, name))
			return &site->interface[i];
	}
	return NULL;
}

bool site_is(const char *path)
{
	__cleanup(diag_free) struct diag unused = {0};
	__cleanup(yaml_free) struct yaml yaml = {0};
	__free_text char *text = NULL;
	const struct yaml_node *key;
	bool found = false;
	size_t length;

	if (read_file(path, SITE_FILE_LIMIT, &text, &length))
		return false;
	yaml_load(path, text, length, &yaml, &unused);
	if (!yaml.root || yaml.root->kind != YAML_MAPPING)
		return false;
	yaml_for_each_key(key, yaml.root)
	{
		if (key->kind != YAML_TEXT)
			continue;
		if (!strcmp(key->text, "profile"))
			return false;
		for (size_t i = 0; i < KEYS; i++)
			found |= !strcmp(key->text, site_key[i].name);
	}
	return found;
}

static void interface_free(struct site_interface *interface)
{
	if (interface->pattern) {
		free(interface->name);
		return;
	}
	for (size_t i = 0; i < interface->words; i++)
		free(interface->word[i].text);
	for (size_t i = 0; i < interface->uses; i++)
		free(interface->use[i].group);
	free(interface->word);
	free(interface->use);
	free(interface->name);
	recipe_free(&interface->recipe);
}

void site_free(struct site *site)
{
	for (size_t i = 0; i < site->interfaces; i++)
		interface_free(&site->interface[i]);
	for (size_t i = 0; i < site->patterns; i++)
		interface_free(&site->pattern[i]);
	free(site->interface);
	free(site->pattern);
	groups_free(&site->groups);
	names_free(&site->wrong_group);
	names_free(&site->group_file);
	ports_free(&site->management);
	free(site->path);
	free(site->text);
	*site = (struct site){0};
}
