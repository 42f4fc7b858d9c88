// SPDX-License-Identifier: GPL-2.0
/* The ports of Dovecot: inet_listeners of its services, in dovecot.conf and the files that it
 * includes. */
#include "loader/recipe/claims_dovecot.h"

#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"

#define CONFIG	 "/etc/dovecot/dovecot.conf"
#define INCLUDES 8 /* depth of files that include each other */
#define FILES	 256

/* The settings of all files, in the order in which Dovecot reads them. */
struct dovecot {
	const struct root *root;
	struct claims *claims;
	struct settings settings;
	struct names file; /* the file of each setting */
	size_t files;
	bool unknown; /* a part of the configuration could not be read */
};

static void dovecot_free(struct dovecot *dovecot)
{
	settings_free(&dovecot->settings);
	names_free(&dovecot->file);
}

/* A listener that a login service has by default. */
static const struct listener {
	const char *service, *listener, *protocol;
	__u16 port;
	bool tls;
	const char *claims; /* the profile's name for the service */
} known_listener[] = {
	{"imap-login", "imap", "imap", 143, false, "imap"},
	{"imap-login", "imaps", "imap", 993, true, "imaps"},
	{"pop3-login", "pop3", "pop3", 110, false, "pop3"},
	{"pop3-login", "pop3s", "pop3", 995, true, "pop3s"},
	{"submission-login", "submission", "submission", 587, false, "submission"},
	{"submission-login", "submissions", "submission", 465, true, "submissions"},
	{"managesieve-login", "sieve", "sieve", 4190, false, "managesieve"},
};

/* Services that only have the listeners in their configuration. */
static const struct {
	const char *service, *protocol, *claims;
} plain_service[] = {
	{"lmtp", "lmtp", "lmtp"},
	{"doveadm", NULL, "doveadm"},
};

/* --- reading --- */

static void read_one(struct dovecot *dovecot, const char *path, unsigned int depth);

static void include(struct dovecot *dovecot, const char *path, const char *pattern,
		    unsigned int depth)
{
	const char *slash = strrchr(path, '/');
	__free_text char *beside = *pattern == '/' ?
					   xstrdup(pattern) :
					   xasprintf("%.*s/%s", (int)(slash - path), path, pattern);
	__cleanup(names_free) struct names found = {};

	root_find(dovecot->root, beside, &found);
	for (size_t i = 0; i < found.count; i++)
		read_one(dovecot, found.name[i], depth + 1);
}

static void read_one(struct dovecot *dovecot, const char *path, unsigned int depth)
{
	const struct claim_file file = {dovecot->claims, "dovecot", path};
	__cleanup(settings_free) struct settings own = {};

	if (dovecot->files > FILES)
		return;
	if (depth > INCLUDES || ++dovecot->files > FILES) {
		claims_problem(&file, 0, "more files are included than can be read");
		dovecot->files = FILES + 1;
		dovecot->unknown = true;
		return;
	}
	if (!claim_settings(dovecot->root, &file, settings_dovecot, &own)) {
		dovecot->unknown = true;
		return;
	}
	if (!depth)
		claims_product(dovecot->claims, "dovecot", path);
	for (size_t i = 0; i < own.count; i++) {
		const struct setting *setting = &own.setting[i];

		if (!strcmp(setting->key, "!include") || !strcmp(setting->key, "!include_try")) {
			include(dovecot, path, setting->value, depth);
			continue;
		}
		if (dovecot->settings.count >= SETTINGS_LIMIT)
			return;
		settings_add(&dovecot->settings, setting->key, strlen(setting->key), setting->value,
			     strlen(setting->value), setting->line);
		names_add(&dovecot->file, path);
	}
}

/* The last setting of a key, and its file. NULL: there is none. */
static const struct setting *find(const struct dovecot *dovecot, const char *key,
				  struct claim_file *file)
{
	const struct setting *setting = settings_find(&dovecot->settings, key);

	if (setting)
		file->path = dovecot->file.name[setting - dovecot->settings.setting];
	return setting;
}

/* --- which protocols, which addresses --- */

static bool is_word(const char *text, const char *word)
{
	size_t length = strlen(word);

	for (; *text; text += strcspn(text, " \t,")) {
		text += strspn(text, " \t,");
		if (!strncmp(text, word, length) && (!text[length] || strchr(" \t,", text[length])))
			return true;
	}
	return false;
}

/* Without a setting `protocols`, Dovecot's build decides which protocols are on. */
static bool names_protocols(const struct dovecot *dovecot)
{
	for (size_t i = 0; i < dovecot->settings.count; i++)
		if (!strcmp(dovecot->settings.setting[i].key, "protocols") ||
		    !strncmp(dovecot->settings.setting[i].key, "protocols/", 10))
			return true;
	return false;
}

/* Each setting `protocols` replaces the former one; $protocols in it stands for the former
 * words. */
static bool has_protocol(const struct dovecot *dovecot, const char *protocol)
{
	__free_text char *block = xasprintf("protocols/%s", protocol);
	bool has = false;

	for (size_t i = 0; i < dovecot->settings.count; i++) {
		const struct setting *setting = &dovecot->settings.setting[i];

		if (!strcmp(setting->key, "protocols"))
			has = is_word(setting->value, protocol) ||
			      (has && is_word(setting->value, "$protocols"));
		else if (!strcmp(setting->key, block))
			has = !strcmp(setting->value, "yes");
	}
	return has;
}

/* --- listeners --- */

static const struct setting *of_listener(const struct dovecot *dovecot, const char *service,
					 const char *listener, const char *what,
					 struct claim_file *file)
{
	__free_text char *key = xasprintf("service %s/inet_listener%s%s/%s", service,
					  *listener ? " " : "", listener, what);

	return find(dovecot, key, file);
}

/* The addresses of a listener: its own, or those of the whole server; Dovecot 2.4 calls them
 * `listen`. */
static bool is_local(const struct dovecot *dovecot, const char *service, const char *listener)
{
	struct claim_file nowhere = {};
	const struct setting *own = of_listener(dovecot, service, listener, "address", &nowhere);

	if (!own)
		own = of_listener(dovecot, service, listener, "listen", &nowhere);
	if (!own)
		own = find(dovecot, "listen", &nowhere);
	return own && claim_for_host_alone(own->value);
}

static void claim_listener(const struct dovecot *dovecot, const char *service, const char *listener,
			   __u16 port, const char *claims)
{
	struct claim_file file = {dovecot->claims, "dovecot", CONFIG};
	const struct setting *setting = of_listener(dovecot, service, listener, "port", &file);
	struct port_range range = {port, port, 1 << PC_TCP};
	int result = setting ? claim_ports(setting->value, 1 << PC_TCP, &range) : port > 0;

	if (result < 0) {
		claims_problem(&file, setting->line, "'%.40s' is not a port", setting->value);
		return;
	}
	if (!strcmp(listener, "sieve_deprecated"))
		return;
	claims_add(&file, claims, result && !is_local(dovecot, service, listener) ? &range : NULL,
		   setting);
}

static bool is_known(const char *service, const char *listener)
{
	for (size_t i = 0; i < ARRAY_SIZE(known_listener); i++)
		if (!strcmp(known_listener[i].service, service) &&
		    !strcmp(known_listener[i].listener, listener))
			return true;
	return false;
}

/* The configured listeners of a service, without those that it has by default. A listener may have
 * no name.
 */
static void listeners_of(const struct dovecot *dovecot, const char *service, struct names *names)
{
	__free_text char *start = xasprintf("service %s/inet_listener", service);

	for (size_t i = 0; i < dovecot->settings.count; i++) {
		const char *key = dovecot->settings.setting[i].key;
		const char *from = key + strlen(start), *slash = strrchr(key, '/');
		__free_text char *name = NULL;

		if (strncmp(key, start, strlen(start)) != 0 || slash < from ||
		    (*from != ' ' && *from != '/'))
			continue;
		from += *from == ' ';
		name = xstrndup(from, (size_t)(slash - from));
		if (!is_known(service, name))
			names_add_once(names, name);
	}
}

static void claim_more(const struct dovecot *dovecot, const char *service, const char *plain,
		       const char *tls)
{
	__cleanup(names_free) struct names names = {};
	struct claim_file nowhere = {};

	listeners_of(dovecot, service, &names);
	for (size_t i = 0; i < names.count; i++) {
		const struct setting *ssl =
			of_listener(dovecot, service, names.name[i], "ssl", &nowhere);

		claim_listener(dovecot, service, names.name[i], 0,
			       tls && ssl && !strcmp(ssl->value, "yes") ? tls : plain);
	}
}

/* If the whole server has no TLS, it has no listeners for TLS. */
static bool has_tls(const struct dovecot *dovecot)
{
	struct claim_file nowhere = {};
	const struct setting *ssl = find(dovecot, "ssl", &nowhere);

	return !ssl || strcmp(ssl->value, "no") != 0;
}

static void claim_logins(const struct dovecot *dovecot)
{
	bool tls = has_tls(dovecot);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(known_listener); i++) {
		const struct listener *known = &known_listener[i];
		struct claim_file file = {dovecot->claims, "dovecot", CONFIG};

		if (!has_protocol(dovecot, known->protocol))
			claims_add(&file, known->claims, NULL, find(dovecot, "protocols", &file));
		else if (known->tls && !tls)
			claims_add(&file, known->claims, NULL, find(dovecot, "ssl", &file));
		else
			claim_listener(dovecot, known->service, known->listener, known->port,
				       known->claims);
	}
	/* Listeners with other names count for the service with TLS if they use it, else for the
	 * one without. */
	for (i = 0; i < ARRAY_SIZE(known_listener); i++) {
		const struct listener *known = &known_listener[i];
		bool has_other = i + 1 < ARRAY_SIZE(known_listener) && known[1].tls;

		if (!known->tls && has_protocol(dovecot, known->protocol))
			claim_more(dovecot, known->service, known->claims,
				   has_other ? known[1].claims : NULL);
	}
	for (i = 0; i < ARRAY_SIZE(plain_service); i++)
		if (!plain_service[i].protocol || has_protocol(dovecot, plain_service[i].protocol))
			claim_more(dovecot, plain_service[i].service, plain_service[i].claims,
				   NULL);
}

void claims_dovecot(const struct root *root, struct claims *claims)
{
	__cleanup(dovecot_free) struct dovecot dovecot = {.root = root, .claims = claims};
	__cleanup(names_free) struct names found = {};

	root_find(root, CONFIG, &found);
	if (!found.count)
		return;
	claims_product(claims, "dovecot", CONFIG);
	read_one(&dovecot, CONFIG, 0);
	if (dovecot.unknown)
		return;
	if (names_protocols(&dovecot))
		claim_logins(&dovecot);
	else
		claims_problem(
			&(struct claim_file){claims, "dovecot", CONFIG}, 0,
			"no file sets 'protocols', and what is on then depends on the build");
}
