/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pins and unpins the objects of one filter in its folder, in an order that the next command can
 * read.
 */
#ifndef PORTCULLIS_FILTER_PINS_H
#define PORTCULLIS_FILTER_PINS_H

#include "loader/filter/filter.h"

/*
 * Makes a folder (filter->id) with the egress program in it, before egress_attach: if the command
 * is killed, the next one finds by that pin what is left at a clsact hook.
 */
int filter_pin_egress(struct filter *filter);
/*
 * Pins the other objects, the XDP link last: with this pin the filter is complete, and outlives the
 * process. If there is no link yet, call filter_pin_link later.
 */
int filter_pin(struct filter *filter);
int filter_pin_link(const struct filter *filter);
/* Pins the filter's present egress link in the place of a lost one. */
int filter_repin_egress(const struct filter *filter);

/*
 * Pins a map under that name. An earlier pin is replaced by one rename, so that a reader finds one
 * of them. Returns 0, or -errno with a message.
 */
int filter_repin_map(const struct filter *filter, const char *name, int map);
/*
 * Removes the pins, the link's first. Warns of a pin that cannot be removed; the next command
 * removes it.
 */
void filter_unpin(const struct filter *filter);

#endif
