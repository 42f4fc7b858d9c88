// SPDX-License-Identifier: GPL-2.0
/* Checks the mappings of a site file whose keys are names. */
#include "loader/recipe/site_keys.h"

#include <string.h>

void site_keys_check(struct reader *reader, const struct yaml_node *mapping, const char *what)
{
	const struct yaml_node *key;
	struct uses uses = {0};

	yaml_for_each_key(key, mapping)
	{
		if (key->kind == YAML_TEXT)
			uses_add(&uses, key->text, key);
	}
	uses_check(reader, &uses, what);
}

bool site_key_twice(const struct yaml_node *mapping, const struct yaml_node *key)
{
	const struct yaml_node *other;

	yaml_for_each_key(other, mapping)
	{
		if (other != key && other->kind == YAML_TEXT && !strcmp(other->text, key->text))
			return true;
	}
	return false;
}

bool site_keys_too_many(struct reader *reader, const struct yaml_node *mapping, const char *what,
			size_t most)
{
	if (mapping->children / 2 <= most)
		return false;
	complain(reader, mapping, "there are at most %zu %s, not %zu", most, what,
		 mapping->children / 2);
	return true;
}
