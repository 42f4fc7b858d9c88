/* SPDX-License-Identifier: GPL-2.0 */
/* Asks for the names of groups, and keeps the answers for every later command and for boot. */
#ifndef PORTCULLIS_HOST_DNS_RENEW_H
#define PORTCULLIS_HOST_DNS_RENEW_H

#include <stdbool.h>

#include "loader/recipe/recipe.h"
#include "loader/recipe/site.h"

/* Adds the names of a recipe's groups and of its machines', and those of a site file. */
void dns_names_of_recipe(const struct recipe *recipe, struct names *names);
void dns_names_of_site(const struct site *site, struct names *names);

/*
 * Asks for those that are due, or with `all` for all of them, and says what changed. A failure is a
 * warning, once, and the last good answer stays. Loopback, link-local, multicast and own addresses
 * are left out. -errno with a message: answers cannot be kept.
 */
int dns_renew(const struct names *names, bool all);

/*
 * Asks for the names of a site file, or of words of --group, that never got an answer, or none for
 * a day although it was due. Returns whether one was asked: the groups that have it are to be read
 * again. Only root can keep answers.
 */
bool dns_learn_site(const struct site *site);
void dns_learn_words(const struct names *words);
/* site_open for a command that changes filters: names without an answer are asked. */
int dns_site_open(const char *given, struct site *site, struct diag *diag);

#endif
