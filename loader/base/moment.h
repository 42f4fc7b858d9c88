/* SPDX-License-Identifier: GPL-2.0 */
/* Points in time, past or future, as users write them. */
#ifndef PORTCULLIS_BASE_MOMENT_H
#define PORTCULLIS_BASE_MOMENT_H

#include <linux/types.h>

/* A point in time, fixed or a distance from the present. All zero: none. */
struct moment {
	__u64 at;	   /* seconds since 1970 */
	unsigned int back; /* seconds before the present; 0: use `at` */
};

#define MOMENT_FORMS "a time like 90, 10m or 8h, 18:00, or 2026-11-29T18:00:00Z"

/*
 * Reads a length of time before `now` as duration_parse does, "18:00" (when it was that last, by
 * the local clock), or RFC 3339: "2026-11-29T18:00:00Z", "2026-11-29T18:00:00.5+01:00". -EINVAL for
 * another form; -ERANGE if it is later than `now`, in seconds since 1970.
 */
int moment_parse(const char *text, __u64 now, struct moment *moment);

#define MOMENT_UNTIL_FORMS "a time like 18:00 or 2026-11-29T18:00:00Z"

/*
 * Reads a time to come: "18:00" (when it will next be that, by the local clock), or RFC 3339.
 * `*seconds` is in seconds since 1970. -EINVAL for another form; -ERANGE if it has passed at `now`.
 */
int moment_parse_until(const char *text, __u64 now, __u64 *seconds);

/* The moment in seconds since 1970; 0 if it is before 1970. */
__u64 moment_seconds(const struct moment *moment, __u64 now);

#endif
