/* SPDX-License-Identifier: GPL-2.0 */
/* The verdict on a frame in plain C, written from portcullis(8) and independent of the programs. */
#ifndef PORTCULLIS_TEST_MODEL_H
#define PORTCULLIS_TEST_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loader/catalog/group.h"
#include "loader/compile/tables.h"
#include "loader/recipe/ban_set.h"

enum model_action {
	MODEL_PASS,
	MODEL_DROP,
	MODEL_WOULD_DROP, /* passes, because the policy is observe */
};

/* Reasons of a drop, then classes of a pass. */
enum model_why {
	MODEL_MALFORMED,
	MODEL_BANNED,
	MODEL_DENIED,
	MODEL_FRAGMENT,
	MODEL_ICMP,
	MODEL_SOURCE,
	MODEL_PROTOCOL,
	MODEL_UNLISTED,
	MODEL_OUTBOUND,
	MODEL_PASS_PORT,
	MODEL_PASS_NON_IP,
	MODEL_PASS_ICMP, /* ICMP, ICMPv6, IGMP */
	MODEL_PASS_PROTOCOL,
	MODEL_PASS_REPLY,
	MODEL_PASS_EGRESS,
	MODEL_WHYS,
};

extern const char *const model_action_name[];
extern const char *const model_why_name[MODEL_WHYS];

struct model_verdict {
	enum model_action action;
	enum model_why why;
	/* PC_PORT() for which the packet is counted; for a drop at egress the remote port */
	int port;
	unsigned int
		/* PC_CELL_OUT + PC_PORT() of a listed remote port, which counts it, too; 0: none */
		out;
};

/* --- what the host knows --- */

enum model_socket_state {
	MODEL_LISTENING,
	MODEL_CONNECTED, /* TCP in any other state; UDP with a peer */
	MODEL_UNBOUND,	 /* UDP without a peer */
	MODEL_ELSEWHERE, /* bound to another device: a look-up on this one does not find it */
};

/* An IPv4 peer of a dual-stack socket has an IPv4 tuple. */
struct model_socket {
	struct pc_flow tuple;
	enum model_socket_state state;
};

struct model_flow {
	struct pc_flow tuple;
	uint8_t flags;	/* PC_FLOW_* */
	uint64_t age;	/* ns since `seen` */
	uint64_t begun; /* ns since it began */
	bool kept;	/* in the map of assured flows */
	/* TCP that is not assured: the last sequence number of the remote side. */
	uint32_t heard;
};

struct model_fragment {
	struct pc_fragment key;
	struct model_verdict first; /* the verdict on the first fragment */
	uint64_t age;
};

#define MODEL_SOCKETS	32
#define MODEL_FLOWS	256
#define MODEL_FRAGMENTS 2048
#define MODEL_OBSERVED	64
#define MODEL_LARGE	64
/* seconds for which a packet that passed by observe is remembered, at most */
#define MODEL_FORGETS	52

/* A machine behind this host: the longest prefix that contains an address decides. */
struct model_machine {
	struct prefix prefix;
	uint16_t class; /* class in the tables; 0: this host */
};

/* The state. A verdict changes it as a packet would: it refreshes flows, and notes first
 * fragments. */
struct model_state {
	struct model_socket socket[MODEL_SOCKETS];
	size_t sockets;
	struct model_flow flow[MODEL_FLOWS];
	size_t flows;
	struct model_fragment fragment[MODEL_FRAGMENTS];
	size_t fragments; /* entries that do not fit are lost */
	/* Tuples that passed only by observe. */
	struct pc_flow observed[MODEL_OBSERVED];
	size_t observeds;		   /* the latest ones, of any number */
	struct pc_flow large[MODEL_LARGE]; /* datagrams recently sent by open UDP ports */
	size_t larges;			   /* entries that do not fit are lost */
	unsigned int elapsed;		   /* seconds since it began */
	/* The machine of the last packet; NULL: this host. */
	const struct model_machine *machine;
};

/* Copies a state, without its unused parts, which are hundreds of KB. */
void model_copy(struct model_state *to, const struct model_state *from);

/* A tuple in the form of the remote side's packets; ports in host order. An echo: 0 and
 * identifier. */
struct pc_flow model_tuple(int family, uint8_t protocol, const void *remote, const void *local,
			   uint16_t remote_port, uint16_t local_port);

/* A ban. BAN_ENDED has no effect; BAN_NEVER lets its sources pass within wider bans. */
struct model_ban {
	struct prefix prefix;
	enum {
		BAN_HOLDS,
		BAN_ENDED,
		BAN_NEVER,
	} kind;
};

/* Sets the machines; at first there are none. */
void model_machines(const struct model_machine *machine, size_t count);
/* The machine of an address, or NULL. */
const struct model_machine *model_machine(int family, const uint8_t *address);

/* Sets the grants; at first there are none. A list is a group. */
void model_grants(const struct ban *grant, size_t count);
/* Whether a grant opens this port to a source; whether it lists a remote port for sending. */
bool model_granted(const struct tables *tables, uint16_t class, int family, const uint8_t *address,
		   enum pc_transport transport, uint16_t source_port, uint16_t port);
bool model_granted_out(const struct tables *tables, int family, const uint8_t *address,
		       enum pc_transport transport, uint16_t remote_port);

/* Sets the bans; at first there are none. */
void model_bans(const struct model_ban *ban, size_t count);

/* Sets the header that frames begin with; at first, Ethernet. */
void model_frames(enum pc_frame kind);

/*
 * Decides one incoming frame of `length` bytes, which begins with an Ethernet header. Reads no
 * further bytes. It assumes that the echo limit is off.
 */
struct model_verdict model_judge(const uint8_t *frame, size_t length, const struct tables *tables,
				 struct model_state *state);

/*
 * Decides an outgoing frame, which was forwarded or sent by a local UDP socket that is neither
 * connected nor bound to a device (for TCP: by a closed socket).
 */
struct model_verdict model_egress(const uint8_t *frame, size_t length, bool forwarded,
				  const struct tables *tables, struct model_state *state);

/* The PC_CELL_* of a verdict, which is not that of `out`. */
unsigned int model_cell(const struct model_verdict *verdict);

bool model_equal(const struct model_verdict *a, const struct model_verdict *b);

#endif
