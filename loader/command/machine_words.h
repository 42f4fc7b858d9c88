/* SPDX-License-Identifier: GPL-2.0 */
/* Applies the options after --machine to the recipe of a machine. */
#ifndef PORTCULLIS_COMMAND_MACHINE_WORDS_H
#define PORTCULLIS_COMMAND_MACHINE_WORDS_H

#include "loader/catalog/catalog.h"
#include "loader/command/options.h"
#include "loader/recipe/site.h"

/*
 * Adds or changes the machines that the options name. A new machine gets the groups that the site
 * file has for it. Words that a machine's new profiles do not know are parked, with messages unless
 * `quiet`. -EINVAL with errors in `diag`.
 */
int machine_words_apply(const struct options *options, const struct site *site,
			const char *interface, bool quiet, struct recipe *recipe,
			struct catalog *catalog, struct diag *diag);

/* Reports which words have no effect any more, and which have an effect again. */
void say_parked(const char *of, const struct names *before, const struct names *now);

#endif
