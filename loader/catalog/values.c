// SPDX-License-Identifier: GPL-2.0
/*
 * Values of the languages - names, ports, protocols - read from YAML nodes, with all errors.
 */
#include "loader/catalog/values.h"

#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/duration.h"
#include "loader/base/memory.h"
#include "loader/base/yaml_fields.h"

/* The ports of a list and their places: one entry for each range and transport. */
struct span {
	unsigned int transport, first, last;
	const struct yaml_node *node;
};

struct spans {
	struct span *span;
	size_t count;
};

void uses_add(struct uses *uses, const char *name, const struct yaml_node *node)
{
	uses->use = grow(uses->use, uses->count, sizeof(*uses->use));
	uses->use[uses->count++] = (struct use){.name = name, .node = node};
}

static int compare_uses(const void *a, const void *b)
{
	const struct use *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order :
		       (x->node->start > y->node->start) - (x->node->start < y->node->start);
}

void uses_check(struct reader *reader, struct uses *uses, const char *what)
{
	size_t first = 0;

	if (uses->count)
		qsort(uses->use, uses->count, sizeof(*uses->use), compare_uses);
	for (size_t i = 1; i < uses->count && !diag_full(reader->diag); i++) {
		if (strcmp(uses->use[i].name, uses->use[first].name))
			first = i;
		else
			complain(reader, uses->use[i].node,
				 "%s '%s' appears twice (first on line %d)", what,
				 uses->use[i].name, uses->use[first].node->line);
	}
	free(uses->use);
	*uses = (struct uses){0};
}

/* Suggests a valid name: "sip-gateway" for "SIP_Gateway". */
static char *name_like(const char *text)
{
	char *name = xstrdup(text);

	for (char *c = name; *c; c++) {
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
		else if (*c == '_' || *c == ' ' || *c == '.')
			*c = '-';
	}
	return name;
}

static bool check_name(struct reader *reader, const struct yaml_node *node, const char *what)
{
	__free_text char *like = NULL;

	if (node->kind == YAML_BAD)
		return false;
	if (node->kind != YAML_TEXT) {
		complain(reader, node, "a %s is %s; write a name", what, yaml_what(node));
		return false;
	}
	if (name_valid(node->text))
		return true;
	like = name_like(node->text);
	if (name_valid(like))
		complain(reader, node, "'%s' is not a %s; write %s", node->text, what, like);
	else if (strlen(like) > NAME_LIMIT &&
		 strspn(like, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(like))
		complain(reader, node, "a %s has at most %d characters, '%s' has %zu", what,
			 NAME_LIMIT, node->text, strlen(like));
	else
		complain(reader, node, "'%s' is not a %s; use only a-z, 0-9 and '-'", node->text,
			 what);
	return false;
}

void read_name(struct reader *reader, const struct yaml_node *node, const char *what, char **name)
{
	if (node && check_name(reader, node, what))
		*name = xstrdup(node->text);
}

void read_names(struct reader *reader, const struct yaml_node *value, const char *what,
		struct names *names, struct uses *places)
{
	const struct yaml_node *item;
	struct uses uses = {0};

	if (!value)
		return;
	yaml_for_each(item, value)
	{
		if (diag_full(reader->diag) || (value->cut && !item->next))
			break;
		if (!check_name(reader, item, what))
			continue;
		names_add(names, item->text);
		uses_add(&uses, item->text, item);
		if (places)
			uses_add(places, item->text, item);
	}
	uses_check(reader, &uses, what);
}

void read_text(const struct yaml_node *node, char **text)
{
	if (node)
		*text = xstrdup(node->text);
}

void read_bool(struct reader *reader, const struct yaml_node *node, bool *value)
{
	if (node)
		yaml_bool(&reader->yaml, node, value, reader->diag);
}

/* Days since 1970-01-01. Years begin in March here, so that 29 February is the last day of a
 * year. */
static int civil_day(int year, int month, int day)
{
	int y = month <= 2 ? year - 1 : year;
	int of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return 365 * y + y / 4 - y / 100 + y / 400 + of_year - 719468;
}

static int month_days(int year, int month)
{
	return month == 12 ? 31 : civil_day(year, month + 1, 1) - civil_day(year, month, 1);
}

int date_day(const char *date, int *day)
{
	static const char form[] = "dddd-dd-dd";
	size_t length = strlen(date);
	int year, month, of_month;

	if (length != strlen("dddd-dd") && length != strlen(form))
		return -EINVAL;
	for (size_t i = 0; i < length; i++) {
		if (form[i] == 'd' ? !isdigit((unsigned char)date[i]) : date[i] != form[i])
			return -EINVAL;
	}
	year = atoi(date);
	month = atoi(date + 5);
	of_month = length == strlen(form) ? atoi(date + 8) : 1;
	if (year < 1970 || month < 1 || month > 12 || of_month < 1 ||
	    of_month > month_days(year, month))
		return -EINVAL;
	*day = civil_day(year, month, of_month);
	return 0;
}

void read_date(struct reader *reader, const struct yaml_node *node, char **date)
{
	int day;

	if (!node)
		return;
	if (date_day(node->text, &day))
		complain(reader, node, "'%s' is not a date; write it as 2021-08-06 or 2021-08",
			 node->text);
	else
		*date = xstrdup(node->text);
}

void read_url(struct reader *reader, const struct yaml_node *node, char **url)
{
	static const char *const scheme[] = {"https://", "http://"};

	for (size_t i = 0; node && i < ARRAY_SIZE(scheme); i++) {
		size_t length = strlen(scheme[i]);
		const char *rest = node->text + length;

		if (!strncmp(node->text, scheme[i], length) && *rest && *rest != '/' &&
		    !rest[strcspn(rest, " \t\n\r")]) {
			*url = xstrdup(node->text);
			return;
		}
	}
	if (node)
		complain(
			reader, node,
			"'%s' is not a web address; write one, as in https://www.example.com/ports",
			node->text);
}

#define REGEX_LIMIT 200 /* characters */

/*
 * Whether the expression has a repetition count, as in a{2,9}: with nested counts regcomp uses up
 * all memory.
 */
static bool has_count(const char *regex)
{
	bool bracket = false;

	for (const char *c = regex; *c; c++) {
		if (bracket) {
			bracket = *c != ']';
		} else if (*c == '\\' && c[1]) {
			c++;
		} else if (*c == '[') {
			bracket = true;
			c += c[1] == '^';
			c += c[1] == ']';
		} else if (*c == '{') {
			return true;
		}
	}
	return false;
}

void read_regex(struct reader *reader, const struct yaml_node *node, char **regex)
{
	regex_t compiled;
	char why[100];
	int err;

	if (!node)
		return;
	if (strlen(node->text) > REGEX_LIMIT) {
		complain(reader, node, "a regex has at most %d characters, this one has %zu",
			 REGEX_LIMIT, strlen(node->text));
		return;
	}
	if (has_count(node->text)) {
		complain(
			reader, node,
			"a regex here has no repetition counts; write + or *, and [{] for a brace");
		return;
	}
	err = regcomp(&compiled, node->text, REG_EXTENDED);
	if (err) {
		regerror(err, &compiled, why, sizeof(why));
		complain(reader, node, "'%s' is not an extended regular expression: %s", node->text,
			 why);
		return;
	}
	if (!compiled.re_nsub)
		complain(reader, node,
			 "'%s' has no group; put the number in parentheses, as in port=([0-9]+)",
			 node->text);
	else
		*regex = xstrdup(node->text);
	regfree(&compiled);
}

void read_registry(struct reader *reader, const struct yaml_node *node, char **key)
{
	static const char *const hive[] = {
		"HKLM",
		"HKCU",
		"HKCR",
		"HKU",
		"HKCC",
		"HKEY_LOCAL_MACHINE",
		"HKEY_CURRENT_USER",
		"HKEY_CLASSES_ROOT",
		"HKEY_USERS",
		"HKEY_CURRENT_CONFIG",
	};

	for (size_t i = 0; node && i < ARRAY_SIZE(hive); i++) {
		size_t length = strlen(hive[i]);

		if (!strncmp(node->text, hive[i], length) && node->text[length] == '\\' &&
		    node->text[length + 1]) {
			*key = xstrdup(node->text);
			return;
		}
	}
	if (node)
		complain(
			reader, node,
			"'%s' is not a key of the registry; write it from its hive on, as in HKLM\\SOFTWARE\\Example",
			node->text);
}

void read_number(struct reader *reader, const struct yaml_node *node, unsigned int least,
		 unsigned int most, unsigned int *number)
{
	size_t digits;
	unsigned long value;

	if (!node)
		return;
	digits = strspn(node->text, "0123456789");
	value = strtoul(node->text, NULL, 10); /* ULONG_MAX if it does not fit */
	if (!digits || node->text[digits])
		complain(reader, node, "'%s' is not a number; write one from %u to %u", node->text,
			 least, most);
	else if (!node->plain || (digits > 1 && *node->text == '0'))
		complain(reader, node, "'%s' is not a plain number; write it without %s",
			 node->text, node->plain ? "leading zeros" : "quotes");
	else if (value < least || value > most)
		complain(reader, node, "%s is out of range %u-%u", node->text, least, most);
	else
		*number = (unsigned int)value;
}

void read_duration(struct reader *reader, const struct yaml_node *node, unsigned int most,
		   unsigned int *seconds)
{
	if (!node || !node->text[strspn(node->text, "0123456789")])
		read_number(reader, node, 1, most, seconds);
	else if (duration_parse(node->text, 1, most, seconds))
		complain(
			reader, node,
			"'%s' is not valid here; write a time of 1 to %u seconds, as in 90, 10m or 1h30m",
			node->text, most);
}

static void add_spans(struct spans *spans, const struct port_range *range,
		      const struct yaml_node *node)
{
	for (unsigned int transport = 0; transport < PC_TRANSPORTS; transport++) {
		if (!(range->transports & 1 << transport))
			continue;
		spans->span = grow(spans->span, spans->count, sizeof(*spans->span));
		spans->span[spans->count++] = (struct span){.transport = transport,
							    .first = range->first,
							    .last = range->last,
							    .node = node};
	}
}

static int compare_spans(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	if (x->transport != y->transport)
		return x->transport < y->transport ? -1 : 1;
	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	return (x->node->start > y->node->start) - (x->node->start < y->node->start);
}

static void report_overlap(struct reader *reader, const struct span *a, const struct span *b)
{
	const struct span *first = a->node->start <= b->node->start ? a : b;
	const struct span *second = first == a ? b : a;

	if (!strcmp(first->node->text, second->node->text))
		complain(reader, second->node, "port %s appears twice in this list",
			 second->node->text);
	else
		complain(reader, second->node, "port %s overlaps %s on line %d", second->node->text,
			 first->node->text, first->node->line);
}

/*
 * Reports the ports that a list has twice, and frees it. The spans are sorted by their first port,
 * so that one overlaps an earlier one if it begins before the greatest end so far.
 */
static void check_spans(struct reader *reader, struct spans *spans)
{
	const struct span *furthest = NULL;
	const struct yaml_node *reported = NULL;

	if (spans->count)
		qsort(spans->span, spans->count, sizeof(*spans->span), compare_spans);
	for (size_t i = 0; i < spans->count && !diag_full(reader->diag); i++) {
		const struct span *span = &spans->span[i];

		if (furthest && furthest->transport == span->transport &&
		    span->first <= furthest->last) {
			/* an item for tcp+udp has two spans; report it once */
			if (span->node != reported)
				report_overlap(reader, furthest, span);
			reported = span->node;
		}
		if (!furthest || furthest->transport != span->transport ||
		    span->last > furthest->last)
			furthest = span;
	}
	free(spans->span);
}

bool read_ports(struct reader *reader, const struct yaml_node *value, struct ports *ports)
{
	const struct yaml_node *item;
	struct spans spans = {0};
	bool good = true;

	if (!value)
		return false;
	yaml_for_each(item, value)
	{
		__free_text char *why = NULL;
		size_t before = ports->count;

		if (diag_full(reader->diag) || (value->cut && !item->next))
			break;
		if (item->kind == YAML_BAD) {
			good = false;
		} else if (item->kind != YAML_TEXT) {
			complain(reader, item, "a port is %s; write it as 25/tcp", yaml_what(item));
			good = false;
		} else if (ports_parse(item->text, ports, &why)) {
			complain(reader, item, "%s", why);
			good = false;
		}
		for (size_t i = before; i < ports->count; i++)
			add_spans(&spans, &ports->range[i], item);
	}
	check_spans(reader, &spans);
	return good && !value->cut;
}

/* The most common protocols, so that the catalog can be read on a host without /etc/protocols. */
static const struct {
	const char *name;
	int number;
} known_protocol[] = {
	{"icmp", 1},   {"igmp", 2},	  {"tcp", 6},	  {"udp", 17},	 {"gre", 47},
	{"esp", 50},   {"ah", 51},	  {"ospf", 89},	  {"vrrp", 112}, {"l2tp", 115},
	{"sctp", 132}, {"ipv6-icmp", 58}, {"icmpv6", 58},
};

/* Why a protocol can never be listed: a rule before `protocol` decides about it. NULL: it can. */
static const char *why_never(int number)
{
	switch (number) {
	case 6:
	case 17: return "is filtered by port; list its ports under services";
	case 1:
	case 2:
	case 58: return "has rules of its own; remove it from this list";
	case 0:
	case 43:
	case 44:
	case 60: return "is an IPv6 extension header, which every packet may have";
	default: return NULL;
	}
}

static int protocol_by_name(const char *name)
{
	const struct protoent *entry;

	for (size_t i = 0; i < ARRAY_SIZE(known_protocol); i++) {
		if (!strcmp(known_protocol[i].name, name))
			return known_protocol[i].number;
	}
	entry = getprotobyname(name);
	return entry && entry->p_proto >= 0 && entry->p_proto <= 255 ? entry->p_proto : -1;
}

static const char *protocol_name(int number)
{
	const struct protoent *entry;

	for (size_t i = 0; i < ARRAY_SIZE(known_protocol); i++) {
		if (known_protocol[i].number == number)
			return known_protocol[i].name;
	}
	entry = getprotobynumber(number);
	return entry ? entry->p_name : "reserved";
}

static void report_protocol(struct reader *reader, const struct yaml_node *node)
{
	struct names known = {0};
	const struct protoent *entry;
	const char *near;

	for (size_t i = 0; i < ARRAY_SIZE(known_protocol); i++)
		names_add(&known, known_protocol[i].name);
	setprotoent(0);
	while ((entry = getprotoent()))
		names_add(&known, entry->p_name);
	endprotoent();
	near = nearest_name(node->text, &known);
	if (near)
		complain(reader, node, "unknown IP protocol '%s'; did you mean '%s'?", node->text,
			 near);
	else
		complain(reader, node,
			 "unknown IP protocol '%s'; write a name as in esp, or a number",
			 node->text);
	names_free(&known);
}

/* Linux calls its tunnels of protocol 4 ipip, but the protocol named ipip is 94. */
static void warn_ipip(struct reader *reader, const struct yaml_node *node)
{
	struct place place;

	if (strcmp(node->text, "ipip"))
		return;
	yaml_place(&reader->yaml, node, &place);
	diag_warning(
		reader->diag, &place,
		"'ipip' is protocol 94; for the ipip tunnels of Linux, protocol 4, write ipencap");
}

static int parse_protocol(struct reader *reader, const struct yaml_node *node)
{
	size_t digits = strspn(node->text, "0123456789");
	int number;

	if (digits && !node->text[digits]) {
		number = digits > 3 ? 999 : atoi(node->text);
		if (number <= 255)
			return number;
		complain(reader, node, "protocol %s is out of range 0-255", node->text);
		return -1;
	}
	number = protocol_by_name(node->text);
	if (number < 0)
		report_protocol(reader, node);
	else
		warn_ipip(reader, node);
	return number;
}

static void read_protocol(struct reader *reader, const struct yaml_node *node, bool protocol[256])
{
	const char *why;
	int number;

	if (node->kind == YAML_BAD)
		return;
	if (node->kind != YAML_TEXT) {
		complain(reader, node, "a protocol is %s; write a name or a number",
			 yaml_what(node));
		return;
	}
	number = parse_protocol(reader, node);
	if (number < 0)
		return;
	why = why_never(number);
	if (why)
		complain(reader, node, "protocol %d (%s) %s", number, protocol_name(number), why);
	else if (protocol[number])
		complain(reader, node, "protocol %d (%s) appears twice", number,
			 protocol_name(number));
	else
		protocol[number] = true;
}

void read_protocols(struct reader *reader, const struct yaml_node *value, bool protocol[256])
{
	const struct yaml_node *item;

	if (!value)
		return;
	yaml_for_each(item, value)
	{
		if (diag_full(reader->diag) || (value->cut && !item->next))
			break;
		read_protocol(reader, item, protocol);
	}
}
