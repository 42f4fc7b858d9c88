// SPDX-License-Identifier: GPL-2.0
/* The table of bans in the kernel: makes it, fills it, and puts it in place. */
#include "loader/filter/ban_table.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "loader/base/file.h"
#include "loader/filter/flags.h"
#include "loader/object/pin.h"

#define MOVES	       500 /* entries that a walk may move to make room for one more */
#define FILLED_OF_FOUR 3   /* quarters of a table that may be filled */

/* Orders stores for programs on other CPUs. */
#define store(place, value) __atomic_store_n(&(place), value, __ATOMIC_RELEASE)

/* --- maps --- */

static void *map_memory(int map, size_t size, bool writes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *memory = mmap(NULL, (size + page - 1) / page * page,
			    writes ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, map, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static void unmap_memory(void *memory, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (memory)
		munmap(memory, (size + page - 1) / page * page);
}

/* Opens the inner map in a slot, or returns -errno. */
static int open_slot(int outer, __u32 slot)
{
	__u32 id;
	int map;

	if (bpf_map_lookup_elem(outer, &slot, &id))
		return -errno;
	map = bpf_map_get_fd_by_id(id);
	return map < 0 ? -errno : map;
}

static int open_chunk(struct ban_table *table, int map, bool writes)
{
	void *memory;

	if (map < 0)
		return map;
	memory = map_memory(map, sizeof(**table->chunk), writes);
	if (!memory) {
		int err = -errno;

		close(map);
		return err;
	}
	table->chunk_map[table->chunks] = map;
	table->chunk[table->chunks++] = memory;
	return 0;
}

static int open_head(struct ban_table *table, int map, bool writes)
{
	table->map = map;
	if (map < 0)
		return map;
	table->head = map_memory(map, sizeof(*table->head), writes);
	return table->head ? 0 : -errno;
}

static __u32 all_lines(const struct ban_table *table)
{
	return table->head->lines[0] + table->head->lines[1];
}

static int open_all(const struct filter *filter, bool writes, struct ban_table *table)
{
	int err = open_head(table, open_slot(filter->fd[FILTER_BANS], 0), writes);
	__u32 chunks = err ? 0 : all_lines(table) / PC_BAN_LINES;

	for (__u32 i = 0; i < chunks && !err; i++)
		err = open_chunk(table,
				 open_slot(filter->fd[FILTER_BAN_CHUNKS], table->head->slot + i),
				 writes);
	return err;
}

int ban_table_open(const struct filter *filter, bool writes, struct ban_table *table)
{
	int err;

	*table = BAN_TABLE_NONE;
	if (filter->fd[FILTER_BANS] < 0)
		return -ENOENT;
	err = open_all(filter, writes, table);
	if (err)
		ban_table_close(table);
	return err;
}

void ban_table_close(struct ban_table *table)
{
	unmap_memory(table->head, sizeof(*table->head));
	fd_close(&table->map);
	for (__u32 i = 0; i < table->chunks; i++) {
		unmap_memory(table->chunk[i], sizeof(**table->chunk));
		fd_close(&table->chunk_map[i]);
	}
	*table = BAN_TABLE_NONE;
}

static int make_map(const char *name, size_t size)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE);
	int map = bpf_map_create(BPF_MAP_TYPE_ARRAY, name, sizeof(__u32), (__u32)size, 1, &options);

	return map < 0 ? -errno : map;
}

static int make_all(const size_t chunks[2], struct ban_table *table)
{
	int err = open_head(table, make_map("bans_table", sizeof(*table->head)), true);

	while (!err && table->chunks < chunks[0] + chunks[1])
		err = open_chunk(table, make_map("bans_chunk", sizeof(**table->chunk)), true);
	if (err)
		return err;
	table->head->lines[0] = (__u32)chunks[0] * PC_BAN_LINES;
	table->head->lines[1] = (__u32)chunks[1] * PC_BAN_LINES;
	return getrandom(&table->head->secret, sizeof(table->head->secret), 0) ==
			       sizeof(table->head->secret) ?
		       0 :
		       -EIO;
}

static size_t chunks_for(size_t prefixes, size_t entries)
{
	size_t filled = entries * PC_BAN_LINES * FILLED_OF_FOUR / 4;

	return (prefixes + filled - 1) / filled;
}

int ban_table_make(size_t ipv4, size_t ipv6, struct ban_table *table)
{
	const size_t chunks[2] = {chunks_for(ipv4, PC_BAN_ENTRIES4),
				  chunks_for(ipv6, PC_BAN_ENTRIES6)};
	int err;

	*table = BAN_TABLE_NONE;
	if (chunks[0] + chunks[1] > PC_BAN_CHUNKS)
		return -ENOSPC;
	err = make_all(chunks, table);
	if (err)
		ban_table_close(table);
	return err;
}

/* --- entries --- */

/* A prefix in the form in which the programs compare it. */
struct key {
	__u64 address[2];
	__u8 kind;
};

static struct key key_of(const struct prefix *prefix)
{
	__u32 word[4];

	memcpy(word, prefix->address, sizeof(word));
	if (prefix->family == AF_INET)
		return (struct key){{(__u64)ntohl(word[0]) << 32, 0},
				    (__u8)PC_BAN_KIND4(prefix->length)};
	return (struct key){{(__u64)ntohl(word[0]) << 32 | ntohl(word[1]),
			     (__u64)ntohl(word[2]) << 32 | ntohl(word[3])},
			    (__u8)PC_BAN_KIND6(prefix->length)};
}

/* A place in the table. */
struct spot {
	__u32 line;
	int entry;
};

static struct pc_ban_line *line_at(const struct ban_table *table, __u32 line)
{
	return &table->chunk[line / PC_BAN_LINES]->line[line % PC_BAN_LINES];
}

/* The lines of IPv4 come first. */
static bool is_ipv6(const struct ban_table *table, __u32 line)
{
	return line >= table->head->lines[0];
}

static int entries_of(const struct ban_table *table, __u32 line)
{
	return is_ipv6(table, line) ? PC_BAN_ENTRIES6 : PC_BAN_ENTRIES4;
}

static __u32 *until_at(const struct ban_table *table, struct spot place)
{
	struct pc_ban_line *line = line_at(table, place.line);

	return is_ipv6(table, place.line) ? &line->ipv6.until[place.entry] :
					    &line->ipv4.until[place.entry];
}

static struct key key_at(const struct ban_table *table, struct spot place)
{
	const struct pc_ban_line *line = line_at(table, place.line);

	if (!is_ipv6(table, place.line))
		return (struct key){{(__u64)line->ipv4.address[place.entry] << 32, 0},
				    line->ipv4.kind[place.entry]};
	return (struct key){
		{line->ipv6.address[place.entry][0], line->ipv6.address[place.entry][1]},
		line->ipv6.kind[place.entry]};
}

static struct pc_ban_count *count_at(const struct ban_table *table, struct spot place)
{
	return &table->chunk[place.line / PC_BAN_LINES]
			->count[place.line % PC_BAN_LINES * PC_BAN_ENTRIES + place.entry];
}

static bool has_key(const struct ban_table *table, struct spot place, const struct key *key)
{
	struct key there = key_at(table, place);

	return *until_at(table, place) && there.kind == key->kind &&
	       there.address[0] == key->address[0] && there.address[1] == key->address[1];
}

static void lines_of(const struct ban_table *table, const struct key *key, __u32 line[2])
{
	__u64 hash = pc_ban_hash(key->address, key->kind, table->head->secret);
	int ipv6 = key->kind < PC_BAN_KIND4(0);

	line[0] = pc_ban_first(hash, table->head, ipv6);
	line[1] = pc_ban_second(hash, table->head, ipv6);
}

/* Whether the table has lines of that family. */
static bool has_lines(const struct ban_table *table, const struct key *key)
{
	return table->head->lines[key->kind < PC_BAN_KIND4(0)];
}

static bool find(const struct ban_table *table, const struct key *key, struct spot *place)
{
	__u32 line[2];

	if (!has_lines(table, key))
		return false;
	lines_of(table, key, line);
	for (int i = 0; i < 2; i++)
		for (int entry = 0; entry < entries_of(table, line[i]); entry++) {
			*place = (struct spot){line[i], entry};
			if (has_key(table, *place, key))
				return true;
		}
	return false;
}

/* The index of a free entry in a line, or -1. */
static int free_entry(const struct ban_table *table, __u32 line)
{
	for (int i = 0; i < entries_of(table, line); i++)
		if (!*until_at(table, (struct spot){line, i}))
			return i;
	return -1;
}

/* Writes a free entry. The end is written last, because programs skip the entry until it has
 * one. */
static void fill(const struct ban_table *table, struct spot place, const struct key *key,
		 __u32 until, const struct pc_ban_count *count)
{
	struct pc_ban_line *line = line_at(table, place.line);
	__u32 own[2];

	lines_of(table, key, own);
	if (place.line != own[0])
		store(line_at(table, own[0])->ipv4.more, 1);
	*count_at(table, place) = *count;
	if (is_ipv6(table, place.line)) {
		line->ipv6.address[place.entry][0] = key->address[0];
		line->ipv6.address[place.entry][1] = key->address[1];
		line->ipv6.kind[place.entry] = key->kind;
	} else {
		line->ipv4.address[place.entry] = (__u32)(key->address[0] >> 32);
		line->ipv4.kind[place.entry] = key->kind;
	}
	store(*until_at(table, place), until);
}

/* The other line that the prefix at a place may be in. */
static __u32 other_line(const struct ban_table *table, struct spot place)
{
	struct key key = key_at(table, place);
	__u32 line[2];

	lines_of(table, &key, line);
	return place.line == line[0] ? line[1] : line[0];
}

/* Moves a prefix to its other line, where `entry` is free. For a moment it is in both lines. */
static void move(const struct ban_table *table, struct spot from, struct spot to)
{
	struct key key = key_at(table, from);
	struct pc_ban_count count = *count_at(table, from);

	fill(table, to, &key, *until_at(table, from), &count);
	store(*until_at(table, from), PC_BAN_FREE);
}

/*
 * Makes room in a full line: a prefix of it could be in another line, a prefix of that one in yet
 * another, and so on, until a line has room. Then moves the prefixes of this walk, the last one
 * first. Returns the entry that becomes free, or -1.
 */
static int make_room(const struct ban_table *table, __u32 line)
{
	struct spot walk[MOVES];
	int steps = 0, free;

	while ((free = free_entry(table, line)) < 0) {
		if (steps == MOVES)
			return -1;
		walk[steps] = (struct spot){
			line, (int)((line + (__u32)steps) % (__u32)entries_of(table, line))};
		line = other_line(table, walk[steps]);
		steps++;
	}
	while (steps--) {
		struct spot to = {line, free};

		/* A walk may pass a line twice, so that a move may have changed an entry. */
		if (other_line(table, walk[steps]) != line)
			return -1;
		move(table, walk[steps], to);
		line = walk[steps].line;
		free = walk[steps].entry;
	}
	return free;
}

static int insert(struct ban_table *table, const struct key *key, __u32 until,
		  const struct pc_ban_count *count)
{
	struct spot place = {};
	__u32 line[2];

	if (!has_lines(table, key))
		return -ENOSPC;
	lines_of(table, key, line);
	for (int i = 0; i < 2; i++) {
		place = (struct spot){line[i], free_entry(table, line[i])};
		if (place.entry >= 0)
			break;
	}
	if (place.entry < 0)
		place = (struct spot){line[0], make_room(table, line[0])};
	if (place.entry < 0)
		return -ENOSPC;
	fill(table, place, key, until, count);
	table->head->used++;
	return 0;
}

/* --- marks and lengths --- */

/* Adds a kind to a list in descending order that ends with 0. */
static void add_kind(__u8 *list, size_t room, __u8 kind)
{
	size_t at = 0, end = 0;

	while (list[at] > kind)
		at++;
	if (list[at] == kind)
		return;
	for (end = at; list[end]; end++)
		;
	if (end + 1 >= room)
		return; /* there are fewer kinds than places */
	/* Moves from the end on: a program that reads meanwhile sees one kind twice, and misses
	 * none. */
	for (; end > at; end--)
		store(list[end], list[end - 1]);
	store(list[at], kind);
}

static void set_bit(__u8 *bits, __u32 bit)
{
	store(bits[bit >> 3], bits[bit >> 3] | 1 << (bit & 7));
}

static void mark4(struct pc_bans *head, __u64 address, __u32 length)
{
	__u32 first = PC_BAN_BIT4(address), count = length < 24 ? 1u << (24 - length) : 1;

	for (__u32 i = 0; i < count; i++) {
		if (count - i >= 8 && !((first + i) & 7)) {
			store(head->mark4[(first + i) >> 3], 0xff);
			i += 7;
		} else {
			set_bit(head->mark4, first + i);
		}
	}
}

static void mark6(struct pc_bans *head, const struct key *key, __u32 length)
{
	__u32 at = length < PC_BAN_MARK6 ? length : PC_BAN_MARK6;
	__u64 address[2] = {key->address[0], 0};

	pc_ban_mask(address, at);
	set_bit(head->mark6, PC_BAN_BIT6(pc_ban_hash(address, PC_BAN_KIND6(at), head->secret)));
}

static void mark(struct pc_bans *head, const struct prefix *prefix, const struct key *key)
{
	if (prefix->family == AF_INET) {
		add_kind(head->lengths4, sizeof(head->lengths4), key->kind);
		mark4(head, key->address[0], prefix->length);
	} else {
		add_kind(head->lengths6, sizeof(head->lengths6), key->kind);
		mark6(head, key, prefix->length);
	}
}

void ban_table_mark(struct ban_table *table, const struct prefix *prefix)
{
	struct key key = key_of(prefix);

	if (prefix->family == AF_INET)
		mark4(table->head, key.address[0], prefix->length);
	else if (prefix->length < PC_BAN_MARK6)
		store(table->head->wide6, 1);
	else
		mark6(table->head, &key, prefix->length);
}

/* --- prefixes --- */

int ban_table_set(struct ban_table *table, const struct prefix *prefix, __u32 until, __u32 now)
{
	const struct pc_ban_count none = {};
	struct key key = key_of(prefix);
	struct spot place;
	int err;

	if (find(table, &key, &place)) {
		if (pc_ban_end(*until_at(table, place)) <= now)
			*count_at(table, place) = none;
		store(*until_at(table, place), until);
		if (!until)
			table->head->used--;
		return 0;
	}
	if (!until)
		return 0;
	err = insert(table, &key, until, &none);
	if (!err)
		mark(table->head, prefix, &key);
	return err;
}

__u32 ban_table_find(const struct ban_table *table, const struct prefix *prefix,
		     struct pc_ban_count *count)
{
	struct key key = key_of(prefix);
	struct spot place;

	if (!find(table, &key, &place))
		return PC_BAN_FREE;
	if (count)
		*count = *count_at(table, place);
	return *until_at(table, place);
}

bool ban_table_covers(const struct ban_table *table, const struct prefix *prefix, __u32 now)
{
	const __u8 *kinds =
		prefix->family == AF_INET ? table->head->lengths4 : table->head->lengths6;
	struct key key = key_of(prefix), wide;
	struct spot place;

	for (; *kinds; kinds++) {
		if (*kinds >= key.kind)
			continue;
		wide = key;
		wide.kind = *kinds;
		pc_ban_mask(wide.address,
			    wide.kind - (key.kind >= PC_BAN_KIND4(0) ? PC_BAN_KIND4(0) :
								       PC_BAN_KIND6(0)));
		if (find(table, &wide, &place) && pc_ban_end(*until_at(table, place)) > now)
			return true;
	}
	return false;
}

void ban_table_keep_counts(struct ban_table *table, const struct ban_table *old)
{
	for (__u32 line = 0; line < all_lines(old); line++)
		for (int entry = 0; entry < entries_of(old, line); entry++) {
			struct spot from = {line, entry}, to;
			struct key key = key_at(old, from);

			if (*until_at(old, from) && find(table, &key, &to))
				*count_at(table, to) = *count_at(old, from);
		}
}

size_t ban_table_count(const struct ban_table *table, __u32 now)
{
	size_t count = 0;

	for (__u32 line = 0; line < all_lines(table); line++)
		for (int entry = 0; entry < entries_of(table, line); entry++) {
			__u32 until = pc_ban_end(*until_at(table, (struct spot){line, entry}));

			count += until > now && until != PC_BAN_NEVER;
		}
	return count;
}

/* --- putting a table in place --- */

int ban_flag_set(const struct filter *filter, bool bans)
{
	return filter_flag_set(filter, PC_FILTER_BANS, bans);
}

int ban_table_install(const struct filter *filter, struct ban_table *table, __u32 first)
{
	__u32 zero = 0;

	for (__u32 i = 0; i < table->chunks; i++) {
		__u32 slot = first + i;

		if (bpf_map_update_elem(filter->fd[FILTER_BAN_CHUNKS], &slot, &table->chunk_map[i],
					BPF_ANY))
			return -errno;
	}
	table->head->slot = first;
	return bpf_map_update_elem(filter->fd[FILTER_BANS], &zero, &table->map, BPF_ANY) ? -errno :
											   0;
}

void ban_table_forget(const struct filter *filter, const struct ban_table *table)
{
	__u32 other = table->head->slot ? 0 : PC_BAN_CHUNKS;

	for (__u32 i = 0; i < PC_BAN_CHUNKS; i++) {
		__u32 slot = other + i;

		bpf_map_delete_elem(filter->fd[FILTER_BAN_CHUNKS], &slot);
	}
}

int ban_table_remove(const struct filter *filter)
{
	__u32 zero = 0;

	if (bpf_map_delete_elem(filter->fd[FILTER_BANS], &zero) && errno != ENOENT)
		return -errno;
	for (__u32 slot = 0; slot < PC_BAN_SLOTS; slot++)
		bpf_map_delete_elem(filter->fd[FILTER_BAN_CHUNKS], &slot);
	return 0;
}
