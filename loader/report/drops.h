/* SPDX-License-Identifier: GPL-2.0 */
/* What was dropped lately. */
#ifndef PORTCULLIS_REPORT_DROPS_H
#define PORTCULLIS_REPORT_DROPS_H

/* What one row adds up. */
enum drops_by {
	DROPS_BY_KEY, /* nothing: each address, port and reason has a row */
	DROPS_BY_SOURCE,
	DROPS_BY_PREFIX,
	DROPS_BY_PORT,
	DROPS_BY_REASON,
};

#endif
