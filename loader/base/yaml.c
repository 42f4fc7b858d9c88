// SPDX-License-Identifier: GPL-2.0
/* Reads a YAML file into a tree; a thin layer on libfyaml's events. */
#include "loader/base/yaml.h"

#include <errno.h>
#include <libfyaml.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/base/utf8.h"
#include "loader/base/yaml_place.h"
#include "loader/base/yaml_quoted.h"
#include "loader/base/yaml_syntax.h"

#define CHUNK_SIZE 65536

/* Nodes and texts live as long as the tree does: they are cut from chunks and freed with these. */
struct yaml_chunk {
	struct yaml_chunk *next;
	size_t used, size;
	_Alignas(max_align_t) char data[];
};

/* The document under construction: `open` holds the lists and mappings not ended yet. */
struct builder {
	struct yaml *yaml;
	struct diag *diag;
	struct fy_parser *parser;
	struct fy_diag *log;
	struct yaml_node *open[YAML_DEPTH_LIMIT];
	size_t depth;
	struct yaml_node *root;
	size_t documents;
};

static void *take(struct yaml *yaml, size_t size)
{
	struct yaml_chunk *chunk = yaml->chunk;
	void *memory;

	size = (size + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);
	if (!chunk || chunk->size - chunk->used < size) {
		size_t room = size > CHUNK_SIZE ? size : CHUNK_SIZE;

		chunk = xcalloc(1, sizeof(*chunk) + room);
		chunk->size = room;
		chunk->next = yaml->chunk;
		yaml->chunk = chunk;
	}
	memory = chunk->data + chunk->used;
	chunk->used += size;
	return memory;
}

void yaml_free(struct yaml *yaml)
{
	struct yaml_chunk *next;

	for (struct yaml_chunk *chunk = yaml->chunk; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	*yaml = (struct yaml){0};
}

/* The list or mapping that the next node is added to; NULL: the document itself. */
static struct yaml_node *innermost(const struct builder *builder)
{
	return builder->depth ? builder->open[builder->depth - 1] : NULL;
}

static struct yaml_node *add_node(struct builder *builder, enum yaml_kind kind,
				  struct fy_token *token)
{
	struct yaml_node *parent = innermost(builder);
	const struct fy_mark *start = token ? fy_token_start_mark(token) : NULL;
	const struct fy_mark *end = token ? fy_token_end_mark(token) : NULL;
	struct yaml_node *node = take(builder->yaml, sizeof(*node));

	node->kind = kind;
	if (start && start->input_pos <= builder->yaml->length) {
		node->start = node->end = start->input_pos;
		node->line = start->line + 1;
		node->column = start->column + 1;
	}
	if (start && end && end->input_pos > node->start && end->input_pos <= builder->yaml->length)
		node->end = end->input_pos;
	if (!parent)
		builder->root = node;
	else if (parent->last)
		parent->last->next = node;
	else
		parent->child = node;
	if (parent) {
		parent->last = node;
		parent->children++;
	}
	return node;
}

/* Moves the place past one byte. */
static void step(char byte, struct yaml_node *node)
{
	if (byte == '\n') {
		node->line++;
		node->column = 1;
	} else if ((byte & 0xc0) != 0x80) {
		node->column++;
	}
}

/* For an empty value libfyaml 0.8 gives a token, at the place of the next value; 0.7 gives none. */
static bool is_nothing(struct fy_token *token, const struct yaml_node *node)
{
	return !token || (fy_token_scalar_style(token) == FYSS_PLAIN && node->start == node->end);
}

/*
 * An empty value has the place of its key. An empty item or key has the place of its sign: the
 * first '-' or '?' after the node before, outside comments.
 */
static void place_nothing(const struct yaml *yaml, const struct yaml_node *parent,
			  const struct yaml_node *before, struct yaml_node *node)
{
	bool is_value = parent && parent->kind == YAML_MAPPING && parent->children % 2 == 0;
	const char *signs = parent && parent->kind == YAML_LIST ? "-" : "?:";
	size_t at;

	/* A list or mapping ends where its last member ends. */
	while (!is_value && before && before->last)
		before = before->last;
	if (!before)
		before = parent;
	if (!before)
		return;
	node->start = before->start;
	node->end = before->end;
	node->line = before->line;
	node->column = before->column;
	if (before == parent || is_value)
		return;
	for (; node->start < before->end; node->start++)
		step(yaml->text[node->start], node);
	at = node->start;
	/*
	 * The node before may be empty too: then skip its sign, which is at its place.
	 */
	if (before->kind == YAML_EMPTY && before->start == before->end && at < yaml->length)
		step(yaml->text[at++], node);
	for (; at < yaml->length && !strchr(signs, yaml->text[at]); at++) {
		if (yaml->text[at] == '#')
			while (at + 1 < yaml->length && !yaml_is_break(yaml->text[at + 1]))
				at++;
		step(yaml->text[at], node);
	}
	node->start = node->end = at;
}

/*
 * The token's text, in memory of the tree. `node`: its place, without quotes. libfyaml counts NULs
 * at the end of some blocks without text; they are cut off, because no text has a NUL of its own.
 */
static char *token_text(struct yaml *yaml, const struct yaml_node *node, struct fy_token *token,
			size_t *length)
{
	enum fy_scalar_style style = fy_token_scalar_style(token);
	size_t width = node->end - node->start;
	const char *text;
	char *copy;

	if (style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED) {
		copy = take(yaml, 2 * width + 1);
		*length = yaml_text_quoted(yaml->text + node->start, width,
					   style == FYSS_DOUBLE_QUOTED, copy);
		return copy;
	}
	text = fy_token_get_text(token, length);
	if (!text)
		*length = 0;
	while (*length && !text[*length - 1])
		--*length;
	copy = take(yaml, *length + 1);
	if (*length)
		memcpy(copy, text, *length);
	return copy;
}

/* Many commands print these texts, so characters that could garble a terminal are an error here. */
static void check_text(struct builder *builder, struct yaml_node *node, size_t length)
{
	unsigned int code = 0;

	for (size_t i = 0, bytes; i < length; i += bytes) {
		bytes = utf8_decode(node->text + i, length - i, &code);
		if (bytes && (!utf8_control(code) || code == '\n' || code == '\t'))
			continue;
		yaml_error(builder->yaml, node, builder->diag,
			   bytes ? "control character U+%04X in a text" :
				   "a text that is not UTF-8",
			   code);
		node->kind = YAML_BAD;
		return;
	}
}

static bool is_null(const char *text)
{
	return !*text || !strcmp(text, "~") || !strcmp(text, "null") || !strcmp(text, "Null") ||
	       !strcmp(text, "NULL");
}

/* also skips the quotes */
static void include_quotes(const struct yaml *yaml, struct yaml_node *node)
{
	if (node->plain || !node->line || !node->start ||
	    (yaml->text[node->start - 1] != '"' && yaml->text[node->start - 1] != '\''))
		return;
	node->start--;
	node->column--;
	if (node->end < yaml->length)
		node->end++;
}

static void add_scalar(struct builder *builder, struct fy_token *token)
{
	struct yaml_node *parent = innermost(builder);
	const struct yaml_node *before = parent ? parent->last : NULL;
	struct yaml_node *node = add_node(builder, YAML_TEXT, token);
	bool nothing = is_nothing(token, node);
	size_t length = 0;

	if (!node->line || nothing)
		place_nothing(builder->yaml, parent, before, node);
	if (nothing) {
		node->kind = YAML_EMPTY;
		node->text = "";
		return;
	}
	node->plain = fy_token_scalar_style(token) == FYSS_PLAIN;
	node->text = token_text(builder->yaml, node, token, &length);
	include_quotes(builder->yaml, node);
	check_text(builder, node, length);
	if (node->kind == YAML_TEXT && node->plain && is_null(node->text))
		node->kind = YAML_EMPTY;
}

static int open_node(struct builder *builder, enum yaml_kind kind, struct fy_token *token)
{
	struct yaml_node *node = add_node(builder, kind, token);

	if (builder->depth == YAML_DEPTH_LIMIT) {
		yaml_error(builder->yaml, node, builder->diag, "nested deeper than %d levels",
			   YAML_DEPTH_LIMIT);
		return -EINVAL;
	}
	builder->open[builder->depth++] = node;
	return 0;
}

/* Reports a token that the language does not use; `sign`: 1 for an anchor, whose token begins
 * behind its sign. */
static void refuse(struct builder *builder, struct fy_token *token, size_t sign, const char *what)
{
	const struct fy_mark *start = token ? fy_token_start_mark(token) : NULL;
	const struct fy_mark *end = token ? fy_token_end_mark(token) : NULL;
	struct place place = {.file = builder->yaml->path};

	if (start && end && end->input_pos <= builder->yaml->length && start->input_pos >= sign)
		yaml_place_at(builder->yaml, start->line + 1, start->column + 1 - (int)sign,
			      start->input_pos - sign, end->input_pos, &place);
	diag_error(builder->diag, &place, "%s are not part of this language", what);
}

static int begin_document(struct builder *builder, struct fy_token *token)
{
	struct place place = {.file = builder->yaml->path};
	const struct fy_mark *start = token ? fy_token_start_mark(token) : NULL;

	if (!builder->documents++)
		return 0;
	if (start && start->input_pos <= builder->yaml->length)
		yaml_place_at(builder->yaml, start->line + 1, start->column + 1, start->input_pos,
			      start->input_pos + 3, &place);
	diag_error(builder->diag, &place, "a second document begins; a file holds one");
	return -EINVAL;
}

/* Returns -EINVAL if the rest of the file cannot be read. */
static int take_event(struct builder *builder, struct fy_event *event)
{
	struct fy_token *anchor = fy_event_get_anchor_token(event);
	struct fy_token *tag = fy_event_get_tag_token(event);

	if (tag)
		refuse(builder, tag, 0, "tags");
	if (anchor && event->type != FYET_ALIAS)
		refuse(builder, anchor, 1, "anchors");
	switch (event->type) {
	case FYET_DOCUMENT_START:
		return begin_document(builder, event->document_start.document_start);
	case FYET_SCALAR: add_scalar(builder, event->scalar.value); return 0;
	case FYET_ALIAS:
		refuse(builder, event->alias.anchor, 1, "aliases");
		add_node(builder, YAML_BAD, event->alias.anchor);
		return 0;
	case FYET_SEQUENCE_START:
		return open_node(builder, YAML_LIST, event->sequence_start.sequence_start);
	case FYET_MAPPING_START:
		return open_node(builder, YAML_MAPPING, event->mapping_start.mapping_start);
	case FYET_SEQUENCE_END:
	case FYET_MAPPING_END:
		if (builder->depth)
			builder->depth--;
		return 0;
	default: return 0;
	}
}

static int build(struct builder *builder)
{
	struct fy_event *event;
	int err = 0;

	while (!err && !diag_full(builder->diag) && (event = fy_parser_parse(builder->parser))) {
		err = take_event(builder, event);
		fy_parser_event_free(builder->parser, event);
	}
	if (!err && fy_parser_get_stream_error(builder->parser)) {
		yaml_report_errors(builder->yaml, innermost(builder), builder->log, builder->diag);
		err = -EINVAL;
	}
	for (size_t i = 0; i < builder->depth; i++)
		builder->open[i]->cut = true;
	return err;
}

/* libfyaml collects its messages instead of printing them; what it would still print goes here. */
static void discard(struct fy_diag *log, void *user, const char *text, size_t length)
{
	(void)log;
	(void)user;
	(void)text;
	(void)length;
}

static void log_free(struct fy_diag **log)
{
	/* Only a reset frees the messages that libfyaml collected. */
	if (*log)
		fy_diag_reset_error(*log);
	if (*log)
		fy_diag_unref(*log);
}

static void parser_free(struct fy_parser **parser)
{
	if (*parser)
		fy_parser_destroy(*parser);
}

static int parse(struct yaml *yaml, struct diag *diag)
{
	struct fy_diag_cfg log_config = {
		.output_fn = discard, .level = FYET_ERROR, .module_mask = ~0u};
	struct fy_diag *log __cleanup(log_free) = fy_diag_create(&log_config);
	struct fy_parse_cfg config = {
		/* yaml_fields finds repeated keys, because it can name both places. */
		.flags = FYPCF_ALLOW_DUPLICATE_KEYS | FYPCF_JSON_NONE | FYPCF_DEFAULT_VERSION_1_2,
		.diag = log,
	};
	struct fy_parser *parser __cleanup(parser_free) = log ? fy_parser_create(&config) : NULL;
	struct builder builder = {.yaml = yaml, .diag = diag, .parser = parser, .log = log};
	int err;

	if (!parser || fy_parser_set_string(parser, yaml->text, yaml->length)) {
		error("libfyaml: out of memory");
		exit(1);
	}
	fy_diag_set_collect_errors(log, true);
	err = build(&builder);
	yaml->root = builder.root;
	return err;
}

int yaml_load(const char *path, const char *text, size_t length, struct yaml *yaml,
	      struct diag *diag)
{
	struct place place = {.file = path};
	size_t errors = diag->errors, start, end;
	const char *bad;

	*yaml = (struct yaml){.path = path, .text = text, .length = length};
	if (length >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) { /* a byte order mark is not text */
		yaml->text += 3;
		yaml->length -= 3;
	}
	bad = yaml_bad_text(yaml->text, yaml->length, &start, &end);
	if (bad) {
		yaml_place_of(yaml, start, end, &place);
		diag_error(diag, &place, "%s", bad);
		return -EINVAL;
	}
	if (!parse(yaml, diag) && (!yaml->root || yaml->root->kind == YAML_EMPTY))
		diag_error(diag, &place, "the file is empty");
	return diag->errors == errors ? 0 : -EINVAL;
}
