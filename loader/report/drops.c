// SPDX-License-Identifier: GPL-2.0
/* Adds up and sorts recent drops. */
#include "loader/report/drops.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/json.h"
#include "loader/base/memory.h"
#include "loader/report/json_forms.h"

#define SECOND		1000000000ULL /* in ns */
#define PREFIX_ROWS	8	      /* rows of one prefix that are shown; more are a scan */
#define SCATTERED_ROWS	32   /* rows of one port and reason from all sources; more are a flood */
#define KEYS		8192 /* tries that reach each of PC_DROP_PEACE / PC_DROP_SHARE buckets */
#define PREFIX_LENGTH_4 24
#define PREFIX_LENGTH_6 64

void drops_free(struct drops *drops)
{
	for (size_t i = 0; i < ARRAY_SIZE(drops->protocol); i++)
		json_decref(drops->protocol[i]);
	free(drops->row);
	*drops = (struct drops){};
}

/* --- entries --- */

static __u8 family_of(const struct pc_drop *drop)
{
	static const __be32 none[4];

	if (drop->how & PC_DROP_IPV6)
		return 6;
	return drop->protocol || memcmp(drop->address, none, sizeof(none)) ? 4 : 0;
}

static void add_entry(struct drops *drops, size_t filter, const struct pc_drop *drop, bool flood)
{
	struct count count = {drop->packets, drop->bytes};
	bool would = drop->how & PC_DROP_WOULD;
	struct drops_row row = {
		.filter = filter,
		.machine = drop->machine,
		.first = drop->first,
		.last = drop->last,
		.sources = 1,
		.ports = 1,
		.port = drop->port,
		.protocol = drop->protocol,
		.reason = drop->reason,
		.family = family_of(drop),
		.one = DROPS_ONE_ADDRESS | DROPS_ONE_PREFIX | DROPS_ONE_PORT | DROPS_ONE_PROTOCOL |
		       DROPS_ONE_REASON,
		.out = drop->how & PC_DROP_OUT,
		.sampled = flood,
		.again = drop->how & PC_DROP_AGAIN,
	};

	memcpy(row.address, drop->address, sizeof(row.address));
	*(would ? &row.would_drop : &row.drop) = count;
	drops->row = grow(drops->row, drops->count, sizeof(row));
	drops->row[drops->count++] = row;
}

void drops_begin(struct drops *drops, __u32 since)
{
	if (drops->since < since)
		drops->since = since;
}

void drops_add(struct drops *drops, size_t filter, const struct pc_drop_bucket *bucket, bool flood,
	       __u32 since)
{
	size_t i;

	for (i = 0; i < PC_DROP_PLACES; i++) {
		const struct pc_drop *drop = &bucket->drop[i];

		if (!(drop->how & PC_DROP_USED) || drop->last < since)
			continue;
		add_entry(drops, filter, drop, flood);
		drops->sampled |= flood;
	}
}

void drops_forgot(struct drops *drops, const struct pc_drop_bucket *bucket, __u32 since)
{
	if (!bucket->forgotten || bucket->reached < since)
		return;
	drops->forgotten += bucket->forgotten;
	drops_begin(drops, bucket->reached + 1);
}

static __u8 prefix_length(bool ipv6)
{
	return ipv6 ? PREFIX_LENGTH_6 : PREFIX_LENGTH_4;
}

/* Tries so many keys that each bucket is reached. */
bool *drops_buckets(const struct prefix *prefix, __u32 secret)
{
	bool ipv6 = prefix->family == AF_INET6;
	struct pc_drop drop = {.how = (__u8)(PC_DROP_USED | (ipv6 ? PC_DROP_IPV6 : 0))};
	bool *buckets;
	__u32 port;

	if (!prefix->family || prefix->length < prefix_length(ipv6))
		return NULL;
	buckets = xcalloc(PC_DROP_PEACE, sizeof(*buckets));
	memcpy(drop.address, prefix->address, ipv6 ? 16 : 4);
	for (port = 0; port < KEYS; port++) {
		drop.port = (__u16)port;
		buckets[pc_drop_bucket_of(&drop, secret, false) % PC_DROP_PEACE] = true;
	}
	return buckets;
}

/* --- adding up --- */

typedef int (*row_order)(const struct drops_row *a, const struct drops_row *b);

static int order(__u64 a, __u64 b)
{
	return a < b ? -1 : a > b;
}

/* The order of fields by which every view separates rows. */
static int by_filter(const struct drops_row *a, const struct drops_row *b)
{
	int result = order(a->filter, b->filter);

	if (!result)
		result = order(a->out, b->out);
	return result ? result : order(a->machine, b->machine);
}

static int by_address(const struct drops_row *a, const struct drops_row *b)
{
	int result = order(a->family, b->family);

	return result ? result : memcmp(a->address, b->address, sizeof(a->address));
}

static size_t prefix_bytes(__u8 family)
{
	return prefix_length(family == 6) / 8;
}

static int by_prefix(const struct drops_row *a, const struct drops_row *b)
{
	int result = order(a->family, b->family);

	return result ? result : memcmp(a->address, b->address, prefix_bytes(a->family));
}

static int by_port(const struct drops_row *a, const struct drops_row *b)
{
	int result = order(a->protocol, b->protocol);

	return result ? result : order(a->port, b->port);
}

static int by_reason(const struct drops_row *a, const struct drops_row *b)
{
	return order(a->reason, b->reason);
}

/* Compares rows of one filter, direction and machine by a list of fields that NULL ends. */
static int compare_rows(const void *a, const void *b, void *context)
{
	const row_order *by = context;
	int result = by_filter(a, b);

	for (; *by && !result; by++)
		result = (*by)(a, b);
	return result;
}

static void sort_rows(struct drops_row *row, size_t count, const row_order *by)
{
	if (count)
		qsort_r(row, count, sizeof(*row), compare_rows, (void *)by);
}

/* The number of different rows by the one order of the list. */
static __u32 count_different(struct drops_row *row, size_t count, const row_order *by)
{
	__u32 different = 1;
	size_t i;

	sort_rows(row, count, by);
	for (i = 1; i < count; i++)
		different += (*by)(&row[i - 1], &row[i]) != 0;
	return different;
}

static __u8 in_common(const struct drops_row *a, const struct drops_row *b)
{
	__u8 one = a->one & b->one;

	if (by_address(a, b))
		one &= (__u8)~DROPS_ONE_ADDRESS;
	if (by_prefix(a, b))
		one &= (__u8)~DROPS_ONE_PREFIX;
	if (by_port(a, b))
		one &= (__u8)~DROPS_ONE_PORT;
	if (a->protocol != b->protocol)
		one &= (__u8)~DROPS_ONE_PROTOCOL;
	if (by_reason(a, b))
		one &= (__u8)~DROPS_ONE_REASON;
	return one;
}

static void add_count(struct count *to, struct count what)
{
	to->packets += what.packets;
	to->bytes += what.bytes;
}

static void add_row(struct drops_row *to, const struct drops_row *row)
{
	to->one = in_common(to, row);
	if (to->first > row->first)
		to->first = row->first;
	if (to->last < row->last)
		to->last = row->last;
	add_count(&to->drop, row->drop);
	add_count(&to->would_drop, row->would_drop);
	to->sampled |= row->sampled;
	to->again |= row->again;
}

/* Adds up entries to one row, the first of them. */
static void join_rows(struct drops_row *row, size_t count)
{
	static const row_order address[] = {by_address, NULL}, port[] = {by_port, NULL};
	__u32 sources = count_different(row, count, address);
	__u32 ports = count_different(row, count, port);
	size_t i;

	for (i = 1; i < count; i++)
		add_row(&row[0], &row[i]);
	row[0].sources = sources;
	row[0].ports = ports;
}

static bool is_any(const struct drops_row *row)
{
	(void)row;
	return true;
}

/* Adds up the rows that are equal by these fields and of this kind, if they are more than
 * `most`. */
static void sum(struct drops *drops, const row_order *by, bool (*kind)(const struct drops_row *),
		size_t most)
{
	struct drops_row *row = drops->row, *kept = row, *end = row + drops->count;
	struct drops_row *all = xcalloc(drops->count + 1, sizeof(*all));
	size_t first = 0, count = 0, next;

	for (; row < end; row++) {
		if (kind(row))
			all[count++] = *row;
		else
			*kept++ = *row;
	}
	sort_rows(all, count, by);
	for (; first < count; first = next) {
		for (next = first + 1;
		     next < count && !compare_rows(&all[first], &all[next], (void *)by); next++)
			;
		if (next - first > most) {
			join_rows(&all[first], next - first);
			*kept++ = all[first];
			continue;
		}
		memcpy(kept, &all[first], (next - first) * sizeof(*kept));
		kept += next - first;
	}
	drops->count = (size_t)(kept - drops->row);
	free(all);
}

void drops_sum(struct drops *drops, enum drops_by by)
{
	static const row_order orders[][2] = {
		[DROPS_BY_SOURCE] = {by_address},
		[DROPS_BY_PREFIX] = {by_prefix},
		[DROPS_BY_PORT] = {by_port},
		[DROPS_BY_REASON] = {by_reason},
	};
	size_t i;

	if (by == DROPS_BY_KEY)
		return;
	sum(drops, orders[by], is_any, 0);
	for (i = 0; i < drops->count && by == DROPS_BY_PREFIX; i++)
		drops->row[i].one &= (__u8)~DROPS_ONE_ADDRESS;
}

static int by_protocol(const struct drops_row *a, const struct drops_row *b)
{
	int result = order(a->family, b->family);

	return result ? result : order(a->protocol, b->protocol);
}

/* The rows of one key are added up. */
static bool is_key(const struct drops_row *row)
{
	return row->sources == 1 && row->ports == 1 && row->one & DROPS_ONE_REASON;
}

/* Whether the row looks as if its sender forges addresses. */
static bool is_scattered(const struct drops_row *row)
{
	return is_key(row) && (row->sampled || !row->again);
}

void drops_collapse(struct drops *drops)
{
	static const row_order prefix[] = {by_prefix, NULL};
	static const row_order port[] = {by_reason, by_port, NULL};
	static const row_order protocol[] = {by_reason, by_protocol, NULL};

	sum(drops, prefix, is_key, PREFIX_ROWS);
	sum(drops, port, is_scattered, SCATTERED_ROWS);
	sum(drops, protocol, is_scattered, SCATTERED_ROWS);
}

/* --- choosing --- */

static bool has_address(const struct drops_row *row, const struct prefix *prefix)
{
	return row->family && prefix_contains(prefix, row->family == 6 ? AF_INET6 : AF_INET,
					      (const __u8 *)row->address);
}

/* False if no header gave a port: for fragments and malformed packets. */
static bool knows_port(const struct drops_row *row)
{
	if (row->protocol != IPPROTO_TCP && row->protocol != IPPROTO_UDP)
		return false;
	return row->port ||
	       (row->reason != PC_REASON_FRAGMENT && row->reason != PC_REASON_MALFORMED);
}

bool drops_port(const struct drops_row *row, __u32 *port)
{
	if (!(row->one & DROPS_ONE_PORT) || !knows_port(row))
		return false;
	*port = PC_PORT(row->protocol == IPPROTO_TCP ? PC_TCP : PC_UDP, row->port);
	return true;
}

static bool is_chosen(const struct drops_row *row, const struct drops_select *select)
{
	__u32 port;

	if (select->source.family && !has_address(row, &select->source))
		return false;
	if (select->port >= 0 && (!drops_port(row, &port) || port != (__u32)select->port))
		return false;
	if (select->reasons &&
	    (row->reason >= PC_REASONS || !(select->reasons & 1U << row->reason)))
		return false;
	return row->last >= select->since;
}

void drops_choose(struct drops *drops, const struct drops_select *select)
{
	static const row_order key[] = {by_address, by_port, by_reason, NULL};
	size_t kept = 0, i;

	sum(drops, key, is_any, 0);
	drops->sampled = false;
	for (i = 0; i < drops->count; i++) {
		drops->sampled |= drops->row[i].sampled && drops->row[i].last >= select->since;
		if (is_chosen(&drops->row[i], select))
			drops->row[kept++] = drops->row[i];
	}
	drops->count = kept;
}

/* --- order --- */

static __u64 packets(const struct drops_row *row)
{
	return row->drop.packets + row->would_drop.packets;
}

static int by_last(const struct drops_row *a, const struct drops_row *b)
{
	return order(b->last, a->last);
}

static int by_packets(const struct drops_row *a, const struct drops_row *b)
{
	return order(packets(b), packets(a));
}

/* Equal rows keep the same order each time, which matters with --watch. */
static int compare_shown(const void *a, const void *b, void *context)
{
	const bool *most = context;
	static const row_order rest[] = {by_address, by_reason, by_port, NULL};
	int result = *most ? by_packets(a, b) : by_last(a, b);

	if (!result)
		result = *most ? by_last(a, b) : by_packets(a, b);
	return result ? result : compare_rows(a, b, (void *)rest);
}

void drops_sort(struct drops *drops, bool most)
{
	if (drops->count)
		qsort_r(drops->row, drops->count, sizeof(*drops->row), compare_shown, &most);
}

/* --- JSON --- */

static json_t *address_json(const struct drops_row *row)
{
	struct prefix prefix = {.family = row->family == 6 ? AF_INET6 : AF_INET};
	char text[PREFIX_TEXT];

	if (!row->family || !(row->one & (DROPS_ONE_ADDRESS | DROPS_ONE_PREFIX)))
		return json_null();
	if (row->one & DROPS_ONE_ADDRESS) {
		inet_ntop(prefix.family, row->address, text, sizeof(text));
		return json_string(text);
	}
	memcpy(prefix.address, row->address, prefix_bytes(row->family));
	prefix.length = (__u8)(8 * prefix_bytes(row->family));
	return json_string(prefix_format(&prefix, text));
}

static bool is_icmp(const struct drops_row *row)
{
	return row->one & DROPS_ONE_PROTOCOL &&
	       (row->protocol == IPPROTO_ICMP || row->protocol == IPPROTO_ICMPV6);
}

static json_t *protocol_json(struct drops *drops, const struct drops_row *row)
{
	bool known = row->family && (row->protocol || row->reason != PC_REASON_MALFORMED);

	if (!(row->one & DROPS_ONE_PROTOCOL) || !known)
		return json_null();
	return report_protocol_json(drops->protocol, row->protocol);
}

static json_t *reason_json(const struct drops_row *row)
{
	bool named =
		row->one & DROPS_ONE_REASON && row->reason < PC_REASONS && reason_name[row->reason];

	return named ? json_string(reason_name[row->reason]) : json_null();
}

static json_t *count_json(struct count count)
{
	return json_pack("{s:I, s:I}", "packets", (json_int_t)count.packets, "bytes",
			 (json_int_t)count.bytes);
}

static json_t *time_json(__u32 seconds, __u64 booted)
{
	char text[TIME_TEXT];

	return json_string(report_time(booted + seconds * SECOND, text));
}

/* Type and code are null for an ICMP packet whose header could not be read. */
static void add_icmp(json_t *json, const struct drops_row *row)
{
	bool known = row->one & DROPS_ONE_PORT && row->reason == PC_REASON_ICMP;

	json_object_set_new(json, "type", known ? json_integer(row->port >> 8) : json_null());
	json_object_set_new(json, "code", known ? json_integer(row->port & 0xff) : json_null());
}

json_t *drops_json(struct drops *drops, const struct drops_row *row, const char *interface,
		   const char *machine, json_t *services, __u64 booted)
{
	json_t *address = address_json(row), *json;
	__u32 port;

	json = json_pack("{s:o, s:o, s:s, s:O, s:o, s:o, s:o, s:O?, s:o, s:o, s:o, s:o}",
			 "interface", text_json(interface), "machine", text_json(machine),
			 "direction", row->out ? "out" : "in", "source", address, "protocol",
			 protocol_json(drops, row), "port",
			 drops_port(row, &port) ? json_integer(row->port) : json_null(), "reason",
			 reason_json(row), "services", services, "first",
			 time_json(row->first, booted), "last", time_json(row->last, booted),
			 "drop", count_json(row->drop), "would_drop", count_json(row->would_drop));
	if (!services)
		json_object_set_new(json, "services", json_array());
	if (row->out) {
		json_object_set_new(json, "source", json_null());
		json_object_set(json, "destination", address);
	}
	json_decref(address);
	if (is_icmp(row))
		add_icmp(json, row);
	json_object_set_new(json, "sampled", json_boolean(row->sampled));
	json_object_set_new(json, "sources", json_integer(row->sources));
	json_object_set_new(json, "ports", json_integer(row->ports));
	return json;
}
