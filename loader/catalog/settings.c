// SPDX-License-Identifier: GPL-2.0
/* Reads settings from files whose lines are keys and values. */
#include "loader/catalog/settings.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"

#define BLANK	    " \t\r\f\v"
#define VALUE_LIMIT 4096 /* bytes; longer values are cut */

void settings_add(struct settings *settings, const char *key, size_t key_length, const char *value,
		  size_t value_length, int line)
{
	if (settings->count >= SETTINGS_LIMIT)
		return;
	settings->setting = grow(settings->setting, settings->count, sizeof(struct setting));
	settings->setting[settings->count++] = (struct setting){
		.key = xstrndup(key, key_length),
		.value = xstrndup(value, value_length),
		.line = line,
	};
}

const struct setting *settings_find(const struct settings *settings, const char *key)
{
	for (size_t i = settings->count; i-- > 0;)
		if (!strcmp(settings->setting[i].key, key))
			return &settings->setting[i];
	return NULL;
}

void settings_free(struct settings *settings)
{
	for (size_t i = 0; i < settings->count; i++) {
		free(settings->setting[i].key);
		free(settings->setting[i].value);
	}
	free(settings->setting);
	*settings = (struct settings){};
}

/* --- lines --- */

/* A cursor over the lines of a text without NULs. */
struct lines {
	const char *next, *end;
	const char *start; /* start of the line, which ends before `stop` */
	const char *stop;
	int line;
};

static int lines_begin(struct lines *lines, const char *text, size_t length, char **why)
{
	const char *nul = memchr(text, '\0', length);

	*lines = (struct lines){.next = text, .end = text + length};
	if (!nul)
		return 0;
	*why = xasprintf("it has a zero byte, at %zu, and so it is not text", (size_t)(nul - text));
	return -EINVAL;
}

static bool lines_next(struct lines *lines)
{
	const char *newline;

	if (lines->next >= lines->end)
		return false;
	newline = memchr(lines->next, '\n', (size_t)(lines->end - lines->next));
	lines->start = lines->next;
	lines->stop = newline ?: lines->end;
	lines->next = newline ? newline + 1 : lines->end;
	lines->line++;
	return true;
}

static bool is_blank(char c)
{
	return c && strchr(BLANK, c);
}

static const char *skip_blank(const char *from, const char *stop)
{
	while (from < stop && is_blank(*from))
		from++;
	return from;
}

static const char *cut_blank(const char *from, const char *stop)
{
	while (stop > from && is_blank(stop[-1]))
		stop--;
	return stop;
}

/* True if the line has nothing but blanks and a comment. */
static bool is_comment(const char *from, const char *stop)
{
	return from == stop || *from == '#' || *from == ';';
}

static int too_many(const struct settings *settings, char **why)
{
	if (settings->count < SETTINGS_LIMIT)
		return 0;
	*why = xasprintf("it has more than %d settings", SETTINGS_LIMIT);
	return -EINVAL;
}

/* --- KEY = VALUE --- */

/* Adds a continuation to the value of the last setting. */
static void continue_value(struct settings *settings, const char *from, const char *stop)
{
	struct setting *last = &settings->setting[settings->count - 1];
	char *joined;

	if (strlen(last->value) + (size_t)(stop - from) >= VALUE_LIMIT)
		return;
	joined = xasprintf("%s%s%.*s", last->value, *last->value ? " " : "", (int)(stop - from),
			   from);

	free(last->value);
	last->value = joined;
}

/* Quotes around a whole value are not a part of it. */
static void add_pair(struct settings *settings, const char *section, const char *from,
		     const char *stop, int line)
{
	const char *key = from, *value;
	__free_text char *whole = NULL;

	while (from < stop && !is_blank(*from) && *from != '=')
		from++;
	value = skip_blank(from, stop);
	if (value < stop && *value == '=')
		value++;
	if (value < stop && value[-1] == '=' && *value == '>')
		value++;
	value = skip_blank(value, stop);
	if (stop - value >= 2 && (*value == '"' || *value == '\'') && stop[-1] == *value) {
		value++;
		stop--;
	}
	whole = xasprintf("%s%s%.*s", section, *section ? "/" : "", (int)(from - key), key);
	settings_add(settings, whole, strlen(whole), value, (size_t)(stop - value), line);
}

int settings_keys(const char *text, size_t length, struct settings *settings, char **why)
{
	__free_text char *section = xstrdup("");
	struct lines lines;
	size_t before = settings->count;

	if (lines_begin(&lines, text, length, why))
		return -EINVAL;
	while (lines_next(&lines)) {
		const char *from = skip_blank(lines.start, lines.stop);
		const char *stop = cut_blank(from, lines.stop), *close;

		if (is_comment(from, stop))
			continue;
		if (*from == '[') {
			close = memchr(from, ']', (size_t)(stop - from));
			if (!close) {
				*why = xasprintf("line %d: '[' without ']'", lines.line);
				return -EINVAL;
			}
			free(section);
			section = xstrndup(from + 1, (size_t)(close - from - 1));
		} else if (from > lines.start && !*section && settings->count > before &&
			   settings->count < SETTINGS_LIMIT) {
			continue_value(settings, from, stop);
		} else {
			add_pair(settings, section, from, stop, lines.line);
		}
	}
	return too_many(settings, why);
}

/* --- master.cf --- */

#define MASTER_FIELDS 8 /* service, type, private, unpriv, chroot, wakeup, maxproc, command */

/* The start of field `number` (from 0), or `stop`. `*end`: the end of the field. */
static const char *field(const char *from, const char *stop, int number, const char **end)
{
	for (;; number--) {
		from = skip_blank(from, stop);
		for (*end = from; *end < stop && !is_blank(**end); ++*end)
			;
		if (!number || from == stop)
			return from;
		from = *end;
	}
}

int settings_master(const char *text, size_t length, struct settings *settings, char **why)
{
	struct lines lines;
	bool is_inet = false;

	if (lines_begin(&lines, text, length, why))
		return -EINVAL;
	while (lines_next(&lines)) {
		const char *from = skip_blank(lines.start, lines.stop);
		const char *stop = cut_blank(from, lines.stop), *end, *type, *type_end, *command;

		if (is_comment(from, stop))
			continue;
		if (from > lines.start) {
			if (is_inet && settings->count)
				continue_value(settings, from, stop);
			continue;
		}
		command = field(from, stop, MASTER_FIELDS - 1, &end);
		type = field(from, stop, 1, &type_end);
		if (command == stop) {
			*why = xasprintf("line %d: an entry has %d fields", lines.line,
					 MASTER_FIELDS);
			return -EINVAL;
		}
		is_inet = type_end - type == 4 && !memcmp(type, "inet", 4);
		field(from, stop, 0, &end);
		if (is_inet && settings->count < SETTINGS_LIMIT)
			settings_add(settings, from, (size_t)(end - from), command,
				     (size_t)(stop - command), lines.line);
		else
			is_inet = false;
	}
	return too_many(settings, why);
}

/* --- Dovecot --- */

struct blocks {
	char *path[SETTINGS_DEPTH]; /* names of the open blocks, a slash behind each */
	size_t depth;
};

static void blocks_free(struct blocks *blocks)
{
	while (blocks->depth)
		free(blocks->path[--blocks->depth]);
}

/* The words of a block's head with one blank between them: "service imap-login". */
static char *one_space(const char *from, const char *stop)
{
	char *text = xcalloc((size_t)(stop - from) + 1, 1), *to = text;

	for (; from < stop; from++) {
		if (!is_blank(*from))
			*to++ = *from;
		else if (to > text && to[-1] != ' ')
			*to++ = ' ';
	}
	return text;
}

static int open_block(struct blocks *blocks, const char *from, const char *stop, int line,
		      char **why)
{
	__free_text char *name = one_space(from, cut_blank(from, stop));

	if (blocks->depth == SETTINGS_DEPTH) {
		*why = xasprintf("line %d: more than %d blocks in each other", line,
				 SETTINGS_DEPTH);
		return -EINVAL;
	}
	blocks->path[blocks->depth] =
		xasprintf("%s%s/", blocks->depth ? blocks->path[blocks->depth - 1] : "", name);
	blocks->depth++;
	return 0;
}

static int close_block(struct blocks *blocks, int line, char **why)
{
	if (!blocks->depth) {
		*why = xasprintf("line %d: '}' without '{'", line);
		return -EINVAL;
	}
	free(blocks->path[--blocks->depth]);
	return 0;
}

static void add_dovecot(struct settings *settings, const struct blocks *blocks, const char *from,
			const char *stop, int line)
{
	__free_text char *section = NULL;
	size_t length = 0;

	if (blocks->depth) {
		length = strlen(blocks->path[blocks->depth - 1]);
		section = xstrndup(blocks->path[blocks->depth - 1], length - 1);
	}
	add_pair(settings, section ?: "", from, stop, line);
}

/* The end of a line without its comment, which begins with a '#' after a blank. */
static const char *cut_comment(const char *from, const char *stop)
{
	for (const char *at = from; at < stop; at++)
		if (*at == '#' && (at == from || is_blank(at[-1])))
			return cut_blank(from, at);
	return stop;
}

int settings_dovecot(const char *text, size_t length, struct settings *settings, char **why)
{
	__cleanup(blocks_free) struct blocks blocks = {};
	struct lines lines;
	int err = lines_begin(&lines, text, length, why);

	while (!err && lines_next(&lines)) {
		const char *from = skip_blank(lines.start, lines.stop);
		const char *stop = cut_comment(from, cut_blank(from, lines.stop));

		if (is_comment(from, stop))
			continue;
		if (*from == '}')
			err = close_block(&blocks, lines.line, why);
		else if (stop[-1] == '{')
			err = open_block(&blocks, from, stop - 1, lines.line, why);
		else
			add_dovecot(settings, &blocks, from, stop, lines.line);
	}
	if (!err && blocks.depth) {
		*why = xstrdup("a '{' is not closed");
		err = -EINVAL;
	}
	return err ?: too_many(settings, why);
}
