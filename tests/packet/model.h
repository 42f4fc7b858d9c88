/* SPDX-License-Identifier: GPL-2.0 */
/* The verdict of one frame in plain C, written from the contract and apart from the BPF program. */
#ifndef PORTCULLIS_TEST_MODEL_H
#define PORTCULLIS_TEST_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loader/compile.h"

enum model_action {
	MODEL_PASS,
	MODEL_DROP,
	MODEL_WOULD_DROP, /* passes, because the policy is observe */
};

/* Reasons of a drop, then classes of a pass. */
enum model_why {
	MODEL_MALFORMED,
	MODEL_FRAGMENT,
	MODEL_ICMP,
	MODEL_SOURCE,
	MODEL_PROTOCOL,
	MODEL_UNLISTED,
	MODEL_PASS_PORT,
	MODEL_PASS_NON_IP,
	MODEL_PASS_ICMP, /* ICMP, ICMPv6, IGMP */
	MODEL_PASS_PROTOCOL,
	MODEL_WHYS,
};

extern const char *const model_action_name[];
extern const char *const model_why_name[MODEL_WHYS];

struct model_verdict {
	enum model_action action;
	enum model_why why;
	int port; /* PC_PORT() that the packet is counted for, or -1 */
};

/* Judges one frame, Ethernet header first, `length` bytes in all. Reads nothing past them. */
struct model_verdict model_judge(const uint8_t *frame, size_t length, const struct tables *tables);

bool model_equal(const struct model_verdict *a, const struct model_verdict *b);

#endif
