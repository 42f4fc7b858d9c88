// SPDX-License-Identifier: GPL-2.0
/* Reads HTTP requests, well-formed and hostile. */
#include "loader/base/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loader/base/memory.h"
#include "tests/unit/expect.h"

static void test_parse(void **state)
{
	static const struct {
		const char *request;
		enum http_asks asks;
	} cases[] = {
		{"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", HTTP_GET},
		{"GET /metrics HTTP/1.0\r\n\r\n", HTTP_GET},
		{"GET /metrics?x=1 HTTP/1.1\r\n\r\n", HTTP_GET},
		{"HEAD /metrics HTTP/1.1\r\n\r\n", HTTP_HEAD},
		{"GET / HTTP/1.1\r\n\r\n", HTTP_ELSEWHERE},
		{"GET /metric HTTP/1.1\r\n\r\n", HTTP_ELSEWHERE},
		{"GET /metrics/ HTTP/1.1\r\n\r\n", HTTP_ELSEWHERE},
		{"GET /metricsx HTTP/1.1\r\n\r\n", HTTP_ELSEWHERE},
		{"POST /metrics HTTP/1.1\r\n\r\n", HTTP_OTHER},
		{"get /metrics HTTP/1.1\r\n\r\n", HTTP_OTHER},
		{"GET /metrics\r\n\r\n", HTTP_WRONG},
		{"GET /metrics HTTP/2.0\r\n\r\n", HTTP_WRONG},
		{"GET /metrics HTTP/1.11\r\n\r\n", HTTP_WRONG},
		{"GET /metrics HTTP/1.1 x\r\n\r\n", HTTP_WRONG},
		{"GET  /metrics HTTP/1.1\r\n\r\n", HTTP_WRONG},
		{" GET /metrics HTTP/1.1\r\n\r\n", HTTP_WRONG},
		{"\r\n\r\n", HTTP_WRONG},
		{"GET /metrics HTTP/1.1\n\n", HTTP_WRONG},
		{"\x16\x03\x01\r\n\r\n", HTTP_WRONG},
	};
	static const char nul[] = "GET /metrics\0 HTTP/1.1\r\n\r\n";

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *request = cases[i].request;
		/* A buffer of exactly the text's length, so that the sanitizer sees a byte read too
		 * many. */
		char *copy = xstrndup(request, strlen(request));
		char *tight = memcpy(xcalloc(strlen(request), 1), copy, strlen(request));

		if (http_parse(tight, strlen(request), "/metrics") != cases[i].asks)
			fail_msg("%s", request);
		free(copy);
		free(tight);
	}
	assert_int_equal(HTTP_WRONG, http_parse(nul, sizeof(nul) - 1, "/metrics"));
}

/* The answer to a request that arrives in pieces of `piece` bytes. The caller frees. */
static char *answer_to(const char *request, size_t length, size_t piece, bool *asked)
{
	char answer[4096] = "";
	int pair[2];
	ssize_t got;
	pid_t child;

	assert_int_equal(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		close(pair[0]);
		for (size_t at = 0; at < length; at += piece)
			if (send(pair[1], request + at, length - at < piece ? length - at : piece,
				 MSG_NOSIGNAL) < 0)
				break;
		shutdown(pair[1], SHUT_WR);
		sleep(1);
		_exit(0);
	}
	*asked = http_asked(pair[0], pair[0], "/metrics");
	if (*asked)
		http_answer(pair[0], "200 OK", "text/plain", "x\n", 2);
	shutdown(pair[0], SHUT_WR);
	got = recv(pair[1], answer, sizeof(answer) - 1, 0);
	assert_true(got > 0);
	close(pair[0]);
	close(pair[1]);
	alarm(0);
	return xstrdup(answer);
}

static void expect_answer(const char *request, size_t length, size_t piece, bool wanted,
			  const char *begins)
{
	bool asked;
	char *answer = answer_to(request, length, piece, &asked);

	assert_int_equal(wanted, asked);
	if (strncmp(answer, begins, strlen(begins)))
		fail_msg("'%s' does not begin with '%s'", answer, begins);
	free(answer);
}

static void test_answers(void **state)
{
	static const char get[] = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
	char *large = xcalloc(HTTP_LIMIT + 1, 1);

	(void)state;
	expect_answer(get, sizeof(get) - 1, 1, true,
		      "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n"
		      "Connection: close\r\n\r\nx\n");
	expect_answer(get, sizeof(get) - 3, sizeof(get), false, "HTTP/1.1 400 ");
	expect_answer("PUT /metrics HTTP/1.1\r\n\r\n", 25, 25, false, "HTTP/1.1 405 ");
	expect_answer("GET / HTTP/1.1\r\n\r\n", 18, 18, false, "HTTP/1.1 404 ");
	memset(large, 'x', HTTP_LIMIT + 1);
	expect_answer(large, HTTP_LIMIT + 1, HTTP_LIMIT, false, "HTTP/1.1 400 ");
	free(large);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
