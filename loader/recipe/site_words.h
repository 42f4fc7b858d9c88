/* SPDX-License-Identifier: GPL-2.0 */
/* The words of a site file's interface or machine, which have the same keys. */
#ifndef PORTCULLIS_RECIPE_SITE_WORDS_H
#define PORTCULLIS_RECIPE_SITE_WORDS_H

#include "loader/base/yaml_fields.h"
#include "loader/catalog/values.h"
#include "loader/recipe/site_interface.h"

/* The keys that both have, which come first in their tables. */
enum {
	SITE_PROFILES,
	SITE_OPEN,
	SITE_ENABLE,
	SITE_DISABLE,
	SITE_FROM,
	SITE_SET,
	SITE_LIMITS,
	SITE_WORD_KEYS,
};

#define SITE_BOOL "true or false"
#define SITE_WORD (YAML_ITEMS | YAML_MAPPING)
#define SITE_ANY  (SITE_WORD | YAML_EMPTY)

/* clang-format off */
#define SITE_WORD_ROWS \
	[SITE_PROFILES] = {"profiles", true, YAML_ITEMS, "a profile or a list of profiles", \
			  "products"}, \
	[SITE_OPEN] = {"open", false, SITE_WORD, \
		      "a port, a list of ports, or a mapping, as in '587/tcp: trusted'", \
		      "opens also extra"}, \
	[SITE_ENABLE] = {"enable", false, YAML_ITEMS, "a feature or a list of features", \
			"feature features on"}, \
	[SITE_DISABLE] = {"disable", false, YAML_ITEMS, \
			 "a service or a list of services, as PROFILE:SERVICE", "off close"}, \
	[SITE_FROM] = {"from", false, SITE_WORD, "a mapping, as in 'ssh:ssh: trusted'", \
		      "source sources allow restrict"}, \
	[SITE_SET] = {"set", false, SITE_WORD, "a mapping, as in 'ssh:ssh: 2222/tcp'", \
		     "port ports override overrides"}, \
	[SITE_LIMITS] = {"limits", false, SITE_WORD, "a mapping, as in 'xeams:smtp: 20/s'", \
			"limit rate rates ratelimit"}
/* clang-format on */

/* Reads the values of these keys into the interface's words and its recipe. */
void site_read_words(struct reader *reader, const struct yaml_field *field,
		     struct site_interface *interface);

/* `true` or `false`. Leaves `*value` alone if the node is NULL, or after an error. */
void site_read_switch(struct reader *reader, const struct yaml_node *node, bool *value);

/* Reads `observe`; refuses `enforce` and `policy`, and says what is meant. `what`: "an
 * interface". */
void site_read_policy(struct reader *reader, const struct yaml_field *observe,
		      const struct yaml_field *enforce, const struct yaml_field *policy,
		      const char *what, struct recipe *recipe);

/* Reads `track` or `enforce`; as site_read_switch. */
void site_read_outbound(struct reader *reader, const struct yaml_node *node, struct recipe *recipe);

#endif
