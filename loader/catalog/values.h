/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Values of the languages - names, ports, protocols - read from YAML nodes, with all errors.
 */
#ifndef PORTCULLIS_CATALOG_VALUES_H
#define PORTCULLIS_CATALOG_VALUES_H

#include "loader/base/yaml_place.h"
#include "loader/catalog/ports.h"

struct reader {
	struct yaml yaml;
	struct diag *diag;
};

/* Names and their places. */
struct use {
	const char *name;
	const struct yaml_node *node;
};

struct uses {
	struct use *use;
	size_t count;
};

#define complain(reader, node, ...) yaml_error(&(reader)->yaml, node, (reader)->diag, __VA_ARGS__)

void uses_add(struct uses *uses, const char *name, const struct yaml_node *node);

/* Reports every name that appears twice, with the line of the first, and frees the list. */
void uses_check(struct reader *reader, struct uses *uses, const char *what);

/* Functions below take NULL as the node of a key that is absent, and then leave their output
 * alone. */
void read_text(const struct yaml_node *node, char **text);
void read_bool(struct reader *reader, const struct yaml_node *node, bool *value);

/* A date, "2021-08-06", or a month, "2021-08". */
void read_date(struct reader *reader, const struct yaml_node *node, char **date);

/* The first day of such a date, in days since 1970-01-01; -EINVAL for other text. */
int date_day(const char *date, int *day);

/* A web address: http or https, without blanks. */
void read_url(struct reader *reader, const struct yaml_node *node, char **url);

/* A valid POSIX extended regular expression with a group. */
void read_regex(struct reader *reader, const struct yaml_node *node, char **regex);

/* A key of the Windows registry that begins with its hive: HKLM\SOFTWARE\... */
void read_registry(struct reader *reader, const struct yaml_node *node, char **key);

/* `what` names the kind of name in messages: "group name". */
void read_name(struct reader *reader, const struct yaml_node *node, const char *what, char **name);

/* A name or a list of names, each once. If `places` is not NULL, they are added there, too. */
void read_names(struct reader *reader, const struct yaml_node *value, const char *what,
		struct names *names, struct uses *places);

/*
 * A port or a list of ports, none twice. Returns whether every item is valid: only then may the
 * caller compare the list with others.
 */
bool read_ports(struct reader *reader, const struct yaml_node *value, struct ports *ports);

/* Decimal digits without quotes. Leaves `*number` alone after an error. */
void read_number(struct reader *reader, const struct yaml_node *node, unsigned int least,
		 unsigned int most, unsigned int *number);

/* A time of 1 to `most` seconds, as duration_parse reads it. Leaves `*seconds` alone after an
 * error. */
void read_duration(struct reader *reader, const struct yaml_node *node, unsigned int most,
		   unsigned int *seconds);

/* An IP protocol or a list of them, set in `protocol`. */
void read_protocols(struct reader *reader, const struct yaml_node *value, bool protocol[256]);

#endif
