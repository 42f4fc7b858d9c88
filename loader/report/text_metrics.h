/* SPDX-License-Identifier: GPL-2.0 */
/* The filters of a network namespace as metrics. */
#ifndef PORTCULLIS_REPORT_TEXT_METRICS_H
#define PORTCULLIS_REPORT_TEXT_METRICS_H

#include <jansson.h>
#include <stdio.h>

enum metrics_format {
	METRICS_OPEN, /* OpenMetrics 1.0 */
	METRICS_TEXT, /* the text format of Prometheus, 0.0.4: for textfile collectors and promtool
		       */
};

/* Ports of one service beside each other: of more than these, one metric counts all. */
#define METRICS_RANGE 128

/*
 * `report`: {"interfaces": [...], "expected": [NAME], "flows": {"used", "size"} or null, "bans": a number or null}, where an
 * interface has the keys of report_counters, of ports that are not listed only what their reason
 * counted, and "name", "enforcing", "generation", "generation_at" and "attached_at" (seconds since
 * 1970), "confirm_seconds", "reverted", "errors". No label has a remote address, and no port that
 * a service does not list has a label of its own: a scan adds no metric.
 */
void report_metrics_text(const json_t *report, enum metrics_format format, FILE *to);

#endif
