// SPDX-License-Identifier: GPL-2.0
/* The prefixes of machines behind this host as a perfect hash table. */
#include "loader/compile/machine_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "loader/base/memory.h"

#define SEEDS	     256 /* hash seeds that are tried; mostly the first one works */
/* room for addresses of this host, in addition to the machines' prefixes */
#define OWN_PREFIXES 256

static int way_of(int family)
{
	return family == AF_INET6;
}

/* The bytes of an address as words, in the order in which a packet has them. */
static void words_of(int family, const __u8 *address, __u64 words[2])
{
	words[0] = words[1] = 0;
	memcpy(words, address, family == AF_INET ? 4 : 16);
}

static void mask_of(int family, __u32 length, __u64 mask[2])
{
	__u8 bytes[16] = {};

	for (__u32 bit = 0; bit < length; bit++)
		bytes[bit / 8] |= 0x80 >> bit % 8;
	words_of(family, bytes, mask);
}

bool machine_prefix_reserved(const struct prefix *prefix)
{
	const struct prefix reserved[] = {
		{.address = {0}, .length = 8, .family = AF_INET},
		{.address = {127}, .length = 8, .family = AF_INET},
		{.address = {224}, .length = 4, .family = AF_INET},
		{.address = {255, 255, 255, 255}, .length = 32, .family = AF_INET},
		{.address = {0}, .length = 127, .family = AF_INET6},
		{.address = {0xff}, .length = 8, .family = AF_INET6},
	};

	for (size_t i = 0; i < ARRAY_SIZE(reserved); i++)
		if (prefix_contains(prefix, reserved[i].family, reserved[i].address) ||
		    prefix_contains(&reserved[i], prefix->family, prefix->address))
			return true;
	return false;
}

/* --- lengths --- */

/* Which lengths are in use: a flag for each, of either family. */
struct lengths {
	bool used[2][129];
};

static void lengths_of(const struct machine_prefix *prefix, size_t prefixes,
		       struct lengths *lengths)
{
	*lengths = (struct lengths){};
	for (size_t i = 0; i < prefixes; i++)
		lengths->used[way_of(prefix[i].prefix.family)][prefix[i].prefix.length] = true;
}

static size_t lengths_count(const struct lengths *lengths, int way)
{
	size_t count = 0;

	for (int length = 0; length <= 128; length++)
		count += lengths->used[way][length];
	return count;
}

int machine_table_check(const struct machine_prefix *prefix, size_t prefixes, struct diag *diag)
{
	size_t errors = diag->errors;
	struct lengths lengths;

	lengths_of(prefix, prefixes, &lengths);
	if (prefixes > PC_MACHINE_PREFIXES)
		diag_error(
			diag, NULL,
			"the machines behind this host have %zu prefixes; the limit is %d, so give some machines one prefix in common",
			prefixes, PC_MACHINE_PREFIXES);
	for (int way = 0; way < 2; way++) {
		size_t count = lengths_count(&lengths, way);

		if (count > MACHINE_LENGTHS)
			diag_error(
				diag, NULL,
				"the machines behind this host have %zu different lengths of IPv%d prefixes; the limit is %d, so write some as several longer ones",
				count, way ? 6 : 4, MACHINE_LENGTHS);
	}
	return diag->errors > errors ? -EINVAL : 0;
}

/* The lengths in use, longest first. */
static int write_lengths(const struct lengths *lengths, struct pc_generation *generation)
{
	memset(generation->length, 0, sizeof(generation->length));
	for (int way = 0; way < 2; way++) {
		size_t count = 0;

		if (lengths_count(lengths, way) > PC_LENGTHS)
			return -E2BIG;
		for (int length = 128; length > 0; length--) {
			struct pc_length *next = &generation->length[way][count];

			if (!lengths->used[way][length])
				continue;
			next->length = (__u8)length;
			next->family = way ? 6 : 4;
			mask_of(way ? AF_INET6 : AF_INET, length, next->mask);
			count++;
		}
	}
	return 0;
}

/* --- the hash --- */

/* A prefix with its hash, sorted by bucket, those of full buckets first. */
struct hashed {
	const struct machine_prefix *from;
	__u64 hash;
	__u32 fill; /* prefixes in its bucket */
};

static int compare_hashed(const void *a, const void *b)
{
	const struct hashed *x = a, *y = b;
	__u32 one = PC_MACHINE_BUCKET(x->hash), other = PC_MACHINE_BUCKET(y->hash);

	if (x->fill != y->fill)
		return x->fill > y->fill ? -1 : 1;
	return (one > other) - (one < other);
}

/* True if with this displacement all prefixes of a bucket get free places, each another one. */
static bool bucket_fits(const struct hashed *item, __u32 count, __u32 displace,
			const struct pc_generation *generation)
{
	for (__u32 i = 0; i < count; i++) {
		__u32 place = PC_MACHINE_PLACE(item[i].hash, displace);

		if (generation->machine[place].family)
			return false;
		for (__u32 j = 0; j < i; j++)
			if (PC_MACHINE_PLACE(item[j].hash, displace) == place)
				return false;
	}
	return true;
}

static void put_machine(const struct hashed *item, __u32 displace, struct pc_generation *generation)
{
	const struct prefix *prefix = &item->from->prefix;
	struct pc_machine *machine = &generation->machine[PC_MACHINE_PLACE(item->hash, displace)];

	words_of(prefix->family, prefix->address, machine->address);
	machine->length = prefix->length;
	machine->family = prefix->family == AF_INET ? 4 : 6;
	machine->class = item->from->class;
	machine->tallies = item->from->tallies;
}

static bool put_bucket(const struct hashed *item, __u32 count, struct pc_generation *generation)
{
	for (__u32 displace = 0; displace < PC_MACHINES; displace++) {
		if (!bucket_fits(item, count, displace, generation))
			continue;
		for (__u32 i = 0; i < count; i++)
			put_machine(&item[i], displace, generation);
		generation->displace[PC_MACHINE_BUCKET(item->hash)] = (__u16)displace;
		return true;
	}
	return false;
}

/* The word at a position of a pseudo-random sequence (splitmix64). */
static __u64 scramble(__u64 number)
{
	__u64 word = number * 0x9e3779b97f4a7c15ULL;

	word = (word ^ word >> 30) * 0xbf58476d1ce4e5b9ULL;
	word = (word ^ word >> 27) * 0x94d049bb133111ebULL;
	return word ^ word >> 31;
}

static void choose_hash(__u32 seed, struct pc_generation *generation)
{
	const __u64 first = seed * (2 + 2 * PC_LENGTHS) + 1;

	for (int i = 0; i < 2; i++) {
		generation->machines_factor[i] = scramble(first + i);
		for (int j = 0; j < PC_LENGTHS; j++)
			generation->length[i][j].salt = scramble(first + 2 + i * PC_LENGTHS + j);
	}
}

static __u64 hash_of(const struct pc_generation *generation, const struct pc_length *length,
		     const __u64 words[2])
{
	return pc_machine_hash(words[0], words[1], generation->machines_factor, length->salt);
}

static const struct pc_length *length_of(const struct pc_generation *generation,
					 const struct prefix *prefix)
{
	const struct pc_length *length = generation->length[way_of(prefix->family)];

	while (length->length != prefix->length)
		length++;
	return length;
}

static void hash_all(const struct machine_prefix *const *prefix, size_t prefixes,
		     const struct pc_generation *generation, struct hashed *hashed)
{
	__u32 fill[PC_MACHINE_BUCKETS] = {};

	for (size_t i = 0; i < prefixes; i++) {
		const struct prefix *one = &prefix[i]->prefix;
		__u64 words[2];

		words_of(one->family, one->address, words);
		hashed[i].from = prefix[i];
		hashed[i].hash = hash_of(generation, length_of(generation, one), words);
		fill[PC_MACHINE_BUCKET(hashed[i].hash)]++;
	}
	for (size_t i = 0; i < prefixes; i++)
		hashed[i].fill = fill[PC_MACHINE_BUCKET(hashed[i].hash)];
	qsort(hashed, prefixes, sizeof(*hashed), compare_hashed);
}

static bool fill_by_seed(const struct machine_prefix *const *prefix, size_t prefixes, __u32 seed,
			 struct pc_generation *generation)
{
	__cleanup(text_free) struct hashed *hashed = xcalloc(prefixes + 1, sizeof(*hashed));

	memset(generation->machine, 0, sizeof(generation->machine));
	memset(generation->displace, 0, sizeof(generation->displace));
	choose_hash(seed, generation);
	hash_all(prefix, prefixes, generation, hashed);
	for (size_t i = 0; i < prefixes; i += hashed[i].fill)
		if (!put_bucket(&hashed[i], hashed[i].fill, generation))
			return false;
	return true;
}

static int compare_prefixes(const void *a, const void *b)
{
	const struct machine_prefix *x = *(const struct machine_prefix *const *)a,
				    *y = *(const struct machine_prefix *const *)b;
	int order = prefix_compare(&x->prefix, &y->prefix);

	return order ? order : (x > y) - (x < y);
}

int machine_table_fill(const struct machine_prefix *prefix, size_t prefixes,
		       struct pc_generation *generation)
{
	__cleanup(text_free) const struct machine_prefix **once =
		xcalloc(prefixes + 1, sizeof(*once));
	struct lengths lengths;
	size_t count = 0;

	for (size_t i = 0; i < prefixes; i++)
		once[i] = &prefix[i];
	qsort(once, prefixes, sizeof(*once), compare_prefixes);
	for (size_t i = 0; i < prefixes; i++)
		if (!count || prefix_compare(&once[count - 1]->prefix, &once[i]->prefix))
			once[count++] = once[i];
	lengths_of(prefix, prefixes, &lengths);
	if (count > PC_MACHINE_PREFIXES + OWN_PREFIXES || write_lengths(&lengths, generation))
		return -E2BIG;
	generation->machines = (__u32)count;
	for (__u32 seed = 0; seed < SEEDS; seed++)
		if (fill_by_seed(once, count, seed, generation))
			return 0;
	return -E2BIG;
}

const struct pc_machine *machine_table_find(const struct pc_generation *generation, int family,
					    const __u8 *address)
{
	__u64 words[2];

	words_of(family, address, words);
	for (int i = 0; generation->machines && i < PC_LENGTHS; i++) {
		const struct pc_length *length = &generation->length[way_of(family)][i];
		const struct pc_machine *machine;
		__u64 hash;

		if (!length->length)
			break;
		words[0] &= length->mask[0];
		words[1] &= length->mask[1];
		hash = hash_of(generation, length, words);
		machine = &generation->machine[PC_MACHINE_PLACE(
			hash, generation->displace[PC_MACHINE_BUCKET(hash)])];
		if (machine->address[0] == words[0] && machine->address[1] == words[1] &&
		    machine->kind == length->kind)
			return machine;
	}
	return NULL;
}

bool machine_table_exempt(const struct pc_generation *generation, struct machine_prefix **prefix,
			  size_t *prefixes, int family, const __u8 *address)
{
	const struct pc_machine *machine = machine_table_find(generation, family, address);
	struct machine_prefix own = {
		.prefix = {.length = family == AF_INET ? 32 : 128, .family = (__u8)family}};

	if (!machine || !machine->class)
		return false;
	memcpy(own.prefix.address, address, family == AF_INET ? 4 : 16);
	for (size_t i = 0; machine->length == own.prefix.length && i < *prefixes; i++) {
		if (prefix_compare(&(*prefix)[i].prefix, &own.prefix))
			continue;
		(*prefix)[i].class = 0;
		return true;
	}
	*prefix = grow(*prefix, *prefixes, sizeof(**prefix));
	(*prefix)[(*prefixes)++] = own;
	return true;
}
