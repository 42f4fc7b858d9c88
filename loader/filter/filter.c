// SPDX-License-Identifier: GPL-2.0
/* A filter: one program with its maps, as descriptors. */
#include "loader/filter/filter.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "loader/base/file.h"
#include "loader/object/slot_update.h"

const struct filter_descriptor filter_descriptor[FILTER_FDS] = {
	[FILTER_LINK] = {"link", NULL, FD_HEAD | FD_APART},
	[FILTER_PROGRAM] = {"program", NULL, FD_HEAD},
	[FILTER_GENERATIONS] = {"generations", "generations", FD_HEAD | FD_ASKED | FD_REPLAYED},
	[FILTER_TRIES] = {"tries", "tries", FD_ASKED | FD_REPLAYED},
	[FILTER_STATE] = {"filter", ".data.filter", FD_KEPT | FD_ASKED | FD_REPLAYED},
	[FILTER_COUNTERS] = {"counters", "counters", FD_KEPT | FD_FROZEN},
	[FILTER_TOTALS] = {"totals", "totals", FD_KEPT | FD_FROZEN},
	[FILTER_CARRIES] = {"carries", "carries", FD_KEPT | FD_FROZEN},
	[FILTER_RARE] = {"rare", "rare", FD_KEPT | FD_FROZEN},
	[FILTER_DROPS] = {"drops", "drops", FD_KEPT},
	[FILTER_LISTENERS] = {"listeners", ".data.listeners", FD_KEPT},
	[FILTER_HEARD] = {"heard", "heard", FD_KEPT | FD_FROZEN},
	[FILTER_EVENTS] = {"events", "events", FD_KEPT},
	[FILTER_EXPLAINED] = {"explained", ".data.explained", FD_EXPLAINING | FD_OPTIONAL},
	[FILTER_PAST] = {"past", NULL, FD_OPTIONAL},
	[FILTER_CLEARED] = {"cleared", NULL, FD_OPTIONAL},
	[FILTER_TALLIES] = {"tallies", NULL, FD_OPTIONAL},
	[FILTER_FLOWS] = {"flows", "flows", FD_NAMESPACE},
	[FILTER_CONNECTIONS] = {"connections", "connections", FD_NAMESPACE},
	[FILTER_STREAMS] = {"streams", "streams", FD_NAMESPACE},
	[FILTER_LEARNED] = {"learned", "learned", FD_NAMESPACE},
	[FILTER_CAME_IN] = {"came_in", "came_in", FD_NAMESPACE},
	[FILTER_MARKS] = {"marks", "marks", FD_NAMESPACE},
	[FILTER_FRAGMENTS] = {"fragments", "fragments", FD_NAMESPACE},
	[FILTER_LARGE] = {"large", "large", FD_NAMESPACE},
	[FILTER_SHARED] = {"shared", "shared", FD_NAMESPACE},
	[FILTER_BANS] = {"bans", "bans", FD_NAMESPACE | FD_REPLAYED},
	[FILTER_BAN_CHUNKS] = {"ban_chunks", "ban_chunks", FD_NAMESPACE | FD_REPLAYED},
	[FILTER_GRANTS] = {"grants", "grants", FD_NAMESPACE | FD_REPLAYED},
	[FILTER_LIMITER] = {"limiter", "limiter", FD_KEPT | FD_ASKED},
	[FILTER_LIMIT_CELLS] = {"limit_cells", "limit_cells", FD_KEPT | FD_ASKED},
	[FILTER_EGRESS] = {"egress", NULL, FD_APART},
	[FILTER_EGRESS_LINK] = {"egress_link", NULL, FD_OPTIONAL},
	[FILTER_DEVICES] = {"devices", NULL, FD_OPTIONAL | FD_LENT},
};

void installed_close(struct installed *installed)
{
	fd_close(&installed->generation);
	fd_close(&installed->recipe);
	if (installed->mapped)
		munmap(installed->copy, sizeof(*installed->copy));
	else
		free(installed->copy);
	*installed = INSTALLED_NONE;
}

void filter_close(struct filter *filter)
{
	int i;

	for (i = 0; i < FILTER_FDS; i++)
		fd_close(&filter->fd[i]);
	fd_close(&filter->emptied);
	slot_update_end(&filter->begun);
	slot_update_end(&filter->placing);
	installed_close(&filter->current);
	installed_close(&filter->prepared);
	installed_close(&filter->replaced);
	installed_close(&filter->fallback);
	installed_close(&filter->reverted);
	*filter = FILTER_NONE;
}

/* --- opening pinned filters --- */
