/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pins and unpins the objects of one filter in its folder, in an order that the next command can
 * read.
 */
#ifndef PORTCULLIS_FILTER_PINS_H
#define PORTCULLIS_FILTER_PINS_H

#include "loader/filter/filter.h"

/*
 * Makes a folder (filter->id) with the egress program in it, before egress_attach: by that pin the
 * next command finds what a killed one left at a clsact hook.
 */
int filter_pin_egress(struct filter *filter);
/*
 * Pins the rest, the XDP link last: with it the filter counts as there, and outlives the process.
 * Without a link yet, filter_pin_link is due.
 */
int filter_pin(struct filter *filter);
int filter_pin_link(const struct filter *filter);
/* Puts the egress link that the filter has now in the place of a lost one's pin. */
int filter_repin_egress(const struct filter *filter);

/*
 * Puts a map in the place of the pin of that name, by one rename: a reader finds the one or the
 * other. Returns 0, or -errno with a message.
 */
int filter_repin_map(const struct filter *filter, const char *name, int map);
/*
 * Removes the pins, the link's first. A pin that cannot be removed is a warning; the next command
 * removes it.
 */
void filter_unpin(const struct filter *filter);

#endif
