// SPDX-License-Identifier: GPL-2.0
/* The evidence of a live filter, for `suggest`. */
#include "loader/command/suggest_live.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/clock.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/filter/cleared.h"
#include "loader/filter/drop_maps.h"
#include "loader/report/json_forms.h"

#define DAY	86400
#define KEY_HAS (DROPS_ONE_ADDRESS | DROPS_ONE_PORT)

/* True if a port of this host refused the packet because of its number or its source. */
static bool is_knock(const struct drops_row *row)
{
	return !row->out && (row->one & KEY_HAS) == KEY_HAS &&
	       (row->protocol == IPPROTO_TCP || row->protocol == IPPROTO_UDP) &&
	       (row->reason == PC_REASON_SOURCE || row->reason == PC_REASON_UNLISTED);
}

static void add_knock(struct suggest_evidence *evidence, const struct drops_row *row, __u64 booted)
{
	struct suggest_knock *knock;

	if (!is_knock(row) || evidence->count == SUGGEST_KNOCKS)
		return;
	evidence->knock = grow(evidence->knock, evidence->count, sizeof(*evidence->knock));
	knock = &evidence->knock[evidence->count++];
	*knock = (struct suggest_knock){
		.family = row->family == 4 ? AF_INET : AF_INET6,
		.transport = row->protocol == IPPROTO_TCP ? PC_TCP : PC_UDP,
		.port = row->port,
		.packets = row->drop.packets + row->would_drop.packets,
		.first = booted / PC_SECOND + row->first,
		.last = booted / PC_SECOND + row->last,
	};
	memcpy(knock->address, row->address, row->family == 4 ? 4 : sizeof(knock->address));
}

static int read_drops(const struct live *live, struct suggest_evidence *evidence)
{
	const struct drops_select all = {.port = -1};
	__cleanup(drops_free) struct drops drops = {};
	__u64 booted = clock_wall() - clock_boot();
	int err = filter_drops(&live->filter, 0, &all.source, &drops);

	if (err) {
		error("%s: cannot read the recorded drops: %s", live->hook.name, strerror(-err));
		return err;
	}
	drops_choose(&drops, &all);
	for (size_t i = 0; i < drops.count; i++)
		add_knock(evidence, &drops.row[i], booted);
	evidence->sampled = drops.sampled;
	return 0;
}

static void tell_span(const struct live *live, const struct suggest_evidence *evidence,
		      struct suggestion *suggestion)
{
	__free_text char *span = suggest_span(evidence->until - evidence->since), *remark = NULL;
	bool observed = live->filter.current.copy->policy == PC_POLICY_OBSERVE;
	bool little = evidence->until - evidence->since < DAY;

	remark = xasprintf("it enforces; %s in %s for %s%s", observed ? "observed" : "seen",
			   live->hook.name, span,
			   little ? ", which is little: a week shows more" : "");
	names_add(&suggestion->remarks, remark);
}

int suggest_live(const struct live *live, struct catalog *catalog, const struct suggest_host *host,
		 struct suggestion *suggestion, struct diag *diag)
{
	__u64 since = live->filter.current.copy->attached_at;
	struct suggest_evidence evidence = {.counters = live->counters};
	int err = cleared_subtract(&live->filter, live->counters, &since);

	if (err)
		error("%s: cannot read the counters of the last --clear: %s", live->hook.name,
		      strerror(-err));
	else
		err = read_drops(live, &evidence);
	if (!err) {
		evidence.since = since / PC_SECOND;
		evidence.until = clock_wall() / PC_SECOND;
		tell_span(live, &evidence, suggestion);
		suggest_evidence(&evidence, catalog, host, suggestion, diag);
	}
	free(evidence.knock);
	return err;
}
