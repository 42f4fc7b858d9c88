/* SPDX-License-Identifier: GPL-2.0 */
/* Tells what a terminal can show: its size, colours, cursor movement. */
#ifndef PORTCULLIS_BASE_TERMINAL_H
#define PORTCULLIS_BASE_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* The width of prose where neither COLUMNS nor a terminal gives one. */
#define TERMINAL_USUAL_COLUMNS 80

/* Columns of a line: COLUMNS, else the terminal's. 0: no limit, `to` is a file or a pipe. */
size_t terminal_columns(FILE *to);

/* Rows of a terminal: LINES, else its own size. 0: `to` is no terminal, or its size is unknown. */
size_t terminal_rows(FILE *to);

/* A terminal that takes escape sequences: TERM is set, and not "dumb". */
bool terminal_moves(FILE *to);

/* Whether to colour: terminal_moves, and NO_COLOR is unset or empty (no-color.org). */
bool terminal_colours(FILE *to);

#endif
