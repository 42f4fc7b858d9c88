// SPDX-License-Identifier: GPL-2.0
/* The outputs of `monitor`: lines of text or JSON, a pcapng file, the journal. */
#include "loader/command/monitor_output.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader/base/file.h"
#include "loader/base/invoker.h"
#include "loader/base/json.h"
#include "loader/base/message.h"
#include "loader/base/utf8.h"
#include "loader/report/event.h"
#include "loader/report/event_record.h"

static bool is_stdout(const struct options *options)
{
	return !strcmp(options->write, "-");
}

static int file_failed(const struct options *options, int err)
{
	__free_text char *shown = text_printable(options->write);

	error("%s: cannot write: %s", is_stdout(options) ? "stdout" : shown, strerror(-err));
	return err;
}

static int open_file(struct options *options)
{
	int caller = invoker_become();

	if (caller < 0)
		return caller;
	options->write_fd = open(options->write, O_WRONLY | O_CLOEXEC);
	if (options->write_fd < 0 && errno == ENOENT) {
		options->write_fd =
			open(options->write, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		options->write_made = options->write_fd >= 0;
	}
	if (options->write_fd < 0)
		return file_failed(options, -errno);
	if (caller)
		options->write_user = invoker_pause();
	return 0;
}

void monitor_discard_file(const struct options *options)
{
	if (!options->write_made)
		return;
	invoker_resume(options->write_user);
	unlink(options->write);
	invoker_pause();
}

int monitor_open_file(struct options *options)
{
	int err = 0;

	if (is_stdout(options))
		options->write_fd = STDOUT_FILENO;
	else
		err = open_file(options);
	if (err || !isatty(options->write_fd))
		return err;
	error("monitor: --write writes pcapng, which is not for a terminal; give a file, or pipe it: portcullis monitor --write - | tshark -r -");
	return -EINVAL;
}

int monitor_output_begin(struct monitor_output *output, const struct options *options, bool named)
{
	struct stat st;
	int err = 0;

	*output = (struct monitor_output){
		.options = options,
		.lines = options->json || (!options->write && !options->journal),
		.named = named,
		.file = PCAPNG_NONE,
	};
	if (!options->write)
		return 0;
	if (!is_stdout(options) && !fstat(options->write_fd, &st) && S_ISREG(st.st_mode) &&
	    ftruncate(options->write_fd, 0))
		err = -errno;
	if (!err)
		err = pcapng_begin(&output->file, options->write_fd);
	return err ? file_failed(options, err) : 0;
}

/* The first failure counts. If the reader of a pipe is gone, the command ends without a message. */
static void file_result(struct monitor_output *output, int err)
{
	if (!err || output->err)
		return;
	output->err = err;
	if (err != -EPIPE)
		file_failed(output->options, err);
}

void monitor_output_interface(struct monitor_output *output, const char *name, enum pc_frame frame,
			      const char *filter)
{
	if (output->options->write)
		file_result(output, pcapng_interface(&output->file, name,
						     frame == PC_FRAME_ETHERNET ? PCAPNG_ETHERNET :
										  PCAPNG_RAW,
						     MONITOR_CAPTURE, filter));
}

/* The value that the hook returns for the packet. */
static __s64 hook_action(const struct pc_event *event)
{
	bool dropped = event->how & PC_EVENT_DROP && !(event->how & PC_EVENT_WOULD);

	if (event->how & PC_EVENT_OUT)
		return dropped ? TC_ACT_SHOT : TC_ACT_UNSPEC;
	return dropped ? XDP_DROP : XDP_PASS;
}

static void write_packet(struct monitor_output *output, __u32 interface, __u64 wall,
			 const struct pc_event *event, const __u8 *frame, const json_t *json)
{
	__free_text char *why = event_why(json);
	__free_text char *comment =
		xasprintf("%s%s", event->how & PC_EVENT_WOULD ? "would-drop " : "", why);
	struct pcapng_packet packet = {
		.interface = interface,
		.time = wall,
		.frame = frame,
		.captured = event->captured,
		.length = event->length,
		.out = event->how & PC_EVENT_OUT,
		.verdict = hook_action(event),
		.comment = comment,
	};

	file_result(output, pcapng_packet(&output->file, &packet));
}

static void print_json(const json_t *json)
{
	json_print(json, JSON_COMPACT);
	putchar('\n');
}

void monitor_output_event(struct monitor_output *output, __u32 interface, __u64 wall,
			  const struct pc_event *event, const __u8 *frame, const json_t *json)
{
	if (output->options->write)
		write_packet(output, interface, wall, event, frame, json);
	if (output->options->journal && event_record(json))
		output->unrecorded++;
	if (!output->lines)
		return;
	if (output->options->json)
		print_json(json);
	else
		event_text(json, output->named, stdout);
}

static void lost_json(const char *name, const struct listen_lost *lost)
{
	json_t *json = json_pack("{s:i, s:o, s:I, s:I, s:I}", "version", 1, "interface",
				 text_json(name), "lost", (json_int_t)(lost->over + lost->full),
				 "over", (json_int_t)lost->over, "full", (json_int_t)lost->full);

	print_json(json);
	json_decref(json);
}

void monitor_output_lost(struct monitor_output *output, const char *name,
			 const struct listen_lost *lost)
{
	if (output->options->json)
		lost_json(name, lost);
	else if (lost->over)
		hint("%s: lost %llu packets above --rate, %llu for which the buffer had no room",
		     name, lost->over, lost->full);
	else
		hint("%s: lost %llu packets for which the buffer had no room", name, lost->full);
}

bool monitor_output_flush(struct monitor_output *output)
{
	if (output->options->write && !output->err)
		file_result(output, pcapng_flush(&output->file));
	if (output->lines && !output->err && fflush(stdout))
		output->err = -errno;
	return !output->err;
}

void monitor_output_total(struct monitor_output *output, __u32 interface, __u64 wall, __u64 lost)
{
	if (output->options->write)
		file_result(output, pcapng_lost(&output->file, interface, wall, lost));
}

void monitor_output_end(struct monitor_output *output)
{
	pcapng_free(&output->file);
}
