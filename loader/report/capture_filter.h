/* SPDX-License-Identifier: GPL-2.0 */
/* Capture filters: pcap-filter(7), compiled by libpcap. */
#ifndef PORTCULLIS_REPORT_CAPTURE_FILTER_H
#define PORTCULLIS_REPORT_CAPTURE_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

/* A compiled filter. No "bpf/abi.h" here: libpcap too has a struct bpf_insn. */
struct capture_filter;

/*
 * Compiles a filter for frames that begin with an Ethernet or an IP header. -EINVAL and in `*why`
 * (the caller frees) what is wrong: "syntax error"; -ENOENT where libpcap is not installed, and how
 * to install it. Looks up the names of hosts that the filter has.
 */
int capture_filter_compile(const char *text, bool ethernet, struct capture_filter **filter,
			   char **why);

/*
 * Whether a frame of `length` bytes matches by its first `captured` ones. VLAN tags of an Ethernet
 * frame are taken off before: a filter such as "port 25" means what is in the VLAN, too.
 */
bool capture_filter_match(struct capture_filter *filter, const __u8 *bytes, size_t captured,
			  size_t length);
void capture_filter_free(struct capture_filter **filter);

#endif
