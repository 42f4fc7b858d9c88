// SPDX-License-Identifier: GPL-2.0
/* Reads points in time. */
#include "loader/base/moment.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "loader/base/duration.h"

/* Whether the text begins like `form`: 'd' stands for a digit, another character for itself. */
static bool has_form(const char *text, const char *form)
{
	for (; *form; text++, form++)
		if (*form == 'd' ? !isdigit((unsigned char)*text) : *text != *form)
			return false;
	return true;
}

static int two_digits(const char *text)
{
	return (text[0] - '0') * 10 + text[1] - '0';
}

/* "Z", "+01:00" or "-01:00" as seconds east of Greenwich. */
static int read_zone(const char *text, long *east)
{
	*east = 0;
	if (!strcmp(text, "Z") || !strcmp(text, "z"))
		return 0;
	if (strlen(text) != 6 || !has_form(text + 1, "dd:dd") || (*text != '+' && *text != '-') ||
	    two_digits(text + 1) > 23 || two_digits(text + 4) > 59)
		return -EINVAL;
	*east = two_digits(text + 1) * 3600L + two_digits(text + 4) * 60L;
	if (*text == '-')
		*east = -*east;
	return 0;
}

/* The fields of an RFC 3339 time up to the seconds. timegm() would accept 30 February. */
static int read_fields(const char *text, time_t *seconds)
{
	struct tm tm = {
		.tm_year = two_digits(text) * 100 + two_digits(text + 2) - 1900,
		.tm_mon = two_digits(text + 5) - 1,
		.tm_mday = two_digits(text + 8),
		.tm_hour = two_digits(text + 11),
		.tm_min = two_digits(text + 14),
		.tm_sec = two_digits(text + 17),
	};
	struct tm given = tm;

	*seconds = timegm(&tm);
	return tm.tm_mon == given.tm_mon && tm.tm_mday == given.tm_mday &&
			       tm.tm_hour == given.tm_hour && tm.tm_min == given.tm_min &&
			       tm.tm_sec == given.tm_sec ?
		       0 :
		       -EINVAL;
}

static int read_rfc3339(const char *text, time_t *seconds)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd";
	const char *rest = text + sizeof(form) - 1;
	long east;

	if (!has_form(text, form) || read_fields(text, seconds))
		return -EINVAL;
	if (rest[0] == '.' && isdigit((unsigned char)rest[1]))
		rest += 1 + strspn(rest + 1, "0123456789");
	if (read_zone(rest, &east))
		return -EINVAL;
	*seconds -= east;
	return 0;
}

/*
 * "18:00" of today or, if that is not on the asked side of `now`, of the next day on that side.
 */
static int read_clock(const char *text, time_t now, bool ahead, time_t *seconds)
{
	struct tm today, tm;

	if (strlen(text) != 5 || !has_form(text, "dd:dd") || two_digits(text) > 23 ||
	    two_digits(text + 3) > 59 || !localtime_r(&now, &today))
		return -EINVAL;
	for (int days = 0; days < 2; days++) {
		tm = today;
		tm.tm_mday += ahead ? days : -days;
		tm.tm_hour = two_digits(text);
		tm.tm_min = two_digits(text + 3);
		tm.tm_sec = 0;
		tm.tm_isdst = -1;
		*seconds = mktime(&tm);
		if (ahead ? *seconds > now : *seconds <= now)
			return 0;
	}
	return -EINVAL;
}

int moment_parse(const char *text, __u64 now, struct moment *moment)
{
	time_t seconds = 0;

	*moment = (struct moment){};
	if (!duration_parse(text, 1, INT_MAX, &moment->back))
		return 0;
	if (read_clock(text, (time_t)now, false, &seconds) && read_rfc3339(text, &seconds))
		return -EINVAL;
	if (seconds > (time_t)now)
		return -ERANGE;
	moment->at = seconds > 0 ? (__u64)seconds : 1;
	return 0;
}

int moment_parse_until(const char *text, __u64 now, __u64 *seconds)
{
	time_t at = 0;

	if (read_clock(text, (time_t)now, true, &at) && read_rfc3339(text, &at))
		return -EINVAL;
	if (at <= (time_t)now)
		return -ERANGE;
	*seconds = (__u64)at;
	return 0;
}

__u64 moment_seconds(const struct moment *moment, __u64 now)
{
	if (!moment->back)
		return moment->at;
	return now > moment->back ? now - moment->back : 0;
}
