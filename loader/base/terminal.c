// SPDX-License-Identifier: GPL-2.0
/* Tells what a terminal can show: its size, colours, cursor movement. */
#include "loader/base/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define LEAST_COLUMNS 20 /* in a narrower one, no column of a table would hold a word */
#define LEAST_ROWS    5
#define MOST	      10000

/* The whole number, 1 to MOST, in an environment variable; 0: there is none. */
static size_t number_of(const char *variable)
{
	const char *text = getenv(variable);
	char *end;
	unsigned long number;

	if (!text || *text < '0' || *text > '9')
		return 0;
	number = strtoul(text, &end, 10);
	return *end || number > MOST ? 0 : number;
}

static struct winsize size_of(FILE *to)
{
	struct winsize size = {};
	int fd = fileno(to);

	if (fd < 0 || !isatty(fd) || ioctl(fd, TIOCGWINSZ, &size))
		return (struct winsize){};
	return size;
}

static size_t at_least(size_t number, size_t least)
{
	return number && number < least ? least : number;
}

size_t terminal_columns(FILE *to)
{
	size_t columns = number_of("COLUMNS");

	return at_least(columns ? columns : size_of(to).ws_col, LEAST_COLUMNS);
}

size_t terminal_rows(FILE *to)
{
	size_t rows = number_of("LINES");

	return terminal_moves(to) ? at_least(rows ? rows : size_of(to).ws_row, LEAST_ROWS) : 0;
}

bool terminal_moves(FILE *to)
{
	const char *kind = getenv("TERM");
	int fd = fileno(to);

	return fd >= 0 && isatty(fd) && kind && *kind && strcmp(kind, "dumb");
}

bool terminal_colours(FILE *to)
{
	const char *none = getenv("NO_COLOR");

	return terminal_moves(to) && (!none || !*none);
}
