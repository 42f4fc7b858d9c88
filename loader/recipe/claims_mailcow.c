// SPDX-License-Identifier: GPL-2.0
/* The web ports of mailcow, which are one row of its list. The profile itself names the other
 * ports. */
#include "loader/recipe/claims_mailcow.h"

#include <string.h>

#include "loader/base/memory.h"

#define CONFIG "/opt/mailcow-dockerized/mailcow.conf"

/* A port, and the address that it is published on. */
static void claim_web(const struct claim_file *file, const struct settings *settings,
		      const char *port_key, const char *bind_key)
{
	const struct setting *port = settings_find(settings, port_key);
	const struct setting *bind = settings_find(settings, bind_key);
	__free_text char *text = NULL;
	struct port_range range;
	int result;

	if (!port || !*port->value)
		return;
	text = bind && *bind->value ?
		       xasprintf(strchr(bind->value, ':') && *bind->value != '[' ? "[%s]:%s" :
										   "%s:%s",
				 bind->value, port->value) :
		       xstrdup(port->value);
	result = claim_ports(text, 1 << PC_TCP, &range);
	if (result < 0)
		claims_problem(file, port->line,
			       "'%.40s' is not a port, so the port of mailcow:http is not known",
			       text);
	else
		claims_add(file, "http", result ? &range : NULL, port);
}

void claims_mailcow(const struct root *root, struct claims *claims)
{
	const struct claim_file file = {claims, "mailcow", CONFIG};
	__cleanup(settings_free) struct settings settings = {};

	if (!claim_settings(root, &file, settings_keys, &settings))
		return;
	claims_product(claims, "mailcow", CONFIG);
	if (!settings_find(&settings, "HTTP_PORT") && !settings_find(&settings, "HTTPS_PORT") &&
	    !settings_find(&settings, "SMTP_PORT"))
		claims_problem(&file, 0, "it sets no ports, as mailcow's does");
	claim_web(&file, &settings, "HTTP_PORT", "HTTP_BIND");
	claim_web(&file, &settings, "HTTPS_PORT", "HTTPS_BIND");
}
