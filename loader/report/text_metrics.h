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

/* If a service lists more neighbouring ports than this, one metric counts them all. */
#define METRICS_RANGE 128

/*
 * `report`: {"interfaces": [...], "expected": [NAME], "flows": {"used", "size"} or null, "bans": a
 * number or null}, where an interface has the keys of report_counters (for unlisted ports only the
 * counts of their reason), and "name", "enforcing", "generation", "generation_at" and "attached_at"
 * (seconds since 1970), "confirm_seconds", "reverted", "errors". No label has a remote address or a
 * port that no service lists, so that a scan adds no metric.
 */
void report_metrics_text(const json_t *report, enum metrics_format format, FILE *to);

#endif
