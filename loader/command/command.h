/* SPDX-License-Identifier: GPL-2.0 */
/* A row of the table of commands, and the exit codes. */
#ifndef PORTCULLIS_COMMAND_COMMAND_H
#define PORTCULLIS_COMMAND_COMMAND_H

#include "loader/base/diag.h"

struct options;

/* What a command does decides which of root's capabilities it keeps (privileges.h). */
enum command_flags {
	COMMAND_FILES = 1,	/* reads the catalog */
	COMMAND_LOOK = 2,	/* reads what is attached, too */
	COMMAND_CHANGE = 3,	/* changes what is attached, too */
	COMMAND_USE = 3,	/* mask of these */
	COMMAND_INTERFACES = 4, /* its arguments are interfaces */
	COMMAND_KEYS = 8,	/* it has keys (TOP_KEYS), which its help lists */
};

/* Options come in groups; a command takes whole groups (options.c has the rows). */
enum option_group {
	OPTIONS_ALWAYS = 0,
	OPTIONS_RECIPE = 1 << 0, /* profiles, features, groups, policy */
	OPTIONS_CATALOG = 1 << 1,
	OPTIONS_SITE = 1 << 2,
	OPTIONS_STRICT = 1 << 3,
	OPTIONS_DRY_RUN = 1 << 4,
	OPTIONS_CONFIRM = 1 << 5,
	OPTIONS_FORCE = 1 << 6,
	OPTIONS_JSON = 1 << 7,
	OPTIONS_MODE = 1 << 8,
	OPTIONS_ATTACH = 1 << 9, /* from here on: groups of one command only */
	OPTIONS_SWAP = 1 << 10,
	OPTIONS_APPLY = 1 << 11,
	OPTIONS_SHOW = 1 << 12,
	OPTIONS_COUNTERS = 1 << 13,
	OPTIONS_DETACH = 1 << 14,
	OPTIONS_COMMENT = 1 << 15, /* for each command that changes filters */
	OPTIONS_SELECT = 1 << 16,  /* for commands that show dropped packets */
	OPTIONS_DROPS = 1 << 17,
	OPTIONS_TOP = 1 << 18,
	OPTIONS_EXPLAIN = 1 << 19,
	OPTIONS_METRICS = 1 << 20,
	OPTIONS_MONITOR = 1 << 21,
	OPTIONS_HISTORY = 1 << 22,
	OPTIONS_MACHINE = 1 << 23, /* machines behind an interface */
	OPTIONS_GROUPS = 1 << 24,
	OPTIONS_SUGGEST = 1 << 25,
	OPTIONS_REPLAY = 1 << 26,
	OPTIONS_AUDIT = 1 << 27,
	OPTIONS_BAN = 1 << 28,
	OPTIONS_UNBAN = 1 << 29,
	OPTIONS_BANS = 1 << 30, /* for ban, unban and bans */
	OPTIONS_END = 1U << 31, /* for ban and grant */
};

/* The groups in which help shows the commands, in this order. */
enum command_group {
	COMMAND_START,
	COMMAND_EDIT,
	COMMAND_VIEW,
	COMMAND_ADMIT,
	COMMAND_VERIFY,
	COMMAND_TOOL,
	COMMAND_GROUPS,
};

#define COMMAND_EXAMPLES 3 /* examples of a command, at most */

/*
 * A row of the table of commands (main.c), which gives dispatch, help, completion and privileges.
 */
struct command {
	const char *name;
	enum command_group group;
	const char *arguments; /* "IFACE... -p PROFILE[,PROFILE]" */
	/* at most 66 columns, so that it fits a line of help with the name */
	const char *summary;
	unsigned int takes;    /* bits of enum option_group */
	enum command_flags flags;
	/* Returns an exit code. Messages that it leaves in `diag` are printed afterwards. */
	int (*run)(const struct options *options, struct diag *diag);
	const char *examples[COMMAND_EXAMPLES]; /* arguments that help shows as examples */
};

enum exit_code {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_DIFFERS = 3,    /* --exit-code: something differs */
	EXIT_INCOMPLETE = 4, /* apply --boot: an interface was left out */
};

#endif
