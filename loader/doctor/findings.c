// SPDX-License-Identifier: GPL-2.0
/* `doctor`: collects findings and prints them. */
#include "loader/doctor/findings.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader/base/columns.h"
#include "loader/base/json.h"
#include "loader/base/memory.h"
#include "loader/base/terminal.h"
#include "loader/base/utf8.h"
#include "loader/base/wrap.h"

static const char *const state_name[] = {
	[DOCTOR_OK] = "ok",
	[DOCTOR_WARNING] = "warning",
	[DOCTOR_PROBLEM] = "problem",
};

void doctor_say(struct doctor *doctor, const char *check, enum doctor_state state, const char *fix,
		const char *format, ...)
{
	__free_text char *message = NULL;
	va_list args;

	va_start(args, format);
	message = xvasprintf(format, args);
	va_end(args);
	doctor->problem |= state == DOCTOR_PROBLEM;
	doctor->warned |= state == DOCTOR_WARNING;
	json_array_append_new(doctor->checks,
			      json_pack("{s:o, s:s, s:s, s:o, s:o}", "interface",
					text_json(doctor->interface), "check", check, "state",
					state_name[state], "message", text_json(message), "fix",
					text_json(fix)));
}

/* The message without the name of the interface or the command in front. */
static const char *without_start(const struct doctor *doctor, const char *message)
{
	const char *start[] = {"doctor", doctor->interface};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(start); i++) {
		size_t length = start[i] ? strlen(start[i]) : 0;

		if (length && !strncmp(message, start[i], length) &&
		    !strncmp(message + length, ": ", 2))
			message += length + 2;
	}
	return message;
}

size_t doctor_heard(struct doctor *doctor, const char *check)
{
	size_t count = json_array_size(doctor->heard), i;
	const json_t *one;

	json_array_foreach (doctor->heard, i, one) {
		const char *text = json_string_value(json_object_get(one, "message"));
		const char *fix = json_string_value(json_object_get(one, "fix"));
		enum doctor_state state =
			json_is_true(json_object_get(one, "error")) && !geteuid() ? DOCTOR_PROBLEM :
										    DOCTOR_WARNING;

		doctor_say(doctor, check, state, fix, "%s", without_start(doctor, text));
	}
	doctor_unhear(doctor);
	return count;
}

void doctor_unhear(struct doctor *doctor)
{
	json_array_clear(doctor->heard);
}

static enum tone tone_of(const char *state)
{
	return !strcmp(state, "ok")	 ? TONE_FAINT :
	       !strcmp(state, "problem") ? TONE_BAD :
					   TONE_PLAIN;
}

static const char *text_of(const json_t *check, const char *key)
{
	return json_string_value(json_object_get(check, key));
}

#define DOCTOR_COLUMN 25 /* columns of a message */

static void print_check(const json_t *check, FILE *to)
{
	const char *state = text_of(check, "state"), *fix = text_of(check, "fix");
	__free_text char *message = text_printable(text_of(check, "message"));
	enum tone tone = tone_of(state);
	size_t columns = terminal_columns(to);

	fprintf(to, "  %s%-7s  %-12s  ", tone_start(tone, to), state, text_of(check, "check"));
	wrap_print(message, DOCTOR_COLUMN, DOCTOR_COLUMN, columns, to);
	fprintf(to, "%s\n", tone ? tone_end(to) : "");
	if (fix) {
		__free_text char *shown = text_printable(fix);
		size_t start = DOCTOR_COLUMN;

		/* A command that does not fit is moved left, and not broken, so that it can be
		 * copied. */
		if (columns && start + strlen("fix: ") + strlen(shown) > columns)
			start = 4;
		fprintf(to, "%*sfix: ", (int)start, "");
		wrap_command(shown, start + strlen("fix: "), start + 4, columns, to);
		fputc('\n', to);
	}
}

void doctor_text(const json_t *report, FILE *to)
{
	const json_t *checks = json_object_get(report, "checks"), *check;
	const char *last = NULL;
	size_t i;

	json_array_foreach (checks, i, check) {
		const char *interface = text_of(check, "interface");

		if (!i && !interface)
			fputs("this host\n", to);
		if (interface && (!last || strcmp(interface, last))) {
			__free_text char *name = text_printable(interface);

			fprintf(to, "%s%s\n", i ? "\n" : "", name);
		}
		last = interface;
		print_check(check, to);
	}
}
