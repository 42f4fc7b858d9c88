// SPDX-License-Identifier: GPL-2.0
/* `ban` and `unban`: sources whose packets are dropped. */
#include "loader/command/ban.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loader/base/file.h"
#include "loader/base/message.h"
#include "loader/base/utf8.h"
#include "loader/command/end_words.h"
#include "loader/filter/hook.h"
#include "loader/filter/settle.h"
#include "loader/host/attached.h"
#include "loader/host/bans.h"
#include "loader/host/grants.h"
#include "loader/host/protect.h"
#include "loader/object/folder.h"
#include "loader/object/privilege.h"
#include "loader/recipe/kept_machines.h"
#include "loader/report/answer.h"
#include "loader/report/bans.h"
#include "loader/report/caller.h"
#include "loader/report/record.h"
#include "loader/report/text.h"

#define SAID_SINGLY 20 /* prefixes that are printed on a line each */
#define SAID_FAULTS 20

/* Reads the prefixes of the command line. -EINVAL: with errors in `diag`. */
static int read_prefixes(const struct options *options, const char *command, struct group *group,
			 struct diag *diag)
{
	return prefixes_read(command, &options->arguments, PREFIXES_LIMIT, group, diag);
}

static int open_bans(struct hooks *hooks, int *lock, struct bans *bans)
{
	if (pins_ready(true) < 0 || pins_lock_only(lock) || hooks_collect(hooks))
		return -EIO;
	return bans_open(hooks, bans);
}

/* --- ban: checks --- */

static void fault(size_t *faults, const char *prefix, const char *why)
{
	if (++*faults <= SAID_FAULTS)
		error("ban: %s: %s", prefix, why);
}

/* Prefixes that no host has as its source address, or only one on the same link. */
static bool is_link_local(const struct prefix *prefix)
{
	const struct prefix *link = &group_link_local[prefix->family == AF_INET6];

	return prefix_contains(link, prefix->family, prefix->address) ||
	       prefix_contains(prefix, link->family, link->address);
}

static bool is_wide(const struct prefix *prefix)
{
	return prefix->length < (prefix->family == AF_INET ? 24 : 48);
}

/* Counts the prefixes that are refused without --force, and prints the first ones. */
static size_t find_faults(const struct group *group, const struct protected_hosts *hosts)
{
	char text[PREFIX_TEXT];
	size_t faults = 0;

	for (size_t i = 0; i < group->prefixes; i++) {
		const struct prefix *prefix = &group->prefix[i];

		prefix_format(prefix, text);
		if (is_wide(prefix))
			fault(&faults, text,
			      prefix->family == AF_INET ? "is wider than /24" :
							  "is wider than /48");
		else if (is_link_local(prefix))
			fault(&faults, text, "is link-local: neighbours of this host");
	}
	for (size_t i = 0; i < hosts->count; i++) {
		const struct protected_host *host = &hosts->host[i];
		const struct prefix *by = prefix_covering(group->prefix, group->prefixes,
							  host->family, host->address);
		struct prefix own = {.family = host->family,
				     .length = host->family == AF_INET ? 32 : 128};
		__free_text char *why = NULL;
		char address[PREFIX_TEXT];

		if (!by)
			continue;
		memcpy(own.address, host->address, sizeof(own.address));
		prefix_format(&own, address);
		*strchr(address, '/') = '\0';
		why = xasprintf("has %s: %s", address, host->what);
		fault(&faults, prefix_format(by, text), why);
	}
	if (faults > SAID_FAULTS)
		error("ban: and %zu more", faults - SAID_FAULTS);
	return faults;
}

/* The granted prefix that makes a prefix a member of a group of `never-ban`, or NULL. */
static const struct prefix *never_granted(const struct bans *bans, const struct grants *grants,
					  const struct prefix *prefix)
{
	for (size_t i = 0; i < grants->file.set.count; i++) {
		const struct ban *grant = &grants->file.set.ban[i];

		if (ban_holds(grant, (__u32)grants->clock.boot) &&
		    grant->prefix.length <= prefix->length &&
		    prefix_contains(&grant->prefix, prefix->family, prefix->address) &&
		    bans_never_group(bans, grant->list))
			return &grant->prefix;
	}
	return NULL;
}

/* Reports prefixes that are members of the filters' `never-ban`. True: there are some, without
 * --force. */
static bool refuse_never(const struct options *options, struct bans *bans,
			 const struct hooks *hooks, const struct group *group)
{
	__cleanup(grants_close) struct grants grants = {};
	bool granted = bans->filters && !grants_read(hooks, &grants);
	size_t faults = 0, count = 0;

	for (size_t i = 0; i < group->prefixes; i++) {
		const struct prefix *never = bans_never(bans, &group->prefix[i]);
		char text[PREFIX_TEXT], by[PREFIX_TEXT];
		const char *how = "is in";
		__free_text char *why = NULL;

		if (!never && granted) {
			never = never_granted(bans, &grants, &group->prefix[i]);
			how = "is granted into";
		}
		if (!never)
			continue;
		count++;
		if (options->force)
			continue;
		why = xasprintf("%s %s a group of never-ban", prefix_format(never, by), how);
		fault(&faults, prefix_format(&group->prefix[i], text), why);
	}
	if (faults) {
		error("ban: refused, nothing was banned; members of a never-ban group cannot be banned; remove the address from the group first, or revoke the grant");
		return true;
	}
	if (count)
		say_line("%zu of %zu %s in a group of never-ban: kept, but without effect", count,
			 group->prefixes, count == 1 ? "is" : "are");
	return false;
}

/* Whether a machine behind a filter's interface has another policy than the interface. */
static bool machines_differ(const struct pc_generation *generation)
{
	for (size_t i = 0; generation->machines && i < PC_MACHINES; i++) {
		const struct pc_machine *machine = &generation->machine[i];

		if (machine->family && machine->class &&
		    generation->class[machine->class - 1].policy != generation->policy)
			return true;
	}
	return false;
}

/* "m1, m2": the machines behind an interface that have this policy. The caller frees. */
static char *machines_of_policy(const char *id, const char *policy)
{
	__cleanup(names_free) struct names names = {};
	__u32 flows;
	json_t *kept = filter_kept_of(id, &flows);

	for (size_t i = 0; i < kept_machines(kept); i++) {
		json_t *machine = kept_machine(kept, i);

		if (!strcmp(text_of(json_object_get(machine, "recipe"), "policy"), policy))
			names_add(&names, kept_machine_name(kept, i));
		json_decref(machine);
	}
	json_decref(kept);
	return names_join(&names, ", ");
}

static void say_policy(const struct filter *filter, const char *interface)
{
	const struct pc_generation *generation = filter->current.copy;
	bool observes = generation->policy != PC_POLICY_ENFORCE;
	__free_text char *others = NULL;

	if (machines_differ(generation))
		others = machines_of_policy(filter->id, observes ? "enforce" : "observe");
	if (observes && others)
		say_line(
			"%s: is under observe, except machines behind it (%s): nothing else is dropped there, what a ban would drop is counted",
			interface, others);
	else if (observes)
		say_line(
			"%s: is under observe: nothing is dropped there, what a ban would drop is counted",
			interface);
	else if (others)
		say_line(
			"%s: machines behind it (%s) are under observe: nothing is dropped for them, what a ban would drop is counted",
			interface, others);
}

static void say_observed(const struct bans *bans, const struct hooks *hooks)
{
	for (size_t i = 0; i < bans->filters; i++)
		for (size_t j = 0; j < hooks->count; j++)
			if (!strcmp(hooks->hook[j].id, bans->filter[i].id))
				say_policy(&bans->filter[i], hooks->hook[j].name);
	if (!bans->filters)
		say_line("no interface has a filter: kept, and in force from the next attach on");
}

/* `later`: for how many prefixes the list had a later end. `end`: the requested end. */
static void say_banned(const struct bans *bans, const struct hooks *hooks, const struct ban *ban,
		       size_t count, const char *end, size_t later)
{
	char prefix[PREFIX_TEXT];

	for (size_t i = 0; i < count && count <= SAID_SINGLY; i++) {
		__free_text char *until = ban_end_text(&ban[i], &bans->clock);

		say_line("%s: banned %s (list %s)", prefix_format(&ban[i].prefix, prefix), until,
			 ban[i].list);
	}
	if (count > SAID_SINGLY)
		say_line("%zu prefixes: banned %s (list %s)", count, end, ban->list);
	if (count > SAID_SINGLY && later)
		say_line("%zu of them: banned for longer by list %s already", later, ban->list);
	say_observed(bans, hooks);
}

/* Makes a list exactly the given prefixes; those that it already has keep `since`. */
static int replace_list(struct bans *bans, const struct ban *ban, size_t count)
{
	char *lines = NULL;
	size_t length = 0;
	int err = bans_load(bans);
	FILE *to = err ? NULL : open_memstream(&lines, &length);

	if (!to)
		return err ? err : -ENOMEM;
	ban_line_clear(ban->list, to);
	for (size_t i = 0; i < count; i++) {
		const struct ban *known = ban_set_find(&bans->file.set, ban->list, &ban[i].prefix);
		struct ban one = ban[i];

		if (known && ban_holds(known, (__u32)bans->clock.boot))
			one.since = known->since;
		ban_line_add(&one, to);
	}
	if (fclose(to))
		return -ENOMEM;
	err = count > PC_BANS ? -ENOSPC : bans_change(bans, lines, length, true);
	if (err == -ENOSPC)
		error("ban: %zu prefixes are more than the table has room for (%u); nothing was changed",
		      count, PC_BANS);
	free(lines);
	return err;
}

/* Makes the bans; the caller frees. */
static struct ban *make_bans(const struct options *options, const struct group *group,
			     const struct ban_clock *clock, __u64 seconds, const char *by)
{
	struct ban *ban = xcalloc(group->prefixes + 1, sizeof(*ban));

	for (size_t i = 0; i < group->prefixes; i++)
		ban[i] = (struct ban){
			.prefix = group->prefix[i],
			.until = seconds ? ban_until(clock->boot, seconds) : PC_BAN_FOREVER,
			.since = clock->wall,
			.meant = seconds ? clock->wall + seconds : 0,
			.list = options->list ?: BAN_LIST_DEFAULT,
			.by = by,
			.comment = options->comment ?: "",
		};
	return ban;
}

/* Writes a line to the journal, and the answer of --json. */
static void record_bans(const struct options *options, const struct bans *bans,
			const struct group *group, const struct ban *ban, const char *end,
			const struct caller *caller)
{
	__free_text char *told = prefixes_told(group->prefix, group->prefixes);
	__free_text char *what = xasprintf("%s %s%s", told, end,
					   options->replace ? ", instead of its former bans" : "");

	record_admission(&(struct admission){.action = "ban",
					     .list = options->list ?: BAN_LIST_DEFAULT,
					     .what = what,
					     .comment = options->comment},
			 caller);
	options->answer->admitted = true;
	for (size_t i = 0; i < group->prefixes && options->answer->json; i++)
		answer_item(options->answer, "bans",
			    ban_json(&ban[i], &bans->clock, &(struct pc_ban_count){}));
}

static int ban_all(const struct options *options, const struct group *group, struct hooks *hooks,
		   struct bans *bans, __u64 seconds)
{
	__cleanup(caller_free) struct caller caller = {};
	__free_text char *end = NULL;
	struct ban *ban;
	size_t later = 0;
	int err;

	caller_find(&caller);
	ban = make_bans(options, group, &bans->clock, seconds, caller.name ?: "");
	end = ban_end_text(ban, &bans->clock);
	err = options->replace ? replace_list(bans, ban, group->prefixes) :
				 bans_add(bans, ban, group->prefixes);

	if (!err) {
		for (size_t i = 0; i < group->prefixes && !options->replace; i++)
			later += bans_end_later(bans, &ban[i]);
		say_banned(bans, hooks, ban, group->prefixes, end, later);
		record_bans(options, bans, group, ban, end, &caller);
	}
	ban_file_free(&bans->file); /* first, because its set uses the texts of `ban` */
	free(ban);
	return err ? EXIT_FAILED : EXIT_DONE;
}

/* Puts a parked list in force again, except bans that have ended. */
static int resume(const struct options *options)
{
	__cleanup(hooks_free) struct hooks hooks = {};
	__cleanup(bans_close) struct bans bans = {.table = BAN_TABLE_NONE};
	__close_fd int lock = -1;
	char *lines = NULL;
	size_t length = 0, count = 0;
	FILE *to;
	int err;

	if (options->arguments.count || !options->list) {
		error("ban: --resume is about a whole list: portcullis ban --list NAME --resume");
		return EXIT_USAGE;
	}
	if (kernel_privileged("ban") || open_bans(&hooks, &lock, &bans) || bans_load(&bans))
		return EXIT_FAILED;
	for (size_t i = 0; i < bans.file.set.count; i++)
		count += bans.file.set.ban[i].parked &&
			 bans.file.set.ban[i].until > bans.clock.boot &&
			 !strcmp(bans.file.set.ban[i].list, options->list);
	to = open_memstream(&lines, &length);
	if (!to)
		return EXIT_FAILED;
	ban_line_park(options->list, false, to);
	fclose(to);
	err = count ? bans_change(&bans, lines, length, true) : 0;
	free(lines);
	if (!err)
		say_line("%zu %s of list %s in force again", count, count == 1 ? "ban" : "bans",
			 options->list);
	return err ? EXIT_FAILED : EXIT_DONE;
}

int command_ban(const struct options *options, struct diag *diag)
{
	__cleanup(group_clear) struct group group = {};
	__cleanup(hooks_free) struct hooks hooks = {};
	__cleanup(protected_free) struct protected_hosts hosts = {};
	__cleanup(bans_close) struct bans bans = {.table = BAN_TABLE_NONE};
	__close_fd int lock = -1;
	__u64 seconds;

	if (list_word_check("ban", options->list))
		return EXIT_USAGE;
	if (options->take_up)
		return resume(options);
	if (!options->arguments.count) {
		error("ban: the prefix is missing: portcullis ban PREFIX..., ban @FILE, or ban -");
		return EXIT_USAGE;
	}
	if (end_words_read(options, "ban", &seconds))
		return EXIT_USAGE;
	if (read_prefixes(options, "ban", &group, diag))
		return prefix_words_wrong(&options->arguments);
	if (kernel_privileged("ban"))
		return EXIT_FAILED;
	protected_find(group.prefix, group.prefixes, &hosts);
	if (!options->force && find_faults(&group, &hosts)) {
		error("ban: refused, nothing was banned; --force bans it all the same");
		return EXIT_FAILED;
	}
	if (open_bans(&hooks, &lock, &bans))
		return EXIT_FAILED;
	bans.hosts = &hosts;
	if (refuse_never(options, &bans, &hooks, &group))
		return EXIT_FAILED;
	return ban_all(options, &group, &hooks, &bans, seconds);
}

/* --- unban --- */

static bool is_lifted(const struct group *lifted, const struct prefix *prefix)
{
	for (size_t i = 0; i < lifted->prefixes; i++)
		if (!prefix_compare(&lifted->prefix[i], prefix))
			return true;
	return false;
}

/* A wider ban that still covers a prefix, or NULL. If several do, one of `list` is preferred. */
static const struct ban *wider_ban(const struct bans *bans, const char *list,
				   const struct group *lifted, const struct prefix *prefix)
{
	const struct ban *found = NULL;

	for (size_t i = 0; i < bans->file.set.count; i++) {
		const struct ban *ban = &bans->file.set.ban[i];

		if (!ban_holds(ban, (__u32)bans->clock.boot) ||
		    ban->prefix.length >= prefix->length ||
		    !prefix_contains(&ban->prefix, prefix->family, prefix->address))
			continue;
		if (list && strcmp(list, ban->list) != 0)
			found = found ?: ban;
		else if (!is_lifted(lifted, &ban->prefix))
			return ban;
	}
	return found;
}

/* Prints the message for a prefix, and returns the exit code for it. */
struct lifting {
	const struct options *options;
	struct bans *bans;
	const struct group *group; /* the prefixes */
	struct names lists;
	FILE *lines, *said;
	size_t lifted, stills;
	bool covered; /* the prefix is covered by a wider ban */
	bool singly;
};

static void say_still(struct lifting *lifting, const struct ban *ban, const char *text)
{
	__free_text char *end = ban_end_text(ban, &lifting->bans->clock);
	char prefix[PREFIX_TEXT];

	prefix_format(&ban->prefix, prefix);
	if (lifting->stills++ < SAID_SINGLY)
		fprintf(lifting->said, "%s: still banned: list %s has %s, %s\n", text, ban->list,
			prefix, end);
}

/* Reports a wider ban that makes the command fail: as an error in JSON, and as the last line of
 * text. */
static void say_covered(struct lifting *lifting, const struct ban *wider, const char *text)
{
	__free_text char *end = ban_end_text(wider, &lifting->bans->clock);
	__free_text char *fix = NULL;
	char prefix[PREFIX_TEXT];

	say_still(lifting, wider, text);
	lifting->covered = true;
	if (!lifting->options->answer->json || lifting->stills > SAID_SINGLY)
		return;
	prefix_format(&wider->prefix, prefix);
	fix = xasprintf("portcullis unban --list %s %s", wider->list, prefix);
	error_fix(fix, "unban: %s: still banned: list %s has %s, %s", text, wider->list, prefix,
		  end);
}

/* Counts bans inside a prefix, which unbanning the prefix does not end. */
static void say_inside(struct lifting *lifting, const struct prefix *prefix, const char *text)
{
	const struct ban_set *set = &lifting->bans->file.set;
	const struct ban *first = NULL;
	char inside[PREFIX_TEXT];
	size_t more = 0;

	for (size_t i = 0; i < set->count; i++) {
		const struct ban *ban = &set->ban[i];

		if (!ban_holds(ban, (__u32)lifting->bans->clock.boot) ||
		    ban->prefix.length <= prefix->length ||
		    !prefix_contains(prefix, ban->prefix.family, ban->prefix.address) ||
		    is_lifted(lifting->group, &ban->prefix))
			continue;
		more += first != NULL;
		first = first ?: ban;
	}
	if (!first)
		return;
	prefix_format(&first->prefix, inside);
	fprintf(lifting->said, "%s: inside it, still banned: list %s has %s", text, first->list,
		inside);
	if (more)
		fprintf(lifting->said, ", and %zu more", more);
	fputc('\n', lifting->said);
}

static void lift(struct lifting *lifting, const struct prefix *prefix)
{
	const char *only = lifting->options->list;
	const struct ban *wider;
	char text[PREFIX_TEXT], denied[PREFIX_TEXT];
	size_t before = lifting->lifted;
	bool covers;

	prefix_format(prefix, text);
	for (size_t i = 0; i < lifting->lists.count; i++) {
		const char *list = lifting->lists.name[i];
		const struct ban *ban = ban_set_find(&lifting->bans->file.set, list, prefix);

		if (!ban || ban->until <= lifting->bans->clock.boot)
			continue;
		if (only && strcmp(only, list) != 0) {
			say_still(lifting, ban, text);
			continue;
		}
		ban_line_remove(list, prefix, lifting->lines);
		if (lifting->options->answer->json)
			answer_item(lifting->options->answer, "lifted",
				    ban_json(ban, &lifting->bans->clock, &(struct pc_ban_count){}));
		lifting->lifted++;
		if (lifting->singly)
			fprintf(lifting->said, "%s: no longer banned by list %s\n", text, list);
	}
	wider = wider_ban(lifting->bans, only, lifting->group, prefix);
	covers = wider && (!only || !strcmp(only, wider->list));
	if (lifting->lifted == before && lifting->singly && !covers)
		fprintf(lifting->said,
			only ? "%s: is not banned by list %s\n" : "%s: is not banned\n", text,
			only);
	if (covers)
		say_covered(lifting, wider, text);
	else if (wider)
		say_still(lifting, wider, text);
	if (!lifting->singly)
		return;
	say_inside(lifting, prefix, text);
	if (bans_denied(lifting->bans, prefix))
		fprintf(lifting->said, "%s: is denied: %s is in a group of deny in the site file\n",
			text, prefix_format(bans_denied(lifting->bans, prefix), denied));
}

static void lift_all(struct lifting *lifting)
{
	const char *only = lifting->options->list;

	for (size_t i = 0; i < lifting->bans->file.set.count; i++) {
		const struct ban *ban = &lifting->bans->file.set.ban[i];

		if (ban_holds(ban, (__u32)lifting->bans->clock.boot) &&
		    (!only || !strcmp(only, ban->list)))
			lifting->lifted++;
	}
	if (lifting->options->park)
		ban_line_park(only, true, lifting->lines);
	else
		ban_line_clear(only ?: "", lifting->lines);
}

/* Writes a line to the journal if any ban was lifted. */
static void record_unban(const struct lifting *lifting, const struct group *group)
{
	const struct options *options = lifting->options;
	__cleanup(caller_free) struct caller caller = {};
	__free_text char *told = group->prefixes ?
					 prefixes_told(group->prefix, group->prefixes) :
					 xasprintf("all of them, %zu bans", lifting->lifted);

	options->answer->admitted = lifting->lifted;
	if (!lifting->lifted)
		return;
	caller_find(&caller);
	record_admission(&(struct admission){.action = "unban",
					     .list = options->list,
					     .what = told,
					     .comment = options->comment},
			 &caller);
}

static int unban(struct lifting *lifting, const struct group *group)
{
	char *lines = NULL, *said = NULL;
	size_t length = 0, said_length = 0;
	int err = bans_load(lifting->bans);

	if (err)
		return EXIT_FAILED;
	lifting->group = group;
	lifting->lines = open_memstream(&lines, &length);
	lifting->said = open_memstream(&said, &said_length);
	if (!lifting->lines || !lifting->said)
		return EXIT_FAILED;
	ban_set_lists(&lifting->bans->file.set, &lifting->lists);
	if (lifting->options->all || lifting->options->park)
		lift_all(lifting);
	for (size_t i = 0; i < group->prefixes; i++)
		lift(lifting, &group->prefix[i]);
	if (lifting->stills > SAID_SINGLY)
		fprintf(lifting->said, "and %zu more are still banned\n",
			lifting->stills - SAID_SINGLY);
	fclose(lifting->lines);
	fclose(lifting->said);
	if (length && lifting->bans->file.set.count)
		err = bans_change(lifting->bans, lines, length,
				  lifting->options->all || lifting->options->park);
	if (!err)
		fputs(said, stdout);
	if (!err)
		record_unban(lifting, group);
	if (!err && !lifting->singly)
		say_line("%zu %s lifted", lifting->lifted, lifting->lifted == 1 ? "ban" : "bans");
	free(lines);
	free(said);
	names_free(&lifting->lists);
	return err || lifting->covered ? EXIT_FAILED : EXIT_DONE;
}

int command_unban(const struct options *options, struct diag *diag)
{
	__cleanup(group_clear) struct group group = {};
	__cleanup(hooks_free) struct hooks hooks = {};
	__cleanup(bans_close) struct bans bans = {.table = BAN_TABLE_NONE};
	struct lifting lifting = {.options = options, .bans = &bans};
	__close_fd int lock = -1;

	if (!options->arguments.count == !(options->all || options->park)) {
		error("unban: give prefixes, @FILE or -, or else --all");
		return EXIT_USAGE;
	}
	if (options->park && !options->list) {
		error("unban: --park is about a whole list: portcullis unban --list NAME --park");
		return EXIT_USAGE;
	}
	if (list_word_check("unban", options->list))
		return EXIT_USAGE;
	if (read_prefixes(options, "unban", &group, diag))
		return prefix_words_wrong(&options->arguments);
	if (kernel_privileged("unban") || open_bans(&hooks, &lock, &bans))
		return EXIT_FAILED;
	lifting.singly = !options->all && !options->park && group.prefixes <= SAID_SINGLY;
	return unban(&lifting, &group);
}
