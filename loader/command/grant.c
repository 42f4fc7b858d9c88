// SPDX-License-Identifier: GPL-2.0
/* `grant` and `revoke`: temporary members of a group. */
#include "loader/command/grant.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader/base/json.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/base/utf8.h"
#include "loader/command/end_words.h"
#include "loader/filter/hook.h"
#include "loader/filter/settle.h"
#include "loader/host/attached.h"
#include "loader/host/grants.h"
#include "loader/object/folder.h"
#include "loader/object/privilege.h"
#include "loader/recipe/site.h"
#include "loader/report/answer.h"
#include "loader/report/bans.h"
#include "loader/report/caller.h"
#include "loader/report/groups.h"
#include "loader/report/json_forms.h"
#include "loader/report/record.h"

#define SAID_SINGLY 20 /* prefixes that are printed on a line each */

/* The group and prefixes of a command. */
struct granting {
	const struct options *options;
	const char *command, *name; /* name of the group */
	struct group group;	    /* the given prefixes */
	json_t *known;		    /* the group in the form of `groups` */
	bool live;		    /* a filter has the group */
	bool denied;		    /* the group is in `deny` */
	struct hooks hooks;
	struct grants grants;
	int lock;
};

static void granting_free(struct granting *granting)
{
	group_clear(&granting->group);
	json_decref(granting->known);
	hooks_free(&granting->hooks);
	grants_close(&granting->grants);
	if (granting->lock >= 0)
		close(granting->lock);
}

/* --- the group --- */

static json_t *find_group(const json_t *groups, const char *name)
{
	json_t *group;
	size_t i;

	json_array_foreach (groups, i, group)
		if (!strcmp(json_string_value(json_object_get(group, "name")), name))
			return json_incref(group);
	return NULL;
}

/* A machine's own group, by the name that it has in `groups`; NULL: none. */
static const char *machine_group(const json_t *groups, const char *name)
{
	const json_t *group;
	size_t i;

	json_array_foreach (groups, i, group) {
		const char *scoped = json_string_value(json_object_get(group, "name"));
		const char *end = strrchr(scoped, ':');

		if (end && !strcmp(end + 1, name))
			return scoped;
	}
	return NULL;
}

static int of_machine(const struct granting *granting, const char *group)
{
	error("%s: %s is a group of one machine alone, which takes no grants; to grant, define the group for the interface or the file (groups:)",
	      granting->command, group);
	return -EINVAL;
}

static int unknown_group(const struct granting *granting, const json_t *groups)
{
	__free_text char *shown = text_printable(granting->name);
	__cleanup(names_free) struct names names = {};
	const char *near;
	json_t *group;
	size_t i;

	if (machine_group(groups, granting->name))
		return of_machine(granting, machine_group(groups, granting->name));
	json_array_foreach (groups, i, group)
		names_add(&names, json_string_value(json_object_get(group, "name")));
	near = nearest_name(granting->name, &names);
	if (near)
		error("%s: '%s' is not a group of a filter or of the site file; did you mean '%s'?",
		      granting->command, shown, near);
	else if (name_valid(granting->name))
		error("%s: '%s' is not a group of a filter or of the site file; to define one that only grants fill, add to " SITE_FILE
		      ": groups: {%s: []}; then: portcullis apply",
		      granting->command, shown, granting->name);
	else
		error("%s: '%s' is not a group name; to list the groups: portcullis groups",
		      granting->command, shown);
	return -ENOENT;
}

/* Refuses groups into which nothing can be granted. */
static int check_name(const struct granting *granting)
{
	if (!strcmp(granting->name, GROUP_LINK_LOCAL) || !strcmp(granting->name, GROUP_ANYONE)) {
		error("%s: %s is built in, and its members cannot be changed; name a group of your own",
		      granting->command, granting->name);
		return -EINVAL;
	}
	if (granting->denied) {
		error("%s: %s is a group of deny: packets from its members are dropped; remove it from deny in " SITE_FILE
		      ", or name another group",
		      granting->command, granting->name);
		return -EINVAL;
	}
	if (strchr(granting->name, ':') && granting->known)
		return of_machine(granting, granting->name);
	return 0;
}

static bool has_grants(const struct granting *granting)
{
	const struct ban_set *set = &granting->grants.file.set;

	for (size_t i = 0; i < set->count && strcmp(granting->command, "grant"); i++)
		if (!strcmp(set->ban[i].list, granting->name))
			return true;
	return false;
}

/* Finds the group in the filters, else in the site file. */
static int know_group(struct granting *granting)
{
	__cleanup(site_free) struct site site = {};
	__cleanup(diag_free) struct diag unused = {};
	json_t *groups = json_array();
	struct live *list = NULL;
	size_t count = 0;
	bool left_out = false;
	int err;

	if (live_read_kept(&(struct names){}, granting->command, &list, &count, &left_out))
		return -EIO;
	for (size_t i = 0; i < count; i++) {
		report_groups_add(groups, list[i].kept, list[i].hook.name, &site);
		granting->denied |= json_list_has(
			json_object_get(json_object_get(list[i].kept, "recipe"), "deny"),
			granting->name);
	}
	live_free(list, count);
	granting->known = find_group(groups, granting->name);
	granting->live = granting->known;
	if (!granting->known && !access(SITE_FILE, R_OK) &&
	    !site_read_partial(NULL, &site, &unused)) {
		report_groups_add_site(groups, &site);
		granting->known = find_group(groups, granting->name);
		granting->denied = names_have(&site.deny, granting->name);
	}
	err = check_name(granting);
	/* A grant can be revoked even if its group no longer exists. */
	if (!err && !granting->known && !has_grants(granting))
		err = unknown_group(granting, groups);
	json_decref(groups);
	return err;
}

/* --- both --- */

/* Reads the words and the present grants, under the lock. Returns EXIT_DONE to continue. */
static int begin(struct granting *granting, struct diag *diag)
{
	const struct names *all = &granting->options->arguments;
	const struct names words = {.name = all->name + 1, .count = all->count - 1};

	if (all->count < 2) {
		error("%s: give a group and prefixes: portcullis %s GROUP PREFIX...",
		      granting->command, granting->command);
		return EXIT_USAGE;
	}
	granting->name = all->name[0];
	if (prefixes_read(granting->command, &words, PREFIXES_LIMIT, &granting->group, diag))
		return prefix_words_wrong(&words);
	if (kernel_privileged(granting->command) || pins_ready(true) < 0 ||
	    pins_lock_only(&granting->lock) || hooks_collect(&granting->hooks) ||
	    grants_open(&granting->hooks, &granting->grants) || know_group(granting))
		return EXIT_FAILED;
	return EXIT_DONE;
}

/* "opens ssh:ssh, xeams:webui" */
static char *opens_text(const struct granting *granting)
{
	json_t *services = json_object_get(granting->known, "services");
	__free_text char *joined = report_joined(services, ", ");

	return xasprintf("opens %s", *joined ? joined : "nothing");
}

static void answer_grant(const struct granting *granting, const char *list, const struct ban *grant)
{
	json_t *item = report_grant_json(grant, &granting->grants.clock);

	json_object_set_new(item, "group", json_string(granting->name));
	json_object_set(item, "services", json_object_get(granting->known, "services"));
	answer_item(granting->options->answer, list, item);
}

/* Writes a line to the journal. */
static void record_it(const struct granting *granting, const char *what)
{
	__cleanup(caller_free) struct caller caller = {};

	caller_find(&caller);
	record_admission(&(struct admission){.action = granting->command,
					     .list = granting->name,
					     .grants = true,
					     .what = what,
					     .comment = granting->options->comment},
			 &caller);
}

/* --- grant --- */

static void say_granted(const struct granting *granting)
{
	const struct ban_clock *clock = &granting->grants.clock;
	const struct group *group = &granting->group;
	__free_text char *opens = opens_text(granting);
	bool singly = group->prefixes <= SAID_SINGLY;

	for (size_t i = 0; i < group->prefixes; i++) {
		const struct ban *grant =
			ban_set_find(&granting->grants.file.set, granting->name, &group->prefix[i]);
		__free_text char *end = NULL;
		char prefix[PREFIX_TEXT];

		if (!grant)
			continue;
		answer_grant(granting, "grants", grant);
		end = ban_end_text(grant, clock);
		if (singly)
			say_line("%s: in group %s %s; %s", prefix_format(&grant->prefix, prefix),
				 granting->name, end, opens);
	}
	if (!singly)
		say_line("%zu prefixes: in group %s; %s", group->prefixes, granting->name, opens);
	if (!granting->grants.filters)
		say_line("no interface has a filter: kept, and in force from the next attach on");
	else if (!granting->live)
		say_line("no filter has the group yet: portcullis apply");
}

static int check_room(const struct granting *granting)
{
	struct ban_set *set = (struct ban_set *)&granting->grants.file.set;
	size_t fresh = 0;

	ban_set_expire(set, (__u32)granting->grants.clock.boot);
	for (size_t i = 0; i < granting->group.prefixes; i++)
		fresh += !ban_set_find(set, granting->name, &granting->group.prefix[i]);
	if (set->count + fresh <= PC_GRANTS)
		return 0;
	error("grant: there are %zu grants, and %zu more are too many: at most %d; nothing was changed. Put lasting members into the site file, or take some back: portcullis revoke GROUP PREFIX...",
	      set->count, fresh, PC_GRANTS);
	return -ENOSPC;
}

/* Makes the lines of the file; the caller frees. */
static char *grant_lines(const struct granting *granting, __u64 seconds, size_t *length)
{
	__cleanup(caller_free) struct caller caller = {};
	const struct ban_clock *clock = &granting->grants.clock;
	char *lines = NULL;
	FILE *to = open_memstream(&lines, length);

	if (!to)
		return NULL;
	caller_find(&caller);
	for (size_t i = 0; i < granting->group.prefixes; i++)
		ban_line_add(
			&(struct ban){
				.prefix = granting->group.prefix[i],
				.until = seconds ? ban_until(clock->boot, seconds) : PC_BAN_FOREVER,
				.since = clock->wall,
				.meant = seconds ? clock->wall + seconds : 0,
				.list = granting->name,
				.by = caller.name ?: "",
				.comment = granting->options->comment ?: "",
			},
			to);
	return fclose(to) ? (free(lines), NULL) : lines;
}

static void record_granted(const struct granting *granting, __u64 seconds)
{
	const struct ban_clock *clock = &granting->grants.clock;
	const struct ban end = {.until =
					seconds ? ban_until(clock->boot, seconds) : PC_BAN_FOREVER};
	__free_text char *told = prefixes_told(granting->group.prefix, granting->group.prefixes);
	__free_text char *until = ban_end_text(&end, clock);
	__free_text char *opens = opens_text(granting);
	__free_text char *what = xasprintf("%s %s, %s", told, until, opens);

	record_it(granting, what);
}

int command_grant(const struct options *options, struct diag *diag)
{
	__cleanup(granting_free) struct granting granting = {
		.options = options, .command = "grant", .lock = -1};
	__free_text char *lines = NULL;
	size_t length = 0;
	__u64 seconds;
	int code;

	if (end_words_read(options, "grant", &seconds))
		return EXIT_USAGE;
	code = begin(&granting, diag);
	if (code != EXIT_DONE)
		return code;
	if (check_room(&granting))
		return EXIT_FAILED;
	lines = grant_lines(&granting, seconds, &length);
	if (!lines || grants_change(&granting.grants, lines, length))
		return EXIT_FAILED;
	options->answer->admitted = true;
	say_granted(&granting);
	record_granted(&granting, seconds);
	return EXIT_DONE;
}

/* --- revoke --- */

static const struct ban *wider_grant(const struct granting *granting, const struct prefix *prefix)
{
	const struct ban_set *set = &granting->grants.file.set;

	for (size_t i = 0; i < set->count; i++) {
		const struct ban *grant = &set->ban[i];

		if (ban_holds(grant, (__u32)granting->grants.clock.boot) &&
		    grant->prefix.length < prefix->length && !strcmp(grant->list, granting->name) &&
		    prefix_contains(&grant->prefix, prefix->family, prefix->address))
			return grant;
	}
	return NULL;
}

/* A member of the group without a grant that covers the prefix, as "192.0.2.0/24 (site)", or NULL.
 */
static char *lasting_member(const struct granting *granting, const struct prefix *prefix)
{
	const json_t *member;
	size_t i;

	json_array_foreach (json_object_get(granting->known, "members"), i, member) {
		const char *text = json_string_value(json_object_get(member, "prefix"));
		__free_text char *why = NULL;
		struct prefix wide;

		if (text && !prefix_parse(text, &wide, &why) && wide.length <= prefix->length &&
		    prefix_contains(&wide, prefix->family, prefix->address))
			return xasprintf("%s (%s)", text,
					 json_string_value(json_object_get(member, "origin")));
	}
	return NULL;
}

/* Writes the result for a prefix to `said`. True: a wider grant still covers it. */
static bool revoke_one(const struct granting *granting, const struct prefix *prefix, FILE *lines,
		       FILE *said)
{
	const struct ban *grant = ban_set_find(&granting->grants.file.set, granting->name, prefix);
	const struct ban *wider = wider_grant(granting, prefix);
	__free_text char *lasting = lasting_member(granting, prefix);
	char text[PREFIX_TEXT], wide[PREFIX_TEXT];

	prefix_format(prefix, text);
	if (grant && ban_holds(grant, (__u32)granting->grants.clock.boot)) {
		answer_grant(granting, "revoked", grant);
		ban_line_remove(granting->name, prefix, lines);
		fprintf(said, "%s: no longer granted into group %s\n", text, granting->name);
	} else if (!wider) {
		fprintf(said, "%s: is not granted into group %s\n", text, granting->name);
	}
	if (wider) {
		__free_text char *fix = xasprintf("portcullis revoke %s %s", granting->name,
						  prefix_format(&wider->prefix, wide));

		fprintf(said, "%s: still in group %s: %s is granted\n", text, granting->name, wide);
		if (granting->options->answer->json)
			error_fix(fix, "revoke: %s: still in group %s: %s is granted", text,
				  granting->name, wide);
	}
	if (lasting)
		fprintf(said, "%s: still in group %s: it has %s\n", text, granting->name, lasting);
	return wider;
}

int command_revoke(const struct options *options, struct diag *diag)
{
	__cleanup(granting_free) struct granting granting = {
		.options = options, .command = "revoke", .lock = -1};
	__free_text char *lines = NULL, *said = NULL;
	size_t length = 0, said_length = 0;
	FILE *to, *text;
	bool covered = false;
	int code = begin(&granting, diag);

	if (code != EXIT_DONE)
		return code;
	to = open_memstream(&lines, &length);
	text = open_memstream(&said, &said_length);
	if (!to || !text)
		return EXIT_FAILED;
	for (size_t i = 0; i < granting.group.prefixes; i++)
		covered |= revoke_one(&granting, &granting.group.prefix[i], to, text);
	if (fclose(to) || fclose(text) ||
	    (length && grants_change(&granting.grants, lines, length)))
		return EXIT_FAILED;
	options->answer->admitted = length;
	fputs(said, stdout);
	if (length) {
		__free_text char *told =
			prefixes_told(granting.group.prefix, granting.group.prefixes);

		record_it(&granting, told);
	}
	return covered ? EXIT_FAILED : EXIT_DONE;
}
