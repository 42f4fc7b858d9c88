/* SPDX-License-Identifier: GPL-2.0 */
/* Asks for the names of groups, and stores the answers for every later command and for boot. */
#ifndef PORTCULLIS_HOST_DNS_RENEW_H
#define PORTCULLIS_HOST_DNS_RENEW_H

#include <stdbool.h>

#include "loader/recipe/recipe.h"
#include "loader/recipe/site.h"

/* Adds the names in groups: of a recipe and of its machines, or of a site file. */
void dns_names_of_recipe(const struct recipe *recipe, struct names *names);
void dns_names_of_site(const struct site *site, struct names *names);

/*
 * Asks for the names that are due, or with `all` for all of them, and prints what changed. A
 * failure is a warning, printed once, and the last good answer stays. Loopback, link-local,
 * multicast and own addresses are left out. -errno with a message: answers cannot be kept.
 */
int dns_renew(const struct names *names, bool all);

/*
 * Asks for the names of a site file, or of words of --group, that never got an answer, or whose
 * answer is overdue by a day. Returns whether a name was asked: then the caller reads the groups
 * again. Only root can store answers.
 */
bool dns_learn_site(const struct site *site);
void dns_learn_words(const struct names *words);
/* site_open for a command that changes filters: asks for names that have no answer. */
int dns_site_open(const char *given, struct site *site, struct diag *diag);

#endif
