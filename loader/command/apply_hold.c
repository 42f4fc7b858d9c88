// SPDX-License-Identifier: GPL-2.0
/* Holds a new interface that udev has announced until its filter is attached. */
#include "loader/command/apply_hold.h"

#include "loader/host/newcomer.h"

/* An interface that the file, or the snapshot, only observes must not lose packets. */
static bool is_to_drop(const struct apply *apply, const struct wanted *wanted)
{
	const struct snapshot *confirmed = apply->confirmed;
	const struct site_interface *before =
		confirmed->there ? site_interface(&confirmed->site, wanted->site->name) : NULL;

	return !wanted->site->wrong && wanted->site->recipe.policy == PC_POLICY_ENFORCE &&
	       (!before || before->recipe.policy == PC_POLICY_ENFORCE);
}

void apply_hold(struct apply *apply)
{
	const struct options *options = apply->options;
	const struct wanted *wanted = apply->wanted;

	if (options->as && !options->dry_run && apply->count == 1 && wanted->ifindex > 0 &&
	    is_to_drop(apply, wanted) && newcomer_is((unsigned int)wanted->ifindex))
		hook_hold((unsigned int)wanted->ifindex, wanted->site->mode, &apply->hold);
}
