// SPDX-License-Identifier: GPL-2.0
/* Parses the options of all commands, and prints their help. */
#include "loader/command/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/base/utf8.h"
#include "loader/recipe/site.h"

#define WATCH_LIMIT 86400 /* seconds, as the next two */
#define WAIT_LIMIT  3600

static const struct option_row option_table[] = {
	{'p', "profile", "PROFILE[,PROFILE]", "profiles to enforce; may be repeated"},
	{'e', "enable", "FEATURE", "turn a feature on: FEATURE or PROFILE:FEATURE"},
	{'x', "disable", "PROFILE:SERVICE", "close one service"},
	{'f', "from", "PROFILE:SERVICE=GROUP[,GROUP]", "admit only these groups to a service"},
	{'s', "set", "PROFILE:SERVICE[:in|:out]=PORTS", "replace the ports of a service"},
	{'g', "group", "NAME=PREFIX[,PREFIX]", "define a group; or NAME=@FILE, a prefix a line"},
	{'o', "observe", NULL, "drop nothing, count what would be dropped"},
	{'E', "enforce", NULL, "drop what the profiles do not admit (the default)"},
	{'r', "forward", NULL, "learn forwarded traffic too, and admit the replies to it"},
	{'R', "no-forward", NULL, "learn only what this host itself sends (the default)"},
	{'O', "outbound", "track|enforce",
	 "count outgoing packets (the default), or drop those that no service lists"},
	{'l', "echo-limit", "N", "echo requests a second on a CPU (100); 0: no limit"},
	{'L', "flows", "N", "size of the network namespace's tables of flows (65536)"},
	{'C', "confirm", "SECONDS", "undo the change unless `portcullis confirm` is run in time"},
	{'B', "boot", NULL, "apply without waiting for confirmation; the lockout guard only warns"},
	{'A', "as", "NAME",
	 "use the file's part for NAME, the name that udev will give the interface"},
	{'D', "reload", NULL,
	 "as systemctl reload does: confirmed profiles, each interface by itself"},
	{'Z', "resumed", NULL, "after suspend: put the programs into their drivers again"},
	{'K', "force", NULL, "proceed even if connected users would be locked out"},
	{'y', "site", "FILE", "the site file (" SITE_FILE ")"},
	{'W', "wait", "SECONDS", "wait for missing interfaces, then go on without them"},
	{'n', "dry-run", NULL, "only show what would be done"},
	{'S', "strict", NULL, "treat a service whose group is undefined as an error"},
	{'F', "fresh", NULL, "start from these options alone, not from the interface's settings"},
	{'m', "mode", "native|generic", "require this XDP mode"},
	{'i', "iface", "IFACE", "show the filter of an interface"},
	{'a', "all", NULL, "also show listed ports that counted nothing"},
	{'w', "watch", "SECONDS", "print again every SECONDS, with rates"},
	{'c', "catalog", "DIR", "search this folder for profiles first; may be repeated"},
	{'j', "json", NULL, "print JSON"},
	{'h', "help", NULL, "print this"},
};

static bool takes(const struct command *command, char letter)
{
	return letter == 'h' || strchr(command->takes, letter);
}

bool options_row(const struct command *command, size_t i, struct option_row *row)
{
	for (size_t j = 0; j < ARRAY_SIZE(option_table); j++) {
		if (!takes(command, option_table[j].letter) || i--)
			continue;
		*row = option_table[j];
		return true;
	}
	return false;
}

static void options_help(const struct command *command)
{
	size_t i;

	printf("portcullis %s %s\n\n%s.\n\n", command->name, command->arguments, command->summary);
	for (i = 0; i < ARRAY_SIZE(option_table); i++) {
		const char *argument = option_table[i].argument;
		__free_text char *left = NULL;

		if (!takes(command, option_table[i].letter))
			continue;
		left = xasprintf("--%s%s%s", option_table[i].name, argument ? " " : "",
				 argument ? argument : "");
		printf("  %s %-38s %s\n",
		       option_table[i].letter == 'p' ? "-p," :
		       option_table[i].letter == 'h' ? "-h," :
						       "   ",
		       left, option_table[i].help);
	}
}

static int read_mode(const char *text, enum hook_mode *mode)
{
	if (!strcmp(text, "native"))
		*mode = HOOK_NATIVE;
	else if (!strcmp(text, "generic"))
		*mode = HOOK_GENERIC;
	else
		return -EINVAL;
	return 0;
}

static int read_number(const char *text, unsigned int least, unsigned int most,
		       unsigned int *number)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || *end || *text < '0' || *text > '9' || value < least || value > most)
		return -EINVAL;
	*number = value;
	return 0;
}

static int set_policy(const struct command *command, struct options *options, enum pc_policy policy)
{
	if (options->policy >= 0 && options->policy != (int)policy) {
		error("%s: give either --observe or --enforce, not both", command->name);
		return -EINVAL;
	}
	options->policy = policy;
	return 0;
}

static int set_forward(const struct command *command, struct options *options, int forward)
{
	if (options->forward >= 0 && options->forward != forward) {
		error("%s: give either --forward or --no-forward, not both", command->name);
		return -EINVAL;
	}
	options->forward = forward;
	return 0;
}

static int set_outbound(const struct command *command, struct options *options, const char *text)
{
	enum pc_outbound outbound;

	if (outbound_parse(text, &outbound)) {
		error("%s: --outbound must be track or enforce, not '%s'", command->name, text);
		return -EINVAL;
	}
	options->outbound = outbound;
	return 0;
}

static int set_echo_limit(const struct command *command, struct options *options, const char *text)
{
	unsigned int limit;

	if (read_number(text, 0, PC_ECHO_LIMIT_MAX, &limit)) {
		error("%s: --echo-limit must be a number from 0 to %d, not '%s'", command->name,
		      PC_ECHO_LIMIT_MAX, text);
		return -EINVAL;
	}
	options->echo_limit = limit;
	return 0;
}

static int set_seconds(const struct command *command, const char *name, const char *text,
		       unsigned int most, unsigned int *seconds)
{
	if (!read_number(text, 1, most, seconds))
		return 0;
	error("%s: --%s must be a number of seconds from 1 to %u, not '%s'", command->name, name,
	      most, text);
	return -EINVAL;
}

static int take(const struct command *command, struct options *options, int letter,
		const char *value)
{
	switch (letter) {
	case 'p': names_add(&options->profile, value); return 0;
	case 'e': names_add(&options->enable, value); return 0;
	case 'x': names_add(&options->disable, value); return 0;
	case 'f': names_add(&options->from, value); return 0;
	case 's': names_add(&options->set, value); return 0;
	case 'g': names_add(&options->group, value); return 0;
	case 'c': names_add(&options->catalog, value); return 0;
	case 'i': options->interface = value; return 0;
	case 'o': return set_policy(command, options, PC_POLICY_OBSERVE);
	case 'E': return set_policy(command, options, PC_POLICY_ENFORCE);
	case 'r': return set_forward(command, options, 1);
	case 'R': return set_forward(command, options, 0);
	case 'O': return set_outbound(command, options, value);
	case 'l': return set_echo_limit(command, options, value);
	case 'n': options->dry_run = true; return 0;
	case 'A': options->as = value; return 0;
	case 'B': options->boot = true; return 0;
	case 'D': options->reload = true; return 0;
	case 'Z': options->resumed = true; return 0;
	case 'K': options->force = true; return 0;
	case 'y': options->site = value; return 0;
	case 'S': options->strict = true; return 0;
	case 'F': options->fresh = true; return 0;
	case 'a': options->all = true; return 0;
	case 'j': options->json = true; return 0;
	case 'm':
		if (!read_mode(value, &options->mode))
			return 0;
		error("%s: --mode must be native or generic, not '%s'", command->name, value);
		return -EINVAL;
	case 'L':
		if (!read_number(value, 1, PC_FLOWS_MAX, &options->flows))
			return 0;
		error("%s: --flows must be a number from 1 to %d, not '%s'", command->name,
		      PC_FLOWS_MAX, value);
		return -EINVAL;
	case 'w': return set_seconds(command, "watch", value, WATCH_LIMIT, &options->watch);
	case 'C': return set_seconds(command, "confirm", value, CONFIRM_LIMIT, &options->confirm);
	case 'W': return set_seconds(command, "wait", value, WAIT_LIMIT, &options->wait);
	}
	return -EINVAL;
}

/* An option that getopt does not take: unknown, not this command's, or without its argument. */
static void report_wrong(const struct command *command, const char *word, bool missing)
{
	const char *name[ARRAY_SIZE(option_table)];
	__free_text char *shown = text_printable(word);
	size_t count = 0, i;
	const char *near;

	if (missing) {
		error("%s: %s needs an argument; see portcullis %s --help", command->name, shown,
		      command->name);
		return;
	}
	for (i = 0; i < ARRAY_SIZE(option_table); i++)
		if (takes(command, option_table[i].letter))
			name[count++] = option_table[i].name;
	near = strncmp(word, "--", 2) ? NULL : nearest(word + 2, name, count);
	error("%s: unknown option '%s'%s%s; see portcullis %s --help", command->name, shown,
	      near ? "; did you mean --" : "", near ? near : "", command->name);
}

static size_t build_table(const struct command *command, struct option *option)
{
	size_t count = 0, i;

	for (i = 0; i < ARRAY_SIZE(option_table); i++)
		if (takes(command, option_table[i].letter))
			option[count++] = (struct option){
				.name = option_table[i].name,
				.has_arg =
					option_table[i].argument ? required_argument : no_argument,
				.val = option_table[i].letter,
			};
	option[count] = (struct option){};
	return count;
}

enum options_result options_parse(const struct command *command, int argc, char **argv,
				  struct options *options)
{
	struct option option[ARRAY_SIZE(option_table) + 1];
	const char *letters = takes(command, 'p') ? ":hp:" : ":h";
	int letter;

	*options = OPTIONS_NONE;
	build_table(command, option);
	optind = 1;
	opterr = 0;
	while ((letter = getopt_long(argc, argv, letters, option, NULL)) != -1) {
		if (letter == 'h') {
			options_help(command);
			return OPTIONS_DONE;
		}
		if (letter == '?' || letter == ':') {
			report_wrong(command, argv[optind - 1], letter == ':');
			return OPTIONS_WRONG;
		}
		if (take(command, options, letter, optarg))
			return OPTIONS_WRONG;
	}
	for (; optind < argc; optind++)
		names_add(&options->arguments, argv[optind]);
	return OPTIONS_RUN;
}

void options_free(struct options *options)
{
	names_free(&options->arguments);
	names_free(&options->catalog);
	names_free(&options->profile);
	names_free(&options->enable);
	names_free(&options->disable);
	names_free(&options->set);
	names_free(&options->from);
	names_free(&options->group);
}

int options_apply(const struct options *options, struct recipe *recipe, struct diag *diag)
{
	const struct {
		const struct names *given;
		int (*add)(struct recipe *recipe, const char *text, struct diag *diag);
	} each[] = {
		{&options->profile, recipe_profiles}, {&options->enable, recipe_enable},
		{&options->disable, recipe_disable},  {&options->set, recipe_set},
		{&options->from, recipe_from},	      {&options->group, recipe_group},
	};
	size_t i, j;
	int err = 0;

	if (options->profile.count)
		names_free(&recipe->profiles);
	for (i = 0; i < ARRAY_SIZE(each); i++)
		for (j = 0; j < each[i].given->count; j++)
			if (each[i].add(recipe, each[i].given->name[j], diag))
				err = -EINVAL;
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
