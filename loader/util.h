/* SPDX-License-Identifier: GPL-2.0 */
/* Small things every file uses: cleanup, allocation that cannot fail, messages, lists of names. */
#ifndef PORTCULLIS_UTIL_H
#define PORTCULLIS_UTIL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Run `function(&variable)` when the variable goes out of scope. */
#define __cleanup(function) __attribute__((cleanup(function)))
#define __free_text	    __cleanup(text_free)
#define __close_fd	    __cleanup(fd_close)
#define __close_file	    __cleanup(file_close)

void text_free(void *text); /* char **; frees *text */
void fd_close(int *fd);	    /* -1 is no descriptor */
void file_close(FILE **file);

/* Another descriptor of the same, or -errno. */
int fd_dup(int fd);

/*
 * Memory or the end of the process with a message: a command holds nothing yet that could be lost.
 */
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *old, size_t count, size_t size);
/* The array with room for one more behind its `count` members; only for arrays grown so from 0. */
void *grow(void *array, size_t count, size_t size);
char *xstrdup(const char *text); /* NULL gives NULL */
char *xstrndup(const char *text, size_t length);
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *xvasprintf(const char *format, va_list args) __attribute__((format(printf, 1, 0)));

/* "portcullis: ..." on stderr, one line. What is not for a terminal is '?', as text_printable. */
void error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Gives what error() and warning() say to `take` instead, without "portcullis:"; NULL: no longer.
 */
typedef void message_taker(void *context, bool is_error, const char *text);
void messages_to(message_taker *take, void *context);
/* A message_taker to which nothing matters. */
void messages_drop(void *context, bool is_error, const char *text);
/* One such line on stdout, without a name in front; the newline is added. */
void say_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* An ordered list of names; each is owned. */
struct names {
	char **name;
	size_t count;
};

void names_add(struct names *names, const char *name);
void names_add_once(struct names *names, const char *name);
bool names_have(const struct names *names, const char *name);
void names_copy(struct names *to, const struct names *from);
void names_add_all(struct names *names, const struct names *more);
/* A name that is in the list more than once, or NULL. */
const char *names_twice(const struct names *names);
void names_free(struct names *names);
/* "a, b, c"; the caller frees. */
char *names_join(const struct names *names, const char *separator);

/* `[a-z0-9-]+`, at most NAME_LIMIT characters: profiles, services, features, groups. */
#define NAME_LIMIT 63
bool name_valid(const char *name);

/*
 * The candidate nearest to `word` (edit distance at most a third of its length; one for a word of
 * two letters), or NULL.
 */
const char *nearest(const char *word, const char *const *candidate, size_t candidates);
const char *nearest_name(const char *word, const struct names *names);

/*
 * The first character of `text`: its bytes (1 to 4) and its code point, or 0 where it is no UTF-8
 * (or nothing is left). utf8_length counts characters; a byte that belongs to none counts as one.
 */
size_t utf8_decode(const char *text, size_t length, unsigned int *code);
size_t utf8_length(const char *text, size_t length);
/* Characters that must not reach a terminal or a log: they garble it, or turn text around. */
bool utf8_control(unsigned int code);

/* A copy with '?' for each utf8_control character and each byte of no character; caller frees. */
char *text_printable(const char *text);

/*
 * Reads a regular file whole, at most `limit` bytes. The text ends with a NUL that `*length` does
 * not count. Returns 0, or -errno (-EFBIG past the limit, -EINVAL for what is no regular file) and
 * leaves the outputs alone.
 */
int read_file(const char *path, size_t limit, char **text, size_t *length);

#endif
