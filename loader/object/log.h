/* SPDX-License-Identifier: GPL-2.0 */
/* Keeps libbpf's log instead of printing it: our messages quote the line that explains. */
#ifndef PORTCULLIS_OBJECT_LOG_H
#define PORTCULLIS_OBJECT_LOG_H

/*
 * Takes libbpf's warnings from here on, those of each thread apart, and forgets earlier ones of
 * this thread.
 */
void libbpf_log_start(void);

/* Forgets the warnings of this thread. A thread that ends calls it. */
void libbpf_log_forget(void);

/* The last `lines` lines, each ended by a newline; "" if there are none. The caller frees. */
char *libbpf_log_tail(int lines);

/* The kernel's own words on a failed netlink request (extack), or NULL. The caller frees. */
char *libbpf_log_kernel_message(void);

#endif
