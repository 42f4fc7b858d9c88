/* SPDX-License-Identifier: GPL-2.0 */
/* The status line that `systemctl status` shows for the unit. */
#ifndef PORTCULLIS_BASE_NOTIFY_H
#define PORTCULLIS_BASE_NOTIFY_H

/* The unit's status line, as sd_notify(3) sends it; nothing is sent outside a unit. */
void notify_status(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
