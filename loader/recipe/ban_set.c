// SPDX-License-Identifier: GPL-2.0
/* Bans: lists of prefixes with their ends; and the lines of the file that keeps them. */
#include "loader/recipe/ban_set.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"

bool ban_list_valid(const char *name)
{
	size_t length = strlen(name);

	if (!length || length > BAN_LIST_LIMIT || !isalnum((unsigned char)*name))
		return false;
	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)name[i]) && !strchr("._-", name[i]))
			return false;
	return true;
}

static __u64 hash_of(const char *list, const struct prefix *prefix)
{
	__u64 hash = 0xcbf29ce484222325ULL ^ prefix->family ^ (__u64)prefix->length << 8;

	for (size_t i = 0; i < sizeof(prefix->address); i++)
		hash = (hash ^ prefix->address[i]) * 0x100000001b3ULL;
	for (; *list; list++)
		hash = (hash ^ (unsigned char)*list) * 0x100000001b3ULL;
	return hash ^ hash >> 29;
}

static bool is_same(const struct ban *ban, const char *list, const struct prefix *prefix)
{
	return ban->prefix.family == prefix->family && ban->prefix.length == prefix->length &&
	       !memcmp(ban->prefix.address, prefix->address, sizeof(prefix->address)) &&
	       !strcmp(ban->list, list);
}

/* The slot of that prefix and list, or the free slot where it belongs. */
static size_t slot_of(const struct ban_set *set, const char *list, const struct prefix *prefix)
{
	size_t at = hash_of(list, prefix) & (set->slots - 1);

	while (set->slot[at] && !is_same(&set->ban[set->slot[at] - 1], list, prefix))
		at = (at + 1) & (set->slots - 1);
	return at;
}

static void index_anew(struct ban_set *set)
{
	size_t slots = 64;

	while (slots < 2 * (set->room + 1))
		slots *= 2;
	free(set->slot);
	set->slot = xcalloc(slots, sizeof(*set->slot));
	set->slots = slots;
	for (size_t i = 0; i < set->count; i++)
		set->slot[slot_of(set, set->ban[i].list, &set->ban[i].prefix)] = (__u32)i + 1;
}

struct ban *ban_set_find(const struct ban_set *set, const char *list, const struct prefix *prefix)
{
	__u32 at = set->slots ? set->slot[slot_of(set, list, prefix)] : 0;

	return at && set->ban[at - 1].until ? &set->ban[at - 1] : NULL;
}

void ban_set_add(struct ban_set *set, const struct ban *ban)
{
	size_t at;

	if (set->count == set->room) {
		set->room = set->room ? 2 * set->room : 64;
		set->ban = xrealloc(set->ban, set->room, sizeof(*set->ban));
		index_anew(set);
	}
	at = slot_of(set, ban->list, &ban->prefix);
	if (!set->slot[at]) {
		set->ban[set->count++] = *ban;
		set->slot[at] = (__u32)set->count;
	} else if (set->ban[set->slot[at] - 1].until < ban->until ||
		   set->ban[set->slot[at] - 1].parked) {
		__u64 since = set->ban[set->slot[at] - 1].since;
		__u32 until = set->ban[set->slot[at] - 1].until;

		set->ban[set->slot[at] - 1] = *ban;
		if (until > ban->until)
			set->ban[set->slot[at] - 1].until = until;
		if (until)
			set->ban[set->slot[at] - 1].since = since;
	}
}

void ban_set_clear(struct ban_set *set, const char *list)
{
	for (size_t i = 0; i < set->count; i++)
		if (!list || !strcmp(set->ban[i].list, list))
			set->ban[i].until = PC_BAN_FREE;
}

void ban_set_park(struct ban_set *set, const char *list, bool park)
{
	for (size_t i = 0; i < set->count; i++)
		if (!strcmp(set->ban[i].list, list))
			set->ban[i].parked = park;
}

void ban_set_expire(struct ban_set *set, __u32 now)
{
	size_t kept = 0;

	for (size_t i = 0; i < set->count; i++)
		if (set->ban[i].until > now)
			set->ban[kept++] = set->ban[i];
	set->count = kept;
	index_anew(set);
}

static int compare(const void *a, const void *b)
{
	const struct ban *one = a, *other = b;
	int order = prefix_compare(&one->prefix, &other->prefix);

	return order ? order : strcmp(one->list, other->list);
}

void ban_set_sort(struct ban_set *set)
{
	if (set->count)
		qsort(set->ban, set->count, sizeof(*set->ban), compare);
	index_anew(set);
}

void ban_set_lists(const struct ban_set *set, struct names *lists)
{
	const char *last = "";

	for (size_t i = 0; i < set->count; i++)
		if (strcmp(last, set->ban[i].list)) {
			last = set->ban[i].list;
			names_add_once(lists, last);
		}
}

void ban_set_free(struct ban_set *set)
{
	free(set->ban);
	free(set->slot);
	*set = (struct ban_set){};
}

void ban_line_add(const struct ban *ban, FILE *to)
{
	char prefix[PREFIX_TEXT];

	fprintf(to, "+\t%s\t%s\t%u\t%llu\t%llu\t%s\t%s\n", ban->list,
		prefix_format(&ban->prefix, prefix), ban->until, (unsigned long long)ban->since,
		(unsigned long long)ban->meant, ban->by, ban->comment);
}

void ban_line_remove(const char *list, const struct prefix *prefix, FILE *to)
{
	char text[PREFIX_TEXT];

	fprintf(to, "-\t%s\t%s\n", list, prefix_format(prefix, text));
}

void ban_line_clear(const char *list, FILE *to)
{
	fprintf(to, "=\t%s\n", list);
}

void ban_line_park(const char *list, bool park, FILE *to)
{
	fprintf(to, "%s\t%s\n", park ? "park" : "resume", list);
}

/* Writes lines for the bans that are parked, or for those that are not. */
static void write_lines(const struct ban_set *set, bool parked, __u32 now, FILE *to)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->ban[i].until > now && set->ban[i].parked == parked)
			ban_line_add(&set->ban[i], to);
}

void ban_lines_write(const struct ban_set *set, __u32 now, FILE *to)
{
	const char *last = "";

	write_lines(set, true, now, to);
	for (size_t i = 0; i < set->count; i++)
		if (set->ban[i].parked && strcmp(last, set->ban[i].list)) {
			last = set->ban[i].list;
			ban_line_park(last, true, to);
		}
	write_lines(set, false, now, to);
}

#define FIELDS 8

/* Splits a line at its tabs. Returns the number of fields; 0: there are more than FIELDS. */
static size_t cut(char *line, char *field[FIELDS])
{
	size_t count = 0;

	for (char *word; (word = strsep(&line, "\t"));) {
		if (count == FIELDS)
			return 0;
		field[count++] = word;
	}
	return count;
}

static bool read_number(const char *text, __u64 most, __u64 *number)
{
	size_t digits = strspn(text, "0123456789");

	if (!digits || digits >= BAN_DIGITS || text[digits])
		return false;
	*number = strtoull(text, NULL, 10);
	return *number <= most;
}

/* "192.0.2.0/24" in this file's form, which always has a length. */
static bool read_prefix(char *text, struct prefix *prefix)
{
	char *slash = strchr(text, '/');
	__u64 length;
	bool ipv6 = strchr(text, ':');

	*prefix = (struct prefix){.family = ipv6 ? AF_INET6 : AF_INET};
	if (!slash || !read_number(slash + 1, ipv6 ? 128 : 32, &length))
		return false;
	*slash = '\0';
	prefix->length = (__u8)length;
	return inet_pton(prefix->family, text, prefix->address) == 1;
}

static bool read_added(struct ban_set *set, char *field[FIELDS])
{
	struct ban ban = {.list = field[1], .by = field[6], .comment = field[7]};
	__u64 until;

	/* Whether it is a valid name of a list, or the name of a grant's group. */
	if ((!ban_list_valid(field[1]) && !name_valid(field[1])) ||
	    !read_prefix(field[2], &ban.prefix) || !read_number(field[3], PC_BAN_FOREVER, &until) ||
	    !read_number(field[4], ~0ULL, &ban.since) || !read_number(field[5], ~0ULL, &ban.meant))
		return false;
	ban.until = until == PC_BAN_FOREVER ? PC_BAN_FOREVER : ban_until(until, 0);
	ban_set_add(set, &ban);
	return true;
}

static bool read_line(struct ban_set *set, char *line)
{
	char *field[FIELDS];
	size_t count = cut(line, field);
	struct prefix prefix;
	struct ban *known;

	if (count == 8 && !strcmp(field[0], "+"))
		return read_added(set, field);
	if (count == 2 && !strcmp(field[0], "=")) {
		ban_set_clear(set, *field[1] ? field[1] : NULL);
		return true;
	}
	if (count == 2 && (!strcmp(field[0], "park") || !strcmp(field[0], "resume"))) {
		ban_set_park(set, field[1], *field[0] == 'p');
		return true;
	}
	if (count != 3 || strcmp(field[0], "-") != 0 || !read_prefix(field[2], &prefix))
		return false;
	known = ban_set_find(set, field[1], &prefix);
	if (known)
		known->until = PC_BAN_FREE;
	return true;
}

size_t ban_lines_read(struct ban_set *set, char *text, size_t length)
{
	char *end = text + length;
	size_t bad = 0;

	while (text < end) {
		char *newline = memchr(text, '\n', (size_t)(end - text));

		if (!newline)
			return bad + 1;
		*newline = '\0';
		if (!read_line(set, text))
			bad++;
		text = newline + 1;
	}
	return bad;
}
