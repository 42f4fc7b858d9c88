/* SPDX-License-Identifier: GPL-2.0 */
/* The ports that the products on a disk have in their own configuration. */
#ifndef PORTCULLIS_RECIPE_CLAIMS_H
#define PORTCULLIS_RECIPE_CLAIMS_H

#include "loader/base/root.h"
#include "loader/catalog/ports.h"
#include "loader/catalog/settings.h"

/* The ports on which a service of a profile accepts packets of other hosts. */
struct claim {
	char *profile, *service;
	/* empty: the product has the service switched off, or only for this host */
	struct ports ports;
	char *file;	    /* path below the root */
	int line;	    /* 0: no particular line */
	char *text;	    /* the setting as text */
};

struct claim_product {
	char *profile;
	char *file; /* the file that shows that the product is installed */
};

struct claims {
	struct claim *claim;
	size_t count;
	struct claim_product *product;
	size_t products;
	/* "FILE: line 7: ...": parts that could not be read, so that ports may be missing */
	struct names problems;
};

/* A file that is being read for claims. */
struct claim_file {
	struct claims *claims;
	const char *profile;
	const char *path;
};

void claims_free(struct claims *claims);

/* --- for the readers of products --- */

/* Notes that a product is installed, once. */
void claims_product(struct claims *claims, const char *profile, const char *file);
/* Notes a problem: "FILE: WHY", or "FILE: line N: WHY". */
void claims_problem(const struct claim_file *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The claim about a service, or NULL. */
struct claim *claims_find(const struct claims *claims, const char *profile, const char *service);
/* Adds ports to the claim about a service; `range` NULL makes a claim without ports. */
void claims_add(const struct claim_file *file, const char *service, const struct port_range *range,
		const struct setting *setting);

/*
 * Reads "25", "smtp", "10000-20000", "192.0.2.1:25", "[2001:db8::1]:25", "*:25" or ":25". Returns
 * 1; 0 if other hosts are not served, because the address is a loopback one, or the port is 0 or
 * "no"; -EINVAL.
 */
int claim_ports(const char *text, __u8 transports, struct port_range *range);
/*
 * True if a list, separated by blanks or commas, has addresses and all of them are loopback ones;
 * also for Postfix's word loopback-only.
 */
bool claim_for_host_alone(const char *list);

/* Reads a file below the root as settings. False: the file is missing, or it could not be read,
 * which is noted. */
typedef int settings_reader(const char *text, size_t length, struct settings *settings, char **why);
bool claim_settings(const struct root *root, const struct claim_file *file, settings_reader *reader,
		    struct settings *settings);

#endif
