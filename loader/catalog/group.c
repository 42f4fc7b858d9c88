// SPDX-License-Identifier: GPL-2.0
/* Groups of prefixes: parsed from an option or a file, kept sorted and each prefix once. */
#include "loader/catalog/group.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/file.h"
#include "loader/base/memory.h"
#include "loader/base/utf8.h"
#include "loader/catalog/dns_answer.h"

const struct prefix group_link_local[LINK_LOCALS] = {
	{.family = AF_INET, .length = 16, .address = {169, 254}},
	{.family = AF_INET6, .length = 10, .address = {0xfe, 0x80}},
};

static struct prefix *copy_prefixes(const struct prefix *from, size_t count)
{
	struct prefix *copy = xcalloc(count, sizeof(*copy));

	if (count)
		memcpy(copy, from, count * sizeof(*copy));
	return copy;
}

static void add_prefix(struct group *group, const struct prefix *prefix)
{
	group->prefix = grow(group->prefix, group->prefixes, sizeof(*group->prefix));
	group->prefix[group->prefixes++] = *prefix;
}

void group_clear(struct group *group)
{
	free(group->name);
	free(group->prefix);
	free(group->fixed);
	names_free(&group->dns);
	names_free(&group->file);
	*group = (struct group){0};
}

/*
 * Sets `prefix` to `fixed` plus the addresses of the last answers. Returns whether each name has an
 * answer.
 */
static bool add_answers(struct group *group)
{
	bool all = true;

	free(group->prefix);
	group->prefix = NULL;
	group->prefixes = 0;
	for (size_t i = 0; i < group->fixeds; i++)
		add_prefix(group, &group->fixed[i]);
	for (size_t i = 0; i < group->dns.count; i++) {
		__cleanup(dns_answer_free) struct dns_answer answer = {0};

		all &= !dns_answer_read(group->dns.name[i], &answer) && answer.since;
		for (size_t j = 0; j < answer.prefixes; j++)
			add_prefix(group, &answer.prefix[j]);
	}
	prefixes_sort_once(group->prefix, &group->prefixes);
	return all;
}

const struct prefix *group_fixed(const struct group *group, size_t *count)
{
	*count = group->dns.count ? group->fixeds : group->prefixes;
	return group->dns.count ? group->fixed : group->prefix;
}

bool group_same_fixed(const struct group *a, const struct group *b)
{
	size_t as, bs;
	const struct prefix *one = group_fixed(a, &as), *other = group_fixed(b, &bs);

	return prefixes_same(one, as, other, bs);
}

bool group_renew(struct group *group, bool keep)
{
	struct prefix *before = group->prefix;
	size_t count = group->prefixes;
	bool same;

	if (!group->dns.count)
		return false;
	group->prefix = NULL;
	keep |= !add_answers(group);
	for (size_t i = 0; i < count && keep; i++)
		add_prefix(group, &before[i]);
	prefixes_sort_once(group->prefix, &group->prefixes);
	same = prefixes_same(before, count, group->prefix, group->prefixes);
	free(before);
	return !same;
}

/* Replaces the group of that name by `group`, or appends `group` if there is none. */
static void put_group(struct groups *groups, struct group *group)
{
	struct group *old = (struct group *)groups_find(groups, group->name);

	prefixes_sort_once(group->prefix, &group->prefixes);
	if (old) {
		group_clear(old);
	} else {
		groups->group = grow(groups->group, groups->count, sizeof(*groups->group));
		old = &groups->group[groups->count++];
	}
	*old = *group;
	*group = (struct group){0};
}

static int check_form(const char *name, const struct place *place, struct diag *diag)
{
	if (name_valid(name))
		return 0;
	diag_error(diag, place,
		   "'%s' is not a group name; use only a-z, 0-9 and '-', at most %d characters",
		   name, NAME_LIMIT);
	return -EINVAL;
}

/* True if a group of this name may be defined. */
static int check_name(const char *name, const struct place *place, struct diag *diag)
{
	if (check_form(name, place, diag))
		return -EINVAL;
	if (strcmp(name, GROUP_LINK_LOCAL) && strcmp(name, GROUP_ANYONE))
		return 0;
	diag_error(diag, place, "the group %s is built in and cannot be defined", name);
	return -EINVAL;
}

int group_names_parse(const char *list, struct names *names, const struct place *place,
		      struct diag *diag)
{
	__free_text char *copy = xstrdup(list);
	char *rest = copy, *name;

	while ((name = strsep(&rest, ","))) {
		if (check_form(name, place, diag))
			return -EINVAL;
		names_add_once(names, name);
	}
	if (names->count > 1 && names_have(names, GROUP_ANYONE)) {
		diag_error(diag, place, "'%s': anyone includes every group; write anyone alone",
			   list);
		return -EINVAL;
	}
	return 0;
}

/* Parses one line of a file. `place` is the line's. */
static int read_line(struct group *group, struct place *place, struct diag *diag)
{
	const char *start = place->source, *end;
	__free_text char *why = NULL;
	struct prefix prefix;

	end = memchr(start, '#', place->source_length);
	if (!end)
		end = start + place->source_length;
	while (start < end && (*start == ' ' || *start == '\t'))
		start++;
	while (start < end && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	if (start == end)
		return 0;
	if (!prefix_parse_part(start, (size_t)(end - start), &prefix, &why)) {
		add_prefix(group, &prefix);
		return 0;
	}
	place->column = (int)(start - place->source) + 1;
	place->width = (int)utf8_length(start, (size_t)(end - start));
	diag_error(diag, place, "%s", why);
	return -EINVAL;
}

static int read_lines(struct group *group, const char *path, const char *text, size_t length,
		      struct diag *diag)
{
	struct place place = {.file = path};
	const char *end = text + length, *next;
	size_t before = group->prefixes;
	int result = 0;

	/* the byte order mark that Windows editors write */
	if (length >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
		text += 3;
	for (const char *line = text; line < end; line = next + 1) {
		next = memchr(line, '\n', (size_t)(end - line));
		if (!next)
			next = end;
		place.line++;
		place.source = line;
		place.source_length = (size_t)(next - line);
		if (place.source_length && next[-1] == '\r')
			place.source_length--;
		if (read_line(group, &place, diag))
			result = -EINVAL;
	}
	if (!result && group->prefixes == before) {
		diag_error(diag, &(struct place){.file = path}, "contains no prefix");
		result = -EINVAL;
	}
	return result;
}

static int read_prefixes(struct group *group, const char *path, size_t limit,
			 const struct place *place, struct diag *diag)
{
	__free_text char *text = NULL;
	__free_text char *what = xasprintf("%s: cannot read '%s'", group->name, path);
	size_t length;
	int result = read_file(path, limit, &text, &length);

	if (!result)
		return read_lines(group, path, text, length, diag);
	if (result == -EFBIG)
		diag_error(diag, place, "%s: '%s' is larger than %zu bytes", group->name, path,
			   limit);
	else if (result == -EINVAL)
		diag_error(diag, place, "%s: not a regular file", what);
	else
		diag_errno(diag, place, result, what);
	return result;
}

static int read_stdin(struct group *group, size_t limit, const struct place *place,
		      struct diag *diag)
{
	__free_text char *what = xasprintf("%s: cannot read the standard input", group->name);
	const char *text;
	size_t length;
	int result = read_input(limit, &text, &length);

	if (!result)
		return read_lines(group, "(standard input)", text, length, diag);
	if (result == -EFBIG)
		diag_error(diag, place, "%s: it is larger than %zu bytes", what, limit);
	else
		diag_errno(diag, place, result, what);
	return result;
}

/* "dns:HOST". Returns 1 if the item is something else. */
static int parse_dns(struct group *group, const char *item, size_t length, char **why)
{
	const size_t word = strlen(DNS_WORD);
	__free_text char *name = NULL;

	if (length < word || memcmp(item, DNS_WORD, word))
		return 1;
	if (dns_name_parse(item + word, length - word, &name, why))
		return -EINVAL;
	names_add_once(&group->dns, name);
	return 0;
}

static int parse_prefixes(struct group *group, const char *list, const struct place *place,
			  struct diag *diag)
{
	int result = 0;

	for (const char *end, *item = list; item; item = *end ? end + 1 : NULL) {
		__free_text char *why = NULL;
		struct prefix prefix;
		int dns;

		end = strchrnul(item, ',');
		dns = parse_dns(group, item, (size_t)(end - item), &why);
		if (!dns)
			continue;
		if (dns > 0 && !prefix_parse_part(item, (size_t)(end - item), &prefix, &why)) {
			add_prefix(group, &prefix);
			continue;
		}
		diag_error(diag, place, "%s: %s", group->name, why);
		result = -EINVAL;
	}
	return result;
}

/* Stores a group as it was read, and adds the addresses of its names. */
static void put_read(struct groups *groups, struct group *group)
{
	if (group->dns.count) {
		prefixes_sort_once(group->prefix, &group->prefixes);
		group->fixed = copy_prefixes(group->prefix, group->prefixes);
		group->fixeds = group->prefixes;
		add_answers(group);
	}
	put_group(groups, group);
}

int groups_define(struct groups *groups, const char *definition, struct diag *diag)
{
	const struct place place = {.file = "--group"};
	const char *list = strchrnul(definition, '=');
	__cleanup(group_clear) struct group group = {0};
	int result;

	group.name = xstrndup(definition, (size_t)(list - definition));
	result = check_name(group.name, &place, diag);
	if (result)
		return result;
	if (!*list || !list[1] || !strcmp(list, "=@")) {
		diag_error(
			diag, &place,
			"%s has no prefix; write %s=PREFIX[,PREFIX], %s=dns:HOST, %s=@FILE or %s=-",
			group.name, group.name, group.name, group.name, group.name);
		return -EINVAL;
	}
	list++;
	result = *list == '@' ? read_prefixes(&group, list + 1, GROUP_FILE_LIMIT, &place, diag) :
		 !strcmp(list, "-") ? read_stdin(&group, GROUP_FILE_LIMIT, &place, diag) :
				      parse_prefixes(&group, list, &place, diag);
	if (*list == '@')
		names_add(&group.file, list + 1);
	if (!result)
		put_read(groups, &group);
	return result;
}

int groups_define_mixed(struct groups *groups, const char *name, const struct names *list,
			const struct group_file *file, size_t files, const struct place *place,
			struct diag *diag)
{
	__cleanup(group_clear) struct group group = {.name = xstrdup(name)};
	int result = check_name(name, place, diag);

	for (size_t i = 0; !result && i < list->count; i++)
		result = parse_prefixes(&group, list->name[i], place, diag);
	for (size_t i = 0; i < files; i++) {
		int err =
			read_prefixes(&group, file[i].path, GROUP_FILE_LIMIT, &file[i].place, diag);

		names_add_once(&group.file, file[i].path);
		result = result ? result : err;
	}
	if (!result)
		put_read(groups, &group);
	return result;
}

int groups_define_list(struct groups *groups, const char *name, const struct names *list,
		       const struct place *place, struct diag *diag)
{
	return groups_define_mixed(groups, name, list, NULL, 0, place, diag);
}

int prefixes_read(const char *name, const struct names *words, size_t limit, struct group *group,
		  struct diag *diag)
{
	const struct place place = {.file = name};
	int result = 0;

	*group = (struct group){.name = xstrdup("prefixes")};
	for (size_t i = 0; i < words->count; i++) {
		const char *word = words->name[i];
		int err = *word == '@'	     ? read_prefixes(group, word + 1, limit, &place, diag) :
			  !strcmp(word, "-") ? read_stdin(group, limit, &place, diag) :
					       parse_prefixes(group, word, &place, diag);

		result = result ? result : err;
	}
	prefixes_sort_once(group->prefix, &group->prefixes);
	if (!result && group->dns.count) {
		diag_error(diag, &place, "%s%s: names of hosts are for groups; name addresses here",
			   DNS_WORD, group->dns.name[0]);
		result = -EINVAL;
	}
	return result;
}

void groups_merge(struct groups *to, const struct groups *from)
{
	for (size_t i = 0; i < from->count; i++) {
		const struct group *group = &from->group[i];
		__cleanup(group_clear) struct group copy = {
			.name = xstrdup(group->name),
			.prefix = copy_prefixes(group->prefix, group->prefixes),
			.prefixes = group->prefixes,
			.fixed = copy_prefixes(group->fixed, group->fixeds),
			.fixeds = group->fixeds,
		};

		names_copy(&copy.dns, &group->dns);
		names_copy(&copy.file, &group->file);
		put_group(to, &copy);
	}
}

int groups_set_dns(struct groups *groups, const char *name, const struct names *dns,
		   const struct names *fixed, const struct place *place, struct diag *diag)
{
	struct group *group = (struct group *)groups_find(groups, name);
	__cleanup(group_clear) struct group read = {.name = xstrdup(name)};
	int result = 0;

	for (size_t i = 0; group && i < dns->count && !result; i++) {
		__free_text char *why = NULL, *item = xasprintf(DNS_WORD "%s", dns->name[i]);

		result = parse_dns(&read, item, strlen(item), &why);
		if (result)
			diag_error(diag, place, "%s: %s", name, why);
	}
	for (size_t i = 0; group && i < fixed->count && !result; i++)
		result = parse_prefixes(&read, fixed->name[i], place, diag);
	if (!group) {
		diag_error(diag, place, "there is no group '%s'", name);
		result = -EINVAL;
	}
	if (result)
		return result;
	prefixes_sort_once(read.prefix, &read.prefixes);
	names_free(&group->dns);
	free(group->fixed);
	group->dns = read.dns;
	group->fixed = read.prefix;
	group->fixeds = read.prefixes;
	read.dns = (struct names){0};
	read.prefix = NULL;
	return 0;
}

const struct group *groups_find(const struct groups *groups, const char *name)
{
	for (size_t i = 0; i < groups->count; i++) {
		if (!strcmp(groups->group[i].name, name))
			return &groups->group[i];
	}
	return NULL;
}

bool groups_remove(struct groups *groups, const char *name)
{
	struct group *group = (struct group *)groups_find(groups, name);

	if (!group)
		return false;
	group_clear(group);
	memmove(group, group + 1,
		(size_t)(groups->group + --groups->count - group) * sizeof(*group));
	return true;
}

void groups_free(struct groups *groups)
{
	for (size_t i = 0; i < groups->count; i++)
		group_clear(&groups->group[i]);
	free(groups->group);
	*groups = (struct groups){0};
}
