/* SPDX-License-Identifier: GPL-2.0 */
/* Aligned columns on a terminal, and human forms of numbers. */
#ifndef PORTCULLIS_BASE_COLUMNS_H
#define PORTCULLIS_BASE_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <linux/types.h>

#define COLUMNS_MOST 12

enum tone {
	TONE_PLAIN,
	TONE_GOOD,
	TONE_BAD,
	TONE_FAINT,
};

struct columns {
	size_t count;
	size_t limit; /* columns of a line, as terminal_columns tells; 0: none */
	/* A heading that begins with '>' is that of numbers: right-aligned, never broken. A '?' in
	 * front allows the column to be left out where the others would get too narrow. */
	const char *heading[COLUMNS_MOST];
	char **cell;	 /* rows * count, owned */
	enum tone *tone; /* of each row */
	size_t rows;
	size_t width[COLUMNS_MOST]; /* what its cells need; 0: nothing was printed yet */
	size_t word[COLUMNS_MOST];  /* of their longest words */
	bool left_out;		    /* optional columns were left out */
};

/* Adds a row of columns->count texts, which are copied. */
void columns_row(struct columns *columns, enum tone tone, const char *const *cell);

/*
 * Prints all rows indented by two, headings first, no line wider than `limit`: texts that do not
 * fit go on below, in their column. Control characters print as '?'. Frees the rows.
 * Rows that are added after that are printed by the next call, below them.
 */
void columns_print(struct columns *columns, FILE *to);

/* Escape sequence for a tone if `to` shows colours (terminal_colours), else "". */
const char *tone_start(enum tone tone, FILE *to);
const char *tone_end(FILE *to);

#define HUMAN_TEXT 32
/* 999, 1.23 k, 45.6 M ... with `unit` behind: "1.23 kB". Powers of 1000. */
const char *human(double value, const char *unit, char text[HUMAN_TEXT]);
/* "3 d 4 h", "5 min 6 s" */
const char *human_seconds(__u64 seconds, char text[HUMAN_TEXT]);
/* "1 prefix", "2 prefixes"; the caller frees. */
char *human_count(size_t count, const char *one, const char *more);

#endif
