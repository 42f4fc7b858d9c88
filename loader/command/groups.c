// SPDX-License-Identifier: GPL-2.0
/* `groups`: each group of the live filters and of the site file. */
#include "loader/command/groups.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/command/groups_refresh.h"
#include "loader/host/attached.h"
#include "loader/host/grants.h"
#include "loader/object/privilege.h"
#include "loader/recipe/site.h"
#include "loader/report/groups.h"
#include "loader/report/json_forms.h"

/* Keeps only the named groups, in the order of the names. -ENOENT with a message: unknown. */
static int choose(json_t **groups, const struct names *names)
{
	__cleanup(names_free) struct names known = {};
	json_t *chosen = json_array(), *group;
	size_t i, j;
	int err = 0;

	json_array_foreach (*groups, i, group)
		names_add(&known, json_string_value(json_object_get(group, "name")));
	for (i = 0; i < names->count; i++) {
		for (j = 0; j < known.count && strcmp(known.name[j], names->name[i]); j++)
			;
		if (j < known.count) {
			json_array_append(chosen, json_array_get(*groups, j));
		} else {
			const char *near = nearest_name(names->name[i], &known);

			error("groups: '%s' is not a group of a filter or of the site file%s%s%s",
			      names->name[i], near ? "; did you mean '" : "; to list them: ",
			      near ?: "portcullis groups", near ? "'?" : "");
			err = -ENOENT;
		}
	}
	json_decref(*groups);
	*groups = chosen;
	return err;
}

/* Adds grants that are in force, or that wait for a filter. -EACCES: only root may read them. */
static int add_grants(json_t *groups)
{
	__cleanup(hooks_free) struct hooks hooks = {};
	__cleanup(grants_close) struct grants grants = {};
	int err = hooks_read(&hooks);

	if (!err)
		err = grants_read(&hooks, &grants);
	if (err == -EACCES) {
		warning("groups: grants are not shown: only root may read them");
		return 0;
	}
	if (err)
		return err;
	ban_set_sort(&grants.file.set);
	for (size_t i = 0; i < grants.file.set.count; i++)
		if (grants_hold(&grants, &grants.file.set.ban[i]))
			report_groups_grant(groups, &grants.file.set.ban[i], &grants.clock);
	return 0;
}

int command_groups(const struct options *options, struct diag *diag)
{
	const struct names *names = &options->arguments;
	__cleanup(site_free) struct site site = {};
	json_t *groups = json_array();
	struct live *list;
	size_t count, i;
	bool left_out = false;
	int err;

	/* A user who may read the filters may not be allowed to read the site file. */
	if (options->refresh)
		return groups_refresh(options, diag);
	if (kernel_readable("groups") ||
	    ((options->site || !access(SITE_FILE, R_OK)) &&
	     site_open(options->site, &site, diag)) ||
	    live_read_kept(&(struct names){}, "groups", &list, &count, &left_out))
		return EXIT_FAILED;
	for (i = 0; i < count; i++)
		report_groups_add(groups, list[i].kept, list[i].hook.name, &site);
	live_free(list, count);
	report_groups_add_site(groups, &site);
	if (add_grants(groups))
		left_out = true;
	err = names->count ? choose(&groups, names) : 0;
	if (options->json) {
		report_print(report_new("groups", groups), NULL);
	} else {
		report_groups_text(groups, names, stdout);
		json_decref(groups);
	}
	return err || left_out ? EXIT_FAILED : EXIT_DONE;
}
