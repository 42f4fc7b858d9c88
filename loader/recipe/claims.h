/* SPDX-License-Identifier: GPL-2.0 */
/* The ports that the products on a disk have in their own configuration. */
#ifndef PORTCULLIS_RECIPE_CLAIMS_H
#define PORTCULLIS_RECIPE_CLAIMS_H

#include "loader/base/root.h"
#include "loader/catalog/ports.h"
#include "loader/catalog/settings.h"

/* The ports on which a service of a profile takes what comes from other hosts. */
struct claim {
	char *profile, *service;
	struct ports ports; /* none: the product has it switched off, or for this host alone */
	char *file;	    /* below the root */
	int line;	    /* 0: none in particular */
	char *text;	    /* the setting */
};

struct claim_product {
	char *profile;
	char *file; /* by which it was found */
};

struct claims {
	struct claim *claim;
	size_t count;
	struct claim_product *product;
	size_t products;
	struct names problems; /* "FILE: line 7: ...": what could not be read, and is not known */
};

/* A file that is being read for claims. */
struct claim_file {
	struct claims *claims;
	const char *profile;
	const char *path;
};

void claims_free(struct claims *claims);

/* --- for the readers of products --- */

/* Notes that a product is there, once. */
void claims_product(struct claims *claims, const char *profile, const char *file);
/* "FILE: WHY", or "FILE: line N: WHY". */
void claims_problem(const struct claim_file *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The claim about a service, or NULL. */
struct claim *claims_find(const struct claims *claims, const char *profile, const char *service);
/* Adds ports to the claim about a service; with `range` NULL there need be none. */
void claims_add(const struct claim_file *file, const char *service, const struct port_range *range,
		const struct setting *setting);

/*
 * Reads "25", "smtp", "10000-20000", "192.0.2.1:25", "[2001:db8::1]:25", "*:25" or ":25". Returns
 * 1; 0 if the address is one of loopback, so that other hosts are not served; -EINVAL. Port 0 and
 * the word "no" are 0, too.
 */
int claim_ports(const char *text, __u8 transports, struct port_range *range);
/*
 * True if there are addresses in a list, apart by blanks or commas, and all are of loopback; so is
 * Postfix's word loopback-only.
 */
bool claim_for_host_alone(const char *list);

/* Reads a file below the root as settings. False if there is none, or with its problem noted. */
typedef int settings_reader(const char *text, size_t length, struct settings *settings, char **why);
bool claim_settings(const struct root *root, const struct claim_file *file, settings_reader *reader,
		    struct settings *settings);

#endif
