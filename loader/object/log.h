/* SPDX-License-Identifier: GPL-2.0 */
/* Keeps libbpf's log instead of printing it, so that our messages can quote the line that
 * explains. */
#ifndef PORTCULLIS_OBJECT_LOG_H
#define PORTCULLIS_OBJECT_LOG_H

/*
 * Begins to keep libbpf's warnings, each thread's separately, and forgets earlier ones of this
 * thread.
 */
void libbpf_log_start(void);

/* Forgets the warnings of this thread. A thread must call it before it ends. */
void libbpf_log_forget(void);

/* The last `lines` lines, each ended by a newline; "" if there are none. The caller frees. */
char *libbpf_log_tail(int lines);

/* The kernel's message about a failed netlink request (extack), or NULL. The caller frees. */
char *libbpf_log_kernel_message(void);

#endif
