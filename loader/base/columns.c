// SPDX-License-Identifier: GPL-2.0
/* Aligned columns and human numbers. */
#include "loader/base/columns.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader/base/memory.h"
#include "loader/base/utf8.h"

void columns_row(struct columns *columns, enum tone tone, const char *const *cell)
{
	size_t i;

	columns->cell = grow(columns->cell, columns->rows, columns->count * sizeof(*columns->cell));
	columns->tone = grow(columns->tone, columns->rows, sizeof(*columns->tone));
	for (i = 0; i < columns->count; i++)
		columns->cell[columns->rows * columns->count + i] = text_printable(cell[i]);
	columns->tone[columns->rows++] = tone;
}

/* Places on the screen: characters of UTF-8, each taken as one wide. */
static size_t width_of(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += (*text & 0xc0) != 0x80;
	return width;
}

static const char *heading_text(const char *heading)
{
	return *heading == '>' ? heading + 1 : heading;
}

static void print_row(const struct columns *columns, const char *const *cell, FILE *to)
{
	size_t last = columns->count, i;

	while (last && !*cell[last - 1])
		last--;
	for (i = 0; i < last; i++) {
		int gap = columns->width[i] - width_of(cell[i]);
		bool right = *columns->heading[i] == '>';

		fprintf(to, "  %*s%s%*s", right ? gap : 0, "", cell[i],
			right || i + 1 == last ? 0 : gap, "");
	}
}

/* Columns never get narrower, so that what is printed in parts stays in line. */
static void find_widths(struct columns *columns)
{
	size_t i, j;

	for (i = 0; i < columns->count; i++)
		for (j = 0; j < columns->rows; j++) {
			size_t wide = width_of(columns->cell[j * columns->count + i]);

			if (wide > columns->width[i])
				columns->width[i] = wide;
		}
}

static void print_headings(const struct columns *columns, FILE *to)
{
	const char *heading[COLUMNS_MOST];
	size_t i;

	for (i = 0; i < columns->count; i++)
		heading[i] = heading_text(columns->heading[i]);
	fputs(tone_start(TONE_FAINT, to), to);
	print_row(columns, heading, to);
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
	size_t i;

	for (i = 0; i < columns->count && first; i++)
		columns->width[i] = width_of(heading_text(columns->heading[i]));
	find_widths(columns);
	if (first)
		print_headings(columns, to);
	for (i = 0; i < columns->rows; i++) {
		fputs(tone_start(columns->tone[i], to), to);
		print_row(columns, (const char *const *)columns->cell + i * columns->count, to);
		fprintf(to, "%s\n", columns->tone[i] ? tone_end(to) : "");
	}
	free_rows(columns);
}

static bool coloured(FILE *to)
{
	return isatty(fileno(to)) && !getenv("NO_COLOR");
}

const char *tone_start(enum tone tone, FILE *to)
{
	static const char *const sequence[] = {
		[TONE_PLAIN] = "",
		[TONE_GOOD] = "\033[32m",
		[TONE_BAD] = "\033[31m",
		[TONE_FAINT] = "\033[2m",
	};

	return coloured(to) ? sequence[tone] : "";
}

const char *tone_end(FILE *to)
{
	return coloured(to) ? "\033[0m" : "";
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
