// SPDX-License-Identifier: GPL-2.0
/* `detach`: removes the filter from interfaces. */
#include "loader/command.h"

static int detach_one(const char *interface)
{
	__cleanup(filter_close) struct filter filter = FILTER_NONE;
	struct hook hook;

	if (hook_find(interface, &hook))
		return EXIT_FAILED;
	if (!hook.id[0]) {
		say_line("%s: no filter of portcullis is attached", interface);
		return EXIT_DONE;
	}
	snprintf(filter.id, sizeof(filter.id), "%s", hook.id);
	if (filter_detach(&filter))
		return EXIT_FAILED;
	say_line("%s: detached; everything passes", interface);
	return EXIT_DONE;
}

int command_detach(const struct options *options, struct diag *diag)
{
	__close_fd int lock = -1;
	int ready, code = EXIT_DONE;
	size_t i;

	(void)diag;
	if (!options->arguments.count) {
		error("detach: the interface is missing: portcullis detach IFACE...");
		return EXIT_USAGE;
	}
	if (kernel_privileged("detach"))
		return EXIT_FAILED;
	ready = pins_ready(false);
	if (ready < 0 || (ready && (pins_lock(&lock) || hook_settle())))
		return EXIT_FAILED;
	for (i = 0; i < options->arguments.count; i++)
		if (detach_one(options->arguments.name[i]))
			code = EXIT_FAILED;
	if (ready) {
		hook_mend(); /* of the others: what is detached needs none */
		share_settle();
	}
	return code;
}
