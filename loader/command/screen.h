/* SPDX-License-Identifier: GPL-2.0 */
/* A report that --watch prints again and again, as much of it as the terminal shows. */
#ifndef PORTCULLIS_COMMAND_SCREEN_H
#define PORTCULLIS_COMMAND_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Prints a report of which at most `top` rows can be left out. */
typedef void screen_writer(const void *context, size_t top, FILE *to);

/*
 * Prints the report to stdout in the place of the one before, or below it where the cursor cannot
 * be moved. On a terminal it is printed with as many rows as there is room for, at most `top`.
 */
void screen_print(screen_writer *write, const void *context, size_t top, bool first);

#endif
