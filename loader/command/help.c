// SPDX-License-Identifier: GPL-2.0
/* Help: the commands by task, the options of each, and the meaning of words in answers. */
#include "loader/command/help.h"

#include <string.h>

#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/base/terminal.h"
#include "loader/base/utf8.h"
#include "loader/base/wrap.h"
#include "loader/command/options.h"
#include "loader/recipe/compose.h"
#include "loader/report/counters.h"
#include "loader/report/top_table.h"

#define OPTION_COLUMN 34 /* column at which the text of an option begins */

static const char *const group_title[COMMAND_GROUPS] = {
	[COMMAND_START] = "Start",   [COMMAND_EDIT] = "Change",	  [COMMAND_VIEW] = "Look",
	[COMMAND_ADMIT] = "Who may", [COMMAND_VERIFY] = "Verify", [COMMAND_TOOL] = "Tools",
};

static size_t help_columns(FILE *to)
{
	return terminal_columns(to) ?: TERMINAL_USUAL_COLUMNS;
}

static void print_line(const char *name, const char *text, FILE *to)
{
	size_t start = (size_t)fprintf(to, "  %-9s ", name);

	wrap_print(text, start, start, help_columns(to), to);
	fputc('\n', to);
}

static void print_group(const struct command *commands, size_t count, enum command_group group,
			FILE *to)
{
	bool any = false;

	for (size_t i = 0; i < count; i++) {
		if (commands[i].group != group)
			continue;
		if (!any)
			fprintf(to, "\n%s\n", group_title[group]);
		any = true;
		print_line(commands[i].name, commands[i].summary, to);
	}
}

void help_usage(const struct command *commands, size_t count, FILE *to)
{
	fputs("portcullis COMMAND [options] [arguments]\n", to);
	wrap_print("Enforce vendors' port lists in the network driver, using XDP.", 0, 0,
		   help_columns(to), to);
	fputc('\n', to);
	for (enum command_group group = 0; group < COMMAND_GROUPS; group++)
		print_group(commands, count, group, to);
	fputc('\n', to);
	print_line("help", "Explain a command, or a reason: help swap, help unlisted", to);
	fputc('\n', to);
	wrap_print("-V, --version prints the version. The manual is portcullis(8).", 0, 0,
		   help_columns(to), to);
	fputc('\n', to);
}

static void print_option(const struct option_row *row, FILE *to)
{
	const char letter[] = {row->letter ? '-' : ' ', row->letter ?: ' ', row->letter ? ',' : ' ',
			       '\0'};
	size_t used = (size_t)fprintf(to, "  %s --%s%s%s", letter, row->name,
				      row->argument ? " " : "", row->argument ?: "");
	size_t columns = help_columns(to);
	/* On a narrow terminal the text is below the option. */
	size_t column = columns >= OPTION_COLUMN + 30 ? OPTION_COLUMN : 8;

	if (used + 2 > column) {
		fputc('\n', to);
		used = 0;
	}
	fprintf(to, "%*s", (int)(column - used), "");
	wrap_print(row->help, column, column, columns, to);
	fputc('\n', to);
}

static void print_keys(FILE *to)
{
	static const char *const keys[] = {TOP_KEYS, "?              help"};

	fputs("\nKeys:\n", to);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		size_t start = (size_t)fprintf(to, "  %.*s", TOP_KEYS_COLUMN, keys[i]);

		wrap_print(keys[i] + TOP_KEYS_COLUMN, start, start, help_columns(to), to);
		fputc('\n', to);
	}
}

static void print_examples(const struct command *command, FILE *to)
{
	const char *word = "For example:";

	for (size_t i = 0; i < COMMAND_EXAMPLES && command->examples[i]; i++) {
		__free_text char *line =
			xasprintf("portcullis %s %s", command->name, command->examples[i]);
		size_t start = (size_t)fprintf(to, "%-12s ", word);

		wrap_print(line, start, start, help_columns(to), to);
		fputc('\n', to);
		word = "";
	}
	if (!*word)
		fputc('\n', to);
}

static void print_options(const struct command *command, FILE *to)
{
	const struct option_row *row = NULL;
	bool planned = false;

	while ((row = options_next(command, row))) {
		if (options_of_plan(command, row) && !planned) {
			planned = true;
			fputc('\n', to);
			wrap_print(
				"To ask a filter that is not there yet, as swap or attach would make it:",
				0, 0, help_columns(to), to);
			fputc('\n', to);
		}
		print_option(row, to);
	}
}

void help_options(const struct command *command, FILE *to)
{
	__free_text char *synopsis =
		xasprintf("portcullis %s %s", command->name, command->arguments);
	__free_text char *summary = xasprintf("%s.", command->summary);

	wrap_print(synopsis, 0, 4, help_columns(to), to);
	fputs("\n\n", to);
	wrap_print(summary, 0, 0, help_columns(to), to);
	fputs("\n\n", to);
	print_examples(command, to);
	print_options(command, to);
	if (command->flags & COMMAND_KEYS)
		print_keys(to);
}

/* A word of an answer, and what it means. */
struct meaning {
	const char *word, *kind, *text;
};

/* Rules by which a packet passes; other rules have the names of reasons. */
static const struct meaning passing_rules[] = {
	{"service", "a rule by which a packet passes",
	 "A TCP or UDP packet to a port that an open service admits from this source. See VERDICTS in portcullis(8)."},
	{"reply", "a rule by which a packet passes",
	 "A reply to a connection or query of this host, or a packet of an open connection. See KEEP STATE in portcullis(8)."},
	{"non-ip", "a rule by which a packet passes",
	 "ARP, and everything else that is not IP: it always passes."},
};

/* The explained words, counted from 0; false after the last one. */
static bool meaning_at(size_t at, struct meaning *meaning)
{
	if (at < PC_REASONS) {
		*meaning = (struct meaning){reason_name[at], "a reason of a drop", reason_text[at]};
		return true;
	}
	at -= PC_REASONS;
	if (at < ARRAY_SIZE(passing_rules)) {
		*meaning = passing_rules[at];
		return true;
	}
	at -= ARRAY_SIZE(passing_rules);
	if (at >= WHYS)
		return false;
	*meaning = (struct meaning){why_closed_name[at], "why a service is closed",
				    why_closed_text[at]};
	return true;
}

void help_words(struct names *words)
{
	struct meaning meaning;

	for (size_t i = 0; meaning_at(i, &meaning); i++)
		if (meaning.word)
			names_add(words, meaning.word);
}

static int unknown_word(const struct command *commands, size_t count, const char *word)
{
	__cleanup(names_free) struct names known = {};
	__free_text char *shown = text_printable(word);
	const char *near;

	for (size_t i = 0; i < count; i++)
		names_add(&known, commands[i].name);
	help_words(&known);
	near = nearest_name(word, &known);
	if (near)
		error("help: '%s' is not a command or a reason; did you mean '%s'?", shown, near);
	else
		error("help: '%s' is not a command or a reason; to list them: portcullis --help",
		      shown);
	return EXIT_USAGE;
}

int help_word(const struct command *commands, size_t count, const char *word)
{
	struct meaning meaning;

	for (size_t i = 0; meaning_at(i, &meaning); i++) {
		if (!meaning.word || strcmp(meaning.word, word))
			continue;
		printf("%s: %s\n\n", word, meaning.kind);
		wrap_print(meaning.text, 0, 0, help_columns(stdout), stdout);
		putchar('\n');
		return EXIT_DONE;
	}
	return unknown_word(commands, count, word);
}
