// SPDX-License-Identifier: GPL-2.0
/* Messages about the user's input, collected so that one run reports all of them. */
#include "loader/base/diag.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/base/terminal.h"
#include "loader/base/utf8.h"
#include "loader/base/wrap.h"

/* bytes of a source line that are kept; of a longer line, those near the error */
#define SOURCE_LIMIT  1000
#define SOURCE_BEFORE 40 /* characters kept before the error in such a line */
/* bytes of a message; else one input of a megabyte could be quoted a thousand times */
#define MESSAGE_LIMIT 1000

/* Copies at most `limit` bytes, with a '?' for each control character and bad byte. */
static char *clean(const char *text, size_t length, size_t limit, bool tabs)
{
	char *copy = xcalloc(limit + 1, 1);
	size_t used = 0;
	unsigned int code;

	while (length) {
		size_t bytes = utf8_decode(text, length, &code);
		bool good = bytes && (!utf8_control(code) || (tabs && code == '\t'));
		size_t room = good ? bytes : 1;

		if (used + room > limit)
			break;
		if (good)
			memcpy(copy + used, text, bytes);
		else
			copy[used] = '?';
		used += room;
		text += bytes ? bytes : 1;
		length -= bytes ? bytes : 1;
	}
	return copy;
}

static char *clean_message(const char *text)
{
	size_t length = strlen(text);
	__free_text char *start = NULL;

	if (length <= MESSAGE_LIMIT)
		return clean(text, length, length, false);
	start = clean(text, length, MESSAGE_LIMIT - 3, false);
	return xasprintf("%s...", start);
}

/* Copies the source line; of a very long one, the part from a little before the error on. */
static void set_source(struct diag_entry *entry, const struct place *place)
{
	const char *text = place->source;
	size_t length = place->source_length;
	unsigned int code;

	entry->source_column = place->source_column > 1 ? place->source_column : 1;
	if (!text)
		return;
	while (length > SOURCE_LIMIT && entry->source_column + SOURCE_BEFORE < place->column) {
		size_t bytes = utf8_decode(text, length, &code);

		text += bytes ? bytes : 1;
		length -= bytes ? bytes : 1;
		entry->source_column++;
	}
	entry->source = clean(text, length, length < SOURCE_LIMIT ? length : SOURCE_LIMIT, true);
}

static bool same_file(const struct diag_entry *a, const struct diag_entry *b)
{
	if (!a->file || !b->file)
		return a->file == b->file;
	return !strcmp(a->file, b->file);
}

static bool is_before(const struct diag_entry *a, const struct diag_entry *b)
{
	return a->line != b->line ? a->line < b->line : a->column < b->column;
}

static void insert(struct diag *diag, const struct diag_entry *entry)
{
	size_t at = diag->count;

	while (at && !same_file(&diag->entry[at - 1], entry))
		at--;
	if (!at) /* the first entry of its file */
		at = diag->count;
	else
		while (at && same_file(&diag->entry[at - 1], entry) &&
		       is_before(entry, &diag->entry[at - 1]))
			at--;
	diag->entry = grow(diag->entry, diag->count, sizeof(*diag->entry));
	memmove(&diag->entry[at + 1], &diag->entry[at], (diag->count - at) * sizeof(*entry));
	diag->entry[at] = *entry;
	diag->count++;
	diag->errors += entry->level == DIAG_ERROR;
}

/* Counts an entry that is not kept. The last entry, "there are more", becomes an error with the
 * first such error. */
static void count_beyond(struct diag *diag, enum diag_level level)
{
	struct diag_entry *last;

	if (diag->count == DIAG_LIMIT) {
		diag->entry = grow(diag->entry, diag->count, sizeof(*diag->entry));
		diag->entry[diag->count++] = (struct diag_entry){
			.level = DIAG_WARNING,
			.message = xasprintf("there are more; only the first %d are shown",
					     DIAG_LIMIT),
		};
	}
	last = &diag->entry[DIAG_LIMIT];
	if (level == DIAG_ERROR && last->level != DIAG_ERROR) {
		last->level = DIAG_ERROR;
		diag->errors++;
	}
}

bool diag_full(const struct diag *diag)
{
	return diag->count > DIAG_LIMIT && diag->entry[DIAG_LIMIT].level == DIAG_ERROR;
}

/* Whether the entry repeats one: a profile that several others include is read for each of them. */
static bool is_told(const struct diag *diag, const struct diag_entry *entry)
{
	for (size_t i = 0; i < diag->count; i++) {
		const struct diag_entry *told = &diag->entry[i];

		if (told->level == entry->level && told->line == entry->line &&
		    told->column == entry->column && same_file(told, entry) &&
		    !strcmp(told->message, entry->message))
			return true;
	}
	return false;
}

static void entry_free(struct diag_entry *entry)
{
	free(entry->file);
	free(entry->source);
	free(entry->message);
	free(entry->fix);
	*entry = (struct diag_entry){0};
}

/* Adds an entry with the level, the fix and the error of `*made`. */
__attribute__((format(printf, 4, 0))) static void add(struct diag *diag,
						      const struct diag_entry *made,
						      const struct place *place, const char *format,
						      va_list args)
{
	struct diag_entry entry = {.level = made->level, .fix = made->fix, .err = made->err};
	__free_text char *message = NULL;

	if (diag->count >= DIAG_LIMIT) {
		count_beyond(diag, entry.level);
		return;
	}
	message = xvasprintf(format, args);
	entry.message = clean_message(message);
	if (entry.fix)
		entry.fix = clean(entry.fix, strlen(entry.fix), strlen(entry.fix), false);
	if (place && place->file)
		entry.file = clean(place->file, strlen(place->file), strlen(place->file), false);
	if (place && place->line) {
		entry.line = place->line;
		entry.column = place->column > 0 ? place->column : 1;
		entry.width = place->width > 0 ? place->width : 1;
		set_source(&entry, place);
	}
	if (is_told(diag, &entry))
		entry_free(&entry);
	else
		insert(diag, &entry);
}

void diag_error(struct diag *diag, const struct place *place, const char *format, ...)
{
	static const struct diag_entry made = {.level = DIAG_ERROR};
	va_list args;

	va_start(args, format);
	add(diag, &made, place, format, args);
	va_end(args);
}

void diag_warning(struct diag *diag, const struct place *place, const char *format, ...)
{
	static const struct diag_entry made = {.level = DIAG_WARNING};
	va_list args;

	va_start(args, format);
	add(diag, &made, place, format, args);
	va_end(args);
}

void diag_error_fix(struct diag *diag, const struct place *place, const char *fix,
		    const char *format, ...)
{
	const struct diag_entry made = {.level = DIAG_ERROR, .fix = (char *)fix};
	va_list args;

	va_start(args, format);
	add(diag, &made, place, format, args);
	va_end(args);
}

void diag_warning_fix(struct diag *diag, const struct place *place, const char *fix,
		      const char *format, ...)
{
	const struct diag_entry made = {.level = DIAG_WARNING, .fix = (char *)fix};
	va_list args;

	va_start(args, format);
	add(diag, &made, place, format, args);
	va_end(args);
}

__attribute__((format(printf, 4, 5))) static void add_one(struct diag *diag,
							  const struct diag_entry *made,
							  const struct place *place,
							  const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(diag, made, place, format, args);
	va_end(args);
}

void diag_errno(struct diag *diag, const struct place *place, int err, const char *what)
{
	const struct diag_entry made = {.level = DIAG_ERROR, .err = err};

	add_one(diag, &made, place, "%s%s%s", what ?: "", what ? ": " : "", strerror(-err));
}

void diag_pass_on(struct diag *diag, const struct place *place, const struct diag_entry *entry)
{
	add_one(diag, entry, place, "%s", entry->message);
}

struct place diag_place(const struct diag_entry *entry)
{
	return (struct place){
		.file = entry->file,
		.line = entry->line,
		.column = entry->column,
		.width = entry->width,
		.source = entry->source,
		.source_length = entry->source ? strlen(entry->source) : 0,
		.source_column = entry->source_column,
	};
}

void diag_take(struct diag *diag, struct diag *from)
{
	for (size_t i = 0; i < from->count; i++) {
		struct diag_entry *entry = &from->entry[i];

		if (diag->count >= DIAG_LIMIT) {
			count_beyond(diag, entry->level);
			continue;
		}
		if (is_told(diag, entry)) {
			entry_free(entry);
			continue;
		}
		insert(diag, entry);
		*entry = (struct diag_entry){0};
	}
	diag_free(from);
}

void diag_free(struct diag *diag)
{
	for (size_t i = 0; i < diag->count; i++)
		entry_free(&diag->entry[i]);
	free(diag->entry);
	*diag = (struct diag){0};
}

/* The first character of the text: its bytes (1 where it is not UTF-8), and its columns on a
 * terminal. */
static size_t source_character(const char *text, size_t *columns)
{
	unsigned int code = '?';
	size_t bytes = utf8_decode(text, strlen(text), &code);

	*columns = bytes ? utf8_columns(code) : 1;
	return bytes ? bytes : 1;
}

/* The columns that the characters take. A tab counts as one, because it is repeated below. */
static size_t source_width(const char *text, int characters)
{
	size_t width = 0, columns;

	for (; characters > 0 && *text; characters--) {
		text += source_character(text, &columns);
		width += columns;
	}
	return width;
}

static void put(char character, size_t times, FILE *to)
{
	while (times--)
		fputc(character, to);
}

/*
 * Prints the line and carets under the error. Tabs are repeated below, so that both lines align. If
 * the line is wider than the terminal, only the part with the error is printed.
 */
static void print_source(const struct diag_entry *entry, FILE *to)
{
	size_t limit = isatty(fileno(to)) ? terminal_columns(to) : 0, columns, marked, length;
	const char *text = entry->source;
	int column = entry->source_column;

	while (limit && column < entry->column &&
	       source_width(text, entry->column - column + entry->width) > limit) {
		text += source_character(text, &columns);
		column++;
	}
	length = limit ? wrap_fits(text, limit) : strlen(text);
	fprintf(to, "%.*s\n", (int)length, text);
	for (; column < entry->column; column++) {
		char space = *text == '\t' ? '\t' : ' ';

		columns = 1;
		if (*text)
			text += source_character(text, &columns);
		put(space, columns, to);
	}
	fputc('^', to);
	marked = source_width(text, entry->width);
	if (limit && marked > limit)
		marked = limit;
	put('~', marked > 1 ? marked - 1 : 0, to);
	fputc('\n', to);
}

void diag_print(const struct diag *diag, FILE *to)
{
	for (size_t i = 0; i < diag->count; i++) {
		const struct diag_entry *entry = &diag->entry[i];
		const char *level = entry->level == DIAG_WARNING ? "warning: " : "";
		__free_text char *start = NULL;

		if (entry->line)
			start = xasprintf("%s:%d:%d: %s", entry->file ?: "?", entry->line,
					  entry->column, level);
		else
			start = xasprintf("portcullis: %s%s%s", entry->file ?: "",
					  entry->file ? ": " : "", level);
		message_print(start, entry->message, entry->fix, to);
		if (entry->line && entry->source)
			print_source(entry, to);
	}
}

/* "FILE:LINE:COLUMN: MESSAGE"; the caller frees. */
static char *entry_text(const struct diag_entry *entry)
{
	if (entry->line)
		return xasprintf("%s:%d:%d: %s", entry->file ? entry->file : "?", entry->line,
				 entry->column, entry->message);
	return xasprintf("%s%s%s", entry->file ? entry->file : "", entry->file ? ": " : "",
			 entry->message);
}

void diag_report(struct diag *diag)
{
	bool taken = true;

	for (size_t i = 0; i < diag->count && taken; i++) {
		__free_text char *text = entry_text(&diag->entry[i]);

		taken = message_take(diag->entry[i].level == DIAG_ERROR, text, diag->entry[i].fix);
	}
	if (!taken)
		diag_print(diag, stderr);
	diag_free(diag);
}
