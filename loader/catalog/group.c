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

#define QUOTE_LIMIT 60 /* bytes of a bad token that a message repeats */

static const __u8 mapped[12] = {[10] = 0xff, [11] = 0xff};

static int most_bits(const struct prefix *prefix)
{
	return prefix->family == AF_INET ? 32 : 128;
}

/* Clears the host bits; says whether there were any. */
static bool mask_host(struct prefix *prefix)
{
	int bytes = most_bits(prefix) / 8, last = prefix->length / 8;
	__u8 any = 0;

	for (int i = last; i < bytes; i++) {
		__u8 host = i > last ? 0xff : 0xff >> prefix->length % 8;

		any |= prefix->address[i] & host;
		prefix->address[i] &= ~host;
	}
	return any;
}

/* Decimal without sign or leading zero, 0 to `most`; else -1. */
static int parse_bits(const char *text, size_t length, int most)
{
	int bits = 0;

	if (!length || length > 3 || (length > 1 && *text == '0'))
		return -1;
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		bits = 10 * bits + text[i] - '0';
	}
	return bits <= most ? bits : -1;
}

static int token(size_t length)
{
	return length < QUOTE_LIMIT ? (int)length : QUOTE_LIMIT;
}

/* Parses an address and a length, before host bits and mapped addresses are checked. */
static int parse_form(const char *text, size_t length, struct prefix *prefix, char **why)
{
	const char *slash = memchr(text, '/', length);
	size_t size = slash ? (size_t)(slash - text) : length;
	char address[INET6_ADDRSTRLEN] = "";
	int bits, most;

	/* A NUL inside the token would end it early for inet_pton. */
	if (size < sizeof(address) && !memchr(text, '\0', size))
		memcpy(address, text, size);
	prefix->family = strchr(address, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(prefix->family, address, prefix->address) != 1) {
		*why = xasprintf(
			"'%.*s' is not a valid IPv4 or IPv6 prefix (example: 192.0.2.0/24)",
			token(length), text);
		return -EINVAL;
	}
	most = bits = most_bits(prefix);
	if (slash)
		bits = parse_bits(slash + 1, length - size - 1, most);
	if (bits < 0) {
		*why = xasprintf("'%.*s' must end in a prefix length from 0 to %d after '/'",
				 token(length), text, most);
		return -EINVAL;
	}
	prefix->length = (__u8)bits;
	return 0;
}

static int parse(const char *text, size_t length, struct prefix *prefix, char **why)
{
	struct prefix read = {0};
	char right[PREFIX_TEXT];
	bool host;

	if (parse_form(text, length, &read, why))
		return -EINVAL;
	host = mask_host(&read);
	if (read.family == AF_INET6 && read.length >= 96 && !memcmp(read.address, mapped, 12)) {
		struct prefix plain = {.family = AF_INET, .length = read.length - 96};

		memcpy(plain.address, read.address + 12, 4);
		*why = xasprintf("%.*s is IPv4 written as IPv6; write %s", token(length), text,
				 prefix_format(&plain, right));
		return -EINVAL;
	}
	if (host) {
		*why = xasprintf("%.*s has host bits set; write %s", token(length), text,
				 prefix_format(&read, right));
		return -EINVAL;
	}
	*prefix = read;
	return 0;
}

int prefix_parse(const char *text, struct prefix *prefix, char **why)
{
	return parse(text, strlen(text), prefix, why);
}

const char *prefix_format(const struct prefix *prefix, char text[PREFIX_TEXT])
{
	char address[INET6_ADDRSTRLEN];

	inet_ntop(prefix->family, prefix->address, address, sizeof(address));
	snprintf(text, PREFIX_TEXT, "%s/%d", address, prefix->length);
	return text;
}

int prefix_compare(const struct prefix *a, const struct prefix *b)
{
	int order;

	if (a->family != b->family)
		return a->family == AF_INET ? -1 : 1;
	order = memcmp(a->address, b->address, sizeof(a->address));
	return order ? order : a->length - b->length;
}

bool prefix_contains(const struct prefix *prefix, __u8 family, const __u8 *address)
{
	int bytes = prefix->length / 8, bits = prefix->length % 8;

	if (prefix->family != family || memcmp(prefix->address, address, (size_t)bytes))
		return false;
	return !bits || !((prefix->address[bytes] ^ address[bytes]) >> (8 - bits));
}

/* Adds up the addresses, modulo those of the family: all of them are 0. */
enum prefixes_cover prefixes_cover(const struct prefix *prefix, size_t count)
{
	unsigned __int128 sum = 0;
	const struct prefix *outer = NULL;
	int cover = PREFIXES_NONE;
	size_t i;

	for (i = 0; i < count; i++) {
		bool last = i + 1 == count || prefix[i + 1].family != prefix[i].family;

		if (!outer || !prefix_contains(outer, prefix[i].family, prefix[i].address)) {
			outer = &prefix[i];
			if (outer->length)
				sum += (unsigned __int128)1 << (128 - outer->length);
		}
		if (!last)
			continue;
		if (!sum)
			cover |= prefix[i].family == AF_INET ? PREFIXES_IPV4 : PREFIXES_IPV6;
		sum = 0;
		outer = NULL;
	}
	return cover;
}

const char *prefixes_cover_text(enum prefixes_cover cover)
{
	switch (cover) {
	case PREFIXES_ALL: return "anyone";
	case PREFIXES_IPV4: return "anyone over IPv4";
	case PREFIXES_IPV6: return "anyone over IPv6";
	case PREFIXES_NONE: break;
	}
	return NULL;
}

static int compare(const void *a, const void *b)
{
	return prefix_compare(a, b);
}

void prefixes_sort(struct prefix *prefix, size_t count)
{
	if (count)
		qsort(prefix, count, sizeof(*prefix), compare);
}

/* Lists are mostly sorted already: from a recipe always. */
static void sort_once(struct group *group)
{
	struct prefix *prefix = group->prefix;
	size_t kept = 0, i = 1;

	while (i < group->prefixes && prefix_compare(&prefix[i - 1], &prefix[i]) < 0)
		i++;
	if (i >= group->prefixes)
		return;
	qsort(prefix, group->prefixes, sizeof(*prefix), compare);
	for (i = 1; i < group->prefixes; i++) {
		if (prefix_compare(&prefix[kept], &prefix[i]))
			prefix[++kept] = prefix[i];
	}
	group->prefixes = kept + 1;
}

static void add_prefix(struct group *group, const struct prefix *prefix)
{
	group->prefix = grow(group->prefix, group->prefixes, sizeof(*group->prefix));
	group->prefix[group->prefixes++] = *prefix;
}

static void group_free(struct group *group)
{
	free(group->name);
	free(group->prefix);
	*group = (struct group){0};
}

/* Moves `group` into the place of the one of that name, or behind the last. */
static void put_group(struct groups *groups, struct group *group)
{
	struct group *old = (struct group *)groups_find(groups, group->name);

	sort_once(group);
	if (old) {
		group_free(old);
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

/* One line of a file. `place` is at its line. */
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
	if (!parse(start, (size_t)(end - start), &prefix, &why)) {
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

	if (length >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) /* the mark of Windows editors */
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

static int read_prefixes(struct group *group, const char *path, const struct place *place,
			 struct diag *diag)
{
	__free_text char *text = NULL;
	__free_text char *what = xasprintf("%s: cannot read '%s'", group->name, path);
	size_t length;
	int result = read_file(path, GROUP_FILE_LIMIT, &text, &length);

	if (!result)
		return read_lines(group, path, text, length, diag);
	if (result == -EFBIG)
		diag_error(diag, place, "%s: '%s' is larger than %d bytes", group->name, path,
			   GROUP_FILE_LIMIT);
	else if (result == -EINVAL)
		diag_error(diag, place, "%s: not a regular file", what);
	else
		diag_errno(diag, place, result, what);
	return result;
}

static int read_stdin(struct group *group, const struct place *place, struct diag *diag)
{
	__free_text char *what = xasprintf("%s: cannot read the standard input", group->name);
	const char *text;
	size_t length;
	int result = read_input(GROUP_FILE_LIMIT, &text, &length);

	if (!result)
		return read_lines(group, "(standard input)", text, length, diag);
	if (result == -EFBIG)
		diag_error(diag, place, "%s: it is larger than %d bytes", what, GROUP_FILE_LIMIT);
	else
		diag_errno(diag, place, result, what);
	return result;
}

static int parse_prefixes(struct group *group, const char *list, const struct place *place,
			  struct diag *diag)
{
	int result = 0;

	for (const char *end, *item = list; item; item = *end ? end + 1 : NULL) {
		__free_text char *why = NULL;
		struct prefix prefix;

		end = strchrnul(item, ',');
		if (!parse(item, (size_t)(end - item), &prefix, &why)) {
			add_prefix(group, &prefix);
			continue;
		}
		diag_error(diag, place, "%s: %s", group->name, why);
		result = -EINVAL;
	}
	return result;
}

int groups_define(struct groups *groups, const char *definition, struct diag *diag)
{
	const struct place place = {.file = "--group"};
	const char *list = strchrnul(definition, '=');
	__cleanup(group_free) struct group group = {0};
	int result;

	group.name = xstrndup(definition, (size_t)(list - definition));
	result = check_name(group.name, &place, diag);
	if (result)
		return result;
	if (!*list || !list[1] || !strcmp(list, "=@")) {
		diag_error(diag, &place,
			   "%s has no prefix; write %s=PREFIX[,PREFIX], %s=@FILE or %s=-",
			   group.name, group.name, group.name, group.name);
		return -EINVAL;
	}
	list++;
	result = *list == '@'	    ? read_prefixes(&group, list + 1, &place, diag) :
		 !strcmp(list, "-") ? read_stdin(&group, &place, diag) :
				      parse_prefixes(&group, list, &place, diag);
	if (!result)
		put_group(groups, &group);
	return result;
}

int groups_define_mixed(struct groups *groups, const char *name, const struct names *list,
			const struct group_file *file, size_t files, const struct place *place,
			struct diag *diag)
{
	__cleanup(group_free) struct group group = {.name = xstrdup(name)};
	int result = check_name(name, place, diag);

	for (size_t i = 0; !result && i < list->count; i++)
		result = parse_prefixes(&group, list->name[i], place, diag);
	for (size_t i = 0; i < files; i++) {
		int err = read_prefixes(&group, file[i].path, &file[i].place, diag);

		result = result ? result : err;
	}
	if (!result)
		put_group(groups, &group);
	return result;
}

int groups_define_list(struct groups *groups, const char *name, const struct names *list,
		       const struct place *place, struct diag *diag)
{
	return groups_define_mixed(groups, name, list, NULL, 0, place, diag);
}

void groups_merge(struct groups *to, const struct groups *from)
{
	for (size_t i = 0; i < from->count; i++) {
		const struct group *group = &from->group[i];
		__cleanup(group_free) struct group copy = {
			.name = xstrdup(group->name),
			.prefix = xcalloc(group->prefixes, sizeof(*group->prefix)),
			.prefixes = group->prefixes,
		};

		if (group->prefixes)
			memcpy(copy.prefix, group->prefix,
			       group->prefixes * sizeof(*group->prefix));
		put_group(to, &copy);
	}
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
	group_free(group);
	memmove(group, group + 1,
		(size_t)(groups->group + --groups->count - group) * sizeof(*group));
	return true;
}

void groups_free(struct groups *groups)
{
	for (size_t i = 0; i < groups->count; i++)
		group_free(&groups->group[i]);
	free(groups->group);
	*groups = (struct groups){0};
}
