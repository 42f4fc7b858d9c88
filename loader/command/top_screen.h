/* SPDX-License-Identifier: GPL-2.0 */
/* The screen of `top`: a terminal by ncurses, its keys, what is drawn. */
#ifndef PORTCULLIS_COMMAND_TOP_SCREEN_H
#define PORTCULLIS_COMMAND_TOP_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

#include "loader/base/names.h"
#include "loader/report/top_model.h"

/* The data on the screen, and the view of the user. */
struct top_view {
	struct top_looks now, before;
	struct names missing; /* interfaces that were named and have no filter at present */
	struct top_rows rows[TOP_PANELS];
	size_t scrolled[TOP_PANELS]; /* rows above the area */
	enum top_panel active;
	enum top_sort sort;
	bool frozen, help;
	unsigned int interval; /* seconds */
	char *host;
	char *message; /* what could not be read, or NULL */
};

/* Takes the terminal of stdin and stdout. -errno with a message if it cannot be used. */
int top_screen_begin(void);
/* Gives it back as it was. */
void top_screen_end(void);

enum top_key {
	TOP_KEY_NONE, /* nothing was pressed */
	TOP_KEY_QUIT,
	TOP_KEY_VIEW,  /* the view has changed */
	TOP_KEY_SORT,  /* its rows have to be made again */
	TOP_KEY_AGAIN, /* no longer frozen: the counters have to be read */
};

/* Takes the next key and changes the view. */
enum top_key top_screen_key(struct top_view *view);

void top_screen_draw(struct top_view *view);

/* After the terminal was given to others (SIGCONT): its size may be another one. */
void top_screen_resume(void);

#endif
