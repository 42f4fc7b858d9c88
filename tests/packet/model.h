/* SPDX-License-Identifier: GPL-2.0 */
/* The verdict on a frame in plain C, written from portcullis(8) and apart from the programs. */
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
	int port; /* PC_PORT() that the packet is counted for: of a drop at egress the remote one */
	unsigned int
		out; /* PC_CELL_OUT + PC_PORT() of a listed remote port, counted too; 0: none */
};

/* --- what the host knows --- */

enum model_socket_state {
	MODEL_LISTENING,
	MODEL_CONNECTED, /* TCP in any other state; UDP with a peer */
	MODEL_UNBOUND,	 /* UDP without a peer */
	MODEL_ELSEWHERE, /* bound to another device: a lookup on this one does not find it */
};

/* Of IPv4 peers on a dual-stack socket, the tuple is IPv4's. */
struct model_socket {
	struct pc_flow tuple;
	enum model_socket_state state;
};

struct model_flow {
	struct pc_flow tuple;
	uint8_t flags;	/* PC_FLOW_* */
	uint64_t age;	/* ns since `seen` */
	uint64_t begun; /* ns since it began */
	bool kept;	/* among the assured ones */
	/* TCP that is not assured: what the remote side sent last. */
	uint32_t heard;
};

struct model_fragment {
	struct pc_fragment key;
	struct model_verdict first; /* what the first fragment was counted as */
	uint64_t age;
};

#define MODEL_SOCKETS	32
#define MODEL_FLOWS	256
#define MODEL_FRAGMENTS 2048
#define MODEL_OBSERVED	64
#define MODEL_LARGE	64
#define MODEL_FORGETS	52 /* seconds, at most, for which what passed by observe is known */

/* A machine behind this host: the longest prefix that has an address decides. */
struct model_machine {
	struct prefix prefix;
	uint16_t class; /* of the tables; 0: this host */
};

/* Judging changes it as a packet would: flows are refreshed, first fragments noted. */
struct model_state {
	struct model_socket socket[MODEL_SOCKETS];
	size_t sockets;
	struct model_flow flow[MODEL_FLOWS];
	size_t flows;
	struct model_fragment fragment[MODEL_FRAGMENTS];
	size_t fragments; /* those that do not fit are lost */
	/* That passed only by observe. */
	struct pc_flow observed[MODEL_OBSERVED];
	size_t observeds;		   /* the last ones, of any number */
	struct pc_flow large[MODEL_LARGE]; /* sent of late by open UDP ports */
	size_t larges;			   /* those that do not fit are lost */
	unsigned int elapsed;		   /* seconds since it began */
	/* Whose the last packet was; NULL: this host's. */
	const struct model_machine *machine;
};

/* As an assignment, without what is unused: there are hundreds of KB. */
void model_copy(struct model_state *to, const struct model_state *from);

/* A tuple as the remote side's packets have it; ports in host order. An echo: 0 and identifier. */
struct pc_flow model_tuple(int family, uint8_t protocol, const void *remote, const void *local,
			   uint16_t remote_port, uint16_t local_port);

/* A ban: BAN_ENDED has no effect, BAN_NEVER lets its sources pass in wider ones. */
struct model_ban {
	struct prefix prefix;
	enum {
		BAN_HOLDS,
		BAN_ENDED,
		BAN_NEVER,
	} kind;
};

/* The machines from now on; at first, none. */
void model_machines(const struct model_machine *machine, size_t count);
/* That of an address, or NULL. */
const struct model_machine *model_machine(int family, const uint8_t *address);

/* The grants from now on; at first, none. A list is a group. */
void model_grants(const struct ban *grant, size_t count);
/* Whether a grant opens this port to a source; whether it lists a remote port to send to. */
bool model_granted(const struct tables *tables, uint16_t class, int family, const uint8_t *address,
		   enum pc_transport transport, uint16_t source_port, uint16_t port);
bool model_granted_out(const struct tables *tables, int family, const uint8_t *address,
		       enum pc_transport transport, uint16_t remote_port);

/* The bans from now on; at first, none. */
void model_bans(const struct model_ban *ban, size_t count);

/* What frames begin with from now on; at first, Ethernet. */
void model_frames(enum pc_frame kind);

/*
 * Judges one frame that comes in, Ethernet header first, `length` bytes in all. Reads nothing past
 * them. The echo limit is taken to be off.
 */
struct model_verdict model_judge(const uint8_t *frame, size_t length, const struct tables *tables,
				 struct model_state *state);

/*
 * One that goes out, sent by a local UDP socket that is neither connected nor bound to a device (to
 * a TCP packet: by one that is closed), or else forwarded.
 */
struct model_verdict model_egress(const uint8_t *frame, size_t length, bool forwarded,
				  const struct tables *tables, struct model_state *state);

/* The PC_CELL_* of a verdict, the one that is not `out`. */
unsigned int model_cell(const struct model_verdict *verdict);

bool model_equal(const struct model_verdict *a, const struct model_verdict *b);

#endif
