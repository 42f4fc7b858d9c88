// SPDX-License-Identifier: GPL-2.0
/* The text form of what a filter made of a capture. */
#include "loader/report/text_replay.h"

#include <stdint.h>
#include <string.h>

#include "loader/base/columns.h"
#include "loader/base/memory.h"
#include "loader/base/names.h"
#include "loader/base/terminal.h"
#include "loader/base/utf8.h"
#include "loader/base/wrap.h"
#include "loader/report/text.h"
#include "loader/report/text_counters.h"
#include "loader/report/text_drops.h"

#define DROPS_SHOWN 40 /* lines; JSON has them all */

static long long number_of(const json_t *report, const char *key)
{
	return (long long)json_integer_value(json_object_get(report, key));
}

static void print_title(const json_t *report, size_t columns, FILE *to)
{
	__free_text char *first = text_time(text_of(report, "first"));
	__free_text char *last = text_time(text_of(report, "last"));
	const char *interface = text_of(report, "interface");
	__free_text char *packets =
		human_count((size_t)number_of(report, "packets"), "packet", "packets");

	text_line(to, columns, 0, 2, "%s%s%s: %s%s%s%s%s%s", interface, *interface ? ": " : "",
		  text_of(report, "file"), packets, *first ? " from " : "", first,
		  *last ? " to " : "", last,
		  strcmp(text_of(report, "policy"), "observe") ? "" : "; the filter observes");
	fputc('\n', to);
}

static void print_left_out(const json_t *report, size_t columns, FILE *to)
{
	static const struct {
		const char *key, *text;
	} row[] = {
		{"other_hosts", "not from or to this host (see --local)"},
		{"cut", "of which the capture has too few bytes (tcpdump -s 0)"},
		{"unsent", "that would not be sent: they answer what is dropped"},
	};
	const json_t *left_out = json_object_get(report, "left_out");
	size_t i;

	for (i = 0; i < ARRAY_SIZE(row); i++) {
		long long count = number_of(left_out, row[i].key);

		if (!count)
			continue;
		fputs("  ", to);
		text_line(to, columns, 2, 4, "left out: %lld %s", count, row[i].text);
		fputc('\n', to);
	}
}

/* --- drops --- */

struct rows {
	const struct replay *replay;
	struct drops drops;
	struct replay_services *services;
};

static json_t *row_json(void *context, const struct drops_row *row)
{
	struct rows *rows = context;

	return drops_json(&rows->drops, row, NULL, replay_machine(rows->replay, row),
			  replay_services_of(rows->services, row), 0);
}

static void print_drops(const struct replay *replay, const json_t *kept, size_t columns, FILE *to)
{
	struct rows rows = {.replay = replay};
	struct drops_view view = {.drops = &rows.drops,
				  .since = "",
				  .row = row_json,
				  .context = &rows,
				  .past = true,
				  .columns = columns};

	replay_drops(replay, &rows.drops);
	drops_collapse(&rows.drops);
	drops_sort(&rows.drops, true);
	rows.services = replay_services_new(replay, &rows.drops, kept);
	report_drops_text(&view, DROPS_SHOWN, to);
	replay_services_free(rows.services);
	drops_free(&rows.drops);
}

static void print_fixes(const json_t *report, size_t columns, FILE *to)
{
	const json_t *fixes = json_object_get(report, "fixes"), *fix;
	size_t i;

	json_array_foreach (fixes, i, fix) {
		__free_text char *shown = text_printable(json_string_value(fix));

		fputs(i ? "    " : "  what would open them, a command each:\n    ", to);
		wrap_command(shown, 4, 6, columns, to);
		fputc('\n', to);
	}
}

void report_replay_text(const json_t *report, const struct replay *replay, const json_t *kept,
			FILE *to)
{
	size_t columns = terminal_columns(to);
	const struct counters_view view = {.top = COUNTERS_TOP, .columns = columns};

	print_title(report, columns, to);
	print_left_out(report, columns, to);
	report_counters_one(report, &view, to);
	fputc('\n', to);
	print_drops(replay, kept, columns, to);
	print_fixes(report, columns, to);
}
