// SPDX-License-Identifier: GPL-2.0
/* The process that reads a capture for `replay` with libpcap. It has no privileges. */
#include "loader/command/replay_child.h"

#include <errno.h>
#include <fcntl.h>
#include <pcap/pcap.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "loader/base/confine.h"
#include "loader/base/memory.h"
#include "loader/command/privileges.h"
#include "loader/report/pcap_library.h"

#define BUFFER	      (256 << 10)
#define MEMORY_LIMIT  (1UL << 30) /* bytes */
#define REASON_LENGTH 512	  /* bytes of the reason why a file is broken */
#define SECOND	      1000000000ULL

struct library {
	pcap_t *(*open)(FILE *file, u_int precision, char *why);
	int (*next)(pcap_t *pcap, struct pcap_pkthdr **header, const u_char **bytes);
	int (*datalink)(pcap_t *pcap);
	char *(*geterr)(pcap_t *pcap);
};

struct writer {
	int fd;
	size_t used;
	__u8 buffer[BUFFER];
};

static void flush(struct writer *writer)
{
	size_t at = 0;

	while (at < writer->used) {
		ssize_t count = write(writer->fd, writer->buffer + at, writer->used - at);

		if (count < 0)
			_exit(1);
		at += (size_t)count;
	}
	writer->used = 0;
}

static void put(struct writer *writer, const struct replay_record *record, const void *bytes)
{
	if (writer->used + sizeof(*record) + record->captured > sizeof(writer->buffer))
		flush(writer);
	memcpy(writer->buffer + writer->used, record, sizeof(*record));
	writer->used += sizeof(*record);
	memcpy(writer->buffer + writer->used, bytes, record->captured);
	writer->used += record->captured;
}

static void put_text(struct writer *writer, enum replay_record_kind kind, const char *text)
{
	size_t length = strnlen(text, REASON_LENGTH);

	put(writer, &(struct replay_record){.kind = (__u16)kind, .captured = (__u32)length}, text);
	flush(writer);
}

static void put_packet(struct writer *writer, int link, __u32 capture,
		       const struct pcap_pkthdr *header, const u_char *bytes)
{
	struct replay_record record = {
		.time = (__u64)header->ts.tv_sec * SECOND + (__u64)header->ts.tv_usec,
		.captured = header->caplen,
		.length = header->len,
		.link = (__u16)link,
	};

	if (record.length < record.captured)
		record.length = record.captured;
	if (record.captured > capture)
		record.captured = capture;
	put(writer, &record, bytes);
}

static void read_packets(const struct library *library, pcap_t *pcap, __u32 capture,
			 struct writer *writer)
{
	int link = library->datalink(pcap), result;
	struct pcap_pkthdr *header;
	const u_char *bytes;

	while ((result = library->next(pcap, &header, &bytes)) == 1)
		put_packet(writer, link, capture, header, bytes);
	if (result == PCAP_ERROR_BREAK)
		put_text(writer, REPLAY_RECORD_END, "");
	else
		put_text(writer, REPLAY_RECORD_BROKEN, library->geterr(pcap));
}

/* Forbids other files and much memory, because libpcap reads untrusted files. */
static int confine(void)
{
	const struct rlimit none = {}, memory = {MEMORY_LIMIT, MEMORY_LIMIT};

	unshare(CLONE_NEWNET); /* without the privilege for this it fails, which does not matter */
	if (privileges_drop_all("replay") || setrlimit(RLIMIT_FSIZE, &none) ||
	    setrlimit(RLIMIT_NOFILE, &none))
		return -EPERM;
#ifndef __SANITIZE_ADDRESS__ /* AddressSanitizer needs more */
	if (setrlimit(RLIMIT_AS, &memory))
		return -EPERM;
#endif
	(void)memory;
	return confine_calls(CONFINED_STREAM);
}

/* Keeps stdin, stdout and stderr, and these two descriptors, as 3 and 4. */
static int keep_only(int *file, int *pipe)
{
	int a = fcntl(*file, F_DUPFD, 5), b = fcntl(*pipe, F_DUPFD, 5);

	if (a < 0 || b < 0 || dup2(a, 3) != 3 || dup2(b, 4) != 4)
		return -errno;
	*file = 3;
	*pipe = 4;
	return syscall(SYS_close_range, 5, ~0U, 0) ? -errno : 0;
}

static void read_file_of(int fd, __u32 capture, struct writer *writer)
{
	struct library library;
	const struct library_symbol symbol[] = {
		{"pcap_fopen_offline_with_tstamp_precision", &library.open},
		{"pcap_next_ex", &library.next},
		{"pcap_datalink", &library.datalink},
		{"pcap_geterr", &library.geterr},
	};
	char reason[PCAP_ERRBUF_SIZE] = "";
	__free_text char *why = NULL;
	FILE *file = fdopen(fd, "rb");
	pcap_t *pcap;

	if (pcap_library_load(symbol, ARRAY_SIZE(symbol), &why)) {
		put_text(writer, REPLAY_RECORD_LIBRARY, why);
		return;
	}
	if (!file || setvbuf(file, NULL, _IOFBF, BUFFER) || confine()) {
		put_text(writer, REPLAY_RECORD_BROKEN, strerror(errno));
		return;
	}
	pcap = library.open(file, PCAP_TSTAMP_PRECISION_NANO, reason);
	if (pcap)
		read_packets(&library, pcap, capture, writer);
	else
		put_text(writer, REPLAY_RECORD_BROKEN, reason);
}

void replay_child_run(int file, int pipe, __u32 capture)
{
	struct writer *writer = malloc(sizeof(*writer));

	signal(SIGPIPE, SIG_DFL);
	if (!writer || keep_only(&file, &pipe))
		_exit(1);
	writer->fd = pipe;
	writer->used = 0;
	read_file_of(file, capture, writer);
	_exit(0);
}
