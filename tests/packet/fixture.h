/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the host knows in every test: a network namespace with real sockets, and entries of the
 * state maps. The rows say which of them a frame meets.
 *
 * Sockets, all of 192.0.2.1 and 2001:db8::1 with 203.0.113.9 and 2001:db8:ffff::9 (PEER), or with
 * 198.51.100.7 and 2001:db8:f::7 (FAR), which nobody answers for:
 *
 *	TCP  40100 to 993	connected; of both families
 *	     40102 to 9000	connected, IPv4 on a dual-stack socket
 *	     2222, 2223		listeners, IPv4 and dual-stack; with 50000 of PEER (both) accepted
 *	     40103 to 9000	time-wait, of both families
 *	     40104 to 9000	FIN-WAIT-2, kept by the kernel alone
 *	     40107 to 9000	closed by the peer only
 *	     2222, 2223		a SYN of FAR 50010 received, half open
 *	     40105 to FAR 9000	SYN sent
 *	     40106 to FAR 9000	the same, bound to another device
 *	UDP  40200 to 53	connected; of both families
 *	     40202 to 53	connected, IPv4 on a dual-stack socket
 *	     40203, 40204	without a peer, IPv4 and dual-stack
 *	     40205 to 53	connected, bound to another device
 *	     40206 to 5300	connected
 *
 * Flows and fragments are listed in fixture_state.c.
 */
#ifndef PORTCULLIS_TEST_FIXTURE_H
#define PORTCULLIS_TEST_FIXTURE_H

#include "tests/packet/model.h"
#include "tests/packet/run.h"

/* Makes a namespace of its own, with the sockets. Reports errors; returns 0 or -errno. */
int fixture_open(void);

/* Makes time-wait and half-open sockets again, because they end after a minute. 0 or -errno. */
int fixture_refresh(void);

/* The indexes of the device by which forwarded packets go out, and of the bridge. */
unsigned int fixture_out(void);
unsigned int fixture_port(void);

/*
 * Makes a bridge with the address 10.78.0.1 over a device that receives packets to 10.78.0.2.
 * Returns 0, or -errno if this kernel cannot.
 */
int fixture_bridge(void);

/* Makes the host forward a packet from FAR to 10.77.0.2, which goes out of that device. 0 or
 * -errno. */
int fixture_forward(struct frame *frame, int family);

/* Whether a packet with that UDP or TCP source port went out since the last call. */
bool fixture_went_out(uint16_t source_port);

/* Sends a byte each way over the connection of 40102, and begins another one to 9000. 0 or
 * -errno. */
int fixture_talk(void);
int fixture_begin(void);

/*
 * A UDP socket of the host sends one byte to 10.77.0.2, or to 10.78.0.2 over the bridge; `peer`
 * connects it first. A TCP socket there sends a SYN. 0 or -errno.
 */
int fixture_send(uint16_t local_port, uint16_t remote_port, bool peer, const char *device);
int fixture_send_bridged(uint8_t protocol, uint16_t local_port, bool peer, bool bound);

/* The model's copy of sockets, flows and fragments. */
void fixture_state(struct model_state *state);

/* Fills the maps of the filter from `state`. */
void fixture_install(const struct runner *runner, const struct model_state *state);

/*
 * Whether so much time has passed since then that the ages of `state` may be wrong: some are one
 * second from a limit, and on a busy machine a test may wait that long for the CPU. Then a failure
 * does not count, and the test must be repeated.
 */
bool fixture_stale(void);

/* Whether a failure was found too late, so that the test must be repeated: up to five times in
 * all. */
bool fixture_retry(int *tries);

/* Makes everything in the maps and in the model older by that time. */
void fixture_elapse(const struct runner *runner, struct model_state *state, unsigned int seconds);

/*
 * Whether the maps now have what the model says; notes each difference. Ages may differ by about a
 * second.
 */
bool fixture_holds(const struct runner *runner, const struct model_state *state);

#endif
