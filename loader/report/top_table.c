// SPDX-License-Identifier: GPL-2.0
/* The lines of `top`: the places of the panels, the columns that fit, and the text of rows. */
#include "loader/report/top_table.h"

#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/base/utf8.h"
#include "loader/base/wrap.h"
#include "loader/report/json_forms.h"
#include "loader/report/text.h"
#include "loader/report/top_sources.h"

#define WIDE	    150 /* from so many columns on, panels are side by side */
#define GAP	    2	/* between two columns of a table */
#define MARGIN	    1	/* before the first column of a table */
#define PORTS_LEAST 9
#define PORTS_MOST  24
#define HEADER_PART 6 /* the header gets at most this part of the rows */

/* --- places --- */

size_t top_header_rows(size_t rows, size_t interfaces)
{
	size_t most = rows / HEADER_PART ?: 1;

	return 1 + (interfaces < most ? interfaces : most);
}

/* Gives rows to panels, one by one: to the panel that has the smallest part of its claim. */
static void share_rows(size_t rows, const size_t *need, size_t first, size_t active,
		       struct top_area *area)
{
	/* Rows that no panel needs go to a panel with none below it, or alone at its side. */
	size_t rest = first ? TOP_PANELS - 1 : 0;

	for (; rows; rows--) {
		size_t least = TOP_PANELS;

		for (size_t i = first; i < TOP_PANELS; i++) {
			size_t weight = i == active ? 1 : 2, than = least == active ? 1 : 2;

			if (area[i].rows >= need[i])
				continue;
			if (least == TOP_PANELS || area[i].rows * weight < area[least].rows * than)
				least = i;
		}
		area[least == TOP_PANELS ? rest : least].rows++;
	}
}

static void stack(size_t top, size_t first, struct top_area *area)
{
	for (size_t i = first; i < TOP_PANELS; i++) {
		area[i].top = top;
		top += area[i].rows;
	}
}

void top_place(size_t rows, size_t columns, size_t header, const size_t need[TOP_PANELS],
	       enum top_panel active, struct top_area area[TOP_PANELS])
{
	size_t room = rows > header + 1 ? rows - header - 1 : 0;
	size_t left = columns >= WIDE ? columns * 3 / 5 : columns, first = 0;

	for (size_t i = 0; i < TOP_PANELS; i++)
		area[i] = (struct top_area){.columns = left};
	if (columns >= WIDE) {
		area[0].rows = room;
		area[0].top = header;
		for (first = 1; first < TOP_PANELS; first++) {
			area[first].left = left + GAP;
			area[first].columns = columns - left - GAP;
		}
		first = 1;
	}
	share_rows(room, need, first, active, area);
	stack(header, first, area);
}

/* --- content --- */

char *top_cut(const char *text, size_t columns)
{
	__free_text char *shown = text_printable(text);
	size_t length = strlen(shown);

	if (utf8_width(shown, length) <= columns)
		return xstrdup(shown);
	if (columns < 3)
		return xstrndup(shown, wrap_fits(shown, columns));
	return xasprintf("%.*s..", (int)wrap_fits(shown, columns - 2), shown);
}

/* The end of a long name says more than its middle: "contact..telephony-2". */
static char *cut_name(const char *text, size_t columns)
{
	size_t length = strlen(text), first;

	if (length <= columns || columns < 8 || utf8_width(text, length) != length)
		return top_cut(text, columns);
	first = (columns - 2) / 3;
	return xasprintf("%.*s..%s", (int)first, text, text + length - (columns - 2 - first));
}

/* 0.5, 20, 1.23 k */
static char *rate_text(double rate)
{
	char text[HUMAN_TEXT];

	if (rate < 0)
		return xstrdup("-");
	if (rate > 0 && rate < 9.95)
		return xasprintf("%.1f", rate);
	return xstrdup(human(rate, "", text));
}

static char *number_text(__u64 number)
{
	char text[HUMAN_TEXT];

	return xstrdup(human((double)number, "", text));
}

static char *text_interface(const struct top_looks *looks, const struct top_row *row)
{
	return xstrdup(looks->look[row->look].interface);
}

static char *text_way(const struct top_looks *looks, const struct top_row *row)
{
	(void)looks;
	return xstrdup(row->out ? "out" : "in");
}

static char *text_packet_rate(const struct top_looks *looks, const struct top_row *row)
{
	(void)looks;
	return rate_text(row->packets);
}

static char *text_bit_rate(const struct top_looks *looks, const struct top_row *row)
{
	(void)looks;
	return rate_text(row->bits);
}

static char *text_drop_rate(const struct top_looks *looks, const struct top_row *row)
{
	(void)looks;
	return rate_text(row->drops);
}

/* "~" marks an estimate, as in `drops`. */
static char *text_total_packets(const struct top_looks *looks, const struct top_row *row)
{
	bool sampled = row->kind == TOP_SOURCE && looks->drops.row[row->at].sampled;
	__free_text char *number = number_text(row->passed.packets + row->refused.packets);

	return xasprintf("%s%s", sampled ? "~" : "", number);
}

static char *text_total_bytes(const struct top_looks *looks, const struct top_row *row)
{
	(void)looks;
	return number_text(row->passed.bytes + row->refused.bytes);
}

static char *text_dropped(const struct top_looks *looks, const struct top_row *row)
{
	(void)looks;
	return number_text(row->refused.packets);
}

/*
 * A column of a panel. It is left out if a text with `spare` columns would be cut (0: never).
 * Columns with a greater `spare` are left out first.
 */
struct field {
	const char *heading;
	char *(*text)(const struct top_looks *looks, const struct top_row *row);
	enum {
		FIELD_TEXT,   /* as wide as its longest text */
		FIELD_PORTS,  /* as above, from PORTS_LEAST to PORTS_MOST */
		FIELD_NAME,   /* gets the remaining columns */
		FIELD_NUMBER, /* `width` columns, aligned right */
	} kind;
	size_t width, spare;
	enum top_sort sort; /* sorts by this column; TOP_SORTS: not at all */
};

/* clang-format off */
static const struct field panel_fields[TOP_PANELS][TOP_FIELDS] = {
	[TOP_SERVICES] = {
		{"IFACE", text_interface, FIELD_TEXT, 0, 0, TOP_SORTS},
		{"WAY", text_way, FIELD_TEXT, 0, 12, TOP_SORTS},
		{"PORT", top_row_ports, FIELD_PORTS, 0, 0, TOP_SORTS},
		{"SERVICE", top_row_name, FIELD_NAME, 0, 0, TOP_SORTS},
		{"PKT/S", text_packet_rate, FIELD_NUMBER, 6, 0, TOP_BY_PACKETS},
		{"BIT/S", text_bit_rate, FIELD_NUMBER, 6, 8, TOP_BY_BITS},
		{"DROP/S", text_drop_rate, FIELD_NUMBER, 6, 10, TOP_SORTS},
		{"PACKETS", text_total_packets, FIELD_NUMBER, 8, 14, TOP_BY_TOTAL},
		{"DROPPED", text_dropped, FIELD_NUMBER, 7, 24, TOP_SORTS},
	},
	[TOP_REASONS] = {
		{"IFACE", text_interface, FIELD_TEXT, 0, 0, TOP_SORTS},
		{"REASON", top_row_name, FIELD_NAME, 0, 0, TOP_SORTS},
		{"PKT/S", text_packet_rate, FIELD_NUMBER, 6, 0, TOP_BY_PACKETS},
		{"BIT/S", text_bit_rate, FIELD_NUMBER, 6, 8, TOP_BY_BITS},
		{"PACKETS", text_total_packets, FIELD_NUMBER, 8, 10, TOP_BY_TOTAL},
		{"BYTES", text_total_bytes, FIELD_NUMBER, 7, 12, TOP_SORTS},
	},
	[TOP_SOURCES] = {
		{"IFACE", text_interface, FIELD_TEXT, 0, 0, TOP_SORTS},
		{"SOURCE", top_row_name, FIELD_NAME, 0, 0, TOP_SORTS},
		{"PORT", top_row_ports, FIELD_PORTS, 0, 0, TOP_SORTS},
		{"REASON", top_source_reason, FIELD_TEXT, 0, 14, TOP_SORTS},
		{"PKT/S", text_packet_rate, FIELD_NUMBER, 6, 0, TOP_BY_PACKETS},
		{"BIT/S", text_bit_rate, FIELD_NUMBER, 6, 39, TOP_BY_BITS},
		{"PACKETS", text_total_packets, FIELD_NUMBER, 8, 15, TOP_BY_TOTAL},
		{"LAST", top_source_last, FIELD_NUMBER, 6, 25, TOP_SORTS},
	},
};
/* clang-format on */

static const struct field *field_of(const struct top_table *table, size_t column)
{
	return &panel_fields[table->panel][table->column[column].field];
}

static size_t text_width(const char *text)
{
	return utf8_width(text, strlen(text));
}

/* The columns of the longest text in a field. */
static size_t longest(const struct field *field, const struct top_looks *looks,
		      const struct top_rows *rows)
{
	size_t most = text_width(field->heading);

	for (size_t i = 0; i < rows->count; i++) {
		__free_text char *text = field->text(looks, &rows->row[i]);
		size_t width = text_width(text);

		if (width > most)
			most = width;
	}
	return most;
}

static size_t field_width(const struct field *field, const struct top_looks *looks,
			  const struct top_rows *rows, size_t columns)
{
	size_t width = field->kind == FIELD_NUMBER ? field->width : longest(field, looks, rows);
	size_t most = columns / 6;

	if (field->kind != FIELD_PORTS)
		return width;
	if (most < PORTS_LEAST)
		most = PORTS_LEAST;
	if (most > PORTS_MOST)
		most = PORTS_MOST;
	return width < most ? width : most;
}

static void leave_out(struct top_table *table, size_t column)
{
	table->count--;
	memmove(&table->column[column], &table->column[column + 1],
		(table->count - column) * sizeof(table->column[0]));
}

/* The width of all columns except the name. */
static size_t used_columns(const struct top_table *table, size_t *name)
{
	size_t used = MARGIN + GAP * (table->count - 1);

	for (size_t i = 0; i < table->count; i++) {
		if (field_of(table, i)->kind == FIELD_NAME)
			*name = i;
		else
			used += table->column[i].width;
	}
	return used;
}

/* The column to leave out next; table->count: all remaining ones must stay. */
static size_t least_column(const struct top_table *table)
{
	size_t least = table->count;

	for (size_t i = 0; i < table->count; i++) {
		size_t spare = field_of(table, i)->spare;

		if (spare && (least == table->count || spare > field_of(table, least)->spare))
			least = i;
	}
	return least;
}

/* Leaves out columns until the name is wide enough; the name gets the remaining width. */
static void fit_name(struct top_table *table, size_t columns)
{
	for (;;) {
		size_t name = 0, used = used_columns(table, &name), least = least_column(table);
		size_t left = columns > used ? columns - used : 0;
		size_t wanted = table->column[name].width;

		if (least < table->count && wanted > field_of(table, least)->spare)
			wanted = field_of(table, least)->spare;
		if (left < wanted && least < table->count) {
			leave_out(table, least);
			continue;
		}
		if (table->column[name].width > left)
			table->column[name].width = left;
		return;
	}
}

void top_table_fit(struct top_table *table, enum top_panel panel, const struct top_looks *looks,
		   const struct top_rows *rows, size_t columns)
{
	*table = (struct top_table){.panel = panel};
	for (size_t i = 0; i < TOP_FIELDS; i++) {
		const struct field *field = &panel_fields[panel][i];

		if (!field->heading || (field->text == text_interface && looks->count < 2))
			continue;
		table->column[table->count].field = i;
		table->column[table->count++].width = field_width(field, looks, rows, columns);
	}
	fit_name(table, columns);
}

static void print_cell(const struct top_table *table, size_t column, const char *text, FILE *to)
{
	const struct field *field = field_of(table, column);
	size_t width = table->column[column].width;
	__free_text char *shown =
		field->kind == FIELD_NAME ? cut_name(text, width) : top_cut(text, width);
	int pad = (int)(width - text_width(shown));
	bool right = field->kind == FIELD_NUMBER;

	fprintf(to, "%*s%*s%s", column ? GAP : 0, "", right ? pad : 0, "", shown);
	if (!right && column + 1 < table->count)
		fprintf(to, "%*s", pad, "");
}

char *top_table_heading(const struct top_table *table, enum top_sort sort, bool active)
{
	char *line = NULL;
	size_t length = 0;
	FILE *to = open_memstream(&line, &length);

	if (!to)
		return xstrdup("");
	fputc(active ? '>' : ' ', to);
	for (size_t i = 0; i < table->count; i++) {
		const struct field *field = field_of(table, i);
		__free_text char *text =
			xasprintf("%s%s", field->sort == sort ? "*" : "", field->heading);

		print_cell(table, i, text, to);
	}
	fclose(to);
	return line;
}

char *top_table_line(const struct top_table *table, const struct top_looks *looks,
		     const struct top_row *row)
{
	char *line = NULL;
	size_t length = 0;
	FILE *to = open_memstream(&line, &length);

	if (!to)
		return xstrdup("");
	fputc(' ', to);
	for (size_t i = 0; i < table->count; i++) {
		__free_text char *text = field_of(table, i)->text(looks, row);

		print_cell(table, i, text, to);
	}
	fclose(to);
	return line;
}

enum tone top_row_tone(const struct top_looks *looks, const struct top_row *row)
{
	if (row->kind == TOP_UNLISTED ||
	    (row->kind == TOP_MACHINE && !looks->look[row->look].behind->row[row->at].listed))
		return TONE_BAD;
	return row->passed.packets ? TONE_GOOD : TONE_PLAIN;
}

/* --- the header --- */

char *top_title_line(const struct top_title *title, size_t columns)
{
	char when[TIME_TEXT];
	__free_text char *time = text_time(report_time(title->wall, when));
	__free_text char *host = text_printable(title->host);
	__free_text char *left = xasprintf(" portcullis top  %s  every %u s%s", host,
					   title->interval, title->frozen ? "  FROZEN" : "");
	size_t used = text_width(left), right = text_width(time) + 1;

	if (used + 1 + right > columns)
		return top_cut(left, columns);
	return xasprintf("%s%*s%s ", left, (int)(columns - used - right), "", time);
}

/* "in 1.23 k/s 4.50 Mbit/s"; "" if rates are unknown. */
static char *total_text(const char *way, const struct top_row *row, bool observe)
{
	__free_text char *packets = rate_text(row->packets), *drops = rate_text(row->drops);
	char bits[HUMAN_TEXT];

	if (row->packets < 0)
		return xstrdup("");
	human(row->bits, "bit/s", bits);
	if (row->drops <= 0)
		return xasprintf("  %s %s/s %s", way, packets, bits);
	return xasprintf("  %s %s/s %s, %s %s/s", way, packets, bits,
			 observe ? "would drop" : "dropped", drops);
}

static char *state_text(const struct top_look *look, __u64 boot)
{
	__u64 left = look->deadline > boot ? (look->deadline - boot + 999999999) / 1000000000 : 0;

	if (look->deadline && left)
		return xasprintf(", undone in %llu s unless confirmed", left);
	if (look->deadline || look->reverted)
		return xstrdup(", the last change was reverted");
	return xstrdup("");
}

char *top_interface_line(const struct top_looks *looks, const struct top_looks *before, size_t at,
			 __u64 boot, size_t columns, enum tone *tone)
{
	const struct top_look *look = &looks->look[at];
	__free_text char *state = state_text(look, boot), *in = NULL, *out = NULL, *line = NULL;
	struct top_row total;

	top_total(looks, before, at, false, &total);
	in = total_text("in", &total, look->observe);
	top_total(looks, before, at, true, &total);
	out = total_text("out", &total, look->observe);
	line = xasprintf(" %s  %s%s%s%s", look->interface, look->observe ? "observe" : "enforce",
			 state, in, out);
	*tone = *state ? TONE_BAD : TONE_PLAIN;
	return top_cut(line, columns);
}
