/* SPDX-License-Identifier: GPL-2.0 */
/* A report that --watch prints again and again, as much of it as the terminal shows. */
#ifndef PORTCULLIS_COMMAND_SCREEN_H
#define PORTCULLIS_COMMAND_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Prints a report with at most `top` rows. */
typedef void screen_writer(const void *context, size_t top, FILE *to);

/*
 * Prints the report to stdout over the previous one, or below it if the cursor cannot be moved. On
 * a terminal it has as many rows as there is room for, at most `top`.
 */
void screen_print(screen_writer *write, const void *context, size_t top, bool first);

#endif
