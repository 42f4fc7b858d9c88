// SPDX-License-Identifier: GPL-2.0
/* The ports of sshd: Port and ListenAddress in sshd_config and the files that it includes. */
#include "loader/recipe/claims_ssh.h"

#include <string.h>
#include <strings.h>

#include "loader/base/memory.h"

#define CONFIG	 "/etc/ssh/sshd_config"
#define INCLUDED "/etc/ssh/sshd_config.d/*.conf"

/* A ListenAddress with a port has only that port; without one it has every Port. */
static void claim_setting(const struct claim_file *file, const struct setting *setting)
{
	struct port_range range;
	int result;

	if (strcasecmp(setting->key, "Port") != 0 &&
	    (strcasecmp(setting->key, "ListenAddress") != 0 || !strchr(setting->value, ':') ||
	     (*setting->value != '[' &&
	      strchr(setting->value, ':') != strrchr(setting->value, ':'))))
		return;
	result = claim_ports(setting->value, 1 << PC_TCP, &range);
	if (result < 0)
		claims_problem(file, setting->line, "'%.40s' is not a port", setting->value);
	else if (result)
		claims_add(file, "ssh", &range, setting);
}

static bool claim_file(const struct root *root, struct claims *claims, const char *path)
{
	const struct claim_file file = {claims, "ssh", path};
	__cleanup(settings_free) struct settings settings = {};

	if (!claim_settings(root, &file, settings_keys, &settings))
		return false;
	claims_product(claims, "ssh", path);
	for (size_t i = 0; i < settings.count; i++)
		claim_setting(&file, &settings.setting[i]);
	return true;
}

void claims_ssh(const struct root *root, struct claims *claims)
{
	__cleanup(names_free) struct names included = {};

	if (!claim_file(root, claims, CONFIG))
		return;
	root_find(root, INCLUDED, &included);
	for (size_t i = 0; i < included.count; i++)
		claim_file(root, claims, included.name[i]);
}
