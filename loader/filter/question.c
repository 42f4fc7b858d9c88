// SPDX-License-Identifier: GPL-2.0
/* Asks a filter for its verdict on a packet that is not really sent. */
#include "loader/filter/question.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/mman.h>

#include "loader/base/message.h"
#include "loader/filter/generation.h"
#include "loader/filter/limit_maps.h"
#include "loader/filter/load.h"

static int map_answer(struct question *question)
{
	void *memory = mmap(NULL, sizeof(*question->explained), PROT_READ | PROT_WRITE, MAP_SHARED,
			    question->filter.fd[FILTER_EXPLAINED], 0);
	int err = -errno;

	if (memory == MAP_FAILED) {
		error("cannot read the answers of the BPF program: %s", strerror(-err));
		return err;
	}
	question->explained = memory;
	return 0;
}

/* Loads the programs that answer. `live` is NULL for a filter that does not exist yet. */
static int load(struct question *question, const struct filter *live, enum pc_frame frame)
{
	return question->told ? filter_load_told(&question->filter, live, frame) :
				filter_load_explaining(&question->filter, live, frame);
}

/* A replay counts a live filter's limits in cells of its own. */
static int make_cells(const struct question *question, const struct filter *live)
{
	const struct pc_generation *generation = live->current.copy;
	int err = question->told && generation && generation->limits ?
			  limits_cells(&question->filter) :
			  0;

	if (err)
		error("cannot make the cells of limits: %s", strerror(-err));
	return err;
}

int question_open(struct question *question, const struct filter *live, bool told)
{
	enum pc_frame frame;
	int err = filter_frame(live, &frame);

	*question =
		(struct question){.filter = FILTER_NONE, .ifindex = live->ifindex, .told = told};
	if (err) {
		error("cannot read the constants of the BPF program: %s", strerror(-err));
		return err;
	}
	question->frame = frame;
	err = load(question, live, frame);
	if (!err)
		err = make_cells(question, live);
	if (!err)
		err = map_answer(question);
	if (err)
		question_close(question);
	return err;
}

int question_open_new(struct question *question, const struct tables *tables, enum pc_frame frame,
		      unsigned int ifindex, bool told)
{
	int err;

	*question = (struct question){
		.filter = FILTER_NONE, .frame = frame, .ifindex = ifindex, .told = told};
	err = load(question, NULL, frame);
	question->filter.ifindex = ifindex;
	if (!err)
		err = filter_switch(&question->filter, tables, "{}", false);
	if (!err)
		err = map_answer(question);
	if (err)
		question_close(question);
	return err;
}

void question_close(struct question *question)
{
	if (question->explained)
		munmap(question->explained, sizeof(*question->explained));
	question->explained = NULL;
	filter_close(&question->filter);
}

/* Runs the program. `context`: the program's context for the kernel, or NULL. */
static int run(const struct question *question, enum filter_fd program, const void *frame,
	       size_t length, const void *context, size_t context_size)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = (__u32)length,
		    .repeat = 1);

	if (context) {
		options.ctx_in = context;
		options.ctx_size_in = (__u32)context_size;
	}
	return bpf_prog_test_run_opts(question->filter.fd[program], &options) ? -errno : 0;
}

static int run_in(const struct question *question, const void *frame, size_t length, bool blind)
{
	struct xdp_md context = {.data_end = (__u32)length, .ingress_ifindex = question->ifindex};

	return run(question, FILTER_PROGRAM, frame, length, blind ? NULL : &context,
		   sizeof(context));
}

static int run_out(const struct question *question, const void *frame, size_t length, bool blind)
{
	struct __sk_buff context = {.ifindex = question->ifindex};

	return run(question, FILTER_EGRESS, frame, length, blind ? NULL : &context,
		   sizeof(context));
}

int question_ask(struct question *question, const void *frame, size_t length, bool out,
		 struct pc_event *answer)
{
	int (*runs)(const struct question *, const void *, size_t, bool) = out ? run_out : run_in;
	int err;

	memset(question->explained, 0, sizeof(*question->explained));
	question->explained->sent_by_socket = question->sent_by_socket;
	err = runs(question, frame, length, question->blind || !question->ifindex);
	if (err == -EINVAL && !question->blind && question->ifindex) {
		err = runs(question, frame, length, true);
		question->blind = !err;
	}
	if (err)
		return err;
	*answer = *(volatile struct pc_event *)&question->explained->event;
	return answer->length ? 0 : -ENODATA;
}

int question_tell(struct question *question, const void *frame, size_t length, bool out,
		  struct question_told *told, struct pc_event *answer)
{
	volatile struct pc_explained *explained = question->explained;
	int err;

	explained->event.length = 0;
	explained->sent_by_socket = 0;
	explained->told = told->what;
	explained->asked_limit = 0;
	explained->at = told->at;
	explained->second = told->second;
	explained->first_cell = told->first_cell;
	explained->first_second = told->first_second;
	err = out ? run_out(question, frame, length, true) : run_in(question, frame, length, true);
	if (err)
		return err;
	*answer = explained->event;
	told->limited = explained->asked_limit;
	return answer->length ? 0 : -ENODATA;
}
