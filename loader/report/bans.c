// SPDX-License-Identifier: GPL-2.0
/* Bans as JSON and text. */
#include "loader/report/bans.h"

#include <stdlib.h>

#include "loader/base/columns.h"
#include "loader/base/json.h"
#include "loader/base/memory.h"
#include "loader/base/terminal.h"
#include "loader/report/json_forms.h"
#include "loader/report/text.h"

#define SECOND	  1000000000ULL
#define PAGE_ROWS 4096 /* rows that are aligned together: there may be a million in all */

__u64 ban_end(const struct ban *ban, const struct ban_clock *clock)
{
	__u64 end = clock->wall + ban->until - clock->boot;

	if (ban->until == PC_BAN_FOREVER)
		return 0;
	/* Both clocks are read in whole seconds, so the end that the user gave is more exact, if no
	 * clock was set since. */
	return ban->meant + 2 > end && ban->meant < end + 2 ? ban->meant : end;
}

static json_t *time_json(__u64 seconds)
{
	char text[TIME_TEXT];

	return seconds ? json_string(report_time(seconds * SECOND, text)) : json_null();
}

static json_t *count_json(const struct pc_count *count)
{
	return json_pack("{s:I, s:I}", "packets", (json_int_t)count->packets, "bytes",
			 (json_int_t)count->bytes);
}

json_t *ban_json(const struct ban *ban, const struct ban_clock *clock,
		 const struct pc_ban_count *count)
{
	char prefix[PREFIX_TEXT];

	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "prefix",
			 prefix_format(&ban->prefix, prefix), "list", ban->list, "since",
			 time_json(ban->since), "until", time_json(ban_end(ban, clock)), "by",
			 text_json(*ban->by ? ban->by : NULL), "comment",
			 text_json(*ban->comment ? ban->comment : NULL), "drop",
			 count_json(&count->drop), "would_drop", count_json(&count->would));
}

char *ban_end_text(const struct ban *ban, const struct ban_clock *clock)
{
	char text[TIME_TEXT];
	__free_text char *end = NULL;

	if (ban->until == PC_BAN_FOREVER)
		return xstrdup("without an end");
	end = text_time(report_time(ban_end(ban, clock) * SECOND, text));
	return xasprintf("until %s", end);
}

static void add_row(struct columns *columns, const json_t *ban)
{
	__free_text char *since = text_time(text_of(ban, "since"));
	__free_text char *until = json_is_null(json_object_get(ban, "until")) ?
					  xstrdup("no end") :
					  text_time(text_of(ban, "until"));
	json_int_t drops = json_integer_value(
			   json_object_get(json_object_get(ban, "drop"), "packets")),
		   would = json_integer_value(
			   json_object_get(json_object_get(ban, "would_drop"), "packets"));
	__free_text char *number =
		would ? xasprintf("%lld (would %lld)", (long long)drops, (long long)would) :
			xasprintf("%lld", (long long)drops);

	columns_row(columns, TONE_PLAIN,
		    (const char *[]){text_of(ban, "list"), text_of(ban, "prefix"), since, until,
				     text_of(ban, "by"), text_of(ban, "comment"), number});
}

void report_bans_text(json_t *(*next)(void *context), void *context, FILE *to)
{
	struct columns columns = {
		.count = 7,
		.limit = terminal_columns(to),
		.heading = {"LIST", "PREFIX", "SINCE", "UNTIL", "BY", "COMMENT", ">DROPS"}};
	json_t *ban;

	while ((ban = next(context))) {
		add_row(&columns, ban);
		json_decref(ban);
		if (columns.rows == PAGE_ROWS)
			columns_print(&columns, to);
	}
	if (columns.rows)
		columns_print(&columns, to);
}
