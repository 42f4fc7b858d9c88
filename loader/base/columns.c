// SPDX-License-Identifier: GPL-2.0
/* Aligned columns and human numbers. */
#include "loader/base/columns.h"

#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/base/terminal.h"
#include "loader/base/utf8.h"
#include "loader/base/wrap.h"

#define GAP   2 /* spaces before each column */
#define TIGHT 8 /* a column gets at least so many characters; longer words are broken */

void columns_row(struct columns *columns, enum tone tone, const char *const *cell)
{
	size_t i;

	columns->cell = grow(columns->cell, columns->rows, columns->count * sizeof(*columns->cell));
	columns->tone = grow(columns->tone, columns->rows, sizeof(*columns->tone));
	for (i = 0; i < columns->count; i++)
		columns->cell[columns->rows * columns->count + i] = text_printable(cell[i]);
	columns->tone[columns->rows++] = tone;
}

static bool is_optional(const char *heading)
{
	return *heading == '?';
}

static bool is_number(const char *heading)
{
	return heading[is_optional(heading)] == '>';
}

static const char *heading_text(const char *heading)
{
	return heading + is_optional(heading) + is_number(heading);
}

static size_t text_width(const char *text)
{
	return utf8_width(text, strlen(text));
}

/* The width of each column on a line, in characters; 0: the column is left out. */
struct layout {
	size_t count;
	size_t width[COLUMNS_MOST];
};

static size_t layout_total(const struct layout *layout)
{
	size_t total = 0, i;

	for (i = 0; i < layout->count; i++)
		total += layout->width[i] ? GAP + layout->width[i] : 0;
	return total;
}

/* Narrows the widest column until the line fits or no column is above its floor. */
static void shrink(struct layout *layout, const size_t *floor, size_t limit)
{
	while (layout_total(layout) > limit) {
		size_t widest = layout->count, i;

		for (i = 0; i < layout->count; i++)
			if (layout->width[i] > floor[i] &&
			    (widest == layout->count || layout->width[i] > layout->width[widest]))
				widest = i;
		if (widest == layout->count)
			return;
		layout->width[widest]--;
	}
}

/* The least width of each column: that of its longest word; with `tight`, TIGHT is enough. */
static void find_floors(const struct columns *columns, bool tight, size_t *floor)
{
	size_t i;

	for (i = 0; i < columns->count; i++) {
		size_t heading = text_width(heading_text(columns->heading[i]));

		floor[i] = columns->word[i];
		if (tight && floor[i] > TIGHT)
			floor[i] = TIGHT;
		if (floor[i] < heading)
			floor[i] = heading;
		if (is_number(columns->heading[i]) || floor[i] > columns->width[i])
			floor[i] = columns->width[i];
	}
}

static bool leave_out(const struct columns *columns, struct layout *layout)
{
	bool any = false;
	size_t i;

	for (i = 0; i < columns->count; i++) {
		if (!is_optional(columns->heading[i]))
			continue;
		layout->width[i] = 0;
		any = true;
	}
	return any;
}

static void find_layout(struct columns *columns, struct layout *layout)
{
	size_t floor[COLUMNS_MOST], limit = columns->limit, i;
	int step;

	/* Try to keep words whole; then leave out the optional columns too; then break words. */
	for (step = 0; step < 3; step++) {
		layout->count = columns->count;
		for (i = 0; i < columns->count; i++)
			layout->width[i] = columns->width[i];
		columns->left_out = limit && step && leave_out(columns, layout);
		find_floors(columns, step == 2, floor);
		if (limit)
			shrink(layout, floor, limit);
		if (!limit || layout_total(layout) <= limit)
			return;
	}
}

/* The last column that has text on this line. */
static size_t last_text(const struct layout *layout, const char *const *text)
{
	size_t last = layout->count;

	while (last && (!layout->width[last - 1] || !*text[last - 1]))
		last--;
	return last;
}

/* Prints the next line of each cell, and moves `text` on. False: every cell is printed. */
static bool print_line(const struct columns *columns, const struct layout *layout,
		       const char **text, FILE *to)
{
	size_t last = last_text(layout, text), i;

	for (i = 0; i < last; i++) {
		size_t length = wrap_length(text[i], layout->width[i]);
		int gap = (int)(layout->width[i] - utf8_width(text[i], length));
		bool right = is_number(columns->heading[i]);

		if (!layout->width[i])
			continue;
		fprintf(to, "%*s%.*s%*s", GAP + (right ? gap : 0), "", (int)length, text[i],
			right || i + 1 == last ? 0 : gap, "");
		text[i] = wrap_next(text[i], length);
	}
	return last_text(layout, text);
}

static void print_row(const struct columns *columns, const struct layout *layout,
		      const char *const *cell, FILE *to)
{
	const char *text[COLUMNS_MOST];
	size_t i;

	for (i = 0; i < columns->count; i++)
		text[i] = cell[i];
	while (print_line(columns, layout, text, to))
		fputc('\n', to);
}

static void widen(size_t *width, size_t to)
{
	if (*width < to)
		*width = to;
}

/* Columns never get narrower, so that a table printed in parts stays aligned. */
static void find_widths(struct columns *columns)
{
	size_t i, j;

	for (i = 0; i < columns->count; i++) {
		widen(&columns->width[i], text_width(heading_text(columns->heading[i])));
		for (j = 0; j < columns->rows; j++) {
			const char *cell = columns->cell[j * columns->count + i];

			widen(&columns->width[i], text_width(cell));
			widen(&columns->word[i], wrap_word(cell));
		}
	}
}

static void print_headings(const struct columns *columns, const struct layout *layout, FILE *to)
{
	const char *heading[COLUMNS_MOST];
	size_t i;

	for (i = 0; i < columns->count; i++)
		heading[i] = heading_text(columns->heading[i]);
	fputs(tone_start(TONE_FAINT, to), to);
	print_row(columns, layout, heading, to);
	fprintf(to, "%s\n", tone_end(to));
}

static void free_rows(struct columns *columns)
{
	size_t i;

	for (i = 0; i < columns->rows * columns->count; i++)
		free(columns->cell[i]);
	free(columns->cell);
	free(columns->tone);
	columns->cell = NULL;
	columns->tone = NULL;
	columns->rows = 0;
}

void columns_print(struct columns *columns, FILE *to)
{
	bool first = !columns->width[0];
	struct layout layout;
	size_t i;

	find_widths(columns);
	find_layout(columns, &layout);
	if (first)
		print_headings(columns, &layout, to);
	for (i = 0; i < columns->rows; i++) {
		fputs(tone_start(columns->tone[i], to), to);
		print_row(columns, &layout, (const char *const *)columns->cell + i * columns->count,
			  to);
		fprintf(to, "%s\n", columns->tone[i] ? tone_end(to) : "");
	}
	free_rows(columns);
}

const char *tone_start(enum tone tone, FILE *to)
{
	static const char *const sequence[] = {
		[TONE_PLAIN] = "",
		[TONE_GOOD] = "\033[32m",
		[TONE_BAD] = "\033[31m",
		[TONE_FAINT] = "\033[2m",
	};

	return terminal_colours(to) ? sequence[tone] : "";
}

const char *tone_end(FILE *to)
{
	return terminal_colours(to) ? "\033[0m" : "";
}

const char *human(double value, const char *unit, char text[HUMAN_TEXT])
{
	static const char *const prefix[] = {"", "k", "M", "G", "T", "P", "E"};
	size_t i = 0;

	while (value >= 999.5 && i + 1 < ARRAY_SIZE(prefix)) {
		value /= 1000;
		i++;
	}
	snprintf(text, HUMAN_TEXT, "%.*f%s%s%s",
		 !i	       ? 0 :
		 value < 9.995 ? 2 :
		 value < 99.95 ? 1 :
				 0,
		 value, i || *unit ? " " : "", prefix[i], unit);
	return text;
}

const char *human_seconds(__u64 seconds, char text[HUMAN_TEXT])
{
	if (seconds < 60)
		snprintf(text, HUMAN_TEXT, "%llu s", seconds);
	else if (seconds < 3600)
		snprintf(text, HUMAN_TEXT, "%llu min %llu s", seconds / 60, seconds % 60);
	else if (seconds < 86400)
		snprintf(text, HUMAN_TEXT, "%llu h %llu min", seconds / 3600, seconds / 60 % 60);
	else
		snprintf(text, HUMAN_TEXT, "%llu d %llu h", seconds / 86400, seconds / 3600 % 24);
	return text;
}

char *human_count(size_t count, const char *one, const char *more)
{
	return xasprintf("%zu %s", count, count == 1 ? one : more);
}
