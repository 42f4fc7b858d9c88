// SPDX-License-Identifier: GPL-2.0
/* Fits a report to the rows of a terminal. */
#include "loader/command/screen.h"

#include <stdlib.h>
#include <string.h>

#include "loader/base/columns.h"
#include "loader/base/memory.h"
#include "loader/base/terminal.h"

/* Returns the report's text, and its number of lines in `*lines`. */
static char *text_of_report(screen_writer *write, const void *context, size_t top, size_t *lines)
{
	char *text = NULL;
	size_t length = 0, i;
	FILE *to = open_memstream(&text, &length);

	if (!to)
		return NULL;
	write(context, top, to);
	fclose(to);
	*lines = 0;
	for (i = 0; i < length; i++)
		*lines += text[i] == '\n';
	return text;
}

/* Prints the first `rows` lines; the last of them says how many more there are. */
static void print_first(const char *text, size_t lines, size_t rows)
{
	__free_text char *more = NULL;

	for (size_t i = 0; i + 1 < rows; i++) {
		size_t length = strcspn(text, "\n") + 1;

		fwrite(text, 1, length, stdout);
		text += length;
	}
	more = human_count(lines - rows + 1, "more line", "more lines");
	printf("  ... and %s, which a higher terminal shows\n", more);
}

/* Prints what `rows` lines have room for: the heading, and as many rows as possible. */
static void print_fitting(screen_writer *write, const void *context, size_t top, size_t rows)
{
	size_t low = 0, high = top < rows ? top : rows, lines;
	char *text;

	while (low < high) {
		top = low + (high - low + 1) / 2;
		free(text_of_report(write, context, top, &lines));
		if (lines <= rows)
			low = top;
		else
			high = top - 1;
	}
	text = text_of_report(write, context, low, &lines);
	if (text && lines > rows)
		print_first(text, lines, rows);
	else
		write(context, low, stdout);
	free(text);
}

void screen_print(screen_writer *write, const void *context, size_t top, bool first)
{
	size_t rows = terminal_rows(stdout);

	if (terminal_moves(stdout))
		fputs("\033[H\033[J", stdout);
	else if (!first)
		putchar('\n');
	if (rows)
		print_fitting(write, context, top,
			      rows - 1); /* the cursor stands on the last one */
	else
		write(context, top, stdout);
}
