// SPDX-License-Identifier: GPL-2.0
/* The structure of pcapng files, also of those whose disk was full. tshark reads them in the
 * end-to-end tests. */
#include "loader/report/pcapng.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader/base/file.h"
#include "tests/unit/expect.h"

#define TIME (1764439845ULL * 1000000000 + 123456789)

static char path[] = "/tmp/test_pcapng.XXXXXX";
static __u8 frame[70000];

static int start(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	for (size_t i = 0; i < sizeof(frame); i++)
		frame[i] = (__u8)i;
	signal(SIGXFSZ, SIG_IGN);
	return 0;
}

static int end(void **state)
{
	(void)state;
	return unlink(path);
}

static __u32 word_at(const char *text, size_t at)
{
	__u32 word;

	memcpy(&word, text + at, sizeof(word));
	return word;
}

static __u16 half_at(const char *text, size_t at)
{
	__u16 half;

	memcpy(&half, text + at, sizeof(half));
	return half;
}

/* Appends "CODE=HEX" for each option up to the end of options. */
static void say_options(FILE *to, const char *text, size_t at, size_t limit)
{
	while (at < limit) {
		__u16 code = half_at(text, at), length = half_at(text, at + 2);

		at += 4;
		if (!code) {
			assert_int_equal(at, limit);
			return;
		}
		fprintf(to, " %d=", code);
		for (size_t i = 0; i < length; i++)
			fprintf(to, code == 1 || code == 4 || code == 2 ? "%c" : "%02x",
				(__u8)text[at + i] ?:
					code == 2  ? '.' :
						     0);
		at += (length + 3U) / 4 * 4;
	}
	fail_msg("the options have no end");
}

/* Each block: "TYPE [FIXED...] OPTIONS;". The caller frees. */
static char *blocks_of_file(size_t *count)
{
	__free_text char *text = NULL;
	size_t length = 0, at = 0, size = 0;
	char *said_text = NULL;
	FILE *to = open_memstream(&said_text, &size);

	*count = 0;
	assert_int_equal(read_file(path, 64 << 20, &text, &length), 0);
	while (at < length) {
		__u32 type = word_at(text, at), block = word_at(text, at + 4);
		size_t body = at + 8, options;

		assert_int_equal(block % 4, 0);
		assert_true(at + block <= length);
		assert_int_equal(word_at(text, at + block - 4), block);
		fprintf(to, "%x", type);
		options = body + (type == 0x0a0d0d0a ? 16 : type == 1 ? 8 : 12);
		if (type == 1)
			fprintf(to, " link %d capture %u", half_at(text, body),
				word_at(text, body + 4));
		if (type == 6) {
			__u32 captured = word_at(text, body + 12);

			fprintf(to, " on %u captured %u of %u", word_at(text, body), captured,
				word_at(text, body + 16));
			assert_memory_equal(text + body + 20, frame, captured);
			options = body + 20 + (captured + 3U) / 4 * 4;
		}
		if (type == 5 || type == 6)
			assert_true(((__u64)word_at(text, body + 4) << 32 |
				     word_at(text, body + 8)) == TIME);
		say_options(to, text, options, at + block - 4);
		fputc(';', to);
		at += block;
		++*count;
	}
	fclose(to);
	return said_text;
}

static struct pcapng begin(void)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	struct pcapng file;

	assert_true(fd >= 0);
	assert_int_equal(pcapng_begin(&file, fd), 0);
	return file;
}

static int add(struct pcapng *file, __u32 captured, const char *comment)
{
	return pcapng_packet(file, &(struct pcapng_packet){.interface = 1,
							   .time = TIME,
							   .frame = frame,
							   .captured = captured,
							   .length = 70000,
							   .verdict = 1,
							   .comment = comment});
}

static void test_structure(void **state)
{
	static const char expected[] =
		"a0d0d0a 4=portcullis " PORTCULLIS_VERSION ";"
		"1 link 1 capture 9216 2=eth0 9=09 11=00706f7274203235;"
		"1 link 101 capture 0 2=tun0 9=09;"
		"6 on 1 captured 5 of 70000 2=\1... 7=020100000000000000 1=drop unlisted;"
		"6 on 0 captured 0 of 60 2=\2... 7=01ffffffffffffffff;"
		"5 7=0300000000000000;";
	struct pcapng file = begin();
	__free_text char *is = NULL;
	int fd = file.fd;
	size_t count;

	(void)state;
	assert_int_equal(pcapng_interface(&file, "eth0", PCAPNG_ETHERNET, 9216, "port 25"), 0);
	assert_int_equal(pcapng_interface(&file, "tun0", PCAPNG_RAW, 0, NULL), 0);
	assert_int_equal(add(&file, 5, "drop unlisted"), 0);
	assert_int_equal(pcapng_packet(&file, &(struct pcapng_packet){.time = TIME,
								      .length = 60,
								      .out = true,
								      .verdict = -1}),
			 0);
	assert_int_equal(pcapng_lost(&file, 1, TIME, 3), 0);
	assert_int_equal(pcapng_flush(&file), 0);
	pcapng_free(&file);
	close(fd);
	is = blocks_of_file(&count);
	assert_string_equal(is, expected);
}

/* Frames of every length modulo 4, the largest, and comments that are too long. */
static void test_limits(void **state)
{
	__free_text char *text = xcalloc(PCAPNG_COMMENT_LIMIT + 10, 1), *is = NULL;
	struct pcapng file = begin();
	size_t count;
	int fd = file.fd;

	(void)state;
	memset(text, 'x', PCAPNG_COMMENT_LIMIT + 9);
	for (__u32 length = 0; length < 5; length++)
		assert_int_equal(add(&file, length, text), 0);
	assert_int_equal(add(&file, 65536, text), 0);
	assert_int_equal(add(&file, 1 << 20, text), -EMSGSIZE);
	assert_int_equal(pcapng_interface(&file, text, PCAPNG_RAW, 0, text), 0);
	assert_int_equal(pcapng_flush(&file), 0);
	pcapng_free(&file);
	close(fd);
	is = blocks_of_file(&count);
	assert_int_equal(count, 8);
	text[PCAPNG_COMMENT_LIMIT] = '\0';
	assert_non_null(strstr(is, text));
	assert_null(strstr(is, "xxxxx"
			       "x;xx"));
}

/* More than the buffer holds: every packet is written, in order. */
static void test_many(void **state)
{
	struct pcapng file = begin();
	__free_text char *is = NULL;
	int fd = file.fd;
	size_t count;

	(void)state;
	for (int i = 0; i < 3000; i++)
		assert_int_equal(add(&file, 1500, NULL), 0);
	assert_int_equal(pcapng_flush(&file), 0);
	assert_int_equal(pcapng_flush(&file), 0);
	pcapng_free(&file);
	close(fd);
	is = blocks_of_file(&count);
	assert_int_equal(count, 3001);
}

/* The file ends with a complete block, wherever the disk is full; nothing is written after that. */
static void test_full(void **state)
{
	struct rlimit before, limit;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = before;
	for (rlim_t size = 1; size < 400; size++) {
		struct pcapng file = begin();
		__free_text char *is = NULL;
		int fd = file.fd;
		struct stat st;
		size_t count;

		limit.rlim_cur = size;
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
		for (int i = 0; i < 5; i++)
			assert_int_equal(add(&file, 51, "a comment"), 0);
		assert_int_equal(pcapng_flush(&file), -EFBIG);
		setrlimit(RLIMIT_FSIZE, &before);
		assert_int_equal(add(&file, 51, NULL), -EBADF);
		assert_int_equal(pcapng_interface(&file, "eth0", PCAPNG_RAW, 0, NULL), -EBADF);
		assert_int_equal(pcapng_lost(&file, 0, TIME, 0), -EBADF);
		assert_int_equal(pcapng_flush(&file), -EBADF);
		pcapng_free(&file);
		assert_int_equal(fstat(fd, &st), 0);
		assert_true((rlim_t)st.st_size <= size);
		assert_int_equal(lseek(fd, 0, SEEK_CUR), st.st_size);
		close(fd);
		is = blocks_of_file(&count);
	}
}

/* A pipe is not cut, because it cannot be. */
static void test_pipe(void **state)
{
	struct pcapng file;
	int pair[2];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(pair), 0);
	assert_int_equal(pcapng_begin(&file, pair[1]), 0);
	assert_int_equal(pcapng_flush(&file), 0);
	close(pair[0]);
	assert_int_equal(add(&file, 51, NULL), 0);
	assert_int_equal(pcapng_flush(&file), -EPIPE);
	assert_int_equal(pcapng_flush(&file), -EBADF);
	pcapng_free(&file);
	close(pair[1]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_structure), cmocka_unit_test(test_limits),
		cmocka_unit_test(test_many),	  cmocka_unit_test(test_full),
		cmocka_unit_test(test_pipe),
	};

	return cmocka_run_group_tests_name("report/pcapng", tests, start, end);
}
