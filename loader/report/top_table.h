/* SPDX-License-Identifier: GPL-2.0 */
/* The lines of `top`: the places of the panels, the columns that fit, and the text of rows. */
#ifndef PORTCULLIS_REPORT_TOP_TABLE_H
#define PORTCULLIS_REPORT_TOP_TABLE_H

#include "loader/base/columns.h"
#include "loader/report/top_model.h"

/* The smallest terminal in which the screen can be read. */
#define TOP_ROWS_LEAST	  10
#define TOP_COLUMNS_LEAST 40

/* --- places --- */

struct top_area {
	size_t top, left, rows, columns;
};

/* Lines of the header: the title, and as many interfaces as there is room for. */
size_t top_header_rows(size_t rows, size_t interfaces);

/*
 * Divides the screen between header and last line. A panel needs `need` rows, with the headings in
 * the first. If not all fit, the active panel gets twice as many as each other panel.
 */
void top_place(size_t rows, size_t columns, size_t header, const size_t need[TOP_PANELS],
	       enum top_panel active, struct top_area area[TOP_PANELS]);

/* --- content --- */

#define TOP_FIELDS 9

/* The columns of a panel for which there is room. */
struct top_table {
	enum top_panel panel;
	size_t count;
	struct {
		size_t field; /* index among those of the panel */
		size_t width;
	} column[TOP_FIELDS];
};

/* Chooses the columns. `columns`: of the panel's area. */
void top_table_fit(struct top_table *table, enum top_panel panel, const struct top_looks *looks,
		   const struct top_rows *rows, size_t columns);

/* Makes lines without control characters, not wider than the area; the caller frees. */
char *top_table_heading(const struct top_table *table, enum top_sort sort, bool active);
char *top_table_line(const struct top_table *table, const struct top_looks *looks,
		     const struct top_row *row);
enum tone top_row_tone(const struct top_looks *looks, const struct top_row *row);

/* The title of the screen: host, interval, and on the right the time. */
struct top_title {
	const char *host;
	unsigned int interval; /* seconds */
	bool frozen;
	__u64 wall; /* ns */
};
char *top_title_line(const struct top_title *title, size_t columns);

/*
 * The line of an interface; `boot` is clock_boot. `*tone`: TONE_BAD if the administrator has to do
 * something.
 */
char *top_interface_line(const struct top_looks *looks, const struct top_looks *before, size_t at,
			 __u64 boot, size_t columns, enum tone *tone);

/* As many columns of `text` as fit, with ".." if it is longer. Without control characters. */
char *top_cut(const char *text, size_t columns);

/* The keys, one a line, for the screen and --help. */
#define TOP_KEYS                                                                                \
	"q              quit", "s              sort by the next of packets/s, bits/s, packets", \
		"1 2 3          sort by one of these",                                          \
		"p, space       freeze the screen; once more: go on",                           \
		"tab, left      choose a panel",                                                \
		"up, down       scroll it; also page up, page down, home, end",                 \
		"Ctrl-L         draw the screen again"
#define TOP_KEYS_COLUMN 15 /* column at which the meaning of a key begins */

#endif
