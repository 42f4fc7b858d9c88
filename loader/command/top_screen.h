/* SPDX-License-Identifier: GPL-2.0 */
/* The screen of `top`: the terminal with ncurses, its keys, and drawing. */
#ifndef PORTCULLIS_COMMAND_TOP_SCREEN_H
#define PORTCULLIS_COMMAND_TOP_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

#include "loader/base/names.h"
#include "loader/report/top_model.h"

/* The data on the screen, and what the user chose to see. */
struct top_view {
	struct top_looks now, before;
	struct names missing; /* named interfaces that have no filter at present */
	struct top_rows rows[TOP_PANELS];
	size_t scrolled[TOP_PANELS]; /* rows above the area */
	enum top_panel active;
	enum top_sort sort;
	bool frozen, help;
	unsigned int interval; /* seconds */
	char *host;
	char *message; /* the error of the last reading, or NULL */
};

/* Takes the terminal of stdin and stdout. -errno with a message if it cannot be used. */
int top_screen_begin(void);
/* Restores the terminal. */
void top_screen_end(void);

enum top_key {
	TOP_KEY_NONE, /* no key was pressed */
	TOP_KEY_QUIT,
	TOP_KEY_VIEW,  /* the view has changed */
	TOP_KEY_SORT,  /* the rows must be made again */
	TOP_KEY_AGAIN, /* freezing has ended: the counters must be read */
};

/* Reads the next key and changes the view. */
enum top_key top_screen_key(struct top_view *view);

void top_screen_draw(struct top_view *view);

/* Call it after the terminal was used by others (SIGCONT), because its size may have changed. */
void top_screen_resume(void);

#endif
