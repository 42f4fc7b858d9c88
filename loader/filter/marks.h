/* SPDX-License-Identifier: GPL-2.0 */
/* Tells the programs whether they can trust the marks of local ports (abi_marks.h). */
#ifndef PORTCULLIS_FILTER_MARKS_H
#define PORTCULLIS_FILTER_MARKS_H

#include "loader/filter/filter.h"
#include "loader/filter/hook.h"

/*
 *	marks_doubt	before the egress program of a filter ends to mark: from now on the kernel's
 *			sockets are always asked
 *	marks_settle	at the end of a changing command, with the filters that are there then. If
 *			each interface of the network namespace that is up has the egress program,
 *			marks what has a socket, and has the programs trust the marks
 *
 * marks_settle does nothing where that is so already. It leaves the marks in doubt where anything
 * cannot be told.
 */
void marks_doubt(const struct filter *filter);
void marks_settle(const struct hooks *hooks);

/*
 * Whether the programs of this network namespace trust the marks; `*why`: the reason if they do
 * not, which the caller frees; NULL if it is unknown.
 */
bool marks_trusted(const struct hooks *hooks, char **why);

#endif
