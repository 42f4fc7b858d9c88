/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The settings in a product's own configuration, as KEY, VALUE and line. The files are not trusted:
 * a text may not have the form that its name promises.
 */
#ifndef PORTCULLIS_CATALOG_SETTINGS_H
#define PORTCULLIS_CATALOG_SETTINGS_H

#include <stddef.h>

#define SETTINGS_FILE_LIMIT (1 << 20) /* bytes */
#define SETTINGS_LIMIT	    65536     /* settings of a file */
#define SETTINGS_DEPTH	    32	      /* of nested blocks */

struct setting {
	char *key;
	char *value;
	int line;
};

struct settings {
	struct setting *setting;
	size_t count;
};

/*
 * Each function appends the settings of a text, and returns 0. If the text has another form:
 * -EINVAL with `*why` (the caller frees): "line 7: ...". `text` ends with a NUL that `length` does
 * not count.
 */

/*
 * KEY = VALUE, KEY VALUE and KEY => VALUE: Postfix's main.cf (a line that begins with a blank
 * continues the one before), mailcow.conf, sshd_config, files of Asterisk. Within [SECTION] the
 * key is "SECTION/KEY". Comments begin with '#' or ';'.
 */
int settings_keys(const char *text, size_t length, struct settings *settings, char **why);

/*
 * Postfix's master.cf: the key is the first word of an entry of the type inet, the value the
 * command with its arguments.
 */
int settings_master(const char *text, size_t length, struct settings *settings, char **why);

/*
 * Dovecot: "service imap-login/inet_listener imaps/port". `!include` and `!include_try` are keys,
 * too; the caller may read those files.
 */
int settings_dovecot(const char *text, size_t length, struct settings *settings, char **why);

/* The value of a key; of a repeated key, the last one; NULL: none. The key is compared with its
 * case. */
const struct setting *settings_find(const struct settings *settings, const char *key);

void settings_add(struct settings *settings, const char *key, size_t key_length, const char *value,
		  size_t value_length, int line);
void settings_free(struct settings *settings);

#endif
