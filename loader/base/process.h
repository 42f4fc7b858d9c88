/* SPDX-License-Identifier: GPL-2.0 */
/* Facts about processes, read from /proc. */
#ifndef PORTCULLIS_BASE_PROCESS_H
#define PORTCULLIS_BASE_PROCESS_H

#include <sys/types.h>

#define PROCESS_ANCESTORS 64 /* the most ancestors that are followed */

/* The parent of `pid`, in the folder `proc` ("/proc"); 0: none that can be seen. */
pid_t process_parent(const char *proc, pid_t pid);

/* The effective capabilities of this process, as a bit mask. */
unsigned long long process_capabilities(void);

#endif
