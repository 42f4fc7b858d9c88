// SPDX-License-Identifier: GPL-2.0
/* Small things every file uses: cleanup, allocation that cannot fail, messages, lists of names. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader/util.h"

void text_free(void *text)
{
	free(*(char **)text);
	*(char **)text = NULL;
}

void fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

int fd_dup(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	return copy < 0 ? -errno : copy;
}

void file_close(FILE **file)
{
	if (*file)
		fclose(*file);
	*file = NULL;
}

static void *or_die(void *memory)
{
	if (!memory) {
		/* Not error(): it needs memory. */
		fputs("portcullis: out of memory\n", stderr);
		exit(1);
	}
	return memory;
}

/* malloc(0) may give NULL, which is not a failure: ask for a byte. */
void *xcalloc(size_t count, size_t size)
{
	return or_die(calloc(count ? count : 1, size ? size : 1));
}

void *xrealloc(void *old, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		bytes = SIZE_MAX;
	return or_die(realloc(old, bytes ? bytes : 1));
}

void *grow(void *array, size_t count, size_t size)
{
	if (count & (count - 1))
		return array;
	return xrealloc(array, count ? 2 * count : 1, size);
}

char *xstrdup(const char *text)
{
	return text ? or_die(strdup(text)) : NULL;
}

char *xstrndup(const char *text, size_t length)
{
	return or_die(strndup(text, length));
}

char *xvasprintf(const char *format, va_list args)
{
	char *text = NULL;

	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	return or_die(text);
}

char *xasprintf(const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = xvasprintf(format, args);
	va_end(args);
	return text;
}

__attribute__((format(printf, 3, 0))) static void put_line(FILE *to, const char *start,
							   const char *format, va_list args)
{
	__free_text char *text = xvasprintf(format, args);
	__free_text char *shown = text_printable(text);

	fprintf(to, "%s%s\n", start, shown);
}

void say_line(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	put_line(stdout, "", format, args);
	va_end(args);
}

static struct {
	message_taker *take;
	void *context;
} taker;

void messages_to(message_taker *take, void *context)
{
	taker.take = take;
	taker.context = context;
}

void messages_drop(void *context, bool is_error, const char *text)
{
	(void)context;
	(void)is_error;
	(void)text;
}

__attribute__((format(printf, 2, 0))) static void message(bool is_error, const char *format,
							  va_list args)
{
	__free_text char *text = NULL;

	if (!taker.take) {
		put_line(stderr, is_error ? "portcullis: " : "portcullis: warning: ", format, args);
		return;
	}
	text = xvasprintf(format, args);
	taker.take(taker.context, is_error, text);
}

void error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	message(true, format, args);
	va_end(args);
}

void warning(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	message(false, format, args);
	va_end(args);
}

void names_add(struct names *names, const char *name)
{
	names->name = grow(names->name, names->count, sizeof(*names->name));
	names->name[names->count++] = xstrdup(name);
}

void names_add_once(struct names *names, const char *name)
{
	if (!names_have(names, name))
		names_add(names, name);
}

bool names_have(const struct names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++) {
		if (!strcmp(names->name[i], name))
			return true;
	}
	return false;
}

void names_copy(struct names *to, const struct names *from)
{
	for (size_t i = 0; i < from->count; i++)
		names_add(to, from->name[i]);
}

void names_add_all(struct names *names, const struct names *more)
{
	for (size_t i = 0; i < more->count; i++)
		names_add(names, more->name[i]);
}

const char *names_twice(const struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		for (size_t j = 0; j < i; j++)
			if (!strcmp(names->name[i], names->name[j]))
				return names->name[i];
	return NULL;
}

void names_free(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->name[i]);
	free(names->name);
	*names = (struct names){0};
}

char *names_join(const struct names *names, const char *separator)
{
	size_t room = 1, gap = strlen(separator);
	char *text, *end;

	for (size_t i = 0; i < names->count; i++)
		room += strlen(names->name[i]) + gap;
	text = end = xcalloc(room, 1);
	for (size_t i = 0; i < names->count; i++) {
		if (i)
			end = stpcpy(end, separator);
		end = stpcpy(end, names->name[i]);
	}
	return text;
}

bool name_valid(const char *name)
{
	size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return length && length <= NAME_LIMIT && !name[length];
}

#define NEAREST_LIMIT 128 /* longer words get no suggestion: PROFILE:SERVICE has 127 */

/*
 * Edits that make one word of the other: insert, remove, replace, or swap two neighbours (the
 * "optimal string alignment" distance). Three rows of the usual table are enough.
 */
static size_t distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	size_t table[3][NEAREST_LIMIT + 1];
	size_t *before = table[0], *last = table[1], *row = table[2], *spare;

	for (size_t j = 0; j <= b_length; j++)
		last[j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		row[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			size_t least = last[j - 1] + (a[i - 1] != b[j - 1]);

			if (least > last[j] + 1)
				least = last[j] + 1;
			if (least > row[j - 1] + 1)
				least = row[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    least > before[j - 2] + 1)
				least = before[j - 2] + 1;
			row[j] = least;
		}
		spare = before;
		before = last;
		last = row;
		row = spare;
	}
	return last[b_length];
}

const char *nearest(const char *word, const char *const *candidate, size_t candidates)
{
	size_t length = strlen(word), limit = length / 3, best;
	const char *found = NULL;

	/* Two letters may have one wrong ("im" for "in"); of one letter nothing would be left. */
	if (length == 2)
		limit = 1;
	best = limit + 1;
	if (length > NEAREST_LIMIT)
		return NULL;
	for (size_t i = 0; i < candidates; i++) {
		size_t other = strlen(candidate[i]), edits;

		if (other > length + limit || other + limit < length || other > NEAREST_LIMIT)
			continue;
		edits = distance(word, length, candidate[i], other);
		if (edits < best) {
			best = edits;
			found = candidate[i];
		}
	}
	return found;
}

const char *nearest_name(const char *word, const struct names *names)
{
	return nearest(word, (const char *const *)names->name, names->count);
}

size_t utf8_decode(const char *text, size_t length, unsigned int *code)
{
	static const unsigned int least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *byte = (const unsigned char *)text;
	size_t bytes;

	if (!length)
		return 0;
	if (byte[0] < 0x80) {
		*code = byte[0];
		return 1;
	}
	bytes = byte[0] >= 0xf0 ? 4 : byte[0] >= 0xe0 ? 3 : 2;
	if (byte[0] < 0xc0 || byte[0] > 0xf4 || bytes > length)
		return 0;
	*code = byte[0] & (0xff >> (bytes + 1));
	for (size_t i = 1; i < bytes; i++) {
		if ((byte[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (byte[i] & 0x3f);
	}
	/* Overlong forms, surrogates and what is beyond Unicode are not UTF-8 (RFC 3629). */
	if (*code < least[bytes] || *code > 0x10ffff || (*code >= 0xd800 && *code <= 0xdfff))
		return 0;
	return bytes;
}

size_t utf8_length(const char *text, size_t length)
{
	size_t characters = 0;
	unsigned int code;

	while (length) {
		size_t bytes = utf8_decode(text, length, &code);

		if (!bytes)
			bytes = 1;
		text += bytes;
		length -= bytes;
		characters++;
	}
	return characters;
}

/*
 * C0, DEL, C1; direction marks (U+061C, U+200E, U+200F) and overrides (U+202A-202E, U+2066-2069);
 * separators; the BOM.
 */
bool utf8_control(unsigned int code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x61c || code == 0x200e ||
	       code == 0x200f || (code >= 0x2028 && code <= 0x202e) ||
	       (code >= 0x2066 && code <= 0x2069) || code == 0xfeff;
}

/* The size of a file is only a hint: files in /proc have none, and others may grow meanwhile. */
static int read_whole(int fd, size_t limit, char **text, size_t *length)
{
	__free_text char *buffer = NULL;
	size_t used = 0, room = 0;
	ssize_t got;

	do {
		if (used + 1 >= room) {
			room = room ? 2 * room : 16384;
			buffer = xrealloc(buffer, room, 1);
		}
		got = read(fd, buffer + used, room - used - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		used += (size_t)got;
		if (used > limit)
			return -EFBIG;
	} while (got);
	buffer[used] = '\0';
	*text = buffer;
	*length = used;
	buffer = NULL;
	return 0;
}

char *text_printable(const char *text)
{
	size_t length = strlen(text);
	char *copy = xcalloc(length + 1, 1), *end = copy;
	unsigned int code;

	while (length) {
		size_t bytes = utf8_decode(text, length, &code);

		if (bytes && !utf8_control(code))
			end = mempcpy(end, text, bytes);
		else
			*end++ = '?';
		text += bytes ? bytes : 1;
		length -= bytes ? bytes : 1;
	}
	return copy;
}

int read_file(const char *path, size_t limit, char **text, size_t *length)
{
	/* O_NONBLOCK: opening a FIFO would wait for a writer; regular files do not mind. */
	__close_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat status;

	if (fd < 0 || fstat(fd, &status))
		return -errno;
	if (!S_ISREG(status.st_mode))
		return -EINVAL;
	if (status.st_size > 0 && (unsigned long long)status.st_size > limit)
		return -EFBIG;
	return read_whole(fd, limit, text, length);
}
