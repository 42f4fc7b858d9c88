/* SPDX-License-Identifier: GPL-2.0 */
/* Capture filters: pcap-filter(7), compiled by libpcap. */
#ifndef PORTCULLIS_REPORT_CAPTURE_FILTER_H
#define PORTCULLIS_REPORT_CAPTURE_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

/* A compiled filter. Do not include "bpf/abi.h" here: libpcap has a struct bpf_insn, too. */
struct capture_filter;

/*
 * Compiles a filter for frames that begin with an Ethernet or an IP header. -EINVAL, and in `*why`
 * (the caller frees) the error: "syntax error"; -ENOENT if libpcap is not installed, and in `*why`
 * how to install it. Looks up names of hosts in the filter.
 */
int capture_filter_compile(const char *text, bool ethernet, struct capture_filter **filter,
			   char **why);

/*
 * Whether a frame of `length` bytes, of which `captured` are given, matches. VLAN tags of an
 * Ethernet frame are removed first, so that a filter such as "port 25" also matches packets in
 * VLANs.
 */
bool capture_filter_match(struct capture_filter *filter, const __u8 *bytes, size_t captured,
			  size_t length);
void capture_filter_free(struct capture_filter **filter);

#endif
