// SPDX-License-Identifier: GPL-2.0
/*
 * Reports syntax errors of a YAML file: input that libfyaml must not see, and libfyaml's own
 * errors.
 */
#include "loader/base/yaml_syntax.h"

#include <stdint.h>
#include <string.h>

#include "loader/base/utf8.h"
#include "loader/base/yaml_place.h"

#define TAG_LIMIT   256 /* bytes; see yaml_bad_text */
#define SPACE_LIMIT 512 /* bytes; as above */

#define TEXT_OF(number) TEXT(number)
#define TEXT(number)	#number

const char *yaml_bad_text(const char *text, size_t length, size_t *start, size_t *end)
{
	size_t tag = SIZE_MAX; /* the first '!' since the last white space */
	size_t space = 0;      /* behind the last character that is no white space */

	for (size_t i = 0, bytes; i < length; i += bytes) {
		bool is_space = yaml_is_blank(text[i]) || yaml_is_break(text[i]);
		unsigned int code;

		bytes = utf8_decode(text + i, length - i, &code);
		*start = i;
		*end = i + 1;
		if (!bytes)
			return "this is not UTF-8 text";
		if (!code)
			return "a NUL byte: this is not a text file";
		if (utf8_control(code) && !is_space)
			return "a control character";
		if (code == '%' && (!i || yaml_is_break(text[i - 1])))
			return "directives are not part of this language";
		if (is_space || code >= 0x80)
			tag = SIZE_MAX;
		else if (code == '!' && tag == SIZE_MAX)
			tag = i;
		if (!is_space)
			space = i + bytes;
		*start = tag;
		if (tag != SIZE_MAX && i - tag > TAG_LIMIT)
			return "tags are not part of this language";
		*start = space;
		if (is_space && i - space > SPACE_LIMIT)
			return "more than " TEXT_OF(SPACE_LIMIT) " blanks and empty lines in a row";
	}
	return NULL;
}

/* True if only blanks and line breaks follow. */
static bool is_end(const struct yaml *yaml, size_t at)
{
	while (at < yaml->length &&
	       (yaml_is_break(yaml->text[at]) || yaml_is_blank(yaml->text[at])))
		at++;
	return at >= yaml->length;
}

/*
 * If only blanks are before `at` in its line, `at`. Else the first character of the next line that
 * is not empty.
 */
static size_t next_line(const struct yaml *yaml, size_t at)
{
	size_t next = at, before = at;

	while (before && yaml_is_blank(yaml->text[before - 1]))
		before--;
	if (!before || yaml_is_break(yaml->text[before - 1]))
		return at;
	while (next < yaml->length && !yaml_is_break(yaml->text[next]))
		next++;
	while (next < yaml->length && (yaml_is_break(yaml->text[next]) || yaml->text[next] == ' '))
		next++;
	return next;
}

/*
 * Corrects places of libfyaml that mislead: it reports an open bracket at the end of the file, and
 * a too deep indent at the end of the line above.
 */
static void report_syntax(const struct yaml *yaml, const struct yaml_node *open,
			  const struct fy_diag_error *found, struct diag *diag)
{
	const struct fy_mark *start = found->fyt ? fy_token_start_mark(found->fyt) : NULL;
	const struct fy_mark *end = found->fyt ? fy_token_end_mark(found->fyt) : NULL;
	const char *message = found->msg ? found->msg : "unreadable";
	struct place place = {.file = yaml->path};
	bool known = start && start->input_pos <= yaml->length;
	size_t at = known ? start->input_pos : 0;
	size_t to = end && end->input_pos <= yaml->length ? end->input_pos : at;

	if (open && open->start < open->end && (!known || is_end(yaml, at))) {
		yaml_error(yaml, open, diag, "not valid YAML: this '%c' is not closed",
			   yaml->text[open->start]);
		return;
	}
	if (!strcmp(message, "invalid multiline plain key") && next_line(yaml, at) != at) {
		at = next_line(yaml, at);
		to = at + 1;
		message = "this line continues the text above it; is it indented too far?";
	} else if (strstr(message, "closing quote") && at) {
		to = at--;
	} else if (!strcmp(message, "plain scalar cannot start with '@'")) {
		message = "put a value that begins with '@' in quotes: '@FILE'";
	}
	if (known)
		yaml_place_of(yaml, at, to, &place);
	diag_error(diag, &place, "not valid YAML: %s", message);
}

void yaml_report_errors(const struct yaml *yaml, const struct yaml_node *open, struct fy_diag *log,
			struct diag *diag)
{
	const struct fy_diag_error *found;
	size_t before = diag->errors;
	void *position = NULL;

	while ((found = fy_diag_errors_iterate(log, &position))) {
		if (found->type == FYET_ERROR)
			report_syntax(yaml, open, found, diag);
	}
	if (diag->errors == before) {
		struct place place = {.file = yaml->path};

		diag_error(diag, &place, "not valid YAML");
	}
}
