/* SPDX-License-Identifier: GPL-2.0 */
/* The bans during a replay: until when they hold, and which of them contain a source. */
#ifndef PORTCULLIS_COMMAND_REPLAY_BANS_H
#define PORTCULLIS_COMMAND_REPLAY_BANS_H

#include "loader/base/names.h"
#include "loader/filter/ban_table.h"
#include "loader/filter/question.h"

struct replay_bans {
	__u64 booted; /* ns since 1970 */
	__u32 begun;  /* CLOCK_BOOTTIME second in which the replay began */
	struct ban_table table;
};

#define REPLAY_BANS_NONE ((struct replay_bans){.table = BAN_TABLE_NONE})

/* Opens the ban table of the question, so that it can be read after privileges are dropped. */
void replay_bans_begin(struct replay_bans *bans, const struct question *question);
void replay_bans_end(struct replay_bans *bans);

/*
 * The CLOCK_BOOTTIME second in which a packet of that time (ns since 1970) is decided. Bans that
 * have ended when the replay begins do not hold; others end by the capture's time.
 */
__u32 replay_bans_second(const struct replay_bans *bans, __u64 at);

/* Adds the banned prefixes that contain an address, each once. `family`: 4 or 6. */
void replay_bans_find(const struct replay_bans *bans, __u8 family, const __be32 address[4],
		      struct names *prefixes);

#endif
