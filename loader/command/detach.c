// SPDX-License-Identifier: GPL-2.0
/* `detach`: removes the filter from interfaces. */
#include "loader/command/detach.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/file.h"
#include "loader/base/message.h"
#include "loader/filter/detach.h"
#include "loader/filter/hook.h"
#include "loader/filter/settle.h"
#include "loader/filter/several.h"
#include "loader/host/attached.h"
#include "loader/object/folder.h"
#include "loader/object/privilege.h"
#include "loader/report/answer.h"
#include "loader/report/record.h"

/* Finds the filters to detach. A missing interface is an error; one without a filter is not. */
static int find(const struct hooks *hooks, const struct names *interfaces, struct filter *filter,
		bool *missing)
{
	struct hook hook;
	size_t i;

	for (i = 0; i < interfaces->count; i++) {
		int found = hook_find(hooks, interfaces->name[i], &hook);

		if (found == -ENODEV || found == -ENXIO) {
			*missing = true;
			continue;
		}
		if (found)
			return found;
		if (!hook.id[0])
			say_line("%s: no filter of portcullis is attached", interfaces->name[i]);
		memcpy(filter[i].id, hook.id, sizeof(filter[i].id));
		filter[i].ifindex = hook.ifindex;
	}
	return 0;
}

/* First all filters let everything pass, or none; then they are removed. */
static int detach(const struct hooks *hooks, const struct names *interfaces, struct filter *filter,
		  const struct options *options)
{
	struct answer *answer = options->answer;
	bool missing = false;
	int err = find(hooks, interfaces, filter, &missing);
	size_t done, i;

	if (err)
		return err;
	for (done = 0; done < interfaces->count && !err; done++)
		if (filter[done].id[0])
			err = filter_stop(&filter[done]);
	for (i = 0; err && i < done; i++)
		filter_refill(&filter[i]);
	for (i = 0; !err && i < interfaces->count; i++) {
		if (!filter[i].id[0]) {
			answer_interface(answer, interfaces->name[i], ANSWER_NONE, NULL, NULL);
			continue;
		}
		filter_detach(&filter[i]);
		answer_interface(answer, interfaces->name[i], ANSWER_DETACH, NULL, NULL);
		record_change(&(struct record){.action = RECORD_DETACH,
					       .interface = interfaces->name[i],
					       .comment = options->comment});
		say_line("%s: detached; everything passes", interfaces->name[i]);
	}
	return err ? err : missing ? -ENODEV : 0;
}

int command_detach(const struct options *options, struct diag *diag)
{
	__cleanup(names_free) struct names interfaces = {};
	__cleanup(hooks_free) struct hooks hooks = {};
	__close_fd int lock = -1;
	struct filter *filter;
	int ready, err;
	size_t i;

	(void)diag;
	if (!options->arguments.count && !options->all) {
		error("detach: the interface is missing: portcullis detach IFACE..., or detach --all");
		return EXIT_USAGE;
	}
	if (options->arguments.count && options->all) {
		error("detach: give either interfaces or --all, not both");
		return EXIT_USAGE;
	}
	if (kernel_privileged("detach"))
		return EXIT_FAILED;
	ready = pins_ready(false);
	if (ready < 0 || (ready && pins_lock(&lock)) || hooks_read(&hooks) ||
	    (ready && hooks_settle(&hooks)))
		return EXIT_FAILED;
	names_copy(&interfaces, &options->arguments);
	if (options->all)
		hooks_names(&hooks, &interfaces);
	if (!interfaces.count)
		say_line("no interface of this network namespace has a filter");
	filter = xcalloc(interfaces.count, sizeof(*filter));
	for (i = 0; i < interfaces.count; i++)
		filter[i] = FILTER_NONE;
	err = detach(&hooks, &interfaces, filter, options);
	for (i = 0; i < interfaces.count; i++)
		filter_close(&filter[i]);
	free(filter);
	if (ready && !hooks_read(&hooks)) {
		hooks_restore_egress(&hooks); /* only now: a detached interface needs none */
		several_settle(&hooks);
	}
	return err ? EXIT_FAILED : EXIT_DONE;
}
