/* SPDX-License-Identifier: GPL-2.0 */
/* Looks of `top`, made by hand. */
#ifndef PORTCULLIS_TEST_REPORT_MADE_LOOKS_H
#define PORTCULLIS_TEST_REPORT_MADE_LOOKS_H

#include "loader/report/top_listing.h"
#include "loader/report/top_model.h"
#include "tests/unit/report/forms.h"

#define LOOK_SECOND 1000000000ULL

/* A look at one more interface, whose counters are zero and began at 1 s. */
static inline struct top_look *look_add(struct top_looks *looks, const char *interface,
					json_t *services)
{
	struct top_look *look;
	json_t *profiles = profiles_of(services);

	looks->look = grow(looks->look, looks->count, sizeof(*looks->look));
	look = &looks->look[looks->count++];
	*look = (struct top_look){
		.interface = xstrdup(interface),
		.generation = 1,
		.made_at = LOOK_SECOND,
		.began = LOOK_SECOND,
		.counters = xcalloc(1, sizeof(struct counters)),
		.listing = top_listing_new(profiles),
	};
	json_decref(profiles);
	return look;
}

/* When the counters were read: both clocks. */
static inline void look_time(struct top_looks *looks, double seconds)
{
	looks->wall = looks->monotonic = (__u64)(seconds * LOOK_SECOND);
}

static inline void look_count(struct top_look *look, __u32 cell, __u64 packets, __u64 bytes)
{
	look->counters->cell[cell] = (struct count){packets, bytes};
}

/* "eth0 in 25/tcp p:mail 5+0 2.5/s 160 bit/s; ..." */
static inline char *rows_said(const struct top_looks *looks, const struct top_rows *rows)
{
	char *text = NULL;
	size_t length = 0;
	FILE *to = open_memstream(&text, &length);

	assert_non_null(to);
	for (size_t i = 0; i < rows->count; i++) {
		const struct top_row *row = &rows->row[i];
		__free_text char *ports = top_row_ports(looks, row);
		__free_text char *name = top_row_name(looks, row);

		fprintf(to, "%s%s %s %s %s %llu+%llu %g/s %g bit/s", i ? "; " : "",
			looks->look[row->look].interface, row->out ? "out" : "in", ports, name,
			row->passed.packets, row->refused.packets, row->packets, row->bits);
	}
	fclose(to);
	return text;
}

#endif
