/* SPDX-License-Identifier: GPL-2.0 */
/* The live filters as a rule set of nftables. */
#ifndef PORTCULLIS_REPORT_NFTABLES_H
#define PORTCULLIS_REPORT_NFTABLES_H

#include <jansson.h>
#include <stdio.h>

/*
 * `interfaces`: [{"name", "above": [NAME], "policy", "kept"}]; "above" are the interfaces as which
 * the kernel sees packets that come in by this one (a bridge, a bond, VLANs); "kept" is what is
 * kept with a generation (compile/kept.h). A machine behind an interface is an entry of its own
 * before it, with the interface's names, its "address" [PREFIX], its name as "machine", and its own
 * kept text (kept_machine). Writes one table, "inet portcullis", which replaces an
 * older one when it is loaded.
 */
void report_nftables(const json_t *interfaces, FILE *to);

#endif
