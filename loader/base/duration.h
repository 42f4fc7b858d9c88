/* SPDX-License-Identifier: GPL-2.0 */
/* Lengths of time, as users write them. */
#ifndef PORTCULLIS_BASE_DURATION_H
#define PORTCULLIS_BASE_DURATION_H

/*
 * Reads "90", "90s", "10m", "8h", "7d", or a sum of these with the larger unit first ("1h30m"); a
 * bare number is seconds. -EINVAL for another form, or if it is not `least` to `most` seconds.
 */
int duration_parse(const char *text, unsigned int least, unsigned int most, unsigned int *seconds);

#endif
