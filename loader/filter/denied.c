// SPDX-License-Identifier: GPL-2.0
/* The prefixes that the generations of a filter deny, and those that they never ban. */
#include "loader/filter/denied.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "loader/base/file.h"
#include "loader/base/memory.h"
#include "loader/object/map_walk.h"

struct reading {
	const struct pc_generation *generation;
	struct denied *denied;
};

static void add(struct prefix **list, size_t *count, const struct pc_key *key)
{
	bool ipv6 = ntohl(key->family) == 6;
	struct prefix prefix = {.family = ipv6 ? AF_INET6 : AF_INET,
				.length = (__u8)(key->length - PC_KEY_FAMILY_BITS)};

	memcpy(prefix.address, key->address, ipv6 ? 16 : 4);
	*list = grow(*list, *count, sizeof(**list));
	(*list)[(*count)++] = prefix;
}

/* A prefix has the groups of wider prefixes, too, so that more prefixes than necessary are
 * listed. */
static void take(const void *key, const void *value, void *context)
{
	const struct reading *reading = context;
	const struct pc_groups *groups = value;
	struct denied *denied = reading->denied;

	if (groups->word[0] & reading->generation->denied)
		add(&denied->deny, &denied->denies, key);
	if (groups->word[0] & reading->generation->never_ban)
		add(&denied->never, &denied->nevers, key);
}

static int read_trie(const struct filter *filter, const struct pc_generation *generation,
		     struct denied *denied)
{
	struct reading reading = {generation, denied};
	__close_fd int trie = -1;
	__u32 id;

	if (!generation || !(generation->denied | generation->never_ban) ||
	    generation->tries_slot >= PC_SLOTS)
		return 0;
	if (bpf_map_lookup_elem(filter->fd[FILTER_TRIES], &generation->tries_slot, &id))
		return -errno;
	trie = bpf_map_get_fd_by_id(id);
	if (trie < 0)
		return -errno;
	return map_walk(trie, sizeof(struct pc_key), sizeof(struct pc_groups), take, &reading);
}

int denied_read(const struct filter *filter, struct denied *denied)
{
	int err = read_trie(filter, filter->current.copy, denied);

	if (!err)
		err = read_trie(filter, filter->prepared.copy, denied);
	if (!err)
		err = read_trie(filter, filter->fallback.copy, denied);
	prefixes_sort_once(denied->deny, &denied->denies);
	prefixes_sort_once(denied->never, &denied->nevers);
	return err;
}

void denied_free(struct denied *denied)
{
	free(denied->deny);
	free(denied->never);
	*denied = (struct denied){};
}

bool denied_differs(const struct pc_generation *a, const struct pc_generation *b)
{
	__u64 one = a ? a->denied | a->never_ban : 0, other = b ? b->denied | b->never_ban : 0;

	if (!one || !other)
		return one != other;
	return a->denied != b->denied || a->never_ban != b->never_ban ||
	       a->tries_digest != b->tries_digest;
}
