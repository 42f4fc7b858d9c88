// SPDX-License-Identifier: GPL-2.0
/* The keys of a YAML mapping, checked against those that it may have. */
#include "loader/base/yaml_fields.h"

#include <string.h>

#include "loader/base/memory.h"
#include "loader/base/names.h"
#include "loader/base/yaml_place.h"

/* True if `word` is one of the blank-separated `words`. */
static bool is_among(const char *word, const char *words)
{
	size_t length = strlen(word);

	while (words && *words) {
		size_t other = strcspn(words, " ");

		if (other == length && !strncmp(words, word, length))
			return true;
		words += other + strspn(words + other, " ");
	}
	return false;
}

/*
 * Guesses the key that was meant: a key for which another format has this word, else the most
 * similar one.
 */
static const char *meant(const char *word, const struct yaml_key *key, size_t keys)
{
	const char *name[64];
	size_t names = 0;

	for (size_t i = 0; i < keys; i++) {
		if (is_among(word, key[i].aliases))
			return key[i].name;
	}
	for (size_t i = 0; i < keys && names < ARRAY_SIZE(name); i++)
		name[names++] = key[i].name;
	return nearest(word, name, names);
}

static void report_unknown(const struct yaml *yaml, const struct yaml_node *word,
			   const struct yaml_key *key, size_t keys, struct diag *diag)
{
	const char *name;

	if (!strcmp(word->text, "<<")) {
		yaml_error(yaml, word, diag, "merge keys are not part of this language");
		return;
	}
	name = meant(word->text, key, keys);
	if (name)
		yaml_error(yaml, word, diag, "unknown key '%s'; did you mean '%s'?", word->text,
			   name);
	else
		yaml_error(yaml, word, diag, "unknown key '%s'", word->text);
}

bool yaml_usable(const struct yaml *yaml, const struct yaml_node *value, const struct yaml_key *key,
		 struct diag *diag)
{
	bool empty = value->kind == YAML_LIST && !value->children;

	if (value->kind == YAML_BAD)
		return false;
	if (value->cut)
		return value->kind & key->kinds && value->children;
	if (value->kind & key->kinds && !empty)
		return true;
	yaml_error(yaml, value, diag, "'%s' is %s; write %s", key->name, yaml_what(value),
		   key->expects);
	return false;
}

static void set_field(const struct yaml *yaml, const struct yaml_node *word,
		      const struct yaml_key *key, size_t keys, struct yaml_field *field,
		      struct diag *diag)
{
	size_t i = 0;

	if (word->kind == YAML_BAD)
		return;
	if (word->kind != YAML_TEXT) {
		yaml_error(yaml, word, diag, "a key is %s; write a word", yaml_what(word));
		return;
	}
	while (i < keys && strcmp(key[i].name, word->text))
		i++;
	if (i == keys) {
		report_unknown(yaml, word, key, keys, diag);
	} else if (field[i].key) {
		yaml_error(yaml, word, diag, "key '%s' appears twice (first on line %d)",
			   word->text, field[i].key->line);
	} else {
		field[i].key = word;
		if (yaml_usable(yaml, word->next, &key[i], diag))
			field[i].value = word->next;
	}
}

void yaml_fields(const struct yaml *yaml, const struct yaml_node *mapping,
		 const struct yaml_key *key, size_t keys, struct yaml_field *field,
		 struct diag *diag)
{
	const struct yaml_node *word;

	memset(field, 0, keys * sizeof(*field));
	for (word = mapping->child; word && word->next; word = word->next->next) {
		if (diag_full(diag))
			return;
		set_field(yaml, word, key, keys, field, diag);
	}
	for (size_t i = 0; i < keys && !mapping->cut; i++) {
		if (key[i].required && !field[i].key)
			yaml_error(yaml, mapping, diag, "key '%s' is missing; it is %s",
				   key[i].name, key[i].expects);
	}
}

void yaml_bool(const struct yaml *yaml, const struct yaml_node *node, bool *value,
	       struct diag *diag)
{
	/* The spellings of YAML 1.2's core schema (10.3.2). */
	bool is_true = is_among(node->text, "true True TRUE");

	if (node->plain && (is_true || is_among(node->text, "false False FALSE")))
		*value = is_true;
	else if (is_among(node->text, "true True TRUE yes on y 1 Yes YES On ON Y"))
		yaml_error(yaml, node, diag, "'%s' is not a boolean; write true", node->text);
	else if (is_among(node->text, "false False FALSE no off n 0 No NO Off OFF N"))
		yaml_error(yaml, node, diag, "'%s' is not a boolean; write false", node->text);
	else
		yaml_error(yaml, node, diag, "'%s' is not a boolean; write true or false",
			   node->text);
}
