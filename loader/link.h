/* SPDX-License-Identifier: GPL-2.0 */
/* What kind of interface it is, where that changes what the filter sees. */
#ifndef PORTCULLIS_LINK_H
#define PORTCULLIS_LINK_H

/*
 * Warns if traffic of others than this host comes by the interface, or if it sees less than it
 * seems.
 */
void link_warn(const char *interface, unsigned int ifindex);

#endif
