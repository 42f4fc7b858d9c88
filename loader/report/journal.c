// SPDX-License-Identifier: GPL-2.0
/*
 * Sends entries to the journal, by its native protocol
 * (https://systemd.io/JOURNAL_NATIVE_PROTOCOL/, which is stable). Its library is not used, because
 * every command would load it, and with it libraries for compression.
 */
#include "loader/report/journal.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "loader/base/file.h"
#include "loader/base/utf8.h"

#define JOURNAL "/run/systemd/journal/socket"

/* A newline would end the field; printable text has none. */
void journal_field(FILE *to, const char *key, const char *value)
{
	__free_text char *text = value ? text_printable(value) : NULL;

	if (text)
		fprintf(to, "%s=%s\n", key, text);
}

int journal_send(const char *fields, size_t length, bool wait)
{
	static const struct sockaddr_un to = {.sun_family = AF_UNIX, .sun_path = JOURNAL};
	static const struct timeval patience = {.tv_sec = 1};
	__close_fd int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int flags = MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) ||
	    sendto(fd, fields, length, flags, (const struct sockaddr *)&to, sizeof(to)) < 0)
		return -errno;
	return 0;
}
