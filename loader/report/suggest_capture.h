/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The sources in a capture, the ports that they used, and whether they got answers. Its memory does
 * not grow with the capture.
 */
#ifndef PORTCULLIS_REPORT_SUGGEST_CAPTURE_H
#define PORTCULLIS_REPORT_SUGGEST_CAPTURE_H

#include "loader/report/replay_packet.h"
#include "loader/report/suggest_evidence.h"

struct suggest_capture;

struct suggest_capture *suggest_capture_new(void);
void suggest_capture_free(struct suggest_capture **capture);

/* Adds a packet of this host, in or out. `at`: ns since 1970. */
void suggest_capture_take(struct suggest_capture *capture, const struct replay_packet *packet,
			  __u64 at);

/* Fills the knocks, which the caller frees, and the times. */
void suggest_capture_evidence(const struct suggest_capture *capture,
			      struct suggest_evidence *evidence);

#endif
