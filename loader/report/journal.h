/* SPDX-License-Identifier: GPL-2.0 */
/* Sends entries to the journal of systemd. */
#ifndef PORTCULLIS_REPORT_JOURNAL_H
#define PORTCULLIS_REPORT_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Adds a field to the text of an entry, with '?' for control characters. NULL adds nothing. */
void journal_field(FILE *to, const char *key, const char *value);

/*
 * Sends an entry, which consists of fields. With `wait`, waits at most a second for a slow journal,
 * else not at all. Returns 0 or -errno.
 */
int journal_send(const char *fields, size_t length, bool wait);

#endif
