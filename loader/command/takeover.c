// SPDX-License-Identifier: GPL-2.0
/* `takeover`: replaces another version's programs by this version's, with the same rules. */
#include "loader/command/takeover.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/file.h"
#include "loader/base/message.h"
#include "loader/filter/hook.h"
#include "loader/filter/marks.h"
#include "loader/filter/settle.h"
#include "loader/filter/several.h"
#include "loader/host/attached.h"
#include "loader/host/takeover.h"
#include "loader/object/folder.h"
#include "loader/object/privilege.h"
#include "loader/recipe/state.h"

/* Uses the profiles that were confirmed last, so that the rules stay the same although the catalog
 * is newer. */
static void find_profiles(struct names *folders)
{
	__cleanup(snapshot_free) struct snapshot confirmed = {};
	__cleanup(diag_free) struct diag unused = {};

	if (!snapshot_open(STATE_CONFIRMED, &confirmed, &unused) && confirmed.there)
		names_add(folders, confirmed.catalog.folder.name[0]);
}

static int take_over(struct hooks *hooks, struct hook *hook, const struct names *folders,
		     const char *comment)
{
	__u32 before = hook->program_id;
	int err =
		takeover(hooks, hook,
			 &(struct takeover){.folders = folders, .comment = comment, .same = true});

	if (!err && hook->program_id == before)
		say_line("%s: nothing to take over", hook->name);
	return err;
}

/* Takes over each filter by itself: a filter that cannot be taken over keeps its programs. */
static int take_over_all(struct hooks *hooks, struct hook *hook, size_t count, const char *comment)
{
	__cleanup(names_free) struct names folders = {};
	int err = 0;
	size_t i;

	find_profiles(&folders);
	for (i = 0; i < count; i++)
		if (take_over(hooks, &hook[i], &folders, comment))
			err = -EINVAL;
	return err;
}

int command_takeover(const struct options *options, struct diag *diag)
{
	__cleanup(hooks_free) struct hooks hooks = {};
	struct hook *hook = NULL;
	__close_fd int lock = -1;
	size_t count = 0;
	int ready, err;

	(void)diag;
	if (kernel_privileged("takeover"))
		return EXIT_FAILED;
	ready = pins_ready(false);
	if (ready < 0 || (ready && (pins_lock(&lock) || hooks_collect(&hooks))))
		return EXIT_FAILED;
	err = hooks_of(&hooks, &options->arguments, "takeover", &hook, &count);
	if (!err)
		err = take_over_all(&hooks, hook, count, options->comment);
	free(hook);
	if (ready) {
		several_settle(&hooks);
		marks_settle(&hooks);
	}
	return err ? EXIT_FAILED : EXIT_DONE;
}
