// SPDX-License-Identifier: GPL-2.0
/* The sentences about what is behind the filter. */
#include "loader/host/behind_answer.h"

#include <stdarg.h>

#include "loader/base/memory.h"

void behind_say(struct behind *behind, const char *format, ...)
{
	__free_text char *text = NULL;
	va_list args;

	va_start(args, format);
	text = xvasprintf(format, args);
	va_end(args);
	names_add(&behind->next, text);
}

bool behind_is_over(const struct behind *behind)
{
	return behind->drops || behind->translated;
}
