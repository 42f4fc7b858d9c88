// SPDX-License-Identifier: GPL-2.0
/* The rows of `top` for dropped sources: recorded drops by address. */
#include "loader/report/top_sources.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/columns.h"
#include "loader/base/memory.h"
#include "loader/catalog/ports.h"

#define SECOND	       1e9 /* in ns */
/* rows of addresses that came once; if there are more, they become one row */
#define SCATTERED_MOST 32

/* --- rows of an address --- */

static int compare_numbers(__u64 a, __u64 b)
{
	return a < b ? -1 : a > b;
}

static int compare_addresses(const struct drops_row *a, const struct drops_row *b)
{
	int order = compare_numbers(a->out, b->out);

	if (!order)
		order = compare_numbers(a->machine, b->machine);
	if (!order)
		order = compare_numbers(a->family, b->family);
	return order ? order : memcmp(a->address, b->address, sizeof(a->address));
}

static int compare_keys(const void *a, const void *b)
{
	const struct drops_row *left = a, *right = b;
	int order = compare_numbers(left->filter, right->filter);

	return order ? order : compare_addresses(left, right);
}

void top_sources_order(struct top_looks *looks)
{
	struct drops *drops = &looks->drops;

	drops_sum(drops, DROPS_BY_SOURCE);
	if (drops->count)
		qsort(drops->row, drops->count, sizeof(*drops->row), compare_keys);
}

/* The row with the same address and machine of look `filter`, or NULL. */
static const struct drops_row *row_before(const struct top_looks *before, size_t filter,
					  const struct drops_row *row)
{
	struct drops_row key = *row;

	key.filter = filter;
	return before->drops.count ? bsearch(&key, before->drops.row, before->drops.count,
					     sizeof(key), compare_keys) :
				     NULL;
}

static struct count refused(const struct drops_row *row)
{
	return (struct count){row->drop.packets + row->would_drop.packets,
			      row->drop.bytes + row->would_drop.bytes};
}

/*
 * The drops a second since the look before. An entry that was replaced or cleared starts again from
 * 0; if that was before the former look, the number of new drops is unknown.
 */
static void set_rates(struct top_row *row, const struct top_looks *now,
		      const struct top_looks *before, const struct drops_row *source)
{
	double seconds = (now->monotonic - before->monotonic) / SECOND;
	size_t filter = top_look_index(before, now->look[source->filter].interface);
	const struct drops_row *old;
	struct count last = {};

	if (filter == before->count || seconds <= 0)
		return;
	row->packets = row->drops = row->bits = 0;
	old = row_before(before, filter, source);
	if (old && refused(old).packets <= row->refused.packets)
		last = refused(old);
	else if (source->first < (__u64)(before->boot / SECOND))
		return;
	row->packets = row->drops = (row->refused.packets - last.packets) / seconds;
	row->bits = 8.0 * (row->refused.bytes - last.bytes) / seconds;
}

static struct top_row row_of(const struct top_looks *now, const struct top_looks *before, size_t at)
{
	const struct drops_row *source = &now->drops.row[at];
	struct top_row row = {.look = (__u32)source->filter,
			      .kind = TOP_SOURCE,
			      .out = source->out,
			      .at = (__u32)at,
			      .refused = refused(source),
			      .packets = -1,
			      .bits = -1,
			      .drops = -1,
			      .sources = 1,
			      .same = source->one};

	set_rates(&row, now, before, source);
	return row;
}

/* --- forged addresses --- */

static bool is_scattered(const struct drops_row *source)
{
	return source->ports == 1 && (source->sampled || !source->again);
}

/* The fields in which two rows are equal, as DROPS_ONE_*. */
static __u8 in_common(const struct drops_row *a, const struct drops_row *b)
{
	bool port = a->protocol == b->protocol && a->port == b->port;

	return (__u8)((port ? DROPS_ONE_PORT : 0) |
		      (a->reason == b->reason ? DROPS_ONE_REASON : 0));
}

static double add_rates(double a, double b)
{
	return a < 0 || b < 0 ? -1 : a + b;
}

static void join(const struct drops *drops, struct top_row *all, const struct top_row *row)
{
	if (!all->sources++) {
		*all = *row;
		return;
	}
	all->refused.packets += row->refused.packets;
	all->refused.bytes += row->refused.bytes;
	all->packets = add_rates(all->packets, row->packets);
	all->bits = add_rates(all->bits, row->bits);
	all->drops = add_rates(all->drops, row->drops);
	all->same &= row->same & in_common(&drops->row[all->at], &drops->row[row->at]);
	/* The row of the latest packet stands for all. */
	if (drops->row[all->at].last < drops->row[row->at].last)
		all->at = row->at;
}

static size_t count_scattered(const struct drops *drops, size_t look)
{
	size_t count = 0;

	for (size_t i = 0; i < drops->count; i++)
		count += drops->row[i].filter == look && is_scattered(&drops->row[i]);
	return count;
}

void top_sources(const struct top_looks *now, const struct top_looks *before,
		 void (*take)(void *context, const struct top_row *row), void *context)
{
	const struct drops *drops = &now->drops;

	for (size_t look = 0; look < now->count; look++) {
		bool many = count_scattered(drops, look) > SCATTERED_MOST;
		struct top_row all = {};

		for (size_t i = 0; i < drops->count; i++) {
			struct top_row row;

			if (drops->row[i].filter != look)
				continue;
			row = row_of(now, before, i);
			if (many && is_scattered(&drops->row[i]))
				join(drops, &all, &row);
			else
				take(context, &row);
		}
		if (all.sources)
			take(context, &all);
	}
}

/* --- texts --- */

static const struct drops_row *source_of(const struct top_looks *looks, const struct top_row *row)
{
	return &looks->drops.row[row->at];
}

char *top_source_address(const struct top_looks *looks, const struct top_row *row)
{
	const struct drops_row *source = source_of(looks, row);
	const struct names *machines = &looks->look[row->look].machines;
	const char *machine = source->machine && source->machine <= machines->count ?
				      machines->name[source->machine - 1] :
				      NULL;
	char text[INET6_ADDRSTRLEN];

	if (row->sources > 1)
		return xasprintf("%u sources", row->sources);
	if (!source->family)
		return xstrdup("-");
	inet_ntop(source->family == 6 ? AF_INET6 : AF_INET, source->address, text, sizeof(text));
	return xasprintf("%s%s%s%s%s", row->out ? "to " : "", text, machine ? " (" : "",
			 machine ? machine : "", machine ? ")" : "");
}

char *top_source_ports(const struct top_looks *looks, const struct top_row *row)
{
	const struct drops_row *source = source_of(looks, row);
	__u32 port;

	if (!(row->same & DROPS_ONE_PORT))
		return row->sources > 1 ? xstrdup("several") : xasprintf("%u ports", source->ports);
	if (drops_port(source, &port))
		return xasprintf("%u/%s", pc_port_number(port),
				 transport_name[pc_port_transport(port)]);
	switch (source->protocol) {
	case 0: return xstrdup("-");
	case IPPROTO_TCP: return xstrdup("tcp");
	case IPPROTO_UDP: return xstrdup("udp");
	case IPPROTO_ICMP: return xasprintf("icmp %u", source->port >> 8);
	case IPPROTO_ICMPV6: return xasprintf("icmpv6 %u", source->port >> 8);
	}
	return xasprintf("protocol %u", source->protocol);
}

char *top_source_reason(const struct top_looks *looks, const struct top_row *row)
{
	const struct drops_row *source = source_of(looks, row);
	bool known = row->same & DROPS_ONE_REASON && source->reason < PC_REASONS;

	return xstrdup(known && reason_name[source->reason] ? reason_name[source->reason] :
							      "several");
}

/* "5 s", "12 min", "3 h": the age of the last packet. */
char *top_source_last(const struct top_looks *looks, const struct top_row *row)
{
	__u64 now = (__u64)(looks->boot / SECOND), last = source_of(looks, row)->last;
	char text[HUMAN_TEXT];

	human_seconds(now > last ? now - last : 0, text);
	/* Only the larger unit of a duration. */
	if (strchr(text, ' ') && strchr(strchr(text, ' ') + 1, ' '))
		*strchr(strchr(text, ' ') + 1, ' ') = '\0';
	return xstrdup(text);
}
