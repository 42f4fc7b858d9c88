/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The state that a filter would have after a capture's packets: connections, flows, fragments. It
 * follows bpf/reply.h, learn.h and fragment.h, with the times of the capture. A capture has no
 * sockets; instead, the side that began a connection decides.
 */
#ifndef PORTCULLIS_REPORT_REPLAY_STATE_H
#define PORTCULLIS_REPORT_REPLAY_STATE_H

#include "bpf/abi.h"
#include "loader/report/replay_packet.h"

struct replay_state;

/* `echo_interval`: as in the generation. */
struct replay_state *replay_state_new(__u32 echo_interval);
void replay_state_free(struct replay_state **state);

/* The PC_TOLD_* bits of a packet, and the cells of its first fragment. `at`: ns. */
__u8 replay_state_tell(struct replay_state *state, const struct replay_packet *packet, __u64 at,
		       __u32 *first_cell, __u32 *first_second);

/*
 * Whether this host would not have sent a packet, because it answers one that the filter drops or
 * belongs to a connection that could not begin.
 */
bool replay_state_unsent(struct replay_state *state, const struct replay_packet *packet, __u64 at);

/*
 * Remembers a packet and the filter's decision. `second`: the second cell that counts it;
 * `limited`: a limit was asked about it.
 */
void replay_state_note(struct replay_state *state, const struct replay_packet *packet, __u64 at,
		       const struct pc_event *event, __u32 second, bool limited);

/* How many live flows were replaced by others, because the capture has more flows than the table
 * has room for. */
__u64 replay_state_forgotten(const struct replay_state *state);

#endif
