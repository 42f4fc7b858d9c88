/* SPDX-License-Identifier: GPL-2.0 */
/* UTF-8 (RFC 3629), and the characters that must not reach a terminal. */
#ifndef PORTCULLIS_BASE_UTF8_H
#define PORTCULLIS_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Reads the first character of `text`: returns its bytes (1 to 4) and sets its code point, or
 * returns 0 if it is not UTF-8 or nothing is left. utf8_length counts characters; a byte that is
 * not UTF-8 counts as one.
 */
size_t utf8_decode(const char *text, size_t length, unsigned int *code);
size_t utf8_length(const char *text, size_t length);

/* Characters that must not reach a terminal or a log: they garble it, or reverse the text. */
bool utf8_control(unsigned int code);

/*
 * Columns on a terminal. utf8_columns: of one character: 0 (it combines with the one before), 1, or
 * 2 (East Asian, emoji). utf8_width: of all characters of `text`.
 */
unsigned int utf8_columns(unsigned int code);
size_t utf8_width(const char *text, size_t length);

/* The longest comment on a change or an open port, in bytes. */
#define COMMENT_LIMIT 200
/*
 * True if a comment is UTF-8 of at most COMMENT_LIMIT bytes, without utf8_control, and not empty.
 */
bool comment_valid(const char *text);

/* A copy with '?' for each utf8_control character and each byte that is not UTF-8; the caller
 * frees. */
char *text_printable(const char *text);

#endif
