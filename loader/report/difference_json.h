/* SPDX-License-Identifier: GPL-2.0 */
/* The difference of two kept texts as JSON. */
#ifndef PORTCULLIS_REPORT_DIFFERENCE_JSON_H
#define PORTCULLIS_REPORT_DIFFERENCE_JSON_H

#include <jansson.h>
#include <stdbool.h>

/*
 * {"opens": ["25/tcp", "out 53/udp"], "closes": [..], "changes": ["the policy from enforce to
 * observe"], "groups": [{"name", "added": [prefix], "removed": [prefix]}]}: the ports of
 * difference_each, and every other difference as a sentence. `before`: NULL or empty, nothing was
 * attached.
 */
json_t *difference_json(const json_t *before, const json_t *after);

/* True if such an object reports any change. */
bool difference_json_any(const json_t *difference);

#endif
