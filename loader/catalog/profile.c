// SPDX-License-Identifier: GPL-2.0
/*
 * The catalog language: one profile, read from YAML into the model, and everything wrong with it.
 */
#include "loader/catalog/profile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/file.h"
#include "loader/base/yaml.h"
#include "loader/base/yaml_fields.h"
#include "loader/catalog/group.h"
#include "loader/catalog/ports.h"
#include "loader/catalog/values.h"

const char *const profile_outbound_name[] = {
	[PROFILE_OUTBOUND_NONE] = "none",
	[PROFILE_OUTBOUND_ANY] = "any",
};
_Static_assert(ARRAY_SIZE(profile_outbound_name) == PROFILE_OUTBOUNDS, "profile_outbound_name");

#define INCLUDE_LIMIT 256 /* includes of one profile; the place of each is kept, with its line */

static unsigned int transports_of(const struct ports *ports)
{
	unsigned int mask = 0;

	for (size_t i = 0; i < ports->count; i++)
		mask |= ports->range[i].transports;
	return mask;
}

/* The first port of the list that has the protocol: "25/tcp". */
static char *port_of(const struct ports *ports, const char *protocol)
{
	struct names text = {0};
	char *found = NULL;

	ports_strings(ports, &text);
	for (size_t i = 0; i < text.count && !found; i++) {
		if (strstr(text.name[i], protocol))
			found = xstrdup(text.name[i]);
	}
	names_free(&text);
	return found;
}

/*
 * `in` and `from-port` must name the same protocols: else a port of a protocol without source ports
 * would never be open.
 */
static void check_from_port(struct reader *reader, const struct yaml_node *node,
			    const struct service *service)
{
	unsigned int in = transports_of(&service->in), from = transports_of(&service->from_port);

	for (unsigned int transport = 0; transport < PC_TRANSPORTS; transport++) {
		unsigned int bit = 1u << transport;
		__free_text char *port = NULL;

		if ((in & bit) == (from & bit))
			continue;
		port = port_of(in & bit ? &service->in : &service->from_port,
			       transport_name[transport]);
		if (in & bit)
			complain(
				reader, node,
				"from-port has no %s port, but in has %s; add one, or make it a service of its own",
				transport_name[transport], port);
		else
			complain(
				reader, node,
				"from-port has %s, but in has no %s port; add one, or leave it out of from-port",
				port, transport_name[transport]);
	}
}

enum service_key {
	SERVICE_NAME,
	SERVICE_TITLE,
	SERVICE_NOTE,
	SERVICE_IN,
	SERVICE_OUT,
	SERVICE_FROM,
	SERVICE_TO,
	SERVICE_FROM_PORT,
	SERVICE_FEATURE,
	SERVICE_FIXED,
	SERVICE_LOCAL,
	SERVICE_DYNAMIC,
	SERVICE_CONFIGURED_IN,
	SERVICE_FORMERLY,
	SERVICE_KEYS,
};

#define ITEMS	(YAML_TEXT | YAML_LIST)
#define A_PORT	"a port or a list of ports"
#define A_GROUP "a group or a list of groups"
#define A_BOOL	"true or false"

static const struct yaml_key service_key[] = {
	[SERVICE_NAME] = {"name", true, YAML_TEXT, "a name", "service id"},
	[SERVICE_TITLE] = {"title", false, YAML_TEXT, "a text", "label"},
	[SERVICE_NOTE] = {"note", false, YAML_TEXT, "a text",
			  "notes comment comments description desc remark"},
	[SERVICE_IN] = {"in", false, ITEMS, A_PORT,
			"prot port ports proto protocol protocols inbound ingress listen inward"},
	[SERVICE_OUT] = {"out", false, ITEMS, A_PORT, "outbound egress outgoing connect outward"},
	[SERVICE_FROM] = {"from", false, ITEMS, A_GROUP, "source sources src allow group groups"},
	[SERVICE_TO] = {"to", false, ITEMS, A_GROUP, "dest destination destinations dst"},
	[SERVICE_FROM_PORT] = {"from-port", false, ITEMS, A_PORT,
			       "sport source-port src-port from-ports"},
	[SERVICE_FEATURE] = {"feature", false, YAML_TEXT, "a name", "option optional when"},
	[SERVICE_FIXED] = {"fixed", false, YAML_TEXT, A_BOOL, ""},
	[SERVICE_LOCAL] = {"local", false, YAML_TEXT, A_BOOL, "internal"},
	[SERVICE_DYNAMIC] = {"dynamic", false, YAML_TEXT, A_BOOL, "ephemeral"},
	[SERVICE_CONFIGURED_IN] =
		{"configured-in", false, YAML_TEXT | YAML_MAPPING,
		 "a text, or a mapping of file and xpath, key or regex, or of registry and value",
		 "config configured"},
	[SERVICE_FORMERLY] = {"formerly", false, ITEMS | YAML_MAPPING,
			      "a name, a list of names, or a mapping of name and feature",
			      "former previously was renamed-from"},
};
_Static_assert(ARRAY_SIZE(service_key) == SERVICE_KEYS, "service_key");

enum configured_key {
	CONFIGURED_FILE,
	CONFIGURED_XPATH,
	CONFIGURED_KEY,
	CONFIGURED_REGEX,
	CONFIGURED_REGISTRY,
	CONFIGURED_VALUE,
	CONFIGURED_KEYS,
};

static const struct yaml_key configured_key[] = {
	[CONFIGURED_FILE] = {"file", false, YAML_TEXT, "a path", "path"},
	[CONFIGURED_XPATH] = {"xpath", false, YAML_TEXT, "an XPath", "element"},
	[CONFIGURED_KEY] = {"key", false, YAML_TEXT, "the name of a setting",
			    "setting option name variable"},
	[CONFIGURED_REGEX] = {"regex", false, YAML_TEXT, "a regular expression",
			      "regexp pattern match"},
	[CONFIGURED_REGISTRY] = {"registry", false, YAML_TEXT, "a key of the Windows registry",
				 "reg hive"},
	[CONFIGURED_VALUE] = {"value", false, YAML_TEXT, "the name of a value", "entry"},
};
_Static_assert(ARRAY_SIZE(configured_key) == CONFIGURED_KEYS, "configured_key");

/* Checks configured-in: exactly one way to find the number, with the keys that this way needs. */
static void check_configured_in(struct reader *reader, const struct yaml_node *node,
				const struct yaml_field *field)
{
	const struct yaml_node *file = field[CONFIGURED_FILE].key, *way = NULL;
	const struct yaml_node *registry = field[CONFIGURED_REGISTRY].key;
	const struct yaml_node *value = field[CONFIGURED_VALUE].key;

	for (int i = CONFIGURED_XPATH; i <= CONFIGURED_REGEX; i++) {
		const struct yaml_node *key = field[i].key;

		if (key && way)
			complain(reader, key,
				 "'%s' beside '%s': one of them finds the number; remove one",
				 key->text, way->text);
		if (key)
			way = key;
	}
	if (registry && (file || way))
		complain(reader, registry,
			 "'registry' beside '%s': the number is in one place; remove one",
			 file ? "file" : way->text);
	else if (file && !way)
		complain(
			reader, file,
			"'file' without 'xpath', 'key' or 'regex'; add the one that finds the number");
	else if (way && !file)
		complain(reader, way, "'%s' without 'file'; add 'file', where it is looked for",
			 way->text);
	if (registry && !value)
		complain(
			reader, registry,
			"'registry' without 'value'; add 'value', the name of the value in that key");
	if (value && !registry)
		complain(reader, value,
			 "'value' without 'registry'; add 'registry', the key that has it");
	if (!node->children)
		complain(
			reader, node,
			"'configured-in' is an empty mapping; write file with xpath, key or regex, or registry with value");
}

static void read_configured_in(struct reader *reader, const struct yaml_node *node,
			       struct configured_in *to)
{
	struct yaml_field field[CONFIGURED_KEYS];

	if (!node)
		return;
	if (node->kind == YAML_TEXT) {
		read_text(node, &to->text);
		return;
	}
	yaml_fields(&reader->yaml, node, configured_key, CONFIGURED_KEYS, field, reader->diag);
	read_text(field[CONFIGURED_FILE].value, &to->file);
	read_text(field[CONFIGURED_XPATH].value, &to->xpath);
	read_text(field[CONFIGURED_KEY].value, &to->key);
	read_regex(reader, field[CONFIGURED_REGEX].value, &to->regex);
	read_registry(reader, field[CONFIGURED_REGISTRY].value, &to->registry);
	read_text(field[CONFIGURED_VALUE].value, &to->value);
	if (!node->cut)
		check_configured_in(reader, node, field);
}

/* Adds a service's old names to `used`: none may be the name, old or new, of another service. */
static void read_formerly(struct reader *reader, const struct yaml_node *node,
			  struct service *service, struct uses *used)
{
	static const struct yaml_key key[] = {
		{"name", false, ITEMS, "a name or a list of names", "names service"},
		{"feature", false, ITEMS, "a name or a list of names", "features"},
	};
	struct yaml_field field[ARRAY_SIZE(key)];

	if (!node)
		return;
	if (node->kind != YAML_MAPPING) {
		read_names(reader, node, "service name", &service->formerly, used);
		return;
	}
	yaml_fields(&reader->yaml, node, key, ARRAY_SIZE(key), field, reader->diag);
	read_names(reader, field[0].value, "service name", &service->formerly, used);
	read_names(reader, field[1].value, "feature name", &service->feature_formerly, NULL);
	if (!node->children)
		complain(reader, node, "'formerly' is an empty mapping; write name or feature");
}

/* Checks that the keys of one service can be used together. */
static void check_service(struct reader *reader, const struct yaml_field *field,
			  const struct service *service)
{
	const struct yaml_node *in = field[SERVICE_IN].key, *out = field[SERVICE_OUT].key;
	const struct yaml_node *from = field[SERVICE_FROM].key, *to = field[SERVICE_TO].key;
	const struct yaml_node *local = field[SERVICE_LOCAL].key;
	const struct yaml_node *from_port = field[SERVICE_FROM_PORT].key;
	const struct yaml_node *dynamic = field[SERVICE_DYNAMIC].key;

	/* A service without ports may still have groups; see the README of the profiles. */
	if (from && out && !in)
		complain(reader, from,
			 "'from' without 'in'; add 'in', the ports that it restricts");
	if (to && !out)
		complain(reader, to, "'to' without 'out'; add 'out', the ports that it restricts");
	if (from_port && !in)
		complain(reader, from_port,
			 "'from-port' without 'in'; add 'in', the ports that it restricts");
	if (service->dynamic && (in || out))
		complain(reader, dynamic,
			 "'dynamic' means no fixed port, but '%s' has some; remove one",
			 in ? "in" : "out");
	if (service->dynamic && service->fixed)
		complain(reader, dynamic,
			 "'dynamic' and 'fixed' contradict each other; remove one");
	if (service->local && out)
		complain(reader, local,
			 "'local' with 'out': it is for ports that this host listens on");
	else if (service->local && !in && !service->dynamic)
		complain(reader, local,
			 "'local' without 'in'; add 'in', the ports that this host listens on");
	if (field[SERVICE_FORMERLY].key && service->feature_formerly.count &&
	    !field[SERVICE_FEATURE].key)
		complain(reader, field[SERVICE_FORMERLY].key,
			 "'formerly' names a feature, but the service has none");
}

static void read_service_ports(struct reader *reader, const struct yaml_field *field,
			       struct service *service)
{
	bool in = read_ports(reader, field[SERVICE_IN].value, &service->in);
	bool from = read_ports(reader, field[SERVICE_FROM_PORT].value, &service->from_port);

	read_ports(reader, field[SERVICE_OUT].value, &service->out);
	if (in && from)
		check_from_port(reader, field[SERVICE_FROM_PORT].value, service);
}

static void check_anyone(struct reader *reader, const struct yaml_node *key,
			 const struct names *groups)
{
	if (names_have(groups, GROUP_ANYONE))
		complain(reader, key, "anyone is not a group; without '%s' it is anyone",
			 key->text);
}

static void read_service(struct reader *reader, const struct yaml_node *node,
			 struct service *service, struct uses *used)
{
	struct yaml_field field[SERVICE_KEYS];

	yaml_fields(&reader->yaml, node, service_key, SERVICE_KEYS, field, reader->diag);
	read_name(reader, field[SERVICE_NAME].value, "service name", &service->name);
	if (service->name)
		uses_add(used, service->name, field[SERVICE_NAME].value);
	read_text(field[SERVICE_TITLE].value, &service->title);
	read_text(field[SERVICE_NOTE].value, &service->note);
	read_name(reader, field[SERVICE_FEATURE].value, "feature name", &service->feature);
	read_service_ports(reader, field, service);
	read_names(reader, field[SERVICE_FROM].value, "group name", &service->from, NULL);
	read_names(reader, field[SERVICE_TO].value, "group name", &service->to, NULL);
	check_anyone(reader, field[SERVICE_FROM].key, &service->from);
	check_anyone(reader, field[SERVICE_TO].key, &service->to);
	read_bool(reader, field[SERVICE_FIXED].value, &service->fixed);
	read_bool(reader, field[SERVICE_LOCAL].value, &service->local);
	read_bool(reader, field[SERVICE_DYNAMIC].value, &service->dynamic);
	read_configured_in(reader, field[SERVICE_CONFIGURED_IN].value, &service->configured_in);
	read_formerly(reader, field[SERVICE_FORMERLY].value, service, used);
	if (!node->cut)
		check_service(reader, field, service);
}

static void read_services(struct reader *reader, const struct yaml_node *list,
			  struct profile *profile)
{
	const struct yaml_node *item;
	struct uses used = {0};

	if (!list)
		return;
	profile->service = xcalloc(list->children, sizeof(*profile->service));
	yaml_for_each(item, list)
	{
		if (diag_full(reader->diag))
			break;
		if (item->kind == YAML_MAPPING)
			read_service(reader, item, &profile->service[profile->services++], &used);
		else if (item->kind != YAML_BAD)
			complain(reader, item,
				 "a service is %s; write a mapping of keys, as in 'name: smtp'",
				 yaml_what(item));
	}
	uses_check(reader, &used, "service");
}

/* The place is used after the text is freed, so it gets a copy of its line. */
static void keep_place(struct reader *reader, const struct yaml_node *node,
		       const struct profile *profile, struct place *place)
{
	yaml_place(&reader->yaml, node, place);
	place->file = profile->path;
	place->source = xstrndup(place->source, place->source_length);
}

static void read_include(struct reader *reader, const struct yaml_node *value,
			 struct profile *profile)
{
	struct uses places = {0};

	if (value->kind == YAML_LIST && value->children > INCLUDE_LIMIT) {
		complain(reader, value, "a profile includes at most %d others, this list has %zu",
			 INCLUDE_LIMIT, value->children);
		return;
	}
	read_names(reader, value, "profile name", &profile->include, &places);
	profile->include_place = xcalloc(places.count, sizeof(*profile->include_place));
	for (size_t i = 0; i < places.count; i++) {
		keep_place(reader, places.use[i].node, profile, &profile->include_place[i]);
		if (profile->name && !strcmp(places.use[i].name, profile->name))
			complain(reader, places.use[i].node, "profile '%s' includes itself",
				 profile->name);
	}
	free(places.use);
}

static void read_outbound(struct reader *reader, const struct yaml_node *node,
			  enum profile_outbound *outbound)
{
	if (!node)
		return;
	for (int i = PROFILE_OUTBOUND_LISTED + 1; i < PROFILE_OUTBOUNDS; i++) {
		if (!strcmp(node->text, profile_outbound_name[i])) {
			*outbound = (enum profile_outbound)i;
			return;
		}
	}
	complain(reader, node, "'outbound' of a profile must be any or none, not '%s'", node->text);
}

enum profile_key {
	PROFILE_NAME,
	PROFILE_TITLE,
	PROFILE_DOCUMENT,
	PROFILE_RELEASE,
	PROFILE_AS_OF,
	PROFILE_URL,
	PROFILE_SECOND_HAND,
	PROFILE_INCLUDE,
	PROFILE_OUTBOUND,
	PROFILE_CONTAINERS,
	PROFILE_PROTOCOLS,
	PROFILE_SERVICES,
	PROFILE_KEYS,
};

static const struct yaml_key profile_key[] = {
	[PROFILE_NAME] = {"profile", true, YAML_TEXT, "a name", "name id"},
	[PROFILE_TITLE] = {"title", false, YAML_TEXT, "a text", "label description"},
	[PROFILE_DOCUMENT] = {"document", false, YAML_TEXT, "a text", "source reference"},
	[PROFILE_RELEASE] = {"release", false, YAML_TEXT, "a text", "version releases"},
	[PROFILE_AS_OF] = {"as-of", false, YAML_TEXT, "a date", "date dated updated"},
	[PROFILE_URL] = {"url", false, YAML_TEXT, "a web address", "link homepage uri"},
	[PROFILE_SECOND_HAND] = {"second-hand", false, YAML_TEXT, A_BOOL, "unofficial"},
	[PROFILE_INCLUDE] = {"include", false, ITEMS, "a profile or a list of profiles",
			     "includes import imports use uses"},
	[PROFILE_OUTBOUND] = {"outbound", false, YAML_TEXT, "any or none",
			      "out egress outgoing outward"},
	[PROFILE_CONTAINERS] = {"containers", false, YAML_TEXT, A_BOOL, "docker podman"},
	[PROFILE_PROTOCOLS] = {"protocols", false, ITEMS, "an IP protocol or a list of them",
			       "protocol proto"},
	[PROFILE_SERVICES] = {"services", false, YAML_LIST, "a list of services",
			      "service ports rules"},
};
_Static_assert(ARRAY_SIZE(profile_key) == PROFILE_KEYS, "profile_key");

static void read_profile(struct reader *reader, struct profile *profile)
{
	struct yaml_field field[PROFILE_KEYS];

	yaml_fields(&reader->yaml, reader->yaml.root, profile_key, PROFILE_KEYS, field,
		    reader->diag);
	read_name(reader, field[PROFILE_NAME].value, "profile name", &profile->name);
	if (profile->name)
		keep_place(reader, field[PROFILE_NAME].value, profile, &profile->name_place);
	if (profile->name && !strcmp(profile->name, PROFILE_SITE))
		complain(
			reader, field[PROFILE_NAME].value,
			"the name '%s' is reserved for the ports that --open opens; choose another",
			PROFILE_SITE);
	read_text(field[PROFILE_TITLE].value, &profile->title);
	read_text(field[PROFILE_DOCUMENT].value, &profile->document);
	read_text(field[PROFILE_RELEASE].value, &profile->release);
	read_date(reader, field[PROFILE_AS_OF].value, &profile->as_of);
	read_url(reader, field[PROFILE_URL].value, &profile->url);
	read_bool(reader, field[PROFILE_SECOND_HAND].value, &profile->second_hand);
	if (field[PROFILE_INCLUDE].value)
		read_include(reader, field[PROFILE_INCLUDE].value, profile);
	read_outbound(reader, field[PROFILE_OUTBOUND].value, &profile->outbound);
	read_bool(reader, field[PROFILE_CONTAINERS].value, &profile->containers);
	read_protocols(reader, field[PROFILE_PROTOCOLS].value, profile->protocol);
	read_services(reader, field[PROFILE_SERVICES].value, profile);
}

/* Reads as much of a text as is valid, and reports every error in `diag`. */
static struct profile *understand(const char *path, const char *text, size_t length,
				  struct diag *diag)
{
	struct profile *made = xcalloc(1, sizeof(*made));
	struct yaml yaml __cleanup(yaml_free) = {0};
	struct reader reader = {.diag = diag};
	size_t errors = diag->errors;

	made->path = xstrdup(path);
	yaml_load(made->path, text, length, &yaml, diag);
	reader.yaml = yaml;
	if (yaml.root && yaml.root->kind == YAML_MAPPING)
		read_profile(&reader, made);
	else if (yaml.root && !(yaml.root->kind & (YAML_EMPTY | YAML_BAD)) &&
		 diag->errors == errors)
		complain(&reader, yaml.root,
			 "a profile is %s; write a mapping of keys, as in 'profile: NAME'",
			 yaml_what(yaml.root));
	return made;
}

int profile_parse(const char *path, const char *text, size_t length, struct profile **profile,
		  struct diag *diag)
{
	size_t errors = diag->errors;
	struct profile *made = understand(path, text, length, diag);

	if (diag->errors != errors) {
		profile_free(made);
		return -EINVAL;
	}
	*profile = made;
	return 0;
}

/* The file's text, or -errno with an error in `diag`. */
static int load_text(const char *path, char **text, size_t *length, struct diag *diag)
{
	struct place place = {.file = path};
	int err = read_file(path, CATALOG_FILE_LIMIT, text, length);

	if (!err)
		return 0;
	if (err == -EFBIG)
		diag_error(diag, &place, "larger than %d bytes, the limit for a profile",
			   CATALOG_FILE_LIMIT);
	else if (err == -EINVAL)
		diag_error(diag, &place, "not a regular file");
	else
		diag_errno(diag, &place, err, NULL);
	return err;
}

int profile_read(const char *path, struct profile **profile, struct diag *diag)
{
	__free_text char *text = NULL;
	size_t length;
	int err = load_text(path, &text, &length, diag);

	if (!err)
		err = profile_parse(path, text, length, profile, diag);
	if (!err) {
		(*profile)->text = text;
		text = NULL;
	}
	return err;
}

int profile_read_partial(const char *path, struct profile **profile, struct diag *diag)
{
	__free_text char *text = NULL;
	size_t length;
	int err = load_text(path, &text, &length, diag);

	if (!err)
		*profile = understand(path, text, length, diag);
	return err;
}

static void service_clear(struct service *service)
{
	free(service->name);
	free(service->title);
	free(service->note);
	free(service->feature);
	ports_free(&service->in);
	ports_free(&service->out);
	ports_free(&service->from_port);
	names_free(&service->from);
	names_free(&service->to);
	names_free(&service->formerly);
	names_free(&service->feature_formerly);
	free(service->configured_in.text);
	free(service->configured_in.file);
	free(service->configured_in.xpath);
	free(service->configured_in.key);
	free(service->configured_in.regex);
	free(service->configured_in.registry);
	free(service->configured_in.value);
}

void profile_free(struct profile *profile)
{
	if (!profile)
		return;
	for (size_t i = 0; i < profile->services; i++)
		service_clear(&profile->service[i]);
	for (size_t i = 0; profile->include_place && i < profile->include.count; i++)
		free((char *)profile->include_place[i].source);
	free((char *)profile->name_place.source);
	free(profile->include_place);
	free(profile->service);
	names_free(&profile->include);
	free(profile->name);
	free(profile->title);
	free(profile->document);
	free(profile->release);
	free(profile->as_of);
	free(profile->url);
	free(profile->text);
	free(profile->path);
	free(profile->shadows);
	free(profile);
}

bool profile_list_day(const struct profile *profile, int *day)
{
	return profile->as_of && !date_day(profile->as_of, day);
}

const struct service *profile_service(const struct profile *profile, const char *name)
{
	for (size_t i = 0; i < profile->services; i++) {
		if (!strcmp(profile->service[i].name, name))
			return &profile->service[i];
	}
	return NULL;
}

bool profile_has_feature(const struct profile *profile, const char *feature)
{
	for (size_t i = 0; i < profile->services; i++) {
		const char *has = profile->service[i].feature;

		if (has && !strcmp(has, feature))
			return true;
	}
	return false;
}
