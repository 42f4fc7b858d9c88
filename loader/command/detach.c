// SPDX-License-Identifier: GPL-2.0
/* `detach`: removes the filter from interfaces. */
#include "loader/command/detach.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/file.h"
#include "loader/base/message.h"
#include "loader/filter/change_log.h"
#include "loader/filter/detach.h"
#include "loader/filter/hook.h"
#include "loader/filter/marks.h"
#include "loader/filter/settle.h"
#include "loader/filter/several.h"
#include "loader/host/attached.h"
#include "loader/object/folder.h"
#include "loader/object/privilege.h"
#include "loader/report/answer.h"

/* A filter to detach, and its former rule set, for the record. */
struct leaving {
	struct filter filter; /* only id and ifindex; an empty id: there is no filter */
	json_t *kept;
	enum hook_mode mode;
	__u32 flows;
};

/* Finds the filters to detach. A missing interface is an error; one without a filter is not. */
static int find(const struct hooks *hooks, const struct names *interfaces, struct leaving *leaving,
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
		memcpy(leaving[i].filter.id, hook.id, sizeof(hook.id));
		leaving[i].filter.ifindex = hook.ifindex;
		leaving[i].mode = hook.mode;
		if (hook.id[0])
			leaving[i].kept = filter_kept_of(hook.id, &leaving[i].flows);
	}
	return 0;
}

/* First lets all filters pass everything, or none; then removes them. */
static int detach(const struct hooks *hooks, const struct names *interfaces,
		  struct leaving *leaving, const struct options *options)
{
	__cleanup(change_log_free) struct change_log log = {.comment = options->comment};
	struct answer *answer = options->answer;
	bool missing = false;
	int err = find(hooks, interfaces, leaving, &missing);
	size_t done, i;

	if (err)
		return err;
	for (done = 0; done < interfaces->count && !err; done++)
		if (leaving[done].filter.id[0])
			err = filter_stop(&leaving[done].filter);
	for (i = 0; err && i < done; i++)
		filter_refill(&leaving[i].filter);
	for (i = 0; !err && i < interfaces->count; i++) {
		if (!leaving[i].filter.id[0]) {
			answer_interface(answer, interfaces->name[i], ANSWER_NONE, NULL, NULL);
			continue;
		}
		filter_detach(&leaving[i].filter);
		answer_interface(answer, interfaces->name[i], ANSWER_DETACH, NULL, NULL);
		change_log_add(&log, &(struct logged){.action = RECORD_DETACH,
						      .name = interfaces->name[i],
						      .before = leaving[i].kept,
						      .before_unknown = !leaving[i].kept,
						      .mode = leaving[i].mode,
						      .flows = leaving[i].flows});
		say_line("%s: detached; everything passes", interfaces->name[i]);
	}
	change_log_write(&log);
	return err ? err : missing ? -ENODEV : 0;
}

int command_detach(const struct options *options, struct diag *diag)
{
	__cleanup(names_free) struct names interfaces = {};
	__cleanup(hooks_free) struct hooks hooks = {};
	__close_fd int lock = -1;
	struct leaving *leaving;
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
	leaving = xcalloc(interfaces.count, sizeof(*leaving));
	for (i = 0; i < interfaces.count; i++)
		leaving[i].filter = FILTER_NONE;
	err = detach(&hooks, &interfaces, leaving, options);
	for (i = 0; i < interfaces.count; i++) {
		filter_close(&leaving[i].filter);
		json_decref(leaving[i].kept);
	}
	free(leaving);
	if (ready && !hooks_read(&hooks)) {
		/* checked only now, because a detached interface needs none */
		hooks_restore_egress(&hooks);
		several_settle(&hooks);
		marks_settle(&hooks);
	}
	return err ? EXIT_FAILED : EXIT_DONE;
}
