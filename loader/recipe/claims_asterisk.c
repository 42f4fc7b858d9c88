// SPDX-License-Identifier: GPL-2.0
/* The ports of Asterisk: SIP of pjsip.conf or sip.conf, RTP, HTTP and the manager interface. */
#include "loader/recipe/claims_asterisk.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"

#define FOLDER	    "/etc/asterisk/"
#define SIP	    5060
#define SIP_TLS	    5061
#define HTTP	    8088
#define HTTP_TLS    8089
#define MANAGER	    5038
#define MANAGER_TLS 5039
#define RTP_FIRST   "5000" /* used where rtp.conf has no ports */
#define RTP_LAST    "31000"

/* A file of Asterisk as settings: "general/bindport". */
struct asterisk {
	struct claim_file file;
	struct settings settings;
	bool there;
};

static void asterisk_free(struct asterisk *asterisk)
{
	settings_free(&asterisk->settings);
}

/* Comments may follow a value, too. */
static void cut_comments(struct settings *settings)
{
	for (size_t i = 0; i < settings->count; i++) {
		char *value = settings->setting[i].value, *end = strchr(value, ';');

		while (end && end > value && end[-1] == '\\')
			end = strchr(end + 1, ';');
		if (!end)
			end = value + strlen(value);
		while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
			end--;
		*end = '\0';
	}
}

/* Notes that files which it includes are not read, so that their settings are unknown. */
static void tell_includes(const struct root *root, const struct claim_file *file)
{
	__free_text char *text = NULL;
	size_t length;
	int line = 1;

	if (root_read(root, file->path, SETTINGS_FILE_LIMIT, &text, &length))
		return;
	for (const char *at = text; at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL, line++)
		if (!strncmp(at, "#include", 8) || !strncmp(at, "#tryinclude", 11) ||
		    !strncmp(at, "#exec", 5)) {
			claims_problem(file, line, "the files that it includes are not read");
			return;
		}
}

static void open_file(const struct root *root, struct claims *claims, const char *path,
		      struct asterisk *asterisk)
{
	*asterisk = (struct asterisk){.file = {claims, "asterisk", path}};
	asterisk->there = claim_settings(root, &asterisk->file, settings_keys, &asterisk->settings);
	cut_comments(&asterisk->settings);
	if (asterisk->there)
		tell_includes(root, &asterisk->file);
}

static const struct setting *find(const struct asterisk *asterisk, const char *section,
				  const char *name)
{
	__free_text char *key = xasprintf("%s/%s", section, name);

	return settings_find(&asterisk->settings, key);
}

static bool is_yes(const struct setting *setting)
{
	static const char *const yes[] = {"yes", "true", "on", "y", "t", "1"};

	for (size_t i = 0; setting && i < ARRAY_SIZE(yes); i++)
		if (!strcmp(setting->value, yes[i]))
			return true;
	return false;
}

static bool is_address(const char *text)
{
	__u8 address[16];

	return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

/* Adds the port of a service from an address with or without a port. */
static void claim_bind(const struct asterisk *asterisk, const char *service, __u8 transports,
		       const struct setting *bind, __u16 usual)
{
	struct port_range range = {usual, usual, transports};
	const char *address = bind ? bind->value : "";
	__free_text char *text =
		is_address(address) ?
			xasprintf(strchr(address, ':') ? "[%s]:%u" : "%s:%u", address, usual) :
			xstrdup(address);
	int result = *address ? claim_ports(text, transports, &range) : 1;

	if (!usual)
		return;
	if (result < 0)
		claims_problem(&asterisk->file, bind->line,
			       "'%.40s' has no port, so that of asterisk:%s is not known", address,
			       service);
	else
		claims_add(&asterisk->file, service, result ? &range : NULL, bind);
}

/* The port of a setting (NULL: no setting) that holds for addresses without one; 0: the setting has
 * another form. */
static __u16 usual_port(const struct asterisk *asterisk, const char *service,
			const struct setting *port, __u16 usual)
{
	struct port_range range = {usual, usual, 0};

	if (!port || claim_ports(port->value, 1 << PC_TCP, &range) == 1)
		return range.first;
	claims_problem(&asterisk->file, port->line,
		       "'%.40s' is not a port, so the port of asterisk:%s is not known",
		       port->value, service);
	return 0;
}

/* --- SIP --- */

static void claim_transport(const struct asterisk *asterisk, const char *section)
{
	const struct setting *protocol = find(asterisk, section, "protocol");
	const struct setting *bind = find(asterisk, section, "bind");
	const char *name = protocol ? protocol->value : "udp";

	if (!strcmp(name, "tls"))
		claim_bind(asterisk, "sips", 1 << PC_TCP, bind, SIP_TLS);
	else if (!strcmp(name, "tcp") || !strcmp(name, "udp"))
		claim_bind(asterisk, "sip", *name == 't' ? 1 << PC_TCP : 1 << PC_UDP, bind, SIP);
}

/* Returns false if the section has no transport. */
static bool claim_pjsip(const struct asterisk *asterisk)
{
	bool any = false;

	for (size_t i = 0; i < asterisk->settings.count; i++) {
		const struct setting *setting = &asterisk->settings.setting[i];
		const char *slash = strrchr(setting->key, '/');
		__free_text char *section = NULL;

		if (!slash || strcmp(slash, "/type") != 0 ||
		    strcmp(setting->value, "transport") != 0)
			continue;
		section = xstrndup(setting->key, (size_t)(slash - setting->key));
		claim_transport(asterisk, section);
		any = true;
	}
	if (any && !claims_find(asterisk->file.claims, "asterisk", "sips"))
		claims_add(&asterisk->file, "sips", NULL, NULL);
	return any;
}

/* chan_sip: UDP is on by default; TCP and TLS only if they are enabled. */
static void claim_sip(const struct asterisk *asterisk)
{
	const struct setting *port = find(asterisk, "general", "bindport");
	const struct setting *bind = find(asterisk, "general", "udpbindaddr");
	__u16 usual = usual_port(asterisk, "sip", port, SIP);

	if (!bind)
		bind = find(asterisk, "general", "bindaddr");
	claim_bind(asterisk, "sip", 1 << PC_UDP, bind ?: port, usual);
	if (is_yes(find(asterisk, "general", "tcpenable")))
		claim_bind(asterisk, "sip", 1 << PC_TCP, find(asterisk, "general", "tcpbindaddr"),
			   SIP);
	if (is_yes(find(asterisk, "general", "tlsenable")))
		claim_bind(asterisk, "sips", 1 << PC_TCP, find(asterisk, "general", "tlsbindaddr"),
			   SIP_TLS);
	else
		claims_add(&asterisk->file, "sips", NULL, NULL);
}

static void claim_signalling(const struct root *root, struct claims *claims)
{
	__cleanup(asterisk_free) struct asterisk pjsip, sip;

	open_file(root, claims, FOLDER "pjsip.conf", &pjsip);
	open_file(root, claims, FOLDER "sip.conf", &sip);
	if (pjsip.there)
		claims_product(claims, "asterisk", pjsip.file.path);
	if (sip.there)
		claims_product(claims, "asterisk", sip.file.path);
	if (!claim_pjsip(&pjsip) && sip.there)
		claim_sip(&sip);
}

/* --- RTP, HTTP, manager --- */

static void claim_rtp(const struct root *root, struct claims *claims)
{
	__cleanup(asterisk_free) struct asterisk rtp;
	const struct setting *start, *end;
	__free_text char *text = NULL;
	struct port_range range;

	open_file(root, claims, FOLDER "rtp.conf", &rtp);
	start = find(&rtp, "general", "rtpstart");
	end = find(&rtp, "general", "rtpend");
	if (!rtp.there)
		return;
	text = xasprintf("%s-%s", start ? start->value : RTP_FIRST, end ? end->value : RTP_LAST);
	if (claim_ports(text, 1 << PC_UDP, &range) == 1)
		claims_add(&rtp.file, "rtp", &range, start ?: end);
	else
		claims_problem(&rtp.file, start ? start->line : 0,
			       "'%.40s' is not a range of ports", text);
}

struct server {
	const char *service, *tls_service, *port_key;
	__u16 port, tls_port; /* the usual ports */
};

/* A server with a plain port and a TLS port. Both are off unless its file enables them. */
static void claim_server(const struct root *root, struct claims *claims, const char *path,
			 const struct server *server)
{
	__cleanup(asterisk_free) struct asterisk file;
	const struct setting *port, *bind;

	open_file(root, claims, path, &file);
	port = find(&file, "general", server->port_key);
	bind = find(&file, "general", "bindaddr");
	if (!file.there)
		return;
	if (is_yes(find(&file, "general", "enabled")))
		claim_bind(&file, server->service, 1 << PC_TCP, bind ?: port,
			   usual_port(&file, server->service, port, server->port));
	else
		claims_add(&file.file, server->service, NULL, NULL);
	if (is_yes(find(&file, "general", "tlsenable")))
		claim_bind(&file, server->tls_service, 1 << PC_TCP,
			   find(&file, "general", "tlsbindaddr"), server->tls_port);
	else
		claims_add(&file.file, server->tls_service, NULL, NULL);
}

void claims_asterisk(const struct root *root, struct claims *claims)
{
	static const struct server http = {"http", "https", "bindport", HTTP, HTTP_TLS};
	static const struct server manager = {"manager", "manager-tls", "port", MANAGER,
					      MANAGER_TLS};

	claim_signalling(root, claims);
	claim_rtp(root, claims);
	claim_server(root, claims, FOLDER "http.conf", &http);
	claim_server(root, claims, FOLDER "manager.conf", &manager);
}
