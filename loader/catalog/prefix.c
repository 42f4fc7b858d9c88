// SPDX-License-Identifier: GPL-2.0
/* Prefixes: parsed, printed, sorted and compared. */
#include "loader/catalog/prefix.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"

#define QUOTE_LIMIT 60 /* bytes of a wrong token that a message repeats */

static const __u8 mapped[12] = {[10] = 0xff, [11] = 0xff};

static int most_bits(const struct prefix *prefix)
{
	return prefix->family == AF_INET ? 32 : 128;
}

/* Clears the host bits; returns whether there were any. */
static bool mask_host(struct prefix *prefix)
{
	int bytes = most_bits(prefix) / 8, last = prefix->length / 8;
	__u8 any = 0;

	for (int i = last; i < bytes; i++) {
		__u8 host = i > last ? 0xff : 0xff >> prefix->length % 8;

		any |= prefix->address[i] & host;
		prefix->address[i] &= ~host;
	}
	return any;
}

/* A decimal without sign or leading zero, 0 to `most`; -1 for other text. */
static int parse_bits(const char *text, size_t length, int most)
{
	int bits = 0;

	if (!length || length > 3 || (length > 1 && *text == '0'))
		return -1;
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		bits = 10 * bits + text[i] - '0';
	}
	return bits <= most ? bits : -1;
}

static int token(size_t length)
{
	return length < QUOTE_LIMIT ? (int)length : QUOTE_LIMIT;
}

/* Parses an address and a length. The caller checks host bits and mapped addresses. */
static int parse_form(const char *text, size_t length, struct prefix *prefix, char **why)
{
	const char *slash = memchr(text, '/', length);
	size_t size = slash ? (size_t)(slash - text) : length;
	char address[INET6_ADDRSTRLEN] = "";
	int bits, most;

	/* inet_pton would end at a NUL inside the token. */
	if (size < sizeof(address) && !memchr(text, '\0', size))
		memcpy(address, text, size);
	prefix->family = strchr(address, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(prefix->family, address, prefix->address) != 1) {
		*why = xasprintf(
			"'%.*s' is not a valid IPv4 or IPv6 prefix (example: 192.0.2.0/24)",
			token(length), text);
		return -EINVAL;
	}
	most = bits = most_bits(prefix);
	if (slash)
		bits = parse_bits(slash + 1, length - size - 1, most);
	if (bits < 0) {
		*why = xasprintf("'%.*s' must end in a prefix length from 0 to %d after '/'",
				 token(length), text, most);
		return -EINVAL;
	}
	prefix->length = (__u8)bits;
	return 0;
}

int prefix_parse_part(const char *text, size_t length, struct prefix *prefix, char **why)
{
	struct prefix read = {0};
	char right[PREFIX_TEXT];
	bool host;

	if (parse_form(text, length, &read, why))
		return -EINVAL;
	host = mask_host(&read);
	if (read.family == AF_INET6 && read.length >= 96 && !memcmp(read.address, mapped, 12)) {
		struct prefix plain = {.family = AF_INET, .length = read.length - 96};

		memcpy(plain.address, read.address + 12, 4);
		*why = xasprintf("%.*s is IPv4 written as IPv6; write %s", token(length), text,
				 prefix_format(&plain, right));
		return -EINVAL;
	}
	if (host) {
		*why = xasprintf("%.*s has host bits set; write %s", token(length), text,
				 prefix_format(&read, right));
		return -EINVAL;
	}
	*prefix = read;
	return 0;
}

int prefix_parse(const char *text, struct prefix *prefix, char **why)
{
	return prefix_parse_part(text, strlen(text), prefix, why);
}

const char *prefix_format(const struct prefix *prefix, char text[PREFIX_TEXT])
{
	char address[INET6_ADDRSTRLEN];

	inet_ntop(prefix->family, prefix->address, address, sizeof(address));
	snprintf(text, PREFIX_TEXT, "%s/%d", address, prefix->length);
	return text;
}

int prefix_compare(const struct prefix *a, const struct prefix *b)
{
	int order;

	if (a->family != b->family)
		return a->family == AF_INET ? -1 : 1;
	order = memcmp(a->address, b->address, sizeof(a->address));
	return order ? order : a->length - b->length;
}

bool prefix_contains(const struct prefix *prefix, __u8 family, const __u8 *address)
{
	int bytes = prefix->length / 8, bits = prefix->length % 8;

	if (prefix->family != family || memcmp(prefix->address, address, (size_t)bytes))
		return false;
	return !bits || !((prefix->address[bytes] ^ address[bytes]) >> (8 - bits));
}

/* Adds up the sizes of the prefixes, modulo 2^128: the sum of all addresses is 0. */
enum prefixes_cover prefixes_cover(const struct prefix *prefix, size_t count)
{
	unsigned __int128 sum = 0;
	const struct prefix *outer = NULL;
	int cover = PREFIXES_NONE;
	size_t i;

	for (i = 0; i < count; i++) {
		bool last = i + 1 == count || prefix[i + 1].family != prefix[i].family;

		if (!outer || !prefix_contains(outer, prefix[i].family, prefix[i].address)) {
			outer = &prefix[i];
			if (outer->length)
				sum += (unsigned __int128)1 << (128 - outer->length);
		}
		if (!last)
			continue;
		if (!sum)
			cover |= prefix[i].family == AF_INET ? PREFIXES_IPV4 : PREFIXES_IPV6;
		sum = 0;
		outer = NULL;
	}
	return cover;
}

const char *prefixes_cover_text(enum prefixes_cover cover)
{
	switch (cover) {
	case PREFIXES_ALL: return "anyone";
	case PREFIXES_IPV4: return "anyone over IPv4";
	case PREFIXES_IPV6: return "anyone over IPv6";
	case PREFIXES_NONE: break;
	}
	return NULL;
}

static int compare(const void *a, const void *b)
{
	return prefix_compare(a, b);
}

void prefixes_sort(struct prefix *prefix, size_t count)
{
	if (count)
		qsort(prefix, count, sizeof(*prefix), compare);
}

/* Lists are mostly sorted already; those of a recipe always are. */
void prefixes_sort_once(struct prefix *prefix, size_t *count)
{
	size_t kept = 0, i = 1;

	while (i < *count && prefix_compare(&prefix[i - 1], &prefix[i]) < 0)
		i++;
	if (i >= *count)
		return;
	qsort(prefix, *count, sizeof(*prefix), compare);
	for (i = 1; i < *count; i++) {
		if (prefix_compare(&prefix[kept], &prefix[i]))
			prefix[++kept] = prefix[i];
	}
	*count = kept + 1;
}

bool prefixes_same(const struct prefix *a, size_t as, const struct prefix *b, size_t bs)
{
	if (as != bs)
		return false;
	for (size_t i = 0; i < as; i++)
		if (prefix_compare(&a[i], &b[i]))
			return false;
	return true;
}
