// SPDX-License-Identifier: GPL-2.0
/* Tells a new interface from one through which packets may already pass. */
#include "loader/host/newcomer.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <unistd.h>

#include "loader/base/file.h"
#include "loader/base/memory.h"

/* Its folder exists while portcullis.service is active. */
#define NOTED	   "/run/portcullis/boot/interfaces"
/* The entry that udev's database has after its first event for an interface. */
#define UDEV_KNOWN "/run/udev/data/n%u"

/* The kernel assigns indexes in rising order. */
static unsigned int highest_index(void)
{
	struct if_nameindex *all = if_nameindex();
	unsigned int highest = 0;
	size_t i;

	for (i = 0; all && all[i].if_index; i++)
		if (all[i].if_index > highest)
			highest = all[i].if_index;
	if (all)
		if_freenameindex(all);
	return highest;
}

void newcomers_begin(void)
{
	unsigned int highest = highest_index();
	__close_file FILE *file = highest ? fopen(NOTED, "we") : NULL;

	if (file)
		fprintf(file, "%u\n", highest);
}

bool newcomer_is(unsigned int ifindex)
{
	__free_text char *known = xasprintf(UDEV_KNOWN, ifindex);
	__close_file FILE *file = fopen(NOTED, "re");
	unsigned int highest;

	return file && fscanf(file, "%u", &highest) == 1 && ifindex > highest &&
	       access(known, F_OK) && errno == ENOENT && !access("/run/udev/data", F_OK);
}
