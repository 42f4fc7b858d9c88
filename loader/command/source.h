/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Chooses between the present site file with its profiles, and the snapshot that was confirmed
 * last.
 */
#ifndef PORTCULLIS_COMMAND_SOURCE_H
#define PORTCULLIS_COMMAND_SOURCE_H

#include "loader/command/options.h"
#include "loader/recipe/state.h"

struct source {
	struct site site;	   /* as it is; at boot and reload with errors, too */
	struct snapshot confirmed; /* at boot and reload, if there is one */
	struct names folders;	   /* of profiles, before all others: those confirmed last */
	struct catalog catalog;
	bool kept;  /* it is the default file, whose snapshots are kept */
	bool wrong; /* the file has errors */
	bool tried; /* the file was applied before, and not confirmed */
	bool saved; /* the snapshot is applied instead of the file */
};

/*
 * Reads the site file. At boot and reload (`lenient`) the profiles of the last confirmed state go
 * before those of the catalog; and that state goes for a file that cannot be read, or was applied
 * and not confirmed. 0, or -errno with a message or an error in `diag`; -ENOENT without one: there
 * is no file. source_free is due anyway.
 */
int source_open(const struct options *options, bool lenient, struct source *source,
		struct diag *diag);
/*
 * The interface `name` is about to be called `as`: what is said of that is said of it. False:
 * nothing is.
 */
bool source_rename(struct source *source, const char *name, const char *as);
void source_free(struct source *source);

/* The site file to apply, and its profiles. */
const struct site *source_site(const struct source *source);
struct catalog *source_catalog(struct source *source);

#endif
