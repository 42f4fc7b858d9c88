// SPDX-License-Identifier: GPL-2.0
/* Crafted and random frames through the loaded program, by BPF_PROG_TEST_RUN. Results are TAP. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "tests/packet/check.h"
#include "tests/packet/fixture.h"
#include "tests/packet/suites.h"

#define RANDOM_FRAMES 250000
#define QUICK_FRAMES  20000

struct options {
	uint64_t frames;
	uint64_t seed;
	bool quick;
	bool brief;
};

static void usage(FILE *to)
{
	fprintf(to,
		"usage: test_packet [--random FRAMES] [--seed SEED] [--quick | --brief]\n"
		"  --random FRAMES  random frames against the model (default %d)\n"
		"  --seed SEED      of a run that is to be repeated (default: a new one)\n"
		"  --quick          fewer random frames, no sweeps over every value of a field\n"
		"  --brief          what a quick run has but floods, random frames, and frames without Ethernet\n",
		RANDOM_FRAMES);
}

static uint64_t number(const char *text)
{
	char *end;
	uint64_t value;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (errno || *end || end == text || *text == '-') {
		fprintf(stderr, "test_packet: '%s' is no number\n", text);
		exit(2);
	}
	return value;
}

static void read_options(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {
		{"random", required_argument, NULL, 'r'},
		{"seed", required_argument, NULL, 's'},
		{"quick", no_argument, NULL, 'q'},
		{"brief", no_argument, NULL, 'b'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	bool frames_given = false;
	int option;

	*options = (struct options){.frames = RANDOM_FRAMES};
	if (getrandom(&options->seed, 4, 0) != 4)
		options->seed = (uint64_t)getpid();
	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (option) {
		case 'r':
			options->frames = number(optarg);
			frames_given = true;
			break;
		case 's': options->seed = number(optarg); break;
		case 'b': options->brief = true; /* fall through */
		case 'q': options->quick = true; break;
		case 'h': usage(stdout); exit(0);
		default: usage(stderr); exit(2);
		}
	}
	if (optind < argc) {
		usage(stderr);
		exit(2);
	}
	if (options->quick && !frames_given)
		options->frames = QUICK_FRAMES;
}

/* The form of frames of tun and GRE interfaces. */
static void without_ethernet(const struct options *options, enum pc_frame kind)
{
	struct runner runner;

	model_frames(kind);
	if (!check(!runner_open(&runner, 0, kind), "the filter of frames without Ethernet loads"))
		return;
	suite_bare(&runner);
	if (options->frames)
		suite_random(&runner, options->seed, options->frames / 5, options->quick);
	runner_close(&runner);
}

int main(int argc, char **argv)
{
	struct options options;
	struct runner runner;
	int err;

	read_options(argc, argv, &options);
	setvbuf(stdout, NULL, _IOLBF, 0);
	suite_model();
	if (geteuid()) {
		skip("needs root, to load a BPF program", "frames through the program");
		return check_done();
	}
	err = fixture_open();
	if (err == -ENOENT || err == -ENODEV) {
		skip("needs /dev/net/tun", "frames through the program");
		return check_done();
	}
	if (!check(!err, "a namespace with sockets"))
		return check_done();
	err = runner_open(&runner, 0, PC_FRAME_ETHERNET);
	if (!check(!err, "the filter loads"))
		return check_done();
	note("frames are split from %zu linear bytes on%s", runner.least,
	     runner.filter.frags ? "" : ": not at all, this kernel has no xdp.frags");
	suite_rows(&runner);
	suite_scenes(&runner);
	suite_several(&runner);
	suite_forward(&runner);
	suite_echo(&runner);
	suite_verifier(&runner);
	suite_deadline(&runner);
	suite_cuts(&runner);
	suite_buffers(&runner);
	suite_counters(&runner);
	fixture_refresh();
	suite_marks(&runner);
	suite_machines(&runner, options.quick);
	if (options.brief) {
		runner_close(&runner);
		return check_done();
	}
	suite_limits(&runner, options.quick);
	suite_grants(&runner);
	suite_drops(&runner, options.quick);
	suite_listen(&runner);
	if (!options.quick)
		suite_sweeps(&runner);
	if (options.frames) {
		suite_random(&runner, options.seed, options.frames, options.quick);
		suite_random_machines(&runner, options.seed, options.quick);
	}
	runner_close(&runner);
	without_ethernet(&options, PC_FRAME_IP);
	without_ethernet(&options, PC_FRAME_GRE);
	return check_done();
}
