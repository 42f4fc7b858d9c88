// SPDX-License-Identifier: GPL-2.0
/* `confirm`: makes final what was attached, swapped or applied with --confirm. */
#include <errno.h>
#include <stdlib.h>

#include "loader/command.h"

static int too_late(const char *interface, const struct filter *filter)
{
	const struct pc_generation *current = filter->current.copy;

	if (current->stand_in)
		error("%s: too late: the attach was not confirmed in time, and everything passes; attach again",
		      interface);
	else
		error("%s: too late: the swap was not confirmed in time, and generation %llu judges again; portcullis show --iface %s shows it",
		      interface, current->number, interface);
	return -ETIME;
}

static int confirm_one(const struct hook *hook, bool named, size_t *confirmed)
{
	__cleanup(filter_close) struct filter filter = FILTER_NONE;
	int err = filter_open(hook->id, &filter);
	bool waits;

	if (err)
		return err == -ENOENT ? hook_missing(hook, "confirm") : err;
	waits = filter.current.copy->deadline;
	if (filter.reverted.copy || filter.current.copy->reverted_at)
		return too_late(hook->name, &filter);
	err = filter_confirm(&filter);
	if (err == -ETIME) {
		/* It passed since the filter was opened. */
		filter.current = filter.fallback;
		filter.fallback = INSTALLED_NONE;
		return too_late(hook->name, &filter);
	}
	if (!err && waits)
		say_line("%s: confirmed; generation %llu is final", hook->name,
			 filter.current.copy->number);
	else if (!err && named)
		say_line("%s: nothing waits to be confirmed; generation %llu is final", hook->name,
			 filter.current.copy->number);
	*confirmed += !err && waits;
	return err;
}

static int confirm_named(const struct names *interfaces)
{
	size_t confirmed = 0, i;
	int code = EXIT_DONE;

	for (i = 0; i < interfaces->count; i++) {
		struct hook hook;
		int err = hook_find(interfaces->name[i], &hook);

		if (!err && !hook.id[0])
			err = hook_missing(&hook, "confirm");
		if (err || confirm_one(&hook, true, &confirmed))
			code = EXIT_FAILED;
	}
	return code;
}

static int confirm_all(void)
{
	size_t count, confirmed = 0, i;
	int code = EXIT_DONE;
	struct hook *hook;

	if (hook_list(&hook, &count))
		return EXIT_FAILED;
	for (i = 0; i < count; i++)
		if (confirm_one(&hook[i], false, &confirmed))
			code = EXIT_FAILED;
	free(hook);
	if (code == EXIT_DONE && !confirmed)
		say_line("nothing waits to be confirmed");
	return code;
}

int command_confirm(const struct options *options, struct diag *diag)
{
	__close_fd int lock = -1;
	int ready, code;

	(void)diag;
	if (kernel_privileged("confirm"))
		return EXIT_FAILED;
	/* Nothing is settled before: what was reverted would no more be seen. */
	ready = pins_ready(false);
	if (ready < 0 || (ready && pins_lock(&lock)))
		return EXIT_FAILED;
	code = options->arguments.count ? confirm_named(&options->arguments) : confirm_all();
	if (ready)
		share_settle();
	return code;
}
