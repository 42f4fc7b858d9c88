/* SPDX-License-Identifier: GPL-2.0 */
/* Commands that a message offers. */
#ifndef PORTCULLIS_BASE_SHELL_H
#define PORTCULLIS_BASE_SHELL_H

/* As one word of a shell's command; the caller frees. */
char *shell_word(const char *text);

#endif
