// SPDX-License-Identifier: GPL-2.0
/* The words of a site file's interface or machine: profiles, ports, features, overrides. */
#include "loader/recipe/site_words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/base/utf8.h"

/*
 * The length of the part of a word that names its object, and the direction: "P:S" and in for
 * "P:S:in=25/tcp".
 */
static size_t subject(const struct site_word *word, enum direction *direction)
{
	size_t length = strcspn(word->text, "="), names;
	const char *service = memchr(word->text, ':', length);

	*direction = DIRECTION_BOTH;
	if (word->kind != RECIPE_SET || !service)
		return length;
	names = (size_t)(service + 1 - word->text);
	names += strcspn(service + 1, ":=");
	if (names < length)
		*direction = word->text[names + 1] == 'i' ? DIRECTION_IN : DIRECTION_OUT;
	return names;
}

static bool clash(const struct site_word *a, const struct site_word *b)
{
	enum direction one, other;
	size_t length;

	if (a->kind != b->kind)
		return false;
	length = subject(a, &one);
	return subject(b, &other) == length && !memcmp(a->text, b->text, length) && one & other;
}

/* Adds a word, which takes over the text. */
static void add_word(struct reader *reader, struct site_interface *interface, enum recipe_word kind,
		     char *text, const struct yaml_node *node)
{
	struct site_word word = {.kind = kind, .text = text};

	yaml_place(&reader->yaml, node, &word.place);
	if (recipe_add(&interface->recipe, kind, text, &word.place, reader->diag)) {
		free(text);
		return;
	}
	for (size_t i = 0; i < interface->words; i++) {
		if (!clash(&interface->word[i], &word))
			continue;
		complain(reader, node, "'%.*s' appears twice (first on line %d)",
			 (int)subject(&word, &(enum direction){0}), text,
			 interface->word[i].place.line);
		break;
	}
	interface->word = grow(interface->word, interface->words, sizeof(*interface->word));
	interface->word[interface->words++] = word;
}

static void use_group(struct reader *reader, struct site_interface *interface,
		      const struct use *used)
{
	struct site_use *use;

	if (!strcmp(used->name, GROUP_ANYONE)) /* these groups need not be defined */
		return;
	interface->use = grow(interface->use, interface->uses, sizeof(*interface->use));
	use = &interface->use[interface->uses++];
	*use = (struct site_use){.group = xstrdup(used->name)};
	yaml_place(&reader->yaml, used->node, &use->place);
}

/* Compares words, and the groups of each, with each other, because their number is bounded. */
static bool too_many(struct reader *reader, const struct yaml_node *value, size_t count)
{
	if (count > SITE_WORDS)
		complain(reader, value, "there are at most %d words here, not %zu", SITE_WORDS,
			 count);
	return count > SITE_WORDS;
}

static size_t count_words(const struct yaml_node *value)
{
	size_t count = 1;

	if (value->kind == YAML_MAPPING)
		return value->children / 2;
	if (value->kind == YAML_LIST)
		return value->children;
	for (const char *c = value->text; *c; c++)
		count += *c == ',';
	return count;
}

/* The text after the '=' of a word. */
static const char *value_of(enum recipe_word kind)
{
	return kind == RECIPE_SET ? "PORTS" : kind == RECIPE_LIMIT ? "RATE" : "GROUP";
}

/* Notes the groups of a word that was written as one text; groups of a mapping are noted one by
 * one. */
static void use_groups_of(struct reader *reader, struct site_interface *interface,
			  const struct yaml_node *node)
{
	__free_text char *copy = xstrdup(strchrnul(node->text, '='));
	char *rest = copy + !!*copy, *name;

	while (*copy && (name = strsep(&rest, ",")))
		use_group(reader, interface, &(struct use){.name = name, .node = node});
}

/* As above, for the groups of a limit. The recipe reports an invalid rate. */
static void use_groups_of_limit(struct reader *reader, struct site_interface *interface,
				const struct yaml_node *node)
{
	__cleanup(limit_free) struct limit limit = {0};
	__free_text char *why = NULL;

	if (limit_parse(strchr(node->text, '=') + 1, &limit, &why))
		return;
	for (size_t i = 0; i < limit.except.count; i++)
		use_group(reader, interface,
			  &(struct use){.name = limit.except.name[i], .node = node});
}

/* True if the text is SERVICE=VALUE; if not, reports both forms. */
static bool check_assignment(struct reader *reader, const struct yaml_node *item,
			     enum recipe_word kind)
{
	const char *text = item->text, *what = value_of(kind);
	int length = (int)strcspn(text, "=");

	if (text[length] && text[length + 1])
		return true;
	if (!memchr(text, ':', (size_t)length))
		complain(reader, item, "'%s' does not name a service; write {PROFILE:SERVICE: %s}",
			 text, what);
	else
		complain(reader, item, "'%s' has no %s; write {%.*s: %s}, or %.*s=%s", text,
			 kind == RECIPE_SET   ? "ports" :
			 kind == RECIPE_LIMIT ? "rate" :
						"group",
			 length, text, what, length, text, what);
	return false;
}

static void read_words(struct reader *reader, const struct yaml_node *value, enum recipe_word kind,
		       const char *expects, struct site_interface *interface)
{
	const struct yaml_node *item;

	yaml_for_each(item, value)
	{
		if (diag_full(reader->diag) || (value->cut && !item->next))
			break;
		if (item->kind == YAML_BAD)
			continue;
		if (item->kind != YAML_TEXT) {
			complain(reader, item, "an item is %s; write %s", yaml_what(item), expects);
			continue;
		}
		if ((kind == RECIPE_FROM || kind == RECIPE_SET || kind == RECIPE_LIMIT) &&
		    !check_assignment(reader, item, kind))
			continue;
		if (kind == RECIPE_FROM && too_many(reader, item, count_words(item)))
			continue;
		if (kind == RECIPE_FROM)
			use_groups_of(reader, interface, item);
		if (kind == RECIPE_LIMIT)
			use_groups_of_limit(reader, interface, item);
		add_word(reader, interface, kind, xstrdup(item->text), item);
	}
}

/* Reads the key "PROFILE:SERVICE"; the recipe reports other errors in it. */
static bool check_key(struct reader *reader, const struct yaml_node *key)
{
	if (key->kind == YAML_BAD)
		return false;
	if (key->kind != YAML_TEXT)
		complain(reader, key, "a key is %s; write PROFILE:SERVICE", yaml_what(key));
	else if (strchr(key->text, '=') || !strchr(key->text, ':'))
		complain(reader, key, "'%s' does not name a service; write PROFILE:SERVICE",
			 key->text);
	else
		return true;
	return false;
}

static void read_from(struct reader *reader, const struct yaml_node *key,
		      struct site_interface *interface)
{
	const struct yaml_key expected = {key->text, false, YAML_ITEMS,
					  "a group or a list of groups", ""};
	__cleanup(names_free) struct names names = {0};
	__free_text char *list = NULL;
	struct uses uses = {0};

	if (!yaml_usable(&reader->yaml, key->next, &expected, reader->diag) ||
	    too_many(reader, key->next, count_words(key->next)))
		return;
	read_names(reader, key->next, "group name", &names, &uses);
	for (size_t i = 0; i < uses.count; i++)
		use_group(reader, interface, &uses.use[i]);
	free(uses.use);
	list = names_join(&names, ",");
	if (names.count)
		add_word(reader, interface, RECIPE_FROM, xasprintf("%s=%s", key->text, list), key);
}

static void read_set(struct reader *reader, const struct yaml_node *key,
		     struct site_interface *interface)
{
	const struct yaml_key expected = {key->text, false, YAML_ITEMS, "a port or a list of ports",
					  ""};
	__cleanup(ports_free) struct ports ports = {0};
	__cleanup(names_free) struct names strings = {0};
	__free_text char *list = NULL;

	if (!yaml_usable(&reader->yaml, key->next, &expected, reader->diag))
		return;
	if (!read_ports(reader, key->next, &ports))
		return;
	ports_strings(&ports, &strings);
	list = names_join(&strings, ",");
	add_word(reader, interface, RECIPE_SET, xasprintf("%s=%s", key->text, list), key);
}

/* A number or a rate as the value of a key, in the form of limit_parse; "" if there is none. */
static char *limit_part(struct reader *reader, const struct yaml_field *field, const char *name)
{
	const struct yaml_node *value = field->value;

	if (!value)
		return xstrdup("");
	if (strpbrk(value->text, " \t\n,:{}[]")) {
		complain(reader, value, "'%s' is not valid here", value->text);
		return xstrdup("");
	}
	return xasprintf("%s: %s, ", name, value->text);
}

static char *limit_per(struct reader *reader, const struct yaml_node *node)
{
	static const struct yaml_key keys[] = {
		{"ipv4", false, YAML_TEXT, "a prefix length", "ip4 v4"},
		{"ipv6", false, YAML_TEXT, "a prefix length", "ip6 v6"},
	};
	struct yaml_field field[ARRAY_SIZE(keys)] = {};
	__free_text char *ipv4 = NULL, *ipv6 = NULL;

	if (!node)
		return xstrdup("");
	yaml_fields(&reader->yaml, node, keys, ARRAY_SIZE(keys), field, reader->diag);
	ipv4 = limit_part(reader, &field[0], keys[0].name);
	ipv6 = limit_part(reader, &field[1], keys[1].name);
	/* Adds a part, which ends with ", ". */
	return *ipv4 || *ipv6 ?
		       xasprintf("per: {%s%.*s}, ", *ipv6 ? ipv4 : "",
				 (int)strlen(*ipv6 ? ipv6 : ipv4) - 2, *ipv6 ? ipv6 : ipv4) :
		       xstrdup("");
}

static char *limit_except(struct reader *reader, const struct yaml_node *node,
			  struct site_interface *interface)
{
	__cleanup(names_free) struct names names = {0};
	__free_text char *list = NULL;
	struct uses uses = {0};

	if (!node || too_many(reader, node, count_words(node)))
		return xstrdup("");
	read_names(reader, node, "group name", &names, &uses);
	for (size_t i = 0; i < uses.count; i++)
		use_group(reader, interface, &uses.use[i]);
	free(uses.use);
	list = names_join(&names, ", ");
	return names.count ? xasprintf("except: [%s], ", list) : xstrdup("");
}

/* Reads "20/s", or a mapping of `rate` and other keys. */
static void read_limit(struct reader *reader, const struct yaml_node *key,
		       struct site_interface *interface)
{
	static const char expects[] =
		"a rate, as in 20/s, or a mapping of rate, burst, per and except";
	static const struct yaml_key keys[] = {
		{"rate", true, YAML_TEXT, "a rate, as in 20/s, 600/m or 10/h", "limit"},
		{"burst", false, YAML_TEXT, "a number", "bucket"},
		{"per", false, YAML_MAPPING, "a mapping, as in {ipv4: 24, ipv6: 48}",
		 "source mask"},
		{"except", false, YAML_ITEMS, "a group or a list of groups",
		 "unless allow trusted"},
	};
	const struct yaml_key expected = {key->text, false, YAML_TEXT | YAML_MAPPING, expects, ""};
	struct yaml_field field[ARRAY_SIZE(keys)] = {};
	__free_text char *rate = NULL, *burst = NULL, *per = NULL, *except = NULL;
	size_t errors = reader->diag->errors;

	if (!yaml_usable(&reader->yaml, key->next, &expected, reader->diag))
		return;
	if (key->next->kind == YAML_TEXT) {
		add_word(reader, interface, RECIPE_LIMIT,
			 xasprintf("%s=%s", key->text, key->next->text), key);
		return;
	}
	yaml_fields(&reader->yaml, key->next, keys, ARRAY_SIZE(keys), field, reader->diag);
	rate = limit_part(reader, &field[0], keys[0].name);
	burst = limit_part(reader, &field[1], keys[1].name);
	per = limit_per(reader, field[2].value);
	except = limit_except(reader, field[3].value, interface);
	if (reader->diag->errors != errors)
		return;
	rate[strlen(rate) - 2] = '\0'; /* removes the ", " of the last part */
	add_word(reader, interface, RECIPE_LIMIT,
		 xasprintf("%s={%s%s%s%s}", key->text, burst, per, except, rate), key);
}

/* Adds each port as a word of its own, so that ports opened twice are found. */
static void open_ports(struct reader *reader, struct site_interface *interface, const char *text,
		       const char *comment, const struct yaml_node *node)
{
	__cleanup(opens_free) struct opens opens = {0};
	__cleanup(names_free) struct names services = {0};
	struct place place;

	yaml_place(&reader->yaml, node, &place);
	if (opens_add(&opens, text, &place, &services, reader->diag))
		return;
	for (size_t i = 0; i < opens.count; i++) {
		struct open_port *port;

		add_word(reader, interface, RECIPE_OPEN, open_port_text(&opens.port[i]), node);
		port = opens_find(&interface->recipe.opens, services.name[i]);
		if (port && comment && !port->comment)
			port->comment = xstrdup(comment);
	}
}

static void read_comment(struct reader *reader, const struct yaml_node *node, const char **comment)
{
	if (!node)
		return;
	if (comment_valid(node->text))
		*comment = node->text;
	else
		complain(reader, node,
			 "a comment must be one line of printable text, at most %d bytes",
			 COMMENT_LIMIT);
}

/* Reads "8443/tcp: GROUP", a list of groups, or a mapping of `from` and `comment`. */
static void read_open_port(struct reader *reader, const struct yaml_node *key,
			   struct site_interface *interface)
{
	static const char expects[] =
		"a group, a list of groups, anyone, or a mapping of from and comment";
	static const struct yaml_key keys[] = {
		{"from", false, YAML_ITEMS, "a group, a list of groups, or anyone",
		 "groups source"},
		{"comment", false, YAML_TEXT, "a text", "note reason title ticket"},
	};
	const struct yaml_key expected = {key->text, false, SITE_WORD, expects, ""};
	struct yaml_field field[ARRAY_SIZE(keys)] = {{.value = key->next}};
	__cleanup(names_free) struct names names = {0};
	__free_text char *list = NULL, *text = NULL;
	size_t errors = reader->diag->errors;
	const char *comment = NULL;
	struct uses uses = {0};

	if (!yaml_usable(&reader->yaml, key->next, &expected, reader->diag) ||
	    too_many(reader, key->next, count_words(key->next)))
		return;
	if (key->next->kind == YAML_MAPPING) {
		yaml_fields(&reader->yaml, key->next, keys, ARRAY_SIZE(keys), field, reader->diag);
		if (!key->next->children && !key->next->cut)
			complain(reader, key->next, "'%s' is an empty mapping; write %s", key->text,
				 expects);
	}
	if (field[0].value && !too_many(reader, field[0].value, count_words(field[0].value)))
		read_names(reader, field[0].value, "group name", &names, &uses);
	for (size_t i = 0; i < uses.count; i++)
		use_group(reader, interface, &uses.use[i]);
	free(uses.use);
	read_comment(reader, field[1].value, &comment);
	if (reader->diag->errors != errors)
		return;
	list = names_join(&names, ",");
	text = xasprintf("%s%s%s", key->text, *list ? "=" : "", list);
	open_ports(reader, interface, text, comment, key);
}

static void read_open(struct reader *reader, const struct yaml_node *value,
		      struct site_interface *interface)
{
	const struct yaml_node *item;

	if (value->kind == YAML_MAPPING) {
		yaml_for_each_key(item, value)
		{
			if (diag_full(reader->diag))
				break;
			if (item->kind == YAML_TEXT && !strchr(item->text, '='))
				read_open_port(reader, item, interface);
			else if (item->kind != YAML_BAD)
				complain(reader, item, "a key is %s; write a port, as in 587/tcp",
					 item->kind == YAML_TEXT ? "not a port" : yaml_what(item));
		}
		return;
	}
	yaml_for_each(item, value)
	{
		if (diag_full(reader->diag) || (value->cut && !item->next))
			break;
		if (item->kind == YAML_BAD)
			continue;
		if (item->kind != YAML_TEXT) {
			complain(reader, item, "an item is %s; write a port, as in 587/tcp",
				 yaml_what(item));
			continue;
		}
		if (too_many(reader, item, count_words(item)))
			continue;
		if (strchr(item->text, '='))
			use_groups_of(reader, interface, item);
		open_ports(reader, interface, item->text, NULL, item);
	}
}

static void read_overrides(struct reader *reader, const struct yaml_node *value,
			   enum recipe_word kind, struct site_interface *interface)
{
	const struct yaml_node *key;

	if (value->kind != YAML_MAPPING) {
		read_words(reader, value, kind,
			   kind == RECIPE_SET	? "PROFILE:SERVICE=PORTS" :
			   kind == RECIPE_LIMIT ? "PROFILE:SERVICE=RATE" :
						  "PROFILE:SERVICE=GROUP",
			   interface);
		return;
	}
	yaml_for_each_key(key, value)
	{
		if (diag_full(reader->diag))
			break;
		if (!check_key(reader, key))
			continue;
		if (kind == RECIPE_SET)
			read_set(reader, key, interface);
		else if (kind == RECIPE_LIMIT)
			read_limit(reader, key, interface);
		else
			read_from(reader, key, interface);
	}
}

/* True if all items are valid. */
static bool read_profiles(struct reader *reader, const struct yaml_node *value,
			  struct site_interface *interface)
{
	size_t errors = reader->diag->errors;
	__cleanup(names_free) struct names names = {0};
	struct uses uses = {0};

	read_names(reader, value, "profile name", &names, &uses);
	for (size_t i = 0; i < uses.count; i++) {
		/* A name that appears twice is already reported. */
		if (!names_have(&interface->recipe.profiles, uses.use[i].name))
			add_word(reader, interface, RECIPE_PROFILE, xstrdup(uses.use[i].name),
				 uses.use[i].node);
	}
	free(uses.use);
	return reader->diag->errors == errors;
}

void site_read_words(struct reader *reader, const struct yaml_field *field,
		     struct site_interface *interface)
{
	for (size_t i = 0; i < SITE_WORD_KEYS; i++) {
		const struct yaml_node *value = field[i].value;

		if (!value || too_many(reader, value, count_words(value)))
			continue;
		switch (i) {
		case SITE_PROFILES:
			interface->profiles_wrong = !read_profiles(reader, value, interface);
			break;
		case SITE_OPEN: read_open(reader, value, interface); break;
		case SITE_ENABLE:
			read_words(reader, value, RECIPE_ENABLE, "a feature", interface);
			break;
		case SITE_DISABLE:
			read_words(reader, value, RECIPE_DISABLE, "PROFILE:SERVICE", interface);
			break;
		case SITE_FROM: read_overrides(reader, value, RECIPE_FROM, interface); break;
		case SITE_SET: read_overrides(reader, value, RECIPE_SET, interface); break;
		case SITE_LIMITS: read_overrides(reader, value, RECIPE_LIMIT, interface); break;
		}
	}
}

/* --- settings --- */

void site_read_outbound(struct reader *reader, const struct yaml_node *node, struct recipe *recipe)
{
	if (node && outbound_parse(node->text, &recipe->outbound))
		complain(reader, node, "'%s' is not valid here; write track or enforce",
			 node->text);
}

void site_read_switch(struct reader *reader, const struct yaml_node *node, bool *value)
{
	if (node && !node->plain && (!strcmp(node->text, "true") || !strcmp(node->text, "false")))
		complain(reader, node, "'%s' is in quotes; write it without quotes", node->text);
	else
		read_bool(reader, node, value);
}

static void refuse_policy(struct reader *reader, const struct yaml_node *key, const char *what)
{
	if (key)
		complain(reader, key, "unknown key '%s'; %s enforces unless it has 'observe: true'",
			 key->text, what);
}

void site_read_policy(struct reader *reader, const struct yaml_field *observe,
		      const struct yaml_field *enforce, const struct yaml_field *policy,
		      const char *what, struct recipe *recipe)
{
	bool value = false;

	refuse_policy(reader, enforce->key, what);
	refuse_policy(reader, policy->key, what);
	site_read_switch(reader, observe->value, &value);
	recipe->policy = value ? PC_POLICY_OBSERVE : PC_POLICY_ENFORCE;
}
