/* SPDX-License-Identifier: GPL-2.0 */
/* The recipes of machines behind this host: their pages of ports, and what of them is counted. */
#ifndef PORTCULLIS_COMPILE_CLASSES_H
#define PORTCULLIS_COMPILE_CLASSES_H

#include "loader/base/pool.h"
#include "loader/compile/port_table.h"
#include "loader/compile/tables.h"

/* Zero: none yet. */
struct classes {
	struct pool classes; /* struct pc_class: those that are equal are one */
	struct pool pages;   /* struct pc_class_page */
	struct class_tallies *tallies;
	size_t counted; /* of `tallies` */
	__u32 *scratch; /* a tally for each port, in both ways: 0 but while a class is made */
};

/*
 * The number, from 1 on, of the class with the entries in `table`, which it empties, and the
 * settings in `class`.
 */
int classes_add(struct classes *classes, struct port_table *table,
		const struct composition *composition, struct pc_class *class);

/* Writes all of them. Says in `diag` that they are too many, and -EINVAL. */
int classes_write(struct classes *classes, struct tables *tables, struct diag *diag);
void classes_free(struct classes *classes);

#endif
