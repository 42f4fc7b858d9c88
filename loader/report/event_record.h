/* SPDX-License-Identifier: GPL-2.0 */
/* Events as entries of the journal: portcullis(8), RECORDS. */
#ifndef PORTCULLIS_REPORT_EVENT_RECORD_H
#define PORTCULLIS_REPORT_EVENT_RECORD_H

#include <jansson.h>
#include <stddef.h>

/* MESSAGE_ID of every event. */
#define EVENT_RECORD_ID "b5551223014e443887daa5144971f3f5"

/* The fields of an entry, one on each line; the caller frees. NULL: out of memory. */
char *event_record_fields(const json_t *event, size_t *length);

/* Sends an event (event_json) to the journal. Returns 0 or -errno. */
int event_record(const json_t *event);

#endif
