// SPDX-License-Identifier: GPL-2.0
/* The ports of Postfix: master.cf has its servers, main.cf the addresses. */
#include "loader/recipe/claims_postfix.h"

#include <errno.h>
#include <string.h>

#include "loader/base/memory.h"

#define MASTER "/etc/postfix/master.cf"
#define MAIN   "/etc/postfix/main.cf"

/* True if the command begins with this program. */
static bool runs(const struct setting *entry, const char *program)
{
	size_t length = strlen(program);

	return !strncmp(entry->value, program, length) &&
	       (!entry->value[length] || entry->value[length] == ' ' ||
		entry->value[length] == '\t');
}

static bool has_any(const char *text, const char *const *word, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strstr(text, word[i]))
			return true;
	return false;
}

/* The port in "192.0.2.1:smtp". */
static const char *port_word(const struct setting *entry)
{
	const char *colon = strrchr(entry->key, ':');

	return colon ? colon + 1 : entry->key;
}

/* The profile's service for an entry, or NULL. */
static const char *service_of(const struct setting *entry)
{
	static const char *const over_tls[] = {
		"smtpd_tls_wrappermode=yes",
		"smtpd_tls_wrappermode = yes",
	};
	const char *port = port_word(entry);

	if (runs(entry, "qmqpd"))
		return "qmqp";
	if (!runs(entry, "smtpd") && !runs(entry, "postscreen"))
		return NULL;
	if (has_any(entry->value, over_tls, ARRAY_SIZE(over_tls)) || !strcmp(port, "smtps") ||
	    !strcmp(port, "submissions") || !strcmp(port, "465"))
		return "submissions";
	if (strstr(entry->value, "postfix/submission") || !strcmp(port, "submission") ||
	    !strcmp(port, "587"))
		return "submission";
	return "smtp";
}

/* The setting because of which servers without an address of their own serve no other host; or
 * NULL. */
static const struct setting *closed_by(const struct settings *main)
{
	const struct setting *setting = settings_find(main, "inet_interfaces");

	return setting && claim_for_host_alone(setting->value) ? setting : NULL;
}

static void claim_entry(const struct claim_file *master, const struct setting *entry,
			const struct setting *closed)
{
	const char *service = service_of(entry);
	struct port_range range;
	int result = claim_ports(entry->key, 1 << PC_TCP, &range);

	if (result < 0)
		claims_problem(master, entry->line, "the port of '%.40s' is not known", entry->key);
	else if (result && !service && !closed)
		claims_problem(master, entry->line,
			       "%u/tcp is not a service of the profile postfix", range.first);
	else if (service && result && !(closed && !strchr(entry->key, ':')))
		claims_add(master, service, &range, entry);
}

void claims_postfix(const struct root *root, struct claims *claims)
{
	const struct claim_file master = {claims, "postfix", MASTER},
				main = {claims, "postfix", MAIN};
	__cleanup(settings_free) struct settings entries = {}, settings = {};
	const struct setting *closed;

	if (!claim_settings(root, &master, settings_master, &entries))
		return;
	claims_product(claims, "postfix", MASTER);
	claim_settings(root, &main, settings_keys, &settings);
	closed = closed_by(&settings);
	for (size_t i = 0; i < entries.count; i++)
		claim_entry(&master, &entries.setting[i], closed);
	if (!claims_find(claims, "postfix", "smtp"))
		claims_add(closed ? &main : &master, "smtp", NULL, closed);
}
