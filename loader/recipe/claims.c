// SPDX-License-Identifier: GPL-2.0
/* The ports that the products on a disk configure: lists, and values. */
#include "loader/recipe/claims.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"

#define TEXT_LIMIT 80 /* bytes of a setting that are kept for a comment */

/* --- lists --- */

static void claim_free(struct claim *claim)
{
	free(claim->profile);
	free(claim->service);
	ports_free(&claim->ports);
	free(claim->file);
	free(claim->text);
}

void claims_free(struct claims *claims)
{
	for (size_t i = 0; i < claims->count; i++)
		claim_free(&claims->claim[i]);
	free(claims->claim);
	for (size_t i = 0; i < claims->products; i++) {
		free(claims->product[i].profile);
		free(claims->product[i].file);
	}
	free(claims->product);
	names_free(&claims->problems);
	*claims = (struct claims){};
}

void claims_product(struct claims *claims, const char *profile, const char *file)
{
	for (size_t i = 0; i < claims->products; i++)
		if (!strcmp(claims->product[i].profile, profile))
			return;
	claims->product = grow(claims->product, claims->products, sizeof(*claims->product));
	claims->product[claims->products++] =
		(struct claim_product){.profile = xstrdup(profile), .file = xstrdup(file)};
}

void claims_problem(const struct claim_file *file, int line, const char *format, ...)
{
	__free_text char *what = NULL, *text = NULL;
	va_list args;

	va_start(args, format);
	what = xvasprintf(format, args);
	va_end(args);
	text = line ? xasprintf("%s: line %d: %s", file->path, line, what) :
		      xasprintf("%s: %s", file->path, what);
	names_add_once(&file->claims->problems, text);
}

struct claim *claims_find(const struct claims *claims, const char *profile, const char *service)
{
	for (size_t i = 0; i < claims->count; i++)
		if (!strcmp(claims->claim[i].profile, profile) &&
		    !strcmp(claims->claim[i].service, service))
			return &claims->claim[i];
	return NULL;
}

static char *short_text(const struct setting *setting)
{
	__free_text char *text = xasprintf("%s %s", setting->key, setting->value);

	return xasprintf("%.*s%s", TEXT_LIMIT, text, strlen(text) > TEXT_LIMIT ? " ..." : "");
}

static struct claim *new_claim(const struct claim_file *file, const char *service,
			       const struct setting *setting)
{
	struct claims *claims = file->claims;

	claims->claim = grow(claims->claim, claims->count, sizeof(*claims->claim));
	claims->claim[claims->count] = (struct claim){
		.profile = xstrdup(file->profile),
		.service = xstrdup(service),
		.file = xstrdup(file->path),
		.line = setting ? setting->line : 0,
		.text = setting ? short_text(setting) : NULL,
	};
	return &claims->claim[claims->count++];
}

static bool has_range(const struct ports *ports, const struct port_range *range)
{
	for (size_t i = 0; i < ports->count; i++)
		if (!memcmp(&ports->range[i], range, sizeof(*range)))
			return true;
	return false;
}

void claims_add(const struct claim_file *file, const char *service, const struct port_range *range,
		const struct setting *setting)
{
	struct claim *claim = claims_find(file->claims, file->profile, service);

	if (!claim)
		claim = new_claim(file, service, setting);
	if (!range || has_range(&claim->ports, range))
		return;
	claim->ports.range = grow(claim->ports.range, claim->ports.count, sizeof(*range));
	claim->ports.range[claim->ports.count++] = *range;
}

/* --- values --- */

static bool is_loopback(const char *address)
{
	return !strcmp(address, "::1") || !strcmp(address, "localhost") ||
	       !strncmp(address, "127.", 4) || !strcmp(address, "ip6-localhost");
}

static bool begins_loopback(const char *word)
{
	static const char *const start[] = {"loopback-only", "localhost", "127.", "::1", "[::1]"};

	for (size_t i = 0; i < ARRAY_SIZE(start); i++)
		if (!strncmp(word, start[i], strlen(start[i])))
			return true;
	return false;
}

bool claim_for_host_alone(const char *list)
{
	bool any = false;

	for (; *list; list += strcspn(list, " \t,")) {
		list += strspn(list, " \t,");
		if (*list && !begins_loopback(list))
			return false;
		any |= *list != '\0';
	}
	return any;
}

/* The number of "25" or "smtp"; -1: the text is neither. */
static long port_number(const char *text, size_t length, __u8 transports)
{
	__free_text char *word = xstrndup(text, length);
	const struct servent *known;

	if (*word && !word[strspn(word, "0123456789")])
		return strlen(word) > 5 ? -1 : strtol(word, NULL, 10);
	known = *word ? getservbyname(word, transports & 1 << PC_TCP ? "tcp" : "udp") : NULL;
	return known ? ntohs((__u16)known->s_port) : -1;
}

/* Where the port begins after an address; sets `*address`, which the caller frees, to NULL for
 * none. */
static const char *cut_address(const char *text, char **address)
{
	const char *end;

	if (*text == '[') {
		end = strchr(text, ']');
		if (!end || end[1] != ':')
			return NULL;
		*address = xstrndup(text + 1, (size_t)(end - text - 1));
		return end + 2;
	}
	end = strrchr(text, ':');
	if (!end)
		return text;
	if (memchr(text, ':', (size_t)(end - text)))
		return NULL; /* an IPv6 address, without brackets */
	*address = xstrndup(text, (size_t)(end - text));
	return end + 1;
}

int claim_ports(const char *text, __u8 transports, struct port_range *range)
{
	__free_text char *address = NULL;
	const char *port = cut_address(text, &address);
	size_t length = port ? strlen(port) : 0, first_length;
	long first, last;

	if (!length)
		return -EINVAL;
	if (!strcmp(port, "no"))
		return 0;
	first_length = port[strspn(port, "0123456789-")] ? length : strcspn(port, "-");
	first = port_number(port, first_length, transports);
	last = first_length < length ?
		       port_number(port + first_length + 1, length - first_length - 1, transports) :
		       first;
	if (first < 0 || last < first || last > 65535)
		return -EINVAL;
	if (!first || (address && is_loopback(address)))
		return 0;
	*range = (struct port_range){(__u16)first, (__u16)last, transports};
	return 1;
}

bool claim_settings(const struct root *root, const struct claim_file *file, settings_reader *reader,
		    struct settings *settings)
{
	__free_text char *text = NULL, *why = NULL;
	size_t length;
	int err = root_read(root, file->path, SETTINGS_FILE_LIMIT, &text, &length);

	if (err == -ENOENT)
		return false;
	if (err == -EFBIG)
		claims_problem(file, 0, "it is longer than %d bytes", SETTINGS_FILE_LIMIT);
	else if (err)
		claims_problem(file, 0, "%s", strerror(-err));
	else if (reader(text, length, settings, &why))
		claims_problem(file, 0, "%s", why);
	else
		return true;
	settings_free(settings);
	return false;
}
