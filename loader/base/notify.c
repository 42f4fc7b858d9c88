// SPDX-License-Identifier: GPL-2.0
/* Tells systemd the status of the unit: sd_notify(3) documents the protocol as stable. */
#include "loader/base/notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "loader/base/file.h"
#include "loader/base/memory.h"

void notify_status(const char *format, ...)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	__free_text char *line = NULL;
	__free_text char *text = NULL;
	__close_fd int fd = -1;
	size_t length = path ? strlen(path) : 0;
	va_list args;

	if ((length && path[0] != '/' && path[0] != '@') || !length ||
	    length >= sizeof(to.sun_path))
		return;
	memcpy(to.sun_path, path, length);
	if (path[0] == '@') /* '@' in the variable stands for an abstract name */
		to.sun_path[0] = '\0';
	va_start(args, format);
	text = xvasprintf(format, args);
	va_end(args);
	line = xasprintf("STATUS=%s", text);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	/* A failure is ignored: the status line is only information. */
	if (fd >= 0)
		sendto(fd, line, strlen(line), MSG_NOSIGNAL, (struct sockaddr *)&to,
		       offsetof(struct sockaddr_un, sun_path) + length);
}
