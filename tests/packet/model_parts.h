/* SPDX-License-Identifier: GPL-2.0 */
/* The interfaces between the parts of the model. */
#ifndef PORTCULLIS_TEST_MODEL_PARTS_H
#define PORTCULLIS_TEST_MODEL_PARTS_H

#include "tests/packet/model.h"

/* The input of a verdict in addition to the frame. */
struct judge {
	const struct tables *tables;
	struct model_state *state;
	bool egress;
	bool forwarded; /* at egress: it was not sent by a local socket */
	const uint8_t *frame;
};

/* The packet above IP, once the network header has been found correct. */
struct upper {
	int family;
	const uint8_t *source; /* address */
	const uint8_t *destination;
	uint8_t protocol;
	uint8_t hop_limit;
	bool first_fragment; /* other fragments have more of this packet */
	const uint8_t *data;
	size_t length; /* bytes of data, up to the end of the packet, not of the frame */
};

static inline uint32_t model_read32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static inline uint16_t model_read16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

/* Finds the machine of a packet with a local address; the functions below then use its recipe. */
void model_place(const struct judge *judge, int family, const uint8_t *local);

/* The recipe for the packet: that of this host, or of a machine (model_place). */
uint16_t model_class(const struct judge *judge);
bool model_observes(const struct judge *judge);
bool model_enforces_outbound(const struct judge *judge);

/* Numbers that a profile can never name do not count, even if a table had them. */
bool model_named(uint8_t protocol, const struct judge *judge);

/* The rule `icmp`, for a whole ICMP header. */
struct model_verdict model_icmp(const struct upper *upper, const struct judge *judge);

/* What is above IP, at egress. */
struct model_verdict model_outbound(const struct upper *upper, const struct judge *judge);

/* Whether a socket other than a listener has exactly that tuple. */
bool model_socket_live(const struct model_state *state, const struct pc_flow *tuple);

/* The flow of that tuple if it lives; else NULL. */
struct model_flow *model_flow_live(struct model_state *state, const struct pc_flow *tuple);

/* The flow, which is made if there is none. */
struct model_flow *model_flow_make(struct model_state *state, const struct pc_flow *tuple);

/* UDP that both sides have sent is assured once it is two seconds old. */
void model_flow_went_on(struct model_flow *flow);

bool model_flow_closed(const struct model_flow *flow);

/* Whether a packet of that tuple recently passed only by observe. */
bool model_observed(const struct model_state *state, const struct pc_flow *tuple);

void model_observe(struct model_state *state, const struct pc_flow *tuple);

/* Whether an open UDP port sent a large datagram to that tuple; and noting that it did. */
bool model_large(const struct model_state *state, const struct pc_flow *tuple);
void model_note_large(struct model_state *state, const struct pc_flow *tuple);

/* The entry of a datagram, even if it is too old; else NULL. */
struct model_fragment *model_fragment_find(struct model_state *state,
					   const struct pc_fragment *key);
void model_fragment_note(struct model_state *state, const struct pc_fragment *key,
			 const struct model_verdict *first);

#endif
