// SPDX-License-Identifier: GPL-2.0
/* The command line: a table of commands gives dispatch and help. */
#include <errno.h>
#include <locale.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/base/utf8.h"
#include "loader/command/apply.h"
#include "loader/command/attach.h"
#include "loader/command/check.h"
#include "loader/command/completion.h"
#include "loader/command/confirm.h"
#include "loader/command/counters.h"
#include "loader/command/detach.h"
#include "loader/command/doctor.h"
#include "loader/command/flows.h"
#include "loader/command/privileges.h"
#include "loader/command/profiles.h"
#include "loader/command/show.h"
#include "loader/command/status.h"
#include "loader/command/swap.h"
#include "loader/command/takeover.h"
#include "loader/net/link.h"

/* What makes a rule set, and where its words come from. */
#define A_RECIPE \
	(OPTIONS_RECIPE | OPTIONS_STRICT | OPTIONS_CATALOG | OPTIONS_SITE | OPTIONS_DRY_RUN)

static const struct command command_table[] = {
	{"profiles", "", "List the profiles of the catalog", OPTIONS_CATALOG | OPTIONS_JSON,
	 COMMAND_FILES, command_profiles},
	{"show", "PROFILE... | --iface IFACE",
	 "Show the services of profiles, open or closed, and why",
	 A_RECIPE | OPTIONS_MODE | OPTIONS_SHOW | OPTIONS_JSON, COMMAND_FILES, command_show},
	{"check", "[FILE or DIR...]", "Check profiles and site files",
	 OPTIONS_CATALOG | OPTIONS_JSON | OPTIONS_SITE, COMMAND_FILES, command_check},
	{"attach", "IFACE... -p PROFILE[,PROFILE]",
	 "Attach the filter to interfaces, to all of them or none",
	 A_RECIPE | OPTIONS_ATTACH | OPTIONS_MODE | OPTIONS_CONFIRM | OPTIONS_FORCE,
	 COMMAND_CHANGE | COMMAND_INTERFACES, command_attach},
	{"swap", "IFACE... [-p PROFILE[,PROFILE]]",
	 "Replace the active rule set atomically; settings that are not given stay",
	 A_RECIPE | OPTIONS_SWAP | OPTIONS_CONFIRM | OPTIONS_FORCE,
	 COMMAND_CHANGE | COMMAND_INTERFACES, command_swap},
	{"apply", "[IFACE...]", "Apply the site file, or its part for these interfaces",
	 OPTIONS_APPLY | OPTIONS_SITE | OPTIONS_STRICT | OPTIONS_CATALOG | OPTIONS_CONFIRM |
		 OPTIONS_FORCE | OPTIONS_DRY_RUN,
	 COMMAND_CHANGE | COMMAND_INTERFACES, command_apply},
	{"confirm", "[IFACE...]", "Confirm a pending change", OPTIONS_SITE | OPTIONS_FORCE,
	 COMMAND_CHANGE | COMMAND_INTERFACES, command_confirm},
	{"detach", "IFACE...", "Remove the filter from interfaces", 0,
	 COMMAND_CHANGE | COMMAND_INTERFACES, command_detach},
	{"takeover", "[IFACE...]",
	 "After an upgrade: run this version's programs, with the same rules", 0,
	 COMMAND_CHANGE | COMMAND_INTERFACES, command_takeover},
	{"status", "[IFACE...]", "Show the attached filters", OPTIONS_JSON,
	 COMMAND_LOOK | COMMAND_INTERFACES, command_status},
	{"counters", "[IFACE...]", "Show the counters of each port",
	 OPTIONS_COUNTERS | OPTIONS_JSON, COMMAND_LOOK | COMMAND_INTERFACES, command_counters},
	{"flows", "[IFACE...]", "Show the learned flows", OPTIONS_JSON,
	 COMMAND_LOOK | COMMAND_INTERFACES, command_flows},
	{"doctor", "[IFACE]", "Find what is wrong, and suggest a command to fix it",
	 OPTIONS_SITE | OPTIONS_CATALOG | OPTIONS_JSON, COMMAND_LOOK | COMMAND_INTERFACES,
	 command_doctor},
};

static void usage(FILE *to)
{
	size_t i;

	fprintf(to,
		"portcullis COMMAND [options] [args]: enforce vendors' port lists in the network driver, using XDP\n\n");
	for (i = 0; i < ARRAY_SIZE(command_table); i++)
		fprintf(to, "  %-9s %-30s %s\n", command_table[i].name, command_table[i].arguments,
			command_table[i].summary);
	fprintf(to,
		"\nportcullis COMMAND --help lists a command's options; portcullis(8) is the manual.\n");
}

static int unknown(const char *word)
{
	const char *name[ARRAY_SIZE(command_table)];
	__free_text char *shown = text_printable(word);
	const char *near;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(command_table); i++)
		name[i] = command_table[i].name;
	near = nearest(word, name, ARRAY_SIZE(name));
	error("%s: no such command; %s%s%s", shown, near ? "did you mean '" : "see ",
	      near ?: "portcullis --help", near ? "'?" : "");
	return EXIT_USAGE;
}

static int run(const struct command *command, int argc, char **argv)
{
	__cleanup(options_free) struct options options;
	__cleanup(diag_free) struct diag diag = {};
	int code;

	switch (options_parse(command, argc, argv, &options)) {
	case OPTIONS_DONE: return EXIT_DONE;
	case OPTIONS_WRONG: return EXIT_USAGE;
	case OPTIONS_RUN: break;
	}
	if (privileges_drop(command->name,
			    options.interface ? COMMAND_LOOK : command->flags & COMMAND_USE))
		return EXIT_FAILED;
	if (command->flags & COMMAND_INTERFACES)
		link_real_names(&options.arguments);
	code = command->run(&options, &diag);
	diag_print(&diag, stderr);
	return code;
}

/* Not in the help: shells run it, at each tab. */
static int complete(int argc, char **argv)
{
	if (privileges_drop("complete", COMMAND_FILES))
		return EXIT_FAILED;
	completion_print(command_table, ARRAY_SIZE(command_table), argv, (size_t)argc);
	return EXIT_DONE;
}

static int dispatch(int argc, char **argv)
{
	size_t i;

	if (argc < 2) {
		usage(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		usage(stdout);
		return EXIT_DONE;
	}
	if (!strcmp(argv[1], "--version")) {
		printf("portcullis " PORTCULLIS_VERSION "\n");
		return EXIT_DONE;
	}
	if (!strcmp(argv[1], "complete"))
		return complete(argc - 2, argv + 2);
	for (i = 0; i < ARRAY_SIZE(command_table); i++)
		if (!strcmp(argv[1], command_table[i].name))
			return run(&command_table[i], argc - 1, argv + 1);
	return unknown(argv[1]);
}

int main(int argc, char **argv)
{
	int code;

	setlocale(LC_CTYPE, "");
	code = dispatch(argc, argv);
	/* A full disk must not pass for success; an error of an earlier write has left no errno. */
	errno = EIO;
	if (fflush(stdout) || ferror(stdout)) {
		error("cannot write: %s", strerror(errno));
		return EXIT_FAILED;
	}
	return code;
}
