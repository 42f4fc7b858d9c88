// SPDX-License-Identifier: GPL-2.0
/* Stores the arguments of options: an option_store for each kind of field. */
#include "loader/command/option_values.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/clock.h"
#include "loader/base/duration.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/base/utf8.h"
#include "loader/catalog/ports.h"
#include "loader/report/counters.h"

#define SECOND 1000000000ULL /* in ns */

int store_flag(const struct option_given *given)
{
	*(bool *)given->field = true;
	return 0;
}

int store_text(const struct option_given *given)
{
	*(const char **)given->field = given->text;
	return 0;
}

int store_names(const struct option_given *given)
{
	names_add(given->field, given->text);
	return 0;
}

/* --source and --port of drops and monitor: explain has these as words without an option. */
int option_explain_word(const struct command *command)
{
	error("%s: the address and the port need no option: portcullis %s %s", command->name,
	      command->name, command->arguments);
	return -EINVAL;
}

static int wrong_value(const struct option_given *given, const char *expected, const char *text)
{
	__free_text char *shown = text_printable(text);

	/* getopt also accepts --source for --source-port. */
	if (given->command->takes & OPTIONS_EXPLAIN &&
	    given->row->field_at == offsetof(struct options, source_port) && strpbrk(text, ".:"))
		return option_explain_word(given->command);
	error("%s: --%s must be %s, not '%s'", given->command->name, given->row->name, expected,
	      shown);
	return -EINVAL;
}

int store_comment(const struct option_given *given)
{
	if (comment_valid(given->text))
		return store_text(given);
	error("%s: --comment must be one line of printable text of 1 to %d bytes; this one has %zu",
	      given->command->name, COMMENT_LIMIT, strlen(given->text));
	return -EINVAL;
}

int store_number(const struct option_given *given)
{
	__free_text char *expected = NULL;
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(given->text, &end, 10);
	if (!errno && !*end && *given->text >= '0' && *given->text <= '9' &&
	    value >= given->row->least && value <= given->row->most) {
		*(unsigned int *)given->field = (unsigned int)value;
		return 0;
	}
	expected = xasprintf("a number from %u to %u", given->row->least, given->row->most);
	return wrong_value(given, expected, given->text);
}

int store_time(const struct option_given *given)
{
	__free_text char *expected = NULL;

	if (!duration_parse(given->text, given->row->least, given->row->most, given->field))
		return 0;
	expected = xasprintf("a time of %u to %u seconds, as in 90, 10m or 1h30m",
			     given->row->least, given->row->most);
	return wrong_value(given, expected, given->text);
}

int store_moment(const struct option_given *given)
{
	switch (moment_parse(given->text, clock_wall() / SECOND, given->field)) {
	case 0: return 0;
	case -ERANGE: return wrong_value(given, "a time that has passed", given->text);
	}
	return wrong_value(given, MOMENT_FORMS, given->text);
}

/* Reports an error in an option's value with its parser's text; takes over `why`. */
static int wrong_because(const struct option_given *given, char *why)
{
	__free_text char *shown = text_printable(why);

	error("%s: --%s: %s", given->command->name, given->row->name, shown);
	free(why);
	return -EINVAL;
}

int store_prefix(const struct option_given *given)
{
	char *why = NULL;

	return prefix_parse(given->text, given->field, &why) ? wrong_because(given, why) : 0;
}

int store_port(const struct option_given *given)
{
	char *why = NULL;
	__u32 number;

	if (port_parse(given->text, &number, &why))
		return wrong_because(given, why);
	*(int *)given->field = (int)number;
	return 0;
}

static int wrong_reason(const struct option_given *given, const char *text)
{
	__cleanup(names_free) struct names reasons = {};
	__free_text char *list = NULL, *expected = NULL;

	for (int i = 0; i < PC_REASONS; i++)
		if (reason_name[i])
			names_add(&reasons, reason_name[i]);
	list = names_join(&reasons, ", ");
	expected = xasprintf("one of %s", list);
	return wrong_value(given, expected, text);
}

int store_reasons(const struct option_given *given)
{
	unsigned int *reasons = given->field;
	__free_text char *copy = xstrdup(given->text);
	char *rest = copy, *word;

	while ((word = strsep(&rest, ","))) {
		int reason = 0;

		while (reason < PC_REASONS &&
		       (!reason_name[reason] || strcmp(reason_name[reason], word) != 0))
			reason++;
		if (reason == PC_REASONS)
			return wrong_reason(given, word);
		*reasons |= 1U << reason;
	}
	return 0;
}

/* Stores the index of a word in "native|generic", counted from row->value. */
int store_word(const struct option_given *given)
{
	__cleanup(names_free) struct names words = {};
	__free_text char *expected = NULL, *copy = xstrdup(given->row->argument);
	char *rest = copy, *word;

	while ((word = strsep(&rest, "|")))
		names_add(&words, word);
	for (size_t i = 0; i < words.count; i++) {
		if (!strcmp(given->text, words.name[i])) {
			*(int *)given->field = given->row->value + (int)i;
			return 0;
		}
	}
	expected = names_join(&words, " or ");
	return wrong_value(given, expected, given->text);
}

int store_machine(const struct option_given *given)
{
	struct options *options = given->options;
	struct machine_words *machine;

	options->machine = grow(options->machine, options->machines, sizeof(*options->machine));
	machine = &options->machine[options->machines++];
	*machine = (struct machine_words){.word = given->text,
					  .options = xcalloc(1, sizeof(*options))};
	*machine->options = OPTIONS_NONE;
	return 0;
}
