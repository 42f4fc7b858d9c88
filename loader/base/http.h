/* SPDX-License-Identifier: GPL-2.0 */
/* One HTTP request on a connection that systemd has accepted (RFC 9112). */
#ifndef PORTCULLIS_BASE_HTTP_H
#define PORTCULLIS_BASE_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#define HTTP_LIMIT   8192 /* bytes of a request */
/* seconds that a client may take to send its request, and again to take the answer */
#define HTTP_SECONDS 10
#define HTTP_FAILED  "The metrics cannot be read; see the journal: journalctl -t portcullis\n"

enum http_asks {
	HTTP_GET,
	HTTP_HEAD,
	HTTP_ELSEWHERE, /* another path is asked for */
	HTTP_OTHER,	/* another method than GET */
	HTTP_WRONG,	/* not an HTTP/1 request */
};

/*
 * Tells whether the request, which begins with its first line, asks for `path`. A query behind the
 * path is ignored.
 */
enum http_asks http_parse(const char *request, size_t length, const char *path);

/*
 * Reads a request from `from`. True: it asks for `path`, and the caller sends http_answer. False:
 * the error was sent on `to`. A client that is slow in asking ends the process after HTTP_SECONDS,
 * by SIGALRM.
 */
bool http_asked(int from, int to, const char *path);

/*
 * Sends an answer. A client that is slow in taking it ends the process, too.
 */
void http_answer(int to, const char *status, const char *type, const char *body, size_t length);

#endif
