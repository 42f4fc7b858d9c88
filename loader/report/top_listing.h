/* SPDX-License-Identifier: GPL-2.0 */
/* The open services of a generation by port, for the rows of `top`. */
#ifndef PORTCULLIS_REPORT_TOP_LISTING_H
#define PORTCULLIS_REPORT_TOP_LISTING_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/types.h>

struct top_listing;

#define TOP_LISTED_NOT UINT32_MAX

/* Makes the listing from the array of `show --json`. Ports that the same services list are one
 * entry. */
struct top_listing *top_listing_new(const json_t *profiles);
void top_listing_free(struct top_listing *listing);

size_t top_listing_count(const struct top_listing *listing, bool out);
/* The entry that has the port (PC_PORT); TOP_LISTED_NOT: none. */
__u32 top_listing_at(const struct top_listing *listing, bool out, __u32 port);
/* "asterisk:sip, site:5060-udp" and "5060/tcp+udp" */
const char *top_listing_name(const struct top_listing *listing, bool out, __u32 at);
const char *top_listing_ports(const struct top_listing *listing, bool out, __u32 at);

#endif
