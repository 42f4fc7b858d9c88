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
	struct site site;	   /* the present site file; at boot and reload even with errors */
	struct snapshot confirmed; /* the snapshot, at boot and reload, if there is one */
	/* folders of profiles that are searched first: those confirmed last */
	struct names folders;
	struct catalog catalog;
	bool kept;  /* it is the default file, whose snapshots are kept */
	bool wrong; /* the file has errors */
	bool tried; /* the file was applied before and not confirmed */
	bool saved; /* the snapshot is applied instead of the file */
};

/*
 * Reads the site file. At boot and reload (`lenient`) the snapshot's profiles go before those of
 * the catalog, and the snapshot replaces a file that cannot be read, or was applied and not
 * confirmed. 0, or -errno with a message or an error in `diag`; -ENOENT without a message: there is
 * no file. The caller calls source_free even after an error.
 */
int source_open(const struct options *options, bool lenient, struct source *source,
		struct diag *diag);
/*
 * udev is about to rename the interface `name` to `as`: exchanges their entries in the file. False:
 * the file has no entry for `as`.
 */
bool source_rename(struct source *source, const char *name, const char *as);
void source_free(struct source *source);

/* The site file to apply, and its profiles. */
const struct site *source_site(const struct source *source);
struct catalog *source_catalog(struct source *source);

#endif
