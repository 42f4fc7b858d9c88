/* SPDX-License-Identifier: GPL-2.0 */
/* Ports that a site opens in addition to its profiles: each is a service of the profile
 * PROFILE_SITE. */
#ifndef PORTCULLIS_RECIPE_OPENS_H
#define PORTCULLIS_RECIPE_OPENS_H

#include "loader/base/diag.h"
#include "loader/catalog/ports.h"
#include "loader/catalog/profile.h"

#define OPENS_LIMIT 1024

/* --open PORT/PROTO[=GROUP[,GROUP]] */
struct open_port {
	struct port_range range; /* ports of one transport */
	struct names groups;	 /* empty: anyone */
	char *comment;		 /* NULL: none */
};

struct opens {
	struct open_port *port;
	size_t count;
};

/*
 * Adds what "PORT/PROTO[,PORT/PROTO][=GROUP[,GROUP]]" opens: each port or range for one transport,
 * so 5060/tcp+udp gives two entries. An entry for the same ports is replaced. Adds the names of the
 * services to `services`. Returns 0, or -EINVAL with the error in `diag` and nothing added; there
 * are at most OPENS_LIMIT.
 */
int opens_add(struct opens *opens, const char *word, const struct place *place,
	      struct names *services, struct diag *diag);

/* The port whose service has this name, or NULL. */
struct open_port *opens_find(const struct opens *opens, const char *service);

/* "587-tcp", "60000-60099-udp"; the caller frees. */
char *open_port_service(const struct open_port *port);

/* The argument of --open: "587/tcp", "60000-60099/udp=phones"; the caller frees. */
char *open_port_text(const struct open_port *port);

/* Makes a profile of these services, which profile_free frees. NULL if nothing is opened. */
struct profile *opens_profile(const struct opens *opens);

void open_port_free(struct open_port *port);
void opens_free(struct opens *opens);

#endif
