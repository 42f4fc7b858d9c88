// SPDX-License-Identifier: GPL-2.0
/* Keeps the end of libbpf's log. */
#include "loader/object/log.h"

#include <bpf/libbpf.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"

#define LOG_LIMIT (64 << 10) /* bytes kept: the end of a verifier's log has the reason */

/*
 * The text is global because libbpf's print callback takes no argument of ours, and one for each
 * thread because filters are loaded in threads.
 */
static _Thread_local struct {
	char *text;
	size_t length;
} kept;

static int keep(enum libbpf_print_level level, const char *format, va_list args)
{
	__free_text char *line = NULL;
	size_t length;

	if (level != LIBBPF_WARN)
		return 0;
	line = xvasprintf(format, args);
	length = strlen(line);
	kept.text = xrealloc(kept.text, kept.length + length + 1, 1);
	memcpy(kept.text + kept.length, line, length + 1);
	kept.length += length;
	if (kept.length > LOG_LIMIT) {
		memmove(kept.text, kept.text + kept.length - LOG_LIMIT, LOG_LIMIT + 1);
		kept.length = LOG_LIMIT;
	}
	return 0;
}

void libbpf_log_start(void)
{
	libbpf_set_print(keep);
	libbpf_log_forget();
}

void libbpf_log_forget(void)
{
	free(kept.text);
	kept.text = NULL;
	kept.length = 0;
}

char *libbpf_log_tail(int lines)
{
	size_t at = kept.length;

	if (at)
		at--; /* skip the newline that ends the last line */
	while (at && (kept.text[at - 1] != '\n' || --lines))
		at--;
	return kept.text ? xstrdup(kept.text + at) : xstrdup("");
}

char *libbpf_log_kernel_message(void)
{
	static const char mark[] = "Kernel error message: ";
	const char *found = kept.text ? strstr(kept.text, mark) : NULL;

	if (!found)
		return NULL;
	found += sizeof(mark) - 1;
	return xstrndup(found, strcspn(found, "\n"));
}
