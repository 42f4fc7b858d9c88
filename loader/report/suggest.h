/* SPDX-License-Identifier: GPL-2.0 */
/* The suggestion of `suggest` for an interface: a recipe, and the evidence for each of its
 * words. */
#ifndef PORTCULLIS_REPORT_SUGGEST_H
#define PORTCULLIS_REPORT_SUGGEST_H

#include <jansson.h>

#include "loader/catalog/catalog.h"
#include "loader/recipe/claims.h"
#include "loader/recipe/recipe.h"
#include "loader/report/audit.h"

struct suggestion {
	struct recipe recipe;
	/* {"key", "word", "why", "text", "packets", "sources", "first", "last", "process", "file"}
	 */
	json_t *lines;
	json_t *closed; /* {"port", "protocol", "packets", "sources", "why", "process", "unit"} */
	struct names remarks; /* comments below the interface */
};

/* The sockets that listen for packets of the interface. */
struct suggest_host {
	bool known; /* false: the files are of another host */
	const struct audit_listener *listener;
	size_t listeners;
};

void suggestion_begin(struct suggestion *suggestion);
void suggestion_free(struct suggestion *suggestion);

/*
 * Chooses the profiles of the products that are configured and listen, moves services to the ports
 * of the products' configuration, and enables what listens. Errors, which only a site's own
 * profiles can have, are in `diag`.
 */
void suggest_products(const struct claims *claims, struct catalog *catalog,
		      const struct suggest_host *host, struct suggestion *suggestion,
		      struct diag *diag);

/*
 * Gives each word of `to`, whose recipe is a live filter's, the reason from `found`, or one that
 * says that the filter has it; and names the profiles of `found` that the recipe does not have.
 */
void suggest_reasons(struct suggestion *to, const struct suggestion *found);

/* --- for the other parts of `suggest` --- */

/* The line of a word, which is added if it is new; `word` NULL: the line of the key. The caller
 * does not free it. */
json_t *suggest_line(struct suggestion *suggestion, const char *key, const char *word,
		     const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Removes the lines of a word. */
void suggest_forget(struct suggestion *suggestion, const char *key, const char *word);
/* Notes a port that stays closed; with `remark`, a comment says so. */
json_t *suggest_closed(struct suggestion *suggestion, bool remark, enum pc_transport transport,
		       __u16 port, const char *format, ...) __attribute__((format(printf, 5, 6)));
/* Removes the remark that a listener's port stays closed; NULL: for all ports. */
void suggest_forget_closed(struct suggestion *suggestion, const struct audit_listener *listener);
/* The first listener of a port, or NULL. */
const struct audit_listener *suggest_listener(const struct suggest_host *host,
					      enum pc_transport transport, __u16 port);
/* "java (tomcat10.service)"; the caller frees. */
char *suggest_owner(const struct audit_listener *listener);
/* "java (tomcat10.service) listens", or "nftables hands it on"; the caller frees. */
char *suggest_listens(const struct audit_listener *listener);
/* True if no socket listens: rules of nftables translate what comes to the port. */
bool suggest_translated(const struct audit_listener *listener);

#endif
