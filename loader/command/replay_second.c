// SPDX-License-Identifier: GPL-2.0
/* The second cell that counts a packet of a capture. */
#include "loader/command/replay_second.h"

#include <netinet/in.h>
#include <string.h>

#include "loader/compile/admit.h"

/* A multicast group of the link counts as link-local, as in bpf/table.h. */
static const __u8 *remote_of(const struct pc_event *event, __u8 near[16])
{
	const __u8 *address = (const __u8 *)event->remote;

	memset(near, 0, 16);
	if (event->family == 6 && address[0] == 0xff && (address[1] & 15) == 2)
		near[0] = 0xfe, near[1] = 0x80;
	else if (event->family == 4 && address[0] == 224 && !address[1] && !address[2])
		near[0] = 169, near[1] = 254;
	else
		return address;
	return near;
}

/* The cell of the remote port, if an `out` service lists it. */
static __u32 out_cell(const struct tables *tables, const struct pc_event *event)
{
	enum pc_transport transport = event->protocol == IPPROTO_TCP ? PC_TCP : PC_UDP;
	__u8 near[16];

	if (!(event->how & PC_EVENT_PORTS) ||
	    !tables_covers_class(tables, event->class, event->family == 4 ? AF_INET : AF_INET6,
				 remote_of(event, near), transport, event->remote_port))
		return 0;
	return PC_CELL_OUT + PC_PORT(transport, event->remote_port);
}

static __u32 drop_cell(const struct pc_event *event)
{
	__u32 transport = event->protocol == IPPROTO_TCP ? PC_TCP : PC_UDP;

	if (!(event->how & PC_EVENT_PORTS))
		return 0;
	if (event->cell == PC_CELL_REASON + PC_REASON_OUTBOUND)
		return PC_CELL_OUT_DROP + PC_PORT(transport, event->remote_port);
	if (event->cell == PC_CELL_REASON + PC_REASON_UNLISTED ||
	    event->cell == PC_CELL_REASON + PC_REASON_SOURCE ||
	    event->cell == PC_CELL_REASON + PC_REASON_LIMIT)
		return PC_CELL_DROP + PC_PORT(transport, event->local_port);
	return 0;
}

/* Each fragment of an echo request uses up the limit. */
static bool is_echo_request(const struct replay_packet *packet)
{
	return packet->tuple.ports && packet->tuple.protocol != IPPROTO_TCP &&
	       packet->tuple.protocol != IPPROTO_UDP &&
	       packet->icmp_type == (packet->tuple.family == 4 ? 8 : 128);
}

__u32 replay_second(const struct tables *tables, const struct replay_packet *packet,
		    const struct pc_event *event, const struct question_told *told)
{
	if (event->how & PC_EVENT_DROP)
		return drop_cell(event);
	if (event->how & PC_EVENT_LATER)
		return told->first_second == PC_FRAGMENT_ECHO ? 0 : told->first_second;
	if (event->cell == PC_CELL_EGRESS || event->cell == PC_CELL_OTHER + PC_OTHER_REPLY)
		return out_cell(tables, event);
	return event->cell == PC_CELL_OTHER + PC_OTHER_ICMP && is_echo_request(packet) ?
		       PC_FRAGMENT_ECHO :
		       0;
}
