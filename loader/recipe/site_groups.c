// SPDX-License-Identifier: GPL-2.0
/* Groups of the site file: prefixes, files and names of hosts. */
#include "loader/recipe/site_groups.h"

#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/base/trust.h"
#include "loader/base/yaml_fields.h"
#include "loader/catalog/dns_answer.h"
#include "loader/recipe/site_keys.h"

int site_check_trust(const char *path, const struct place *place, struct diag *diag)
{
	__free_text char *why = NULL, *fix = NULL;
	int err = file_trusted(path, &why, &fix);

	if (!why) /* if the path cannot be looked up, reading it reports the error */
		return 0;
	diag_error_fix(diag, place, fix, "%s", why);
	return err;
}

/* The parts of a group, collected while it is read. */
struct members {
	struct names prefix;
	struct group_file *file;
	size_t files;
	bool wrong; /* an item is invalid */
};

static void members_free(struct members *members)
{
	for (size_t i = 0; i < members->files; i++)
		free(members->file[i].path);
	free(members->file);
	names_free(&members->prefix);
}

/* '@FILE', a path beside the site file; in a saved copy all prefixes of the group. */
static void read_group_file(struct reader *reader, const char *group, const struct yaml_node *item,
			    const struct site_files *files, struct members *members)
{
	const char *file = item->text + 1, *slash = strrchr(files->path, '/');
	size_t folder = slash && (files->saved || *file != '/') ? slash + 1 - files->path : 0;
	struct group_file *added;
	__free_text char *path = NULL;
	struct place place;

	if (files->saved && members->files)
		return;
	yaml_place(&reader->yaml, item, &place);
	if (!*file || members->files == SITE_GROUP_FILES) {
		if (*file)
			complain(reader, item, "a group has at most %d files; join some of them", SITE_GROUP_FILES);
		else
			complain(reader, item, "'@' must be followed by a file; write '@FILE'");
		members->wrong = true;
		return;
	}
	path = xasprintf("%.*s%s%s%s", (int)folder, files->path, files->saved ? "groups/" : "",
			 files->saved ? files->scope : "", files->saved ? group : file);
	if (site_check_trust(path, &place, reader->diag)) {
		members->wrong = true;
		return;
	}
	members->file = grow(members->file, members->files, sizeof(*members->file));
	added = &members->file[members->files++];
	*added = (struct group_file){.path = xstrdup(path), .place = place};
}

static bool check_dns(struct reader *reader, const struct yaml_node *item)
{
	const char *text = item->text + strlen(DNS_WORD);
	__free_text char *name = NULL, *why = NULL;

	if (!dns_name_parse(text, strlen(text), &name, &why))
		return true;
	complain(reader, item, "%s", why);
	return false;
}

/* Reads an item that must be a prefix or a name; reports an error if it is not. */
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
	else if (!strncmp(item->text, DNS_WORD, strlen(DNS_WORD)))
		return check_dns(reader, item);
	else if (prefix_parse(item->text, &prefix, &why))
		complain(reader, item, "%s", why);
	else
		return true;
	return false;
}

/* Reads a prefix, '@FILE', 'dns:HOST', or a list of them, which may be empty. */
static void read_members(struct reader *reader, const struct yaml_node *key,
			 const struct site_files *files, struct groups *groups)
{
	__cleanup(members_free) struct members members = {0};
	const struct yaml_node *item, *value = key->next;
	struct place place;

	yaml_for_each(item, value)
	{
		if (diag_full(reader->diag) || (value->cut && !item->next))
			return;
		if (item->kind == YAML_TEXT && *item->text == '@') {
			__free_text char *name = xasprintf("%s%s", files->scope, key->text);

			read_group_file(reader, key->text, item, files, &members);
			names_add_once(files->names, name);
		} else if (check_prefix(reader, item)) {
			names_add(&members.prefix, item->text);
		} else {
			members.wrong = true;
		}
	}
	yaml_place(&reader->yaml, key, &place);
	if (!members.wrong)
		groups_define_mixed(groups, key->text, &members.prefix, members.file, members.files,
				    &place, reader->diag);
}

/* Returns false if the key is not a name. */
static bool read_group(struct reader *reader, const struct yaml_node *key,
		       const struct site_files *files, struct groups *groups)
{
	const struct yaml_key expected = {key->text, false, YAML_ITEMS,
					  "a prefix, '@FILE', 'dns:HOST', or a list of them", ""};
	const struct yaml_node *value = key->next;
	bool empty = value->kind == YAML_LIST && !value->children && !value->cut;
	__free_text char *name = NULL;

	read_name(reader, key, "group name", &name);
	if (name && (empty || yaml_usable(&reader->yaml, value, &expected, reader->diag)))
		read_members(reader, key, files, groups);
	return name;
}

bool site_read_groups(struct reader *reader, const struct yaml_node *mapping,
		      const struct site_files *files, struct groups *groups, struct names *wrong)
{
	const struct yaml_node *key;
	bool named = true;

	if (site_keys_too_many(reader, mapping, "groups", SITE_GROUPS))
		return false;
	site_keys_check(reader, mapping, "group");
	yaml_for_each_key(key, mapping)
	{
		size_t errors = reader->diag->errors;

		if (diag_full(reader->diag))
			break;
		named &= read_group(reader, key, files, groups);
		if (wrong && key->kind == YAML_TEXT &&
		    (reader->diag->errors != errors || site_key_twice(mapping, key)))
			names_add_once(wrong, key->text);
	}
	return named;
}
