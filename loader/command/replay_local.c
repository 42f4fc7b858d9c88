// SPDX-License-Identifier: GPL-2.0
/* Which side of a capture is this host. */
#include "loader/command/replay_local.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/net/link.h"

static void add(struct prefix **list, size_t *count, const struct prefix *prefix)
{
	*list = grow(*list, *count, sizeof(*prefix));
	(*list)[(*count)++] = *prefix;
}

static int read_words(const char *words, const char *command, struct prefix **list, size_t *count)
{
	__free_text char *copy = xstrdup(words);
	char *rest = copy, *word;

	while ((word = strsep(&rest, ","))) {
		__free_text char *why = NULL;
		struct prefix prefix;

		if (prefix_parse(word, &prefix, &why)) {
			error("%s: --local: %s", command, why);
			return -EINVAL;
		}
		add(list, count, &prefix);
	}
	return 0;
}

static int read_own(const char *command, struct prefix **list, size_t *count)
{
	struct links links = {};
	int err = links_read(&links);

	for (size_t i = 0; i < links.addresses && !err; i++) {
		const struct link_address *address = &links.address[i];
		struct prefix prefix = {.family = address->family,
					.length = address->family == AF_INET ? 32 : 128};

		memcpy(prefix.address, address->address, address->family == AF_INET ? 4 : 16);
		if (address->scope < RT_SCOPE_HOST)
			add(list, count, &prefix);
	}
	links_free(&links);
	if (err)
		error("%s: cannot list the addresses of this host: %s", command, strerror(-err));
	return err;
}

int replay_local_read(const char *words, const char *command, struct prefix **list, size_t *count)
{
	return words ? read_words(words, command, list, count) : read_own(command, list, count);
}
