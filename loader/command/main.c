// SPDX-License-Identifier: GPL-2.0
/* The command line: a table of commands gives dispatch and help. */
#include <errno.h>
#include <locale.h>
#include <malloc.h>
#include <string.h>

#include "loader/base/invoker.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/base/utf8.h"
#include "loader/command/apply.h"
#include "loader/command/attach.h"
#include "loader/command/audit.h"
#include "loader/command/ban.h"
#include "loader/command/bans.h"
#include "loader/command/check.h"
#include "loader/command/completion.h"
#include "loader/command/confirm.h"
#include "loader/command/counters.h"
#include "loader/command/detach.h"
#include "loader/command/doctor.h"
#include "loader/command/drops.h"
#include "loader/command/explain.h"
#include "loader/command/export.h"
#include "loader/command/flows.h"
#include "loader/command/grant.h"
#include "loader/command/groups.h"
#include "loader/command/help.h"
#include "loader/command/history.h"
#include "loader/command/metrics.h"
#include "loader/command/monitor.h"
#include "loader/command/monitor_output.h"
#include "loader/command/privileges.h"
#include "loader/command/profiles.h"
#include "loader/command/replay.h"
#include "loader/command/rollback.h"
#include "loader/command/show.h"
#include "loader/command/status.h"
#include "loader/command/suggest.h"
#include "loader/command/swap.h"
#include "loader/command/takeover.h"
#include "loader/command/top.h"
#include "loader/net/link.h"
#include "loader/report/answer.h"

/* The options that describe a rule set, and the sources of profiles and groups. */
#define A_RECIPE \
	(OPTIONS_RECIPE | OPTIONS_STRICT | OPTIONS_CATALOG | OPTIONS_SITE | OPTIONS_DRY_RUN)

/* In the order of help: the groups one after the other. */
static const struct command command_table[] = {
	{"suggest", COMMAND_START, "[IFACE...]",
	 "Print a site file for this host, with the reason of each line",
	 OPTIONS_SUGGEST | OPTIONS_CATALOG | OPTIONS_JSON, COMMAND_LOOK | COMMAND_INTERFACES,
	 .run = command_suggest},
	{"profiles", COMMAND_START, "[WORD...]",
	 "List the profiles of the catalog, or those with these words or ports",
	 OPTIONS_CATALOG | OPTIONS_JSON, COMMAND_FILES, .run = command_profiles},
	{"show", COMMAND_START, "PROFILE... | --iface IFACE",
	 "Show the services of profiles, open or closed, and why",
	 A_RECIPE | OPTIONS_MODE | OPTIONS_SHOW | OPTIONS_JSON, COMMAND_FILES, .run = command_show},
	{"check", COMMAND_START, "[FILE or DIR...]", "Check profiles and site files",
	 OPTIONS_CATALOG | OPTIONS_JSON | OPTIONS_SITE | OPTIONS_STRICT, COMMAND_FILES,
	 .run = command_check},
	{"apply", COMMAND_EDIT, "[IFACE...]",
	 "Apply the site file, or its part for these interfaces",
	 OPTIONS_APPLY | OPTIONS_SITE | OPTIONS_STRICT | OPTIONS_CATALOG | OPTIONS_CONFIRM |
		 OPTIONS_FORCE | OPTIONS_DRY_RUN | OPTIONS_JSON | OPTIONS_COMMENT,
	 COMMAND_CHANGE | COMMAND_INTERFACES, .run = command_apply},
	{"attach", COMMAND_EDIT, "IFACE... -p PROFILE[,PROFILE]",
	 "Attach the filter to interfaces, to all of them or none",
	 A_RECIPE | OPTIONS_MACHINE | OPTIONS_ATTACH | OPTIONS_MODE | OPTIONS_CONFIRM |
		 OPTIONS_FORCE | OPTIONS_JSON | OPTIONS_COMMENT,
	 COMMAND_CHANGE | COMMAND_INTERFACES, .run = command_attach},
	{"swap", COMMAND_EDIT, "[IFACE...] [-p PROFILE[,PROFILE]]",
	 "Replace the rule set atomically; settings that are not given stay",
	 A_RECIPE | OPTIONS_MACHINE | OPTIONS_SWAP | OPTIONS_CONFIRM | OPTIONS_FORCE |
		 OPTIONS_JSON | OPTIONS_COMMENT,
	 COMMAND_CHANGE | COMMAND_INTERFACES, .run = command_swap},
	{"confirm", COMMAND_EDIT, "[IFACE...]", "Confirm a pending change",
	 OPTIONS_SITE | OPTIONS_FORCE | OPTIONS_JSON | OPTIONS_COMMENT,
	 COMMAND_CHANGE | COMMAND_INTERFACES, .run = command_confirm},
	{"rollback", COMMAND_EDIT, "[N] [IFACE...]",
	 "Undo a pending or the last change, or go back to after change N",
	 OPTIONS_SITE | OPTIONS_CONFIRM | OPTIONS_FORCE | OPTIONS_DRY_RUN | OPTIONS_JSON |
		 OPTIONS_COMMENT,
	 COMMAND_CHANGE | COMMAND_INTERFACES, .run = command_rollback},
	{"detach", COMMAND_EDIT, "IFACE... | --all", "Remove the filter from interfaces",
	 OPTIONS_DETACH | OPTIONS_JSON | OPTIONS_COMMENT, COMMAND_CHANGE | COMMAND_INTERFACES,
	 .run = command_detach},
	{"status", COMMAND_VIEW, "[IFACE...]", "Show the attached filters", OPTIONS_JSON,
	 COMMAND_LOOK | COMMAND_INTERFACES, .run = command_status},
	{"counters", COMMAND_VIEW, "[IFACE...]", "Show the counters of each port",
	 OPTIONS_COUNTERS | OPTIONS_JSON, COMMAND_LOOK | COMMAND_INTERFACES,
	 .run = command_counters},
	{"drops", COMMAND_VIEW, "[IFACE...]", "Show recent drops by source, port and reason",
	 OPTIONS_SELECT | OPTIONS_DROPS | OPTIONS_JSON, COMMAND_LOOK | COMMAND_INTERFACES,
	 .run = command_drops,
	 .examples = {"--port 5060/udp --by source", "--source 198.51.100.7 --since 12h"}},
	{"monitor", COMMAND_VIEW, "[IFACE...] [FILTER]",
	 "Show packets as they are dropped, until Ctrl-C",
	 OPTIONS_MONITOR | OPTIONS_SELECT | OPTIONS_JSON, COMMAND_LOOK, .run = command_monitor,
	 .examples = {"--source 198.51.100.7", "--all --port 5060/udp --count 20",
		      "eth0 udp and not port 53"}},
	{"top", COMMAND_VIEW, "[IFACE...]",
	 "Show services, reasons and sources by rate, full-screen", OPTIONS_TOP,
	 COMMAND_LOOK | COMMAND_INTERFACES | COMMAND_KEYS, .run = command_top},
	{"explain", COMMAND_VIEW, "[IFACE] REMOTE PORT/PROTO",
	 "Show whether a packet passes, why, and how to open its port",
	 OPTIONS_EXPLAIN | OPTIONS_RECIPE | OPTIONS_SWAP | OPTIONS_CATALOG | OPTIONS_SITE |
		 OPTIONS_JSON,
	 COMMAND_LOOK | COMMAND_INTERFACES, .run = command_explain,
	 .examples = {"198.51.100.7 25/tcp", "198.51.100.7 --icmp 8"}},
	{"flows", COMMAND_VIEW, "[IFACE...]", "Show the learned flows", OPTIONS_JSON,
	 COMMAND_LOOK | COMMAND_INTERFACES, .run = command_flows},
	{"ban", COMMAND_ADMIT, "PREFIX... | @FILE | -", "Ban sources: drop every packet from them",
	 OPTIONS_BAN | OPTIONS_BANS | OPTIONS_END | OPTIONS_COMMENT | OPTIONS_JSON, COMMAND_CHANGE,
	 .run = command_ban},
	{"unban", COMMAND_ADMIT, "PREFIX... | @FILE | - | --all", "Lift bans",
	 OPTIONS_UNBAN | OPTIONS_BANS | OPTIONS_COMMENT | OPTIONS_JSON, COMMAND_CHANGE,
	 .run = command_unban},
	{"bans", COMMAND_ADMIT, "", "Show bans: list, prefix, since, until, by, comment, drops",
	 OPTIONS_BANS | OPTIONS_JSON, COMMAND_LOOK, .run = command_bans},
	{"grant", COMMAND_ADMIT, "GROUP PREFIX... | @FILE | -",
	 "Add members to a group, for a time", OPTIONS_END | OPTIONS_COMMENT | OPTIONS_JSON,
	 COMMAND_CHANGE, .run = command_grant},
	{"revoke", COMMAND_ADMIT, "GROUP PREFIX... | @FILE | -",
	 "Remove the members that `grant` added", OPTIONS_COMMENT | OPTIONS_JSON, COMMAND_CHANGE,
	 .run = command_revoke},
	{"groups", COMMAND_ADMIT, "[GROUP...]",
	 "Show groups, their prefixes, and the services open to them",
	 OPTIONS_SITE | OPTIONS_JSON | OPTIONS_GROUPS, COMMAND_LOOK, .run = command_groups},
	{"doctor", COMMAND_VERIFY, "[IFACE]", "Find problems, and suggest a command to fix each",
	 OPTIONS_SITE | OPTIONS_CATALOG | OPTIONS_JSON | OPTIONS_STRICT,
	 COMMAND_LOOK | COMMAND_INTERFACES, .run = command_doctor},
	{"audit", COMMAND_VERIFY, "[IFACE...]",
	 "Compare open ports with the ports that listen and are used", OPTIONS_AUDIT | OPTIONS_JSON,
	 COMMAND_LOOK | COMMAND_INTERFACES, .run = command_audit},
	{"history", COMMAND_VERIFY, "[IFACE...] | N [M]",
	 "Show who changed what, when and why; change N; N to M", OPTIONS_HISTORY | OPTIONS_JSON,
	 COMMAND_LOOK | COMMAND_INTERFACES, .run = command_history},
	{"export", COMMAND_TOOL, "site | nftables",
	 "Print the live filters as a site file, or for nft", OPTIONS_SITE, COMMAND_LOOK,
	 .run = command_export},
	{"metrics", COMMAND_TOOL, "[IFACE...]", "Print the counters for Prometheus (OpenMetrics)",
	 OPTIONS_METRICS, COMMAND_LOOK | COMMAND_INTERFACES, .run = command_metrics},
	{"replay", COMMAND_TOOL, "FILE [IFACE] [FILTER]",
	 "Show which packets of a capture the filter would drop",
	 OPTIONS_REPLAY | OPTIONS_RECIPE | OPTIONS_SWAP | OPTIONS_CATALOG | OPTIONS_SITE |
		 OPTIONS_STRICT | OPTIONS_JSON,
	 COMMAND_LOOK, .run = command_replay},
	{"takeover", COMMAND_TOOL, "[IFACE...]",
	 "After an upgrade: run this version's programs, with the same rules", OPTIONS_COMMENT,
	 COMMAND_CHANGE | COMMAND_INTERFACES, .run = command_takeover},
};

static const struct command *find_command(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(command_table); i++)
		if (!strcmp(name, command_table[i].name))
			return &command_table[i];
	return NULL;
}

static int unknown(const char *word)
{
	struct names known = {};
	__free_text char *shown = text_printable(word);
	const char *near;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(command_table); i++)
		names_add(&known, command_table[i].name);
	near = nearest_name(word, &known);
	error("%s: no such command; %s%s%s", shown, near ? "did you mean '" : "see ",
	      near ?: "portcullis --help", near ? "'?" : "");
	names_free(&known);
	return EXIT_USAGE;
}

/*
 * What the command does with these options, which may need more or fewer privileges than its row
 * says.
 */
static enum command_flags use_of(const struct command *command, const struct options *options)
{
	if (options->interface)
		return COMMAND_LOOK;
	if (options->root)
		return COMMAND_FILES;
	return options->clear || options->refresh ? COMMAND_CHANGE : command->flags & COMMAND_USE;
}

/* For root, "Permission denied" needs an explanation. */
static void explain_denied(struct diag *diag)
{
	bool denied = false;

	for (size_t i = 0; i < diag->count; i++)
		denied |= diag->entry[i].err == -EACCES;
	if (denied)
		diag_warning_fix(
			diag, NULL, "run it in a shell of root: sudo -i",
			"files are read with the rights of the user who called sudo, since messages quote lines");
}

static int run(const struct command *command, int argc, char **argv)
{
	__cleanup(options_free) struct options options;
	__cleanup(diag_free) struct diag diag = {};
	struct answer answer;
	int code, caller = 0;

	switch (options_parse(command, argc, argv, &options)) {
	case OPTIONS_HELP: help_options(command, stdout); return EXIT_DONE;
	case OPTIONS_WRONG: return EXIT_USAGE;
	case OPTIONS_RUN: break;
	}
	/* These commands need no privilege, and print lines of files that they read. */
	if (use_of(command, &options) == COMMAND_FILES)
		caller = invoker_become();
	if (caller < 0)
		return EXIT_FAILED;
	if (options.write && monitor_open_file(&options))
		return EXIT_FAILED;
	if (privileges_drop(command->name, use_of(command, &options)))
		return EXIT_FAILED;
	if (command->flags & COMMAND_INTERFACES)
		link_real_names(&options.arguments);
	answer_begin(&answer, options.json && (command->flags & COMMAND_USE) == COMMAND_CHANGE,
		     options.dry_run || options.expect);
	options.answer = &answer;
	code = command->run(&options, &diag);
	if (caller)
		explain_denied(&diag);
	diag_report(&diag);
	if (code == EXIT_DONE && options.exit_code && answer_changes(&answer))
		code = EXIT_DIFFERS;
	answer_end(&answer, options.dry_run);
	return code;
}

/* Not in the help: shells run it at each tab. */
static int complete(int argc, char **argv)
{
	if (privileges_drop("complete", COMMAND_FILES))
		return EXIT_FAILED;
	completion_print(command_table, ARRAY_SIZE(command_table), argv, (size_t)argc);
	return EXIT_DONE;
}

static bool asks_help(const char *word)
{
	return !strcmp(word, "help") || !strcmp(word, "--help") || !strcmp(word, "-h");
}

/* `help`, `help COMMAND`, `help WORD`. */
static int help(int argc, char **argv)
{
	const struct command *command = argc ? find_command(argv[0]) : NULL;

	if (argc > 1) {
		error("help: takes one word, a command or a reason");
		return EXIT_USAGE;
	}
	if (command)
		return run(command, 2, (char *[]){argv[0], "--help", NULL});
	if (argc && !asks_help(argv[0]))
		return help_word(command_table, ARRAY_SIZE(command_table), argv[0]);
	help_usage(command_table, ARRAY_SIZE(command_table), stdout);
	return EXIT_DONE;
}

static int dispatch(int argc, char **argv)
{
	const struct command *command;

	if (argc < 2) {
		help_usage(command_table, ARRAY_SIZE(command_table), stderr);
		return EXIT_USAGE;
	}
	if (asks_help(argv[1]))
		return help(*argv[1] == '-' ? 0 : argc - 2, argv + 2);
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		printf("portcullis " PORTCULLIS_VERSION "\n");
		return EXIT_DONE;
	}
	if (!strcmp(argv[1], "complete"))
		return complete(argc - 2, argv + 2);
	command = find_command(argv[1]);
	return command ? run(command, argc - 1, argv + 1) : unknown(argv[1]);
}

#define LARGE (256 << 10) /* bytes from which on malloc uses a mapping of its own */

int main(int argc, char **argv)
{
	int code;

	setlocale(LC_CTYPE, "");
	/* Large tables come from the kernel as zero pages, and few of them are used. */
	mallopt(M_MMAP_THRESHOLD, LARGE);
	code = dispatch(argc, argv);
	/* Output to a full disk must not count as success. An error of an earlier write has left no
	 * errno. */
	errno = EIO;
	if (fflush(stdout) || ferror(stdout)) {
		error("cannot write: %s", strerror(errno));
		return EXIT_FAILED;
	}
	return code;
}
