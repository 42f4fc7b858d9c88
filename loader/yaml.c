// SPDX-License-Identifier: GPL-2.0
/* A YAML file as a tree in which each node knows its place; a thin layer on libfyaml's events. */
#include <errno.h>
#include <libfyaml.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "loader/util.h"
#include "loader/yaml.h"

#define CHUNK_SIZE    65536
#define RUN_LIMIT     256 /* bytes; see find_bad_text */
#define SOURCE_BEFORE 200 /* bytes of a line shown before an error, if it is longer than that */
#define SOURCE_AFTER  1000

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

static bool is_break(char c)
{
	return c == '\n' || c == '\r';
}

/* Of a very long line only a piece is shown, so that a thousand errors in one cost little. */
static void set_source(const struct yaml *yaml, size_t start, struct place *place)
{
	size_t begin = start, end = start;

	while (begin && !is_break(yaml->text[begin - 1]) && start - begin < SOURCE_BEFORE)
		begin--;
	/* Not in the middle of a character. */
	while (begin < start && (yaml->text[begin] & 0xc0) == 0x80)
		begin++;
	while (end < yaml->length && !is_break(yaml->text[end]) && end - start < SOURCE_AFTER)
		end++;
	place->source = yaml->text + begin;
	place->source_length = end - begin;
	place->source_column = place->column - (int)utf8_length(place->source, start - begin);
}

/* Where text[start..end) stands; only its first line, if it has several. */
static void set_place(const struct yaml *yaml, int line, int column, size_t start, size_t end,
		      struct place *place)
{
	size_t width = 0;

	while (start + width < end && !is_break(yaml->text[start + width]))
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

/* The same for a place of which nothing but the offset is known. */
static void set_place_of(const struct yaml *yaml, size_t start, size_t end, struct place *place)
{
	size_t begin = 0;
	int line = 1;

	for (size_t i = 0; i < start; i++) {
		bool crlf =
			yaml->text[i] == '\r' && i + 1 < yaml->length && yaml->text[i + 1] == '\n';

		if (is_break(yaml->text[i]) && !crlf) {
			line++;
			begin = i + 1;
		}
	}
	set_place(yaml, line, 1 + (int)utf8_length(yaml->text + begin, start - begin), start, end,
		  place);
}

void yaml_place(const struct yaml *yaml, const struct yaml_node *node, struct place *place)
{
	/* A block mapping begins with its first key, and has no mark of its own. */
	while (node->start == node->end && node->child)
		node = node->child;
	set_place(yaml, node->line, node->column, node->start, node->end, place);
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

const char *yaml_what(const struct yaml_node *node)
{
	switch (node->kind) {
	case YAML_TEXT:
		return "a text";
	case YAML_LIST:
		return node->children ? "a list" : "an empty list";
	case YAML_MAPPING:
		return "a mapping";
	default:
		return "empty";
	}
}

const struct yaml_node *yaml_first(const struct yaml_node *node)
{
	return node->kind == YAML_LIST ? node->child : node;
}

/*
 * What must not come to libfyaml, or is better told apart here: bytes that are no text; directives,
 * long tags and long runs of tabs, for which 0.7.12 takes time quadratic in their length (30 s for
 * a megabyte). Returns the message, or NULL if there is nothing, and the offending bytes.
 */
static const char *find_bad_text(const char *text, size_t length, size_t *start, size_t *end)
{
	size_t tag = SIZE_MAX; /* the first '!' since the last blank */
	size_t tab = SIZE_MAX; /* the first tab since the last that is no blank */

	for (size_t i = 0, bytes; i < length; i += bytes) {
		unsigned int code;

		bytes = utf8_decode(text + i, length - i, &code);
		*start = i;
		*end = i + 1;
		if (!bytes)
			return "this is not UTF-8 text";
		if (!code)
			return "a NUL byte: this is not a text file";
		if (utf8_control(code) && code != '\t' && !is_break(text[i]))
			return "a control character";
		if (code == '%' && (!i || is_break(text[i - 1])))
			return "directives are not part of this language";
		if (code <= ' ' || code >= 0x80)
			tag = SIZE_MAX;
		else if (code == '!' && tag == SIZE_MAX)
			tag = i;
		if (tag != SIZE_MAX && i - tag > RUN_LIMIT) {
			*start = tag;
			return "tags are not part of this language";
		}
		if (code != ' ' && code != '\t')
			tab = SIZE_MAX;
		else if (code == '\t' && tab == SIZE_MAX)
			tab = i;
		if (tab != SIZE_MAX && i - tab > RUN_LIMIT) {
			*start = tab;
			return "a run of tabs and blanks that is too long";
		}
	}
	return NULL;
}

static struct yaml_node *add_node(struct builder *builder, enum yaml_kind kind,
				  struct fy_token *token)
{
	struct yaml_node *parent = builder->depth ? builder->open[builder->depth - 1] : NULL;
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

/*
 * Nothing written leaves no token. Its place is that of its key; or, in a list, the dash, which is
 * the next one after the item before, comments aside.
 */
static void place_nothing(const struct yaml *yaml, const struct yaml_node *parent,
			  const struct yaml_node *before, struct yaml_node *node)
{
	size_t at;

	if (!before)
		before = parent;
	if (!before)
		return;
	node->start = before->start;
	node->end = before->end;
	node->line = before->line;
	node->column = before->column;
	if (before == parent || parent->kind != YAML_LIST)
		return;
	for (at = before->end; at < yaml->length && yaml->text[at] != '-'; at++) {
		if (yaml->text[at] == '#')
			at += strcspn(yaml->text + at, "\r\n");
		if (at < yaml->length && yaml->text[at] == '\n') {
			node->line++;
			node->column = 0;
		}
		node->column++;
	}
	node->start = node->end = at;
}

/* Texts are shown by many commands: what could garble a terminal is an error here, once for all. */
static void set_text(struct builder *builder, struct yaml_node *node, struct fy_token *token)
{
	size_t length = 0, bytes;
	const char *text = fy_token_get_text(token, &length);
	unsigned int code = 0;
	char *copy;

	if (!text)
		text = "";
	for (size_t i = 0; i < length; i += bytes) {
		bytes = utf8_decode(text + i, length - i, &code);
		if (!bytes || (utf8_control(code) && code != '\n' && code != '\t')) {
			yaml_error(builder->yaml, node, builder->diag,
				   bytes ? "control character U+%04X in a text" :
					   "a text that is not UTF-8",
				   code);
			node->kind = YAML_BAD;
			break;
		}
	}
	copy = take(builder->yaml, length + 1);
	memcpy(copy, text, length);
	node->text = copy;
}

static bool is_null(const char *text)
{
	return !*text || !strcmp(text, "~") || !strcmp(text, "null") || !strcmp(text, "Null") ||
	       !strcmp(text, "NULL");
}

static void add_scalar(struct builder *builder, struct fy_token *token)
{
	struct yaml_node *parent = builder->depth ? builder->open[builder->depth - 1] : NULL;
	const struct yaml_node *before = parent ? parent->last : NULL;
	struct yaml_node *node = add_node(builder, YAML_TEXT, token);

	if (!node->line)
		place_nothing(builder->yaml, parent, before, node);
	if (!token) {
		node->kind = YAML_EMPTY;
		node->text = "";
		return;
	}
	/* Quotes are a part of what stands there. */
	node->plain = fy_token_scalar_style(token) == FYSS_PLAIN;
	if (!node->plain && node->start && node->line &&
	    strchr("'\"", builder->yaml->text[node->start - 1])) {
		node->start--;
		node->column--;
		if (node->end < builder->yaml->length)
			node->end++;
	}
	set_text(builder, node, token);
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

/* Reports a token that the language has no use for; those of anchors do not count the sign. */
static void refuse(struct builder *builder, struct fy_token *token, size_t sign, const char *what)
{
	const struct fy_mark *start = token ? fy_token_start_mark(token) : NULL;
	const struct fy_mark *end = token ? fy_token_end_mark(token) : NULL;
	struct place place = {.file = builder->yaml->path};

	if (start && end && end->input_pos <= builder->yaml->length && start->input_pos >= sign)
		set_place(builder->yaml, start->line + 1, start->column + 1 - (int)sign,
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
		set_place(builder->yaml, start->line + 1, start->column + 1, start->input_pos,
			  start->input_pos + 3, &place);
	diag_error(builder->diag, &place, "a second document begins; a file holds one");
	return -EINVAL;
}

/* Returns -EINVAL where reading on makes no sense. */
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
	case FYET_SCALAR:
		add_scalar(builder, event->scalar.value);
		return 0;
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
	default:
		return 0;
	}
}

/* An unclosed bracket is found at the end of the file; shown is where it was opened. */
static void report_syntax(struct builder *builder, const struct fy_diag_error *found)
{
	const struct fy_mark *start = found->fyt ? fy_token_start_mark(found->fyt) : NULL;
	const struct fy_mark *end = found->fyt ? fy_token_end_mark(found->fyt) : NULL;
	const char *message = found->msg ? found->msg : "unreadable";
	struct place place = {.file = builder->yaml->path};
	size_t length = builder->yaml->length;

	if (builder->depth && strstr(message, "without a closing"))
		yaml_place(builder->yaml, builder->open[builder->depth - 1], &place);
	else if (start && start->input_pos <= length)
		set_place_of(builder->yaml, start->input_pos,
			     end && end->input_pos <= length ? end->input_pos : start->input_pos,
			     &place);
	diag_error(builder->diag, &place, "not valid YAML: %s", message);
}

static void report_errors(struct builder *builder)
{
	const struct fy_diag_error *found;
	size_t before = builder->diag->errors;
	void *position = NULL;

	while ((found = fy_diag_errors_iterate(builder->log, &position))) {
		if (found->type == FYET_ERROR)
			report_syntax(builder, found);
	}
	if (builder->diag->errors == before) {
		struct place place = {.file = builder->yaml->path};

		diag_error(builder->diag, &place, "not valid YAML");
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
		report_errors(builder);
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
	/* The messages it collected are freed by a reset only. */
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
		/* Repeated keys are found by yaml_fields, which can name both. */
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
	bad = find_bad_text(yaml->text, yaml->length, &start, &end);
	if (bad) {
		set_place_of(yaml, start, end, &place);
		diag_error(diag, &place, "%s", bad);
		return -EINVAL;
	}
	if (!parse(yaml, diag) && (!yaml->root || yaml->root->kind == YAML_EMPTY))
		diag_error(diag, &place, "the file is empty");
	return diag->errors == errors ? 0 : -EINVAL;
}
