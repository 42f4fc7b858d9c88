/* SPDX-License-Identifier: GPL-2.0 */
/* The recipes of machines behind this host: their pages of ports, and their tallies. */
#ifndef PORTCULLIS_COMPILE_CLASSES_H
#define PORTCULLIS_COMPILE_CLASSES_H

#include "loader/base/pool.h"
#include "loader/compile/port_table.h"
#include "loader/compile/tables.h"

/* Empty when zero. */
struct classes {
	struct pool classes; /* struct pc_class; equal recipes are one class */
	struct pool pages;   /* struct pc_class_page */
	struct class_tallies *tallies;
	size_t counted; /* entries of `tallies` */
	/* the tally of each port, in both directions; all 0 except while a class is made */
	__u32 *scratch;
};

/*
 * Adds a class with the entries in `table`, which it empties, and the settings in `class`. Returns
 * its number, from 1 on.
 */
int classes_add(struct classes *classes, struct port_table *table,
		const struct composition *composition, struct pc_class *class);

/* Writes all classes to the generation. If there are too many: -EINVAL with an error in `diag`. */
int classes_write(struct classes *classes, struct tables *tables, struct diag *diag);
void classes_free(struct classes *classes);

#endif
