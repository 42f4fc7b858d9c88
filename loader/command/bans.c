// SPDX-License-Identifier: GPL-2.0
/* `bans`: what is banned, by which list, until when, and how often packets were dropped. */
#include "loader/command/bans.h"

#include <errno.h>
#include <string.h>

#include "loader/base/json.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/command/end_words.h"
#include "loader/filter/hook.h"
#include "loader/host/bans.h"
#include "loader/object/privilege.h"
#include "loader/report/bans.h"

/* The bans that are shown. */
struct showing {
	const struct bans *bans;
	const char *list; /* NULL: any */
	size_t at, shown;
};

static json_t *next_ban(void *context)
{
	struct showing *showing = context;
	const struct bans *bans = showing->bans;

	while (showing->at < bans->file.set.count) {
		const struct ban *ban = &bans->file.set.ban[showing->at++];
		struct pc_ban_count count = {};

		if (!ban_holds(ban, (__u32)bans->clock.boot) ||
		    (showing->list && strcmp(showing->list, ban->list) != 0))
			continue;
		if (bans->table.map >= 0)
			ban_table_find(&bans->table, &ban->prefix, &count);
		showing->shown++;
		return ban_json(ban, &bans->clock, &count);
	}
	return NULL;
}

static void print_json(struct showing *showing)
{
	json_t *ban;

	fputs("{\n  \"version\": 1,\n  \"bans\": [", stdout);
	while ((ban = next_ban(showing))) {
		fputs(showing->shown > 1 ? ",\n    " : "\n    ", stdout);
		json_print(ban, 0);
		json_decref(ban);
	}
	fputs(showing->shown ? "\n  ]\n}\n" : "]\n}\n", stdout);
}

static void print_text(struct showing *showing)
{
	const struct bans *bans = showing->bans;

	report_bans_text(next_ban, showing, stdout);
	if (!showing->shown)
		puts(showing->list ? "this list bans nothing" : "nothing is banned");
	else if (!bans->filters)
		puts("  no interface has a filter: the bans are kept, and in force from the next attach on");
}

int command_bans(const struct options *options, struct diag *diag)
{
	__cleanup(hooks_free) struct hooks hooks = {};
	__cleanup(bans_close) struct bans bans = {.table = BAN_TABLE_NONE};
	struct showing showing = {.bans = &bans, .list = options->list};

	(void)diag;
	if (options->arguments.count) {
		error("bans: takes no prefix; name a list with --list");
		return EXIT_USAGE;
	}
	if (list_word_check("bans", options->list))
		return EXIT_USAGE;
	if (kernel_privileged("bans") || hooks_read(&hooks) || bans_read(&hooks, &bans))
		return EXIT_FAILED;
	ban_set_sort(&bans.file.set);
	if (bans.table.map >= 0 && bans.table.head->file_length != bans.file.length)
		warning("a ban or unban was interrupted, or is still running: its changes are listed here, and are in force after the next ban or unban");
	if (options->json)
		print_json(&showing);
	else
		print_text(&showing);
	return EXIT_DONE;
}
