// SPDX-License-Identifier: GPL-2.0
/* Parses the options of all commands, and prints their help. */
#include "loader/command/options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/base/utf8.h"
#include "loader/command/option_values.h"
#include "loader/recipe/ban_set.h"
#include "loader/recipe/site.h"
#include "loader/recipe/take_back.h"
#include "loader/report/drops.h"
#include "loader/report/text_metrics.h"

#define WATCH_LIMIT 86400 /* seconds, as the next one */
#define WAIT_LIMIT  3600
#define TOP_LIMIT   PC_PORTS
#define RATE_LIMIT  100000000
#define SPAN_LIMIT  315360000 /* seconds: ten years */

static option_store store_choice;

/* How a row's argument is stored, and in which field. */
#define AT(field)                                    \
	.field_at = offsetof(struct options, field), \
	.field_size = sizeof(((struct options *)0)->field)
#define FLAG(field)		.store = store_flag, AT(field)
#define CHOICE(field, number)	.store = store_choice, .value = number, AT(field)
#define WORD(field, first)	.store = store_word, .value = first, AT(field)
#define TEXT(field)		.store = store_text, AT(field)
#define COMMENT(field)		.store = store_comment, AT(field)
#define NAMES(field)		.store = store_names, AT(field)
#define NUMBER(field, from, to) .store = store_number, .least = from, .most = to, AT(field)
#define TIME(field, to)		.store = store_time, .least = 1, .most = to, AT(field)
#define MOMENT(field)		.store = store_moment, AT(field)
#define PREFIX(field)		.store = store_prefix, AT(field)
#define PORT(field)		.store = store_port, AT(field)
#define REASONS(field)		.store = store_reasons, AT(field)
#define MACHINE(field)		.store = store_machine, AT(field)

/* clang-format off */
static const struct option_row option_table[] = {
	{"profile", "PROFILE[,PROFILE]", "profiles to enforce; may be repeated",
	 OPTIONS_RECIPE, NAMES(profile), .letter = 'p', .add = recipe_profiles},
	{"open", "PORT/PROTO[=GROUP[,GROUP]]", "open one more port, to anyone or to these groups",
	 OPTIONS_RECIPE, NAMES(open), .add = recipe_open, .same = recipe_same_port},
	{"enable", "FEATURE", "turn a feature on: FEATURE or PROFILE:FEATURE",
	 OPTIONS_RECIPE, NAMES(enable), .add = recipe_enable},
	{"disable", "PROFILE:SERVICE", "close one service",
	 OPTIONS_RECIPE, NAMES(disable), .add = recipe_disable},
	{"from", "PROFILE:SERVICE=GROUP[,GROUP]", "admit only these groups to a service",
	 OPTIONS_RECIPE, NAMES(from), .add = recipe_from, .same = recipe_same_target},
	{"set", "PROFILE:SERVICE[:in|:out]=PORTS", "replace the ports of a service",
	 OPTIONS_RECIPE, NAMES(set), .add = recipe_set, .same = recipe_same_target},
	{"limit", "PROFILE:SERVICE=RATE", "how much one source may begin at a service, as in 20/s or 600/m",
	 OPTIONS_RECIPE, NAMES(limit), .add = recipe_limit, .same = recipe_same_target},
	{"group", "NAME=PREFIX[,PREFIX]", "define a group; or NAME=@FILE, NAME=- (stdin), a prefix a line",
	 OPTIONS_RECIPE, NAMES(group), .add = recipe_group, .same = recipe_same_target},
	{"observe", NULL, "drop nothing, count what would be dropped",
	 OPTIONS_RECIPE, CHOICE(policy, PC_POLICY_OBSERVE)},
	{"enforce", NULL, "drop what the profiles do not admit (the default)",
	 OPTIONS_RECIPE, CHOICE(policy, PC_POLICY_ENFORCE)},
	{"forward", NULL, "learn forwarded traffic too, and admit the replies to it",
	 OPTIONS_RECIPE, CHOICE(forward, true)},
	{"no-forward", NULL, "learn only what this host itself sends (the default)",
	 OPTIONS_RECIPE, CHOICE(forward, false)},
	{"outbound", "track|enforce", "count outgoing packets (the default), or drop those that no service lists",
	 OPTIONS_RECIPE, WORD(outbound, PC_OUTBOUND_TRACK)},
	{"echo-limit", "N", "echo requests a second on a CPU (100); 0: no limit",
	 OPTIONS_RECIPE, NUMBER(echo_limit, 0, PC_ECHO_LIMIT_MAX)},
	{"machine", "NAME[=PREFIX,...]", "a machine behind this host; the options after it apply to this machine",
	 OPTIONS_MACHINE, MACHINE(machine)},
	{"flows", "N", "size of the network namespace's tables of flows (65536)",
	 OPTIONS_ATTACH, NUMBER(flows, 1, PC_FLOWS_MAX)},
	{"confirm", "TIME", "undo the change unless `portcullis confirm` is run in time",
	 OPTIONS_CONFIRM, TIME(confirm, CONFIRM_LIMIT)},
	{"boot", NULL, "apply without waiting for confirmation; the lockout guard only warns",
	 OPTIONS_APPLY, FLAG(boot)},
	{"as", "NAME", "use the file's part for NAME, the name that udev will give the interface",
	 OPTIONS_APPLY, TEXT(as)},
	{"reload", NULL, "as systemctl reload does: confirmed profiles, each interface by itself",
	 OPTIONS_APPLY, FLAG(reload)},
	{"resumed", NULL, "after suspend: put the programs into their drivers again",
	 OPTIONS_APPLY, FLAG(resumed)},
	{"force", NULL, "proceed even if connected users would be locked out",
	 OPTIONS_FORCE, FLAG(force)},
	{"site", "FILE", "the site file (" SITE_FILE ")",
	 OPTIONS_SITE, TEXT(site)},
	{"wait", "TIME", "wait for missing interfaces, then go on without them",
	 OPTIONS_APPLY, TIME(wait, WAIT_LIMIT)},
	{"expect", "DIGEST", "apply only the difference that `apply --dry-run` showed with this digest",
	 OPTIONS_APPLY, TEXT(expect)},
	{"exit-code", NULL, "with --dry-run: exit 3 if something would change",
	 OPTIONS_APPLY, FLAG(exit_code)},
	{"comment", "TEXT", "the reason for the change, kept in the history and the journal",
	 OPTIONS_COMMENT, COMMENT(comment)},
	{"dry-run", NULL, "only show what would be done",
	 OPTIONS_DRY_RUN, FLAG(dry_run)},
	{"strict", NULL, "fail on warnings: a service whose group is undefined; apply, check, doctor: any",
	 OPTIONS_STRICT, FLAG(strict)},
	{"fresh", NULL, "start from these options alone, not from the interface's settings",
	 OPTIONS_SWAP, FLAG(fresh)},
	{"no-open", "PORT/PROTO", "close a port that --open opened",
	 OPTIONS_SWAP, NAMES(no_open), .take = recipe_no_open},
	{"no-enable", "FEATURE", "take back --enable FEATURE",
	 OPTIONS_SWAP, NAMES(no_enable), .take = recipe_no_enable},
	{"no-disable", "PROFILE:SERVICE", "take back --disable",
	 OPTIONS_SWAP, NAMES(no_disable), .take = recipe_no_disable},
	{"no-set", "PROFILE:SERVICE[:in|:out]", "take back --set: the ports of the profile",
	 OPTIONS_SWAP, NAMES(no_set), .take = recipe_no_set},
	{"no-from", "PROFILE:SERVICE", "take back --from: the groups of the profile",
	 OPTIONS_SWAP, NAMES(no_from), .take = recipe_no_from},
	{"no-limit", "PROFILE:SERVICE", "take back --limit",
	 OPTIONS_SWAP, NAMES(no_limit), .take = recipe_no_limit},
	{"no-group", "NAME", "take back --group NAME; a group of that name in the site file stays",
	 OPTIONS_SWAP, NAMES(no_group), .take = recipe_no_group},
	{"no-machine", "NAME", "remove a machine that is behind this one",
	 OPTIONS_SWAP, NAMES(no_machine), .take = recipe_no_machine},
	{"mode", "native|generic", "require this XDP mode",
	 OPTIONS_MODE, WORD(mode, HOOK_NATIVE)},
	{"iface", "IFACE", "show the filter of an interface",
	 OPTIONS_SHOW, TEXT(interface)},
	{"all", NULL, "also show listed ports that counted nothing",
	 OPTIONS_COUNTERS, FLAG(all)},
	{"all", NULL, "every filter of the network namespace",
	 OPTIONS_DETACH, FLAG(all)},
	{"top", "N", "show the N unlisted ports of each direction with the most drops (20; JSON: all)",
	 OPTIONS_COUNTERS, NUMBER(top, 0, TOP_LIMIT)},
	{"clear", NULL, "count from now on; `status` keeps the totals",
	 OPTIONS_COUNTERS, FLAG(clear)},
	{"watch", "TIME", "print again after each TIME, with rates",
	 OPTIONS_COUNTERS, TIME(watch, WATCH_LIMIT)},
	{"source", "PREFIX", "only packets from this prefix or address; outgoing ones to it",
	 OPTIONS_SELECT, PREFIX(source)},
	{"port", "PORT/PROTO", "only packets to this port of this host; outgoing ones to this remote port",
	 OPTIONS_SELECT, PORT(port)},
	{"reason", "REASON[,REASON]", "only drops for these reasons",
	 OPTIONS_SELECT, REASONS(reasons)},
	{"by", "source|prefix|port|reason", "one line for each source, prefix (/24, IPv6 /64), port or reason",
	 OPTIONS_DROPS, WORD(by, DROPS_BY_SOURCE)},
	{"since", "TIME", "only lines with a packet since then: a time ago (8h), 18:00, or RFC 3339",
	 OPTIONS_DROPS, MOMENT(since)},
	{"top", "N", "show only the first N lines: the latest, with --by those with the most packets",
	 OPTIONS_DROPS, NUMBER(top, 0, TOP_LIMIT)},
	{"clear", NULL, "remove all recorded drops, with their addresses",
	 OPTIONS_DROPS, FLAG(clear)},
	{"watch", "TIME", "print again after each TIME",
	 OPTIONS_DROPS, TIME(watch, WATCH_LIMIT)},
	{"all", NULL, "also show packets that pass, incoming and outgoing",
	 OPTIONS_MONITOR, FLAG(all)},
	{"count", "N", "end after N packets",
	 OPTIONS_MONITOR, NUMBER(count, 1, INT_MAX)},
	{"rate", "N", "at most N packets a second and CPU (1000); 0: no limit",
	 OPTIONS_MONITOR, NUMBER(rate, 0, RATE_LIMIT)},
	{"write", "FILE", "write pcapng with verdicts and reasons, instead of lines; -: to stdout",
	 OPTIONS_MONITOR, TEXT(write)},
	{"journal", NULL, "write to the journal, instead of lines",
	 OPTIONS_MONITOR, FLAG(journal)},
	{"local", "PREFIX[,PREFIX]", "the host's addresses in the capture (default: those of this host)",
	 OPTIONS_REPLAY, TEXT(local)},
	{"list", NULL, "also print each packet that would be dropped",
	 OPTIONS_REPLAY, FLAG(listing)},
	{"all", NULL, "with --list or --write: packets that pass, too",
	 OPTIONS_REPLAY, FLAG(all)},
	{"write", "FILE", "write these packets as pcapng, with verdicts and reasons; -: to stdout",
	 OPTIONS_REPLAY, TEXT(write)},
	{"exit-code", NULL, "exit 3 if a packet would be dropped",
	 OPTIONS_REPLAY, FLAG(exit_code)},
	{"root", "DIR", "read the files of another host: a mounted disk, a copy of its folders, or a .reg",
	 OPTIONS_SUGGEST, TEXT(root)},
	{"replay", "FILE", "use this capture as evidence, instead of the counters and drops of a filter",
	 OPTIONS_SUGGEST, TEXT(capture)},
	{"local", "PREFIX[,PREFIX]", "the host's addresses in the capture (default: those of this host)",
	 OPTIONS_SUGGEST, TEXT(local)},
	{"strict", NULL, "exit 1 if a product's configuration could not be read",
	 OPTIONS_SUGGEST, FLAG(strict)},
	{"strict", NULL, "exit 1 if there is a finding",
	 OPTIONS_AUDIT, FLAG(strict)},
	{"report", NULL, "evidence: each open port with its list, groups, exceptions and who confirmed them",
	 OPTIONS_AUDIT, FLAG(evidence)},
	{"watch", "TIME", "read the counters after each TIME (2)",
	 OPTIONS_TOP, TIME(watch, WATCH_LIMIT)},
	{"source-port", "PORT", "the port of the side that opens the connection (50000)",
	 OPTIONS_EXPLAIN, NUMBER(source_port, 1, 65535)},
	{"flags", "FLAG[,FLAG]", "TCP flags: syn (the default), ack, fin, rst, psh, urg, or none",
	 OPTIONS_EXPLAIN, TEXT(flags)},
	{"icmp", "TYPE[/CODE]", "an ICMP packet; with PORT/PROTO, an error that quotes a packet sent from that port",
	 OPTIONS_EXPLAIN, TEXT(icmp)},
	{"protocol", "NAME", "another IP protocol, which has no port",
	 OPTIONS_EXPLAIN, TEXT(protocol)},
	{"machine", "NAME", "a packet to or from this machine behind the interface",
	 OPTIONS_EXPLAIN, TEXT(machine_name)},
	{"local", "ADDRESS", "this host's address (that from which it would answer)",
	 OPTIONS_EXPLAIN, TEXT(local)},
	{"out", NULL, "a packet that this host sends to REMOTE",
	 OPTIONS_EXPLAIN, FLAG(out)},
	{"exit-code", NULL, "exit 3 if the packet is dropped",
	 OPTIONS_EXPLAIN, FLAG(exit_code)},
	{"since", "TIME", "only changes since then: a time ago (8h), 18:00, or RFC 3339",
	 OPTIONS_HISTORY, MOMENT(since)},
	{"port", "PORT/PROTO", "only changes that opened, closed or changed this port",
	 OPTIONS_HISTORY, PORT(port)},
	{"list", "NAME", "the list of bans (" BAN_LIST_DEFAULT "); unban and bans: only this list",
	 OPTIONS_BANS, TEXT(list)},
	{"replace", NULL, "replace the list with these prefixes, all or nothing",
	 OPTIONS_BAN, FLAG(replace)},
	{"for", "TIME", "end after this time, as in 90, 10m or 7d",
	 OPTIONS_END, TIME(span, SPAN_LIMIT)},
	{"until", "TIME", "end at this time: 18:00, or RFC 3339",
	 OPTIONS_END, TEXT(until)},
	{"force", NULL, "ban even your own session, an administrator, a gateway, or a wide prefix",
	 OPTIONS_BAN, FLAG(force)},
	{"resume", NULL, "put the bans of a list in force again that `unban --park` lifted",
	 OPTIONS_BAN, FLAG(take_up)},
	{"all", NULL, "all bans of the list, or of every list",
	 OPTIONS_UNBAN, FLAG(all)},
	{"park", NULL, "lift all bans of the list, but keep them for `ban --resume`",
	 OPTIONS_UNBAN, FLAG(park)},
	{"catalog", "DIR", "search this folder for profiles first; may be repeated",
	 OPTIONS_CATALOG, NAMES(catalog)},
	{"refresh", "dns|file", "update groups of the running filters by DNS, or from changed group files",
	 OPTIONS_GROUPS, WORD(refresh, GROUPS_DNS)},
	{"format", "openmetrics|text", "text: for promtool, and node_exporter's textfile collector",
	 OPTIONS_METRICS, WORD(format, METRICS_OPEN)},
	{"http", NULL, "answer one HTTP request, on stdin and stdout", OPTIONS_METRICS, FLAG(http)},
	{"json", NULL, "print JSON", OPTIONS_JSON, FLAG(json)},
	{"help", NULL, "print this", OPTIONS_ALWAYS, .letter = 'h'},
};
/* clang-format on */

static bool takes(const struct command *command, const struct option_row *row)
{
	return row->group == OPTIONS_ALWAYS || command->takes & row->group;
}

bool options_of_plan(const struct command *command, const struct option_row *row)
{
	return command->takes & (OPTIONS_EXPLAIN | OPTIONS_REPLAY) &&
	       row->group & (OPTIONS_RECIPE | OPTIONS_SWAP | OPTIONS_SITE | OPTIONS_CATALOG);
}

static const struct option_row *next_of(const struct command *command, const struct option_row *row,
					bool of_plan)
{
	const struct option_row *end = option_table + ARRAY_SIZE(option_table);

	for (; row < end; row++)
		if (takes(command, row) && options_of_plan(command, row) == of_plan)
			return row;
	return NULL;
}

const struct option_row *options_next(const struct command *command, const struct option_row *row)
{
	bool of_plan = row && options_of_plan(command, row);
	const struct option_row *next = next_of(command, row ? row + 1 : option_table, of_plan);

	return next || of_plan ? next : next_of(command, option_table, true);
}

/* Sets an int to row->value. Two options that set it to different values contradict each other. */
static int store_choice(const struct option_given *given)
{
	const struct option_row *row = given->row, *other = NULL;
	int *value = given->field;

	if (*value < 0 || *value == row->value) {
		*value = row->value;
		return 0;
	}
	while ((other = options_next(given->command, other)))
		if (other->field_at == row->field_at && other->value == *value)
			break;
	error("%s: give either --%s or --%s, not both", given->command->name,
	      other < row ? other->name : row->name, other < row ? row->name : other->name);
	return -EINVAL;
}

/* An option that, after --machine, belongs to a machine's recipe. */
static bool is_of_machine(const struct option_row *row)
{
	return row->add || (row->take && row->take != recipe_no_machine) ||
	       row->field_at == offsetof(struct options, policy) ||
	       row->field_at == offsetof(struct options, outbound);
}

/* The field of a row. */
static void *field_of(const struct options *options, const struct option_row *row)
{
	return (char *)options + row->field_at;
}

/*
 * Stores an option for the last machine, or for the command. Options about the interface are
 * refused after --machine, because they would look as if they were about the machine.
 */
static int store_in_order(const struct command *command, struct options *options,
			  const struct option_row *row, const char *text)
{
	bool of_machine = options->machines && row->group & (OPTIONS_RECIPE | OPTIONS_SWAP);
	struct options *to = of_machine ? options->machine[options->machines - 1].options : options;

	if (!of_machine || is_of_machine(row))
		return row->store(&(struct option_given){
			.command = command,
			.row = row,
			.options = to,
			.field = field_of(to, row),
			.text = text,
		});
	error("%s: --%s is about the interface; give it before --machine", command->name,
	      row->name);
	return -EINVAL;
}

/* Reports an option that getopt rejects: unknown, not this command's, or without its argument. */
static void report_wrong(const struct command *command, const char *word, bool missing)
{
	const char *name[ARRAY_SIZE(option_table)];
	__free_text char *shown = text_printable(word);
	const struct option_row *row = NULL;
	size_t count = 0;
	const char *near;

	if (missing) {
		error("%s: %s needs an argument; see portcullis %s --help", command->name, shown,
		      command->name);
		return;
	}
	if (command->takes & OPTIONS_EXPLAIN && !strncmp(word, "--port", strlen("--port"))) {
		option_explain_word(command);
		return;
	}
	while ((row = options_next(command, row)))
		name[count++] = row->name;
	near = strncmp(word, "--", 2) ? NULL : nearest(word + 2, name, count);
	error("%s: unknown option '%s'%s%s; see portcullis %s --help", command->name, shown,
	      near ? "; did you mean --" : "", near ? near : "", command->name);
}

/* The value that getopt returns for a row: above ':' and '?', and all letters. */
#define ROW_VALUE 256

/* Fills what getopt needs: `option` for the names, `letters` for the short ones. */
static void build_table(const struct command *command, struct option *option, char *letters)
{
	const struct option_row *row = NULL;

	*letters++ = ':';
	while ((row = options_next(command, row))) {
		*option++ = (struct option){
			.name = row->name,
			.has_arg = row->argument ? required_argument : no_argument,
			.val = ROW_VALUE + (int)(row - option_table),
		};
		if (!row->letter)
			continue;
		*letters++ = row->letter;
		if (row->argument)
			*letters++ = ':';
	}
	*option = (struct option){};
	*letters = '\0';
}

static const struct option_row *row_of(const struct command *command, int value)
{
	const struct option_row *row = NULL;

	if (value >= ROW_VALUE)
		return &option_table[value - ROW_VALUE];
	while ((row = options_next(command, row)))
		if (row->letter == value)
			break;
	return row;
}

enum options_result options_parse(const struct command *command, int argc, char **argv,
				  struct options *options)
{
	struct option option[ARRAY_SIZE(option_table) + 1];
	char letters[2 * ARRAY_SIZE(option_table) + 2];
	int value;

	*options = OPTIONS_NONE;
	build_table(command, option, letters);
	optind = 0; /* 0 starts a new scan; 1 would continue within the last scan's word */
	opterr = 0;
	while ((value = getopt_long(argc, argv, letters, option, NULL)) != -1) {
		const struct option_row *row;

		if (value == '?' || value == ':') {
			const char letter[] = {'-', (char)optopt, '\0'};
			/* it is one of several letters in one word */
			bool is_letter = optopt && optopt < ROW_VALUE;

			report_wrong(command, is_letter ? letter : argv[optind - 1], value == ':');
			return OPTIONS_WRONG;
		}
		row = row_of(command, value);
		if (!row->store)
			return OPTIONS_HELP;
		if (store_in_order(command, options, row, optarg))
			return OPTIONS_WRONG;
	}
	for (; optind < argc; optind++)
		names_add(&options->arguments, argv[optind]);
	return OPTIONS_RUN;
}

static bool is_given(const struct options *options, const struct option_row *row)
{
	const void *field = field_of(options, row);

	return row->store == store_choice ?
		       *(const int *)field == row->value :
		       memcmp(field, field_of(&OPTIONS_NONE, row), row->field_size) != 0;
}

const char *options_given(const struct options *options, unsigned int groups)
{
	for (size_t i = 0; i < ARRAY_SIZE(option_table); i++)
		if (option_table[i].group & groups && is_given(options, &option_table[i]))
			return option_table[i].name;
	return NULL;
}

void options_free(struct options *options)
{
	names_free(&options->arguments);
	for (size_t i = 0; i < ARRAY_SIZE(option_table); i++)
		if (option_table[i].store == store_names)
			names_free(field_of(options, &option_table[i]));
	for (size_t i = 0; i < options->machines; i++) {
		options_free(options->machine[i].options);
		free(options->machine[i].options);
	}
	free(options->machine);
}

int options_take_back(const struct options *options, struct recipe *recipe, struct diag *diag)
{
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(option_table); i++) {
		const struct option_row *row = &option_table[i];
		const struct names *given = field_of(options, row);

		for (size_t j = 0; row->take && j < given->count; j++)
			if (row->take(recipe, given->name[j], diag))
				err = -EINVAL;
	}
	return err;
}

/* The word `at` conflicts with an earlier word about the same object: only one would count. */
static int check_repeated(const struct option_row *row, const struct names *given, size_t at,
			  struct diag *diag)
{
	__free_text char *option = xasprintf("--%s", row->name);

	for (size_t i = 0; row->same && i < at; i++) {
		if (!row->same(given->name[i], given->name[at]))
			continue;
		diag_error(diag, &(struct place){.file = option},
			   "'%s' and '%s' are about the same; give one of them", given->name[i],
			   given->name[at]);
		return -EINVAL;
	}
	return 0;
}

int options_apply(const struct options *options, struct recipe *recipe, struct diag *diag)
{
	int err = 0;

	if (options->profile.count)
		names_free(&recipe->profiles);
	for (size_t i = 0; i < ARRAY_SIZE(option_table); i++) {
		const struct option_row *row = &option_table[i];
		const struct names *given = field_of(options, row);

		for (size_t j = 0; row->add && j < given->count; j++)
			if (check_repeated(row, given, j, diag) ||
			    row->add(recipe, given->name[j], diag))
				err = -EINVAL;
	}
	if (options->policy >= 0)
		recipe->policy = options->policy;
	if (options->outbound >= 0)
		recipe->outbound = options->outbound;
	if (options->forward >= 0)
		recipe->forward = options->forward;
	if (options->echo_limit >= 0)
		recipe_limit_echo(recipe, options->echo_limit);
	return err;
}
