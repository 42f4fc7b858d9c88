// SPDX-License-Identifier: GPL-2.0
/* Stores the addresses of this host for the next boot. */
#include "loader/recipe/own_addresses.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "loader/base/file.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/net/local_address.h"
#include "loader/recipe/state_write.h"

#define ADDRESSES_LIMIT (1 << 20) /* bytes of the file */

static bool parse(const char *text, struct prefix *prefix)
{
	*prefix = (struct prefix){};
	if (inet_pton(AF_INET, text, prefix->address) == 1) {
		prefix->family = AF_INET;
		prefix->length = 32;
	} else if (inet_pton(AF_INET6, text, prefix->address) == 1) {
		prefix->family = AF_INET6;
		prefix->length = 128;
	}
	return prefix->family;
}

size_t own_addresses_read(const char *path, struct prefix **address)
{
	__free_text char *text = NULL;
	size_t length, count = 0;
	char *rest, *line;

	*address = NULL;
	if (read_file(path, ADDRESSES_LIMIT, &text, &length))
		return 0;
	for (rest = text; (line = strsep(&rest, "\n"));) {
		struct prefix prefix;

		if (!parse(line, &prefix))
			continue;
		*address = grow(*address, count, sizeof(**address));
		(*address)[count++] = prefix;
	}
	return count;
}

char *own_addresses_text(const struct links *links)
{
	__cleanup(text_free) struct link_address *taken = NULL;
	char *text = NULL, one[INET6_ADDRSTRLEN];
	size_t length, count = local_taken(links, &taken);
	FILE *to = open_memstream(&text, &length);

	for (size_t i = 0; to && i < count; i++) {
		const struct link_address *address = &taken[i];

		if (address->scope < RT_SCOPE_LINK &&
		    inet_ntop(address->family, address->address, one, sizeof(one)))
			fprintf(to, "%s\n", one);
	}
	return to && !fclose(to) ? text : NULL;
}

static bool is_kept(const char *path, const char *text)
{
	__free_text char *kept = NULL;
	size_t length;

	return !read_file(path, ADDRESSES_LIMIT, &kept, &length) && !strcmp(kept, text);
}

static int open_folder(const char *path, int *folder)
{
	if (!strcmp(path, STATE))
		return state_folder(folder);
	if (mkdir(path, 0755) && errno != EEXIST)
		return -errno;
	*folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return *folder < 0 ? -errno : 0;
}

void own_addresses_keep(const char *folder, const char *name, const struct links *links)
{
	__free_text char *text = own_addresses_text(links),
			 *path = xasprintf("%s/%s", folder, name);
	__close_fd int state = -1;
	int err;

	if (!text || is_kept(path, text))
		return;
	err = open_folder(folder, &state);
	if (!err)
		err = state_replace(state, name, text, strlen(text));
	if (err)
		warning("%s: cannot keep the addresses of this host: %s: after a boot, those inside a machine's prefix count as the machine's until the next apply",
			path, strerror(-err));
}
