// SPDX-License-Identifier: GPL-2.0
/*
 * How many frames a second a program judges behind a veth, on one CPU. BPF_PROG_TEST_RUN makes live
 * frames and redirects them into one end of the pair; the other end's NAPI runs the program on the
 * same CPU, and its driver counts what the program did.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loader/util.h"
#include "tests/bench/bench.h"

#define LINES_MAX 64
#define BATCH	  64	    /* frames between two flushes: a NAPI budget */
#define BURST	  (1 << 15) /* frames between two looks at the clock */
#define WARM_UP	  20000000  /* ns */

struct line {
	const char *name, *frame_name, *receiver;
	struct frame frame;
	unsigned int receiver_index;
	int action;
	int sender;   /* program */
	int attached; /* for a turn; -1: the receiver has its program, or none at all */
	double *rate;
};

/* The sum of a veth's per-queue counters of that name: "xdp_packets", "xdp_drops". */
static int veth_counter(const char *interface, const char *counter, uint64_t *value)
{
	__close_fd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ethtool_drvinfo driver = {.cmd = ETHTOOL_GDRVINFO};
	struct ifreq request = {.ifr_data = (void *)&driver};
	struct ethtool_gstrings *names;
	struct ethtool_stats *stats;
	size_t i, suffix = strlen(counter);
	int err = 0;

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", interface);
	if (fd < 0 || ioctl(fd, SIOCETHTOOL, &request))
		return -errno;
	names = xcalloc(1, sizeof(*names) + driver.n_stats * ETH_GSTRING_LEN);
	stats = xcalloc(1, sizeof(*stats) + driver.n_stats * sizeof(__u64));
	*names = (struct ethtool_gstrings){ETHTOOL_GSTRINGS, ETH_SS_STATS, driver.n_stats};
	*stats = (struct ethtool_stats){ETHTOOL_GSTATS, driver.n_stats};
	request.ifr_data = (void *)names;
	err = ioctl(fd, SIOCETHTOOL, &request) ? -errno : 0;
	request.ifr_data = (void *)stats;
	if (!err && ioctl(fd, SIOCETHTOOL, &request))
		err = -errno;
	*value = 0;
	for (i = 0; !err && i < driver.n_stats; i++) {
		const char *name = (const char *)names->data + i * ETH_GSTRING_LEN;
		size_t length = strnlen(name, ETH_GSTRING_LEN);

		if (!strncmp(name, "rx_", 3) && length > suffix &&
		    !strncmp(name + length - suffix, counter, suffix) &&
		    name[length - suffix - 1] == '_')
			*value += stats->data[i];
	}
	free(names);
	free(stats);
	return err;
}

/* Without an XDP program a veth takes redirected frames only if it does GRO. */
static int gro_on(const char *interface)
{
	__close_fd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ethtool_value value = {.cmd = ETHTOOL_SGRO, .data = 1};
	struct ifreq request = {.ifr_data = (void *)&value};

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", interface);
	if (fd >= 0 && !ioctl(fd, SIOCETHTOOL, &request))
		return 0;
	error("bench: %s: GRO: %s", interface, strerror(errno));
	return -errno;
}

/*
 * Opens the time account of this CPU's ksoftirqd, which may take over some of the work. NULL:
 * unseen.
 */
static FILE *softirqd_open(void)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	char wanted[32], comm[32];
	FILE *account = NULL;

	snprintf(wanted, sizeof(wanted), "ksoftirqd/%d\n", sched_getcpu());
	while (dir && !account && (entry = readdir(dir))) {
		__free_text char *path = xasprintf("/proc/%s/comm", entry->d_name);
		__close_file FILE *file = atoi(entry->d_name) ? fopen(path, "re") : NULL;
		__free_text char *times = xasprintf("/proc/%s/schedstat", entry->d_name);

		if (file && fgets(comm, sizeof(comm), file) && !strcmp(comm, wanted))
			account = fopen(times, "re");
	}
	if (dir)
		closedir(dir);
	return account;
}

/*
 * The time that this CPU worked for the measurement: others' turns do not count. Without
 * ksoftirqd's share, the time that passed.
 */
static uint64_t busy_ns(void)
{
	static FILE *softirqd;
	static bool looked;
	unsigned long long ns = 0;

	if (!looked)
		softirqd = softirqd_open();
	looked = true;
	if (!softirqd)
		return clock_ns(CLOCK_MONOTONIC);
	rewind(softirqd);
	fflush(softirqd);
	if (fscanf(softirqd, "%llu", &ns) != 1)
		ns = 0;
	return clock_ns(CLOCK_THREAD_CPUTIME_ID) + ns;
}

static int burst(const struct line *line)
{
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = line->frame.data,
		    .data_size_in = line->frame.length, .repeat = BURST,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = BATCH);

	return bpf_prog_test_run_opts(line->sender, &run) ? -errno : 0;
}

static int flood(const struct line *line, uint64_t ns)
{
	uint64_t start = clock_ns(CLOCK_MONOTONIC);
	int err;

	do
		err = burst(line);
	while (!err && clock_ns(CLOCK_MONOTONIC) - start < ns);
	return err;
}

/* Millions a second. */
static int sample(const struct line *line, uint64_t ns, double *rate)
{
	const char *counter = line->action == XDP_DROP ? "xdp_drops" : "xdp_packets";
	uint64_t before, after, busy, passed;
	int err = flood(line, WARM_UP);

	if (err || (err = veth_counter(line->receiver, counter, &before)))
		return err;
	passed = clock_ns(CLOCK_MONOTONIC);
	busy = busy_ns();
	err = flood(line, ns);
	busy = busy_ns() - busy;
	passed = clock_ns(CLOCK_MONOTONIC) - passed;
	if (err || (err = veth_counter(line->receiver, counter, &after)))
		return err;
	if (after == before) {
		error("bench: %s: the program at %s saw nothing", line->name, line->receiver);
		return -EPROTO;
	}
	if (busy > passed)
		busy = passed;
	*rate = (after - before) * 1000.0 / busy;
	return 0;
}

/* Attaches the empty program for a turn, and takes it off again. */
static int attach(const struct line *line, bool on)
{
	int err;

	if (line->attached < 0)
		return 0;
	err = bpf_xdp_attach(line->receiver_index, on ? line->attached : -1, XDP_FLAGS_DRV_MODE,
			     NULL);
	if (err)
		error("bench: %s: %s", line->receiver, strerror(-err));
	return err;
}

static int line_open(struct line *line, char **word, unsigned int rounds)
{
	bool empty = !strcmp(word[1], "drop") || !strcmp(word[1], "pass");
	unsigned int sender = if_nametoindex(word[2]);

	line->name = word[0];
	line->receiver = word[3];
	line->frame_name = word[4];
	line->receiver_index = if_nametoindex(word[3]);
	if (!sender || !line->receiver_index) {
		error("bench: %s, %s: no such pair", word[2], word[3]);
		return -ENODEV;
	}
	if (action_of(word[5], &line->action) || frame_build(word[4], &line->frame))
		return -EINVAL;
	if (!strcmp(word[1], "none") && gro_on(word[3]))
		return -EIO;
	line->attached = empty ? program_open(word[1]) : -1;
	line->sender = program_redirect(sender);
	line->rate = xcalloc(rounds, sizeof(double));
	return line->sender < 0 ? line->sender : 0;
}

int bench_rate(int argc, char **argv)
{
	static char *row[LINES_MAX][WORDS_MAX];
	static struct line line[LINES_MAX];
	unsigned int rounds = atoi(argv[0]), round;
	uint64_t ns = atoi(argv[1]) * 1000000ULL;
	size_t lines = rows_read(row, LINES_MAX, 6), i;

	(void)argc;
	for (i = 0; i < lines; i++)
		if (line_open(&line[i], row[i], rounds))
			return 1;
	for (round = 0; round < rounds; round++) {
		for (i = 0; i < lines; i++) {
			int err = attach(&line[i], true);

			if (err)
				return 1;
			err = sample(&line[i], ns, &line[i].rate[round]);
			if (attach(&line[i], false) || err) {
				error("bench: %s: %s", line[i].name, strerror(-err));
				return 1;
			}
		}
	}
	for (i = 0; i < lines; i++) {
		printf("{\"kind\": \"rate\", \"name\": \"%s\", \"frame\": \"%s\", \"length\": %zu",
		       line[i].name, line[i].frame_name, line[i].frame.length);
		samples_print("mpps", line[i].rate, rounds);
		printf("}\n");
	}
	return 0;
}
