// SPDX-License-Identifier: GPL-2.0
/* Reads and makes the file that keeps the administrators who pass in wider bans. */
#include "loader/recipe/administrators.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "loader/base/file.h"
#include "loader/base/memory.h"

#define FILE_LIMIT (1 << 16) /* bytes */
#define DAY	   86400	/* seconds after which a time is written again */

static bool read_line(const char *line, struct administrator *one)
{
	char address[INET6_ADDRSTRLEN];
	unsigned long long seen;

	*one = (struct administrator){};
	if (sscanf(line, "%45s %llu", address, &seen) != 2)
		return false;
	one->host.family = strchr(address, ':') ? AF_INET6 : AF_INET;
	one->host.length = one->host.family == AF_INET ? 32 : 128;
	one->seen = seen;
	return inet_pton(one->host.family, address, one->host.address) == 1;
}

void administrators_read(const char *path, __u64 now, struct administrators *list)
{
	__free_text char *text = NULL;
	struct administrator one;
	char *rest, *line;
	size_t length;

	list->count = 0;
	list->changed = false;
	if (read_file(path, FILE_LIMIT, &text, &length))
		return;
	rest = text;
	while ((line = strsep(&rest, "\n")) && list->count < ADMINISTRATORS) {
		if (!read_line(line, &one))
			continue;
		/* A time that is to come stays: at boot the clock may be years behind. */
		if (now < one.seen + ADMINISTRATOR_KEPT)
			list->one[list->count++] = one;
		else
			list->changed = true;
	}
}

void administrators_see(struct administrators *list, const struct prefix *host, __u64 now)
{
	size_t at = 0, oldest = 0;

	while (at < list->count && prefix_compare(&list->one[at].host, host))
		at++;
	if (at < list->count && list->one[at].seen + DAY > now)
		return;
	for (size_t i = 0; i < list->count; i++)
		if (list->one[i].seen < list->one[oldest].seen)
			oldest = i;
	if (at == ADMINISTRATORS)
		at = oldest;
	else if (at == list->count)
		list->count++;
	list->one[at] = (struct administrator){*host, now};
	list->changed = true;
}

void administrators_remove(struct administrators *list, size_t at)
{
	list->one[at] = list->one[--list->count];
	list->changed = true;
}

char *administrators_text(const struct administrators *list)
{
	char *text = NULL, prefix[PREFIX_TEXT];
	size_t length;
	FILE *to = open_memstream(&text, &length);

	if (!to)
		return xstrdup("");
	for (size_t i = 0; i < list->count; i++) {
		prefix_format(&list->one[i].host, prefix);
		fprintf(to, "%.*s %llu\n", (int)strcspn(prefix, "/"), prefix,
			(unsigned long long)list->one[i].seen);
	}
	return fclose(to) ? xstrdup("") : text;
}
