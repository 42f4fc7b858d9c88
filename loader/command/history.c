// SPDX-License-Identifier: GPL-2.0
/* `history`: who changed what, when and why; one change; and the difference between two. */
#include "loader/command/history.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader/base/clock.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/filter/change_log.h"
#include "loader/object/admins.h"
#include "loader/report/json_forms.h"
#include "loader/report/text_history.h"

bool change_number(const char *text, unsigned long long *number)
{
	char *end;

	if (!*text || text[strspn(text, "0123456789")])
		return false;
	errno = 0;
	*number = strtoull(text, &end, 10);
	return !errno;
}

int history_open(const char *command, struct history_lines *lines)
{
	const struct history_place place = change_log_place();
	__free_text char *boot = history_boot();
	int err = history_lines_read(&place, lines);
	gid_t gid;

	if (err == -EACCES && admins_exist(&gid))
		error("%s: members of the group " ADMINS
		      " may do this without root: usermod -a -G " ADMINS " USER, then log in again",
		      command);
	if (err)
		return err;
	history_settle(lines, boot, clock_boot());
	if (lines->damaged)
		warning("%s/" HISTORY_NAME
			": %zu damaged line%s skipped: a command was killed, or the file was edited",
			place.folder, lines->damaged, lines->damaged > 1 ? "s are" : " is");
	return 0;
}

json_t *history_find_said(const char *command, const struct history_lines *lines,
			  unsigned long long number)
{
	json_t *change = history_find(lines, number);
	const json_t *first = json_array_get(lines->changes, 0);
	size_t count = json_array_size(lines->changes);
	const json_t *last = count ? json_array_get(lines->changes, count - 1) : NULL;

	if (change)
		return change;
	if (last)
		error_fix("portcullis history",
			  "%s: there is no change %llu; the history has %lld to %lld", command,
			  number, (long long)json_integer_value(json_object_get(first, "number")),
			  (long long)json_integer_value(json_object_get(last, "number")));
	else
		error("%s: there is no change %llu; the history is empty", command, number);
	return NULL;
}

static int list(const struct options *options, const struct history_lines *lines)
{
	const struct history_select select = {
		.names = &options->arguments,
		.since = (long long)moment_seconds(&options->since, clock_wall() / 1000000000ULL),
		.port = options->port,
	};
	json_t *changes = json_array();
	const json_t *change;
	size_t i;

	json_array_foreach (lines->changes, i, change)
		if (history_is_chosen(change, &select))
			json_array_append_new(changes, history_change_json(change));
	report_print(report_new("changes", changes), options->json ? NULL : report_history_text);
	return EXIT_DONE;
}

static int show_one(const struct options *options, const struct history_lines *lines,
		    unsigned long long number)
{
	const json_t *change = history_find_said("history", lines, number);

	if (!change)
		return EXIT_FAILED;
	if (options->json)
		report_print(report_new("changes", json_pack("[o]", history_change_json(change))),
			     NULL);
	else
		history_change_text(lines, change, stdout);
	return EXIT_DONE;
}

/* The number of a change; 0: before the first change. */
static bool is_there(const struct history_lines *lines, unsigned long long number)
{
	return !number || history_find_said("history", lines, number);
}

static json_t *changes_between(const struct history_lines *lines, unsigned long long from,
			       unsigned long long to)
{
	unsigned long long first = from < to ? from : to, last = from < to ? to : from;
	json_t *changes = json_array();
	const json_t *change;
	size_t i;

	json_array_foreach (lines->changes, i, change) {
		unsigned long long number =
			(unsigned long long)json_integer_value(json_object_get(change, "number"));

		if (number > first && number <= last)
			json_array_append_new(changes, history_change_json(change));
	}
	return changes;
}

static int show_difference(const struct options *options, const struct history_lines *lines,
			   unsigned long long from, unsigned long long to)
{
	json_t *interfaces;

	if (!is_there(lines, from) || !is_there(lines, to))
		return EXIT_FAILED;
	interfaces = history_difference(lines, from, to);
	if (options->json) {
		json_t *report = report_new("changes", changes_between(lines, from, to));

		json_object_set_new(report, "from", json_integer((json_int_t)from));
		json_object_set_new(report, "to", json_integer((json_int_t)to));
		json_object_set(report, "interfaces", interfaces);
		report_print(report, NULL);
	} else {
		history_difference_text(lines, from, to, interfaces, stdout);
	}
	json_decref(interfaces);
	return EXIT_DONE;
}

/* How many of the first arguments are numbers of changes: 0, 1 or 2; -1 with a message. */
static int count_numbers(const struct options *options, unsigned long long number[2])
{
	const struct names *arguments = &options->arguments;
	size_t count = 0;

	while (count < 2 && count < arguments->count &&
	       change_number(arguments->name[count], &number[count]))
		count++;
	if (!count)
		return 0;
	if (count < arguments->count)
		error("history: give numbers of one change or of two, or interfaces");
	else if (options_given(options, OPTIONS_HISTORY))
		error("history: --%s goes with the list of changes, not with a number",
		      options_given(options, OPTIONS_HISTORY));
	else
		return (int)count;
	return -1;
}

/* Root moves lines of the spare file to the history below /var/lib. */
static void move_spare(const struct history_lines *lines)
{
	const struct history_place place = change_log_place();
	unsigned long long number;

	if (lines->spare && !geteuid())
		history_append(&place, NULL, NULL, &number);
}

int command_history(const struct options *options, struct diag *diag)
{
	__cleanup(history_lines_free) struct history_lines lines = {};
	unsigned long long number[2];
	int count = count_numbers(options, number), code;

	(void)diag;
	if (count < 0)
		return EXIT_USAGE;
	if (history_open("history", &lines))
		return EXIT_FAILED;
	if (!count)
		code = list(options, &lines);
	else if (count == 1)
		code = show_one(options, &lines, number[0]);
	else
		code = show_difference(options, &lines, number[0], number[1]);
	move_spare(&lines);
	return code;
}
