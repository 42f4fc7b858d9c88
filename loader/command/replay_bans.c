// SPDX-License-Identifier: GPL-2.0
/* The bans during a replay: until when they hold, and which of them contain a source. */
#include "loader/command/replay_bans.h"

#include <string.h>
#include <sys/socket.h>

#include "loader/base/clock.h"
#include "loader/catalog/prefix.h"

void replay_bans_begin(struct replay_bans *bans, const struct question *question)
{
	__u64 boot = clock_boot();

	bans->begun = (__u32)(boot / PC_SECOND);
	bans->booted = clock_wall() - boot;
	/* Without a table there are no bans. */
	ban_table_open(&question->filter, false, &bans->table);
}

void replay_bans_end(struct replay_bans *bans)
{
	ban_table_close(&bans->table);
}

__u32 replay_bans_second(const struct replay_bans *bans, __u64 at)
{
	__u64 second = at > bans->booted ? (at - bans->booted) / PC_SECOND : 0;

	if (second > PC_BAN_LAST)
		second = PC_BAN_LAST;
	return second > bans->begun ? (__u32)second : bans->begun;
}

void replay_bans_find(const struct replay_bans *bans, __u8 family, const __be32 address[4],
		      struct names *prefixes)
{
	struct prefix prefix = {.family = family == 4 ? AF_INET : AF_INET6,
				.length = family == 4 ? 32 : 128};

	if (bans->table.map < 0)
		return;
	memcpy(prefix.address, address, prefix.length / 8);
	for (;;) {
		__u32 until = pc_ban_end(ban_table_find(&bans->table, &prefix, NULL));
		char text[PREFIX_TEXT];

		if (until > bans->begun && until != PC_BAN_NEVER)
			names_add_once(prefixes, prefix_format(&prefix, text));
		if (!prefix.length)
			break;
		prefix.length--;
		prefix.address[prefix.length / 8] &= (__u8)(0xff00 >> prefix.length % 8);
	}
}
