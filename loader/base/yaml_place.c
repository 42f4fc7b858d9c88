// SPDX-License-Identifier: GPL-2.0
/* Finds the place of a text in a YAML file, for messages. */
#include "loader/base/yaml_place.h"

#include <stdarg.h>

#include "loader/base/memory.h"
#include "loader/base/utf8.h"

#define SOURCE_BEFORE 200 /* bytes of a line shown before an error, if it is longer than that */
#define SOURCE_AFTER  1000

/* Shows only a piece of a very long line, so that a thousand errors in one line cost little. */
static void set_source(const struct yaml *yaml, size_t start, struct place *place)
{
	size_t begin = start, end = start;

	while (begin && !yaml_is_break(yaml->text[begin - 1]) && start - begin < SOURCE_BEFORE)
		begin--;
	/* Do not begin within a character. */
	while (begin < start && (yaml->text[begin] & 0xc0) == 0x80)
		begin++;
	while (end < yaml->length && !yaml_is_break(yaml->text[end]) && end - start < SOURCE_AFTER)
		end++;
	place->source = yaml->text + begin;
	place->source_length = end - begin;
	place->source_column = place->column - (int)utf8_length(place->source, start - begin);
}

void yaml_place_at(const struct yaml *yaml, int line, int column, size_t start, size_t end,
		   struct place *place)
{
	size_t width = 0;

	while (start + width < end && !yaml_is_break(yaml->text[start + width]))
		width++;
	*place = (struct place){
		.file = yaml->path,
		.line = line,
		.column = column,
		.width = (int)utf8_length(yaml->text + start, width),
	};
	if (line)
		set_source(yaml, start, place);
}

void yaml_place_of(const struct yaml *yaml, size_t start, size_t end, struct place *place)
{
	size_t begin = 0;
	int line = 1;

	for (size_t i = 0; i < start; i++) {
		bool crlf =
			yaml->text[i] == '\r' && i + 1 < yaml->length && yaml->text[i + 1] == '\n';

		if (yaml_is_break(yaml->text[i]) && !crlf) {
			line++;
			begin = i + 1;
		}
	}
	yaml_place_at(yaml, line, 1 + (int)utf8_length(yaml->text + begin, start - begin), start,
		      end, place);
}

void yaml_place(const struct yaml *yaml, const struct yaml_node *node, struct place *place)
{
	/* A block mapping has no width of its own: take its first key. */
	while (node->kind == YAML_MAPPING && node->start == node->end && node->child)
		node = node->child;
	yaml_place_at(yaml, node->line, node->column, node->start, node->end, place);
}

void yaml_error(const struct yaml *yaml, const struct yaml_node *node, struct diag *diag,
		const char *format, ...)
{
	__free_text char *message = NULL;
	struct place place;
	va_list args;

	va_start(args, format);
	message = xvasprintf(format, args);
	va_end(args);
	yaml_place(yaml, node, &place);
	diag_error(diag, &place, "%s", message);
}
