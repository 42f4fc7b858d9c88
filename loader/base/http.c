// SPDX-License-Identifier: GPL-2.0
/* Reads one HTTP request, and answers it. */
#include "loader/base/http.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loader/base/memory.h"

#define REST_LIMIT (1 << 20) /* at most so many bytes of a refused request are read and dropped */

static const char *const plain = "text/plain; charset=utf-8";

/* A word of the request line, up to a space; NULL: there is none. */
static const char *word(const char **at, const char *end, size_t *length)
{
	const char *start = *at, *space = memchr(start, ' ', (size_t)(end - start));

	*length = (size_t)((space ? space : end) - start);
	*at = space ? space + 1 : end;
	return *length ? start : NULL;
}

static bool is(const char *text, size_t length, const char *wanted)
{
	return length == strlen(wanted) && !memcmp(text, wanted, length);
}

enum http_asks http_parse(const char *request, size_t length, const char *path)
{
	const char *end = memchr(request, '\r', length), *at = request;
	const char *method, *target, *version, *query;
	size_t method_length, target_length, version_length;

	if (!end || memchr(request, '\0', length))
		return HTTP_WRONG;
	method = word(&at, end, &method_length);
	target = word(&at, end, &target_length);
	version = word(&at, end, &version_length);
	if (!method || !target || !version || version_length != strlen("HTTP/1.1") ||
	    memcmp(version, "HTTP/1.", strlen("HTTP/1.")) || at != end)
		return HTTP_WRONG;
	query = memchr(target, '?', target_length);
	if (!is(target, query ? (size_t)(query - target) : target_length, path))
		return HTTP_ELSEWHERE;
	if (is(method, method_length, "GET"))
		return HTTP_GET;
	return is(method, method_length, "HEAD") ? HTTP_HEAD : HTTP_OTHER;
}

/* Reads to the empty line that ends the header. Returns the bytes read; 0: it never ended. */
static size_t read_request(int from, char request[HTTP_LIMIT])
{
	size_t used = 0;
	ssize_t got;

	while (used < HTTP_LIMIT) {
		got = read(from, request + used, HTTP_LIMIT - used);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return 0;
		used += (size_t)got;
		if (memmem(request, used, "\r\n\r\n", 4))
			return used;
	}
	return 0;
}

static void send_all(int to, const char *text, size_t length)
{
	while (length) {
		ssize_t sent = write(to, text, length);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return;
		text += sent;
		length -= (size_t)sent;
	}
}

static void send_head(int to, const char *status, const char *type, size_t length)
{
	__free_text char *head = xasprintf(
		"HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
		status, type, length);

	send_all(to, head, strlen(head));
}

void http_answer(int to, const char *status, const char *type, const char *body, size_t length)
{
	alarm(HTTP_SECONDS);
	send_head(to, status, type, length);
	send_all(to, body, length);
}

/*
 * Reads what the client still sends: a connection that is closed with unread bytes is reset, and
 * the answer is lost (RFC 9112, 9.6).
 */
static void drop_rest(int from, int to)
{
	char rest[HTTP_LIMIT];
	size_t dropped = 0;
	ssize_t got;

	if (shutdown(to, SHUT_WR))
		return;
	while (dropped < REST_LIMIT && (got = read(from, rest, sizeof(rest))) != 0) {
		if (got < 0 && errno != EINTR)
			return;
		dropped += got > 0 ? (size_t)got : 0;
	}
}

static void refuse(int from, int to, const char *status, const char *why)
{
	http_answer(to, status, plain, why, strlen(why));
	drop_rest(from, to);
}

bool http_asked(int from, int to, const char *path)
{
	char request[HTTP_LIMIT];
	__free_text char *elsewhere = xasprintf("The metrics are at %s\n", path);
	size_t length;

	signal(SIGPIPE, SIG_IGN);
	alarm(HTTP_SECONDS);
	length = read_request(from, request);
	alarm(0);
	switch (length ? http_parse(request, length, path) : HTTP_WRONG) {
	case HTTP_GET: return true;
	case HTTP_HEAD: http_answer(to, "200 OK", plain, "", 0); return false;
	case HTTP_ELSEWHERE: refuse(from, to, "404 Not Found", elsewhere); return false;
	case HTTP_OTHER:
		refuse(from, to, "405 Method Not Allowed", "GET is served\n");
		return false;
	case HTTP_WRONG: break;
	}
	refuse(from, to, "400 Bad Request", "This is not a request of HTTP/1.1\n");
	return false;
}
