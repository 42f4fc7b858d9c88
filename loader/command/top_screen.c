// SPDX-License-Identifier: GPL-2.0
/* The screen of `top`: the terminal with ncurses, its keys, and drawing. */
#include "loader/command/top_screen.h"

#include <curses.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "loader/base/clock.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/base/terminal.h"
#include "loader/base/utf8.h"
#include "loader/report/top_table.h"

#define ESCAPE_MS 25 /* ms to wait after an Escape for the rest of an arrow key's sequence */

/* Colour pairs by tone; the background is the terminal's. */
static const short tone_colour[] = {
	[TONE_PLAIN] = -1,
	[TONE_GOOD] = COLOR_GREEN,
	[TONE_BAD] = COLOR_RED,
	[TONE_FAINT] = -1,
};

/* --- begin and end --- */

static int refuse_terminal(void)
{
	__free_text char *shown = text_printable(getenv("TERM") ?: "");

	error_fix("TERM=xterm portcullis top",
		  "top: the terminal '%s' (TERM) is unknown here, or cannot move its cursor",
		  shown);
	return -ENOTTY;
}

/* newterm() returns an error for an unknown terminal, where initscr() would end the process. */
static int open_terminal(void)
{
	SCREEN *screen;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		error_fix("portcullis counters --watch 2",
			  "top: needs a terminal; counters prints the same to a file or a pipe");
		return -ENOTTY;
	}
	/* Uses the terminal's own size, because it may change. */
	unsetenv("LINES");
	unsetenv("COLUMNS");
	screen = terminal_moves(stdout) ? newterm(NULL, stdout, stdin) : NULL;
	if (!screen)
		return refuse_terminal();
	if (tigetstr("cup"))
		return 0;
	endwin();
	delscreen(screen);
	return refuse_terminal();
}

static void begin_colours(void)
{
	short background;

	if (!terminal_colours(stdout) || !has_colors() || start_color() == ERR)
		return;
	background = use_default_colors() == OK ? -1 : COLOR_BLACK;
	for (short tone = 0; tone < (short)ARRAY_SIZE(tone_colour); tone++)
		if (tone_colour[tone] >= 0)
			init_pair((short)(tone + 1), tone_colour[tone], background);
}

int top_screen_begin(void)
{
	int err = open_terminal();

	if (err)
		return err;
	set_escdelay(ESCAPE_MS);
	cbreak();
	noecho();
	nonl();
	curs_set(0);
	keypad(stdscr, true);
	nodelay(stdscr, true);
	begin_colours();
	return 0;
}

void top_screen_end(void)
{
	/* A terminal that was stopped by Ctrl-S would block the end of the command; TCOON only
	 * works after TCOOFF.
	 */
	tcflow(STDOUT_FILENO, TCOOFF);
	tcflow(STDOUT_FILENO, TCOON);
	endwin();
}

void top_screen_resume(void)
{
	struct winsize size;

	/* ncurses restores the terminal after Ctrl-Z, but does not notice SIGSTOP. */
	if (tcgetpgrp(STDIN_FILENO) == getpgrp())
		reset_prog_mode();
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_row && size.ws_col &&
	    (size.ws_row != LINES || size.ws_col != COLS))
		resizeterm(size.ws_row, size.ws_col);
	clearok(curscr, true);
}

/* --- keys --- */

static void scroll_by(struct top_view *view, long rows)
{
	size_t *scrolled = &view->scrolled[view->active];

	/* If this is past the end, drawing corrects it. */
	*scrolled = rows < 0 && (size_t)-rows > *scrolled ? 0 : *scrolled + (size_t)rows;
}

static enum top_key sort_by(struct top_view *view, enum top_sort sort)
{
	view->sort = sort;
	memset(view->scrolled, 0, sizeof(view->scrolled));
	return TOP_KEY_SORT;
}

static enum top_key freeze(struct top_view *view)
{
	view->frozen = !view->frozen;
	return view->frozen ? TOP_KEY_VIEW : TOP_KEY_AGAIN;
}

static enum top_key scroll_key(struct top_view *view, int key)
{
	long page = LINES / 3;

	switch (key) {
	case '\t':
	case KEY_RIGHT: view->active = (view->active + 1) % TOP_PANELS; break;
	case KEY_BTAB:
	case KEY_LEFT: view->active = (view->active + TOP_PANELS - 1) % TOP_PANELS; break;
	case KEY_UP: scroll_by(view, -1); break;
	case KEY_DOWN: scroll_by(view, 1); break;
	case KEY_PPAGE: scroll_by(view, -page); break;
	case KEY_NPAGE: scroll_by(view, page); break;
	case KEY_HOME: scroll_by(view, -TOP_ROWS_MOST); break;
	case KEY_END: scroll_by(view, TOP_ROWS_MOST); break;
	case KEY_RESIZE: break;
	case '\f': clearok(curscr, true); break;
	default: return TOP_KEY_NONE;
	}
	return TOP_KEY_VIEW;
}

enum top_key top_screen_key(struct top_view *view)
{
	for (;;) {
		int key = getch();
		enum top_key did;

		if (key == ERR)
			return TOP_KEY_NONE;
		if (view->help && key != KEY_RESIZE && key != 'q') {
			view->help = false;
			return TOP_KEY_VIEW;
		}
		switch (key) {
		case 'q':
		case 'Q': return TOP_KEY_QUIT;
		case 's': return sort_by(view, (view->sort + 1) % TOP_SORTS);
		case '1':
		case '2':
		case '3': return sort_by(view, (enum top_sort)(key - '1'));
		case 'p':
		case ' ': return freeze(view);
		case '?':
		case 'h': view->help = true; return TOP_KEY_VIEW;
		}
		did = scroll_key(view, key);
		if (did != TOP_KEY_NONE)
			return did;
	}
}

/* --- drawing --- */

/* In a locale with single-byte characters, bytes of UTF-8 would be shown as other characters. */
static void replace_wide(char *text)
{
	if (MB_CUR_MAX > 1)
		return;
	for (; *text; text++)
		if (*text & 0x80)
			*text = '?';
}

/* A line of an area; `text` has no control characters, and fits. */
static void put_line(size_t row, size_t left, const char *text, enum tone tone, attr_t attributes)
{
	__free_text char *shown = xstrdup(text);

	replace_wide(shown);
	if (tone_colour[tone] >= 0 && has_colors() && terminal_colours(stdout))
		attributes |= COLOR_PAIR(tone + 1);
	attrset((int)attributes);
	mvaddstr((int)row, (int)left, shown);
	attrset(A_NORMAL);
}

/* A line in reverse, over its full width. */
static void put_bar(size_t row, size_t left, size_t columns, const char *text, attr_t attributes)
{
	__free_text char *shown = top_cut(text, columns);

	mvhline((int)row, (int)left, ' ' | (chtype)attributes, (int)columns);
	put_line(row, left, shown, TONE_PLAIN, attributes);
}

static void draw_title(const struct top_view *view)
{
	struct top_title title = {.host = view->host,
				  .interval = view->interval,
				  .frozen = view->frozen,
				  .wall = clock_wall()};
	__free_text char *line = top_title_line(&title, (size_t)COLS);

	put_bar(0, 0, (size_t)COLS, line, A_REVERSE | A_BOLD);
}

/* The lines of interfaces; those without a filter come last. */
static char *interface_line(const struct top_view *view, size_t at, enum tone *tone)
{
	size_t count = view->now.count;
	__free_text char *line = NULL;

	*tone = TONE_BAD;
	if (at < count)
		return top_interface_line(&view->now, &view->before, at, clock_boot(), (size_t)COLS,
					  tone);
	line = at - count < view->missing.count ?
		       xasprintf(" %s  has no filter", view->missing.name[at - count]) :
		       xstrdup(" portcullis is attached to no interface of this network namespace");
	return top_cut(line, (size_t)COLS);
}

/* Draws the header, and returns its number of rows. */
static size_t draw_header(const struct top_view *view)
{
	size_t interfaces = (view->now.count + view->missing.count) ?: 1;
	size_t rows = top_header_rows((size_t)LINES, interfaces);

	draw_title(view);
	for (size_t i = 0; i + 1 < rows; i++) {
		enum tone tone = TONE_PLAIN;
		__free_text char *line =
			i + 2 == rows && i + 1 < interfaces ?
				xasprintf(" ... and %zu more interfaces", interfaces - i) :
				interface_line(view, i, &tone);

		put_line(i + 1, 0, line, tone, tone == TONE_BAD ? A_BOLD : A_NORMAL);
	}
	return rows;
}

static void draw_panel(struct top_view *view, enum top_panel panel, const struct top_area *area)
{
	const struct top_rows *rows = &view->rows[panel];
	size_t room = area->rows ? area->rows - 1 : 0;
	size_t most = rows->count > room ? rows->count - room : 0;
	bool active = panel == view->active;
	struct top_table table;

	if (!area->rows)
		return;
	if (view->scrolled[panel] > most)
		view->scrolled[panel] = most;
	top_table_fit(&table, panel, &view->now, rows, area->columns);
	{
		__free_text char *heading = top_table_heading(&table, view->sort, active);

		put_bar(area->top, area->left, area->columns, heading,
			active ? A_REVERSE : A_UNDERLINE);
	}
	for (size_t i = 0; i < room && view->scrolled[panel] + i < rows->count; i++) {
		const struct top_row *row = &rows->row[view->scrolled[panel] + i];
		__free_text char *line = top_table_line(&table, &view->now, row);

		put_line(area->top + 1 + i, area->left, line, top_row_tone(&view->now, row),
			 A_NORMAL);
	}
}

/* The position in the active panel: "1-12 of 131072". */
static char *position_text(const struct top_view *view, const struct top_area *area)
{
	const struct top_rows *rows = &view->rows[view->active];
	size_t first = view->scrolled[view->active];
	size_t room = area->rows ? area->rows - 1 : 0;
	size_t last = first + room < rows->count ? first + room : rows->count;

	if (!rows->count)
		return xstrdup("");
	return xasprintf("%zu-%zu of %zu ", first + 1, last, rows->count + rows->left_out);
}

static void draw_footer(const struct top_view *view, const struct top_area *area)
{
	__free_text char *position = position_text(view, area);
	__free_text char *keys =
		xasprintf(" q quit  ? help  s sort: %s  p %s  tab panel", top_sort_name[view->sort],
			  view->frozen ? "go on" : "freeze");
	size_t columns = (size_t)COLS, right = strlen(position);
	size_t left = columns > right ? columns - right : columns;

	put_bar((size_t)LINES - 1, 0, columns - 1, "", A_NORMAL);
	if (view->message) {
		__free_text char *message = xasprintf(" %s", view->message);
		__free_text char *shown = top_cut(message, columns - 1);

		put_line((size_t)LINES - 1, 0, shown, TONE_BAD, A_BOLD);
		return;
	}
	{
		__free_text char *shown = top_cut(keys, left - 1);

		put_line((size_t)LINES - 1, 0, shown, TONE_PLAIN, A_NORMAL);
	}
	put_line((size_t)LINES - 1, left - 1, position, TONE_PLAIN, A_NORMAL);
}

static const char *const help_lines[] = {
	"portcullis top: packets that pass and that are dropped, live",
	"",
	TOP_KEYS,
	"",
	"PKT/S BIT/S    since the screen before; whole frames",
	"DROP/S         dropped, under observe: would be dropped",
	"PACKETS        since counting began (counters --clear)",
	"",
	"any key goes back",
};

static void draw_help(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(help_lines) && i + 1 < (size_t)LINES; i++) {
		__free_text char *line = top_cut(help_lines[i], (size_t)COLS - 2);

		put_line(i, 1, line, TONE_PLAIN, i ? A_NORMAL : A_BOLD);
	}
}

static void draw_too_small(void)
{
	__free_text char *line = xasprintf("%dx%d is too small: %dx%d", COLS, LINES,
					   TOP_COLUMNS_LEAST, TOP_ROWS_LEAST);
	__free_text char *shown = top_cut(line, (size_t)COLS);

	put_line(0, 0, shown, TONE_PLAIN, A_BOLD);
}

static void draw_panels(struct top_view *view)
{
	size_t need[TOP_PANELS], header = draw_header(view);
	struct top_area area[TOP_PANELS];

	for (size_t i = 0; i < TOP_PANELS; i++)
		need[i] = view->rows[i].count + 1;
	top_place((size_t)LINES, (size_t)COLS, header, need, view->active, area);
	for (enum top_panel i = 0; i < TOP_PANELS; i++)
		draw_panel(view, i, &area[i]);
	draw_footer(view, &area[view->active]);
}

/*
 * False if drawing would block (Ctrl-S, a dead link), or if another process has the terminal: a
 * write that blocks cannot be stopped.
 */
static bool can_draw(void)
{
	struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};

	return poll(&out, 1, 0) == 1 && out.revents & POLLOUT &&
	       tcgetpgrp(STDIN_FILENO) == getpgrp();
}

void top_screen_draw(struct top_view *view)
{
	if (!can_draw())
		return;
	erase();
	if (LINES < TOP_ROWS_LEAST || COLS < TOP_COLUMNS_LEAST)
		draw_too_small();
	else if (view->help)
		draw_help();
	else
		draw_panels(view);
	refresh();
}
