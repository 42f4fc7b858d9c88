/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An event of a filter (a packet and its verdict, struct pc_event) as JSON and as text.
 * `monitor` shows events as they happen; `explain` shows what the filter would do with a packet.
 */
#ifndef PORTCULLIS_REPORT_EVENT_H
#define PORTCULLIS_REPORT_EVENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "bpf/abi.h"
#include "loader/recipe/ban_set.h"

/* The services of a generation by port, each with the sources that it admits. */
struct event_services;

/*
 * From the text that is kept with a generation (kept_parse of compile/kept.h), or from an object
 * made like it: {"profiles": composition_json, "recipe": {"groups": {NAME: [PREFIX]}}}. A missing
 * part means no services. Copies what it needs.
 */
struct event_services *event_services_new(const json_t *kept);
/*
 * Sets the grants that hold at that CLOCK_BOOTTIME second; a list is a group. They must live as
 * long as the services. Without them, a packet that passed although no service admits its source
 * may have passed by a grant into any group of its port.
 */
void event_services_grants(struct event_services *services, const struct ban_set *grants,
			   __u32 now);
void event_services_free(struct event_services **services);

/* The machine behind the interface that sends or gets the packet; NULL: this host. */
const char *event_machine(const struct pc_event *event, struct event_services *services);

/*
 * {"version", "time", "interface", "machine", "direction", "verdict", "rule", "reason", "protocol",
 * "source", "source_port", "destination", "destination_port", "flags", "length", "services",
 * "closed"}; of ICMP also "type" and "code". `wall`: the event's time as ns since 1970; 0: the
 * packet was not sent, so there is neither "time" nor "length". Fields that the packet does not
 * have are null. Looks up protocol names and ports in `services` once, so that it is not const.
 *
 *	rule		a name of portcullis(8), VERDICTS; of an outgoing packet `outbound`
 *	reason		null if the packet passes
 *	services	PROFILE:SERVICE of those that admit it; of the rule `source` those that
 *			have the port open, but not for this source; of `reply` and `outbound` the
 *			`out` services that list its remote port
 *	closed		[{"service", "why_closed"}] of those that list its port and are closed;
 *			empty if the packet passes
 */
json_t *event_json(const struct pc_event *event, const char *interface, __u64 wall,
		   struct event_services *services);

/*
 * [{"service", "group", "prefix"}] of the services that admit an incoming packet, with the group of
 * the service and the prefix of the group that admit it. Null: anyone is admitted, or the group is
 * link-local.
 */
json_t *event_admissions(const struct pc_event *event, struct event_services *services);

/*
 * "drop unlisted 198.51.100.7:40000 -> 192.0.2.1:993/tcp syn; xeams:imap-ssl is closed: feature",
 * or only its reason and services. The caller frees.
 */
char *event_summary(const json_t *event);
char *event_why(const json_t *event);
/* The event's packet: "192.0.2.7:4000 -> 192.0.2.1:25/tcp syn". The caller frees. */
char *event_packet_text(const json_t *event);

/*
 * A line with the newline, wrapped to fit the terminal: "18:00:01.123456 eth0 " and the summary.
 * The time is local; the interface is left out unless `named`. "core: " comes before the summary of
 * a packet of a machine.
 */
void event_text(const json_t *event, bool named, FILE *to);

#endif
