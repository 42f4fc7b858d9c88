// SPDX-License-Identifier: GPL-2.0
/* Holds the interface that udev has announced until its filter is there. */
#include "loader/command/apply_hold.h"

#include "loader/host/newcomer.h"

/* Nothing may be lost where the file, or what is fallen back to, only observes. */
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
