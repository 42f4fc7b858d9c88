// SPDX-License-Identifier: GPL-2.0
/* Interfaces of this network namespace and of others, and the counters of a veth. */
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loader/base/file.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "tests/bench/bench.h"

int place_open(const char *what, struct place *place)
{
	const char *at = strchr(what, '@');
	int err;

	snprintf(place->interface, sizeof(place->interface), "%.*s",
		 at ? (int)(at - what) : (int)strlen(what), what);
	place->netns = -1;
	if (at) {
		__free_text char *path = xasprintf("/run/netns/%s", at + 1);

		place->netns = open(path, O_RDONLY | O_CLOEXEC);
		if (place->netns < 0) {
			err = -errno;
			error("bench: %s: %s", path, strerror(errno));
			return err;
		}
	}
	err = place_enter(place);
	if (err)
		return err;
	place->ifindex = if_nametoindex(place->interface);
	place_leave(place);
	if (!place->ifindex)
		error("bench: no interface %s", what);
	return place->ifindex ? 0 : -ENODEV;
}

static int home(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	return fd;
}

int place_enter(const struct place *place)
{
	if (place->netns < 0 || (home() >= 0 && !setns(place->netns, CLONE_NEWNET)))
		return 0;
	error("bench: the namespace of %s: %s", place->interface, strerror(errno));
	return -errno;
}

/* A measurement in the wrong namespace would be wrong. */
void place_leave(const struct place *place)
{
	if (place->netns < 0 || !setns(home(), CLONE_NEWNET))
		return;
	error("bench: the first network namespace: %s", strerror(errno));
	exit(1);
}

/* A socket that belongs to the place's namespace, so that its requests do, too. */
static int place_socket(const struct place *place)
{
	int fd = place_enter(place);

	if (fd)
		return fd;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	place_leave(place);
	return fd < 0 ? -errno : fd;
}

static bool is_counter(const char *name, int queue, const char *counter)
{
	__free_text char *one = xasprintf("rx_queue_%d_%s", queue, counter);
	size_t length = strnlen(name, ETH_GSTRING_LEN), suffix = strlen(counter);

	if (queue >= 0)
		return !strncmp(name, one, ETH_GSTRING_LEN);
	return !strncmp(name, "rx_", 3) && length > suffix &&
	       !strncmp(name + length - suffix, counter, suffix) &&
	       name[length - suffix - 1] == '_';
}

int veth_counter(const struct place *place, int queue, const char *counter, uint64_t *value)
{
	__close_fd int fd = place_socket(place);
	struct ethtool_drvinfo driver = {.cmd = ETHTOOL_GDRVINFO};
	struct ifreq request = {.ifr_data = (void *)&driver};
	struct ethtool_gstrings *names;
	struct ethtool_stats *stats;
	int err = 0;
	size_t i;

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", place->interface);
	if (fd < 0 || ioctl(fd, SIOCETHTOOL, &request))
		return -errno;
	names = xcalloc(1, sizeof(*names) + driver.n_stats * ETH_GSTRING_LEN);
	stats = xcalloc(1, sizeof(*stats) + driver.n_stats * sizeof(__u64));
	*names = (struct ethtool_gstrings){ETHTOOL_GSTRINGS, ETH_SS_STATS, driver.n_stats};
	*stats = (struct ethtool_stats){ETHTOOL_GSTATS, driver.n_stats};
	request.ifr_data = (void *)names;
	err = ioctl(fd, SIOCETHTOOL, &request) ? -errno : 0;
	request.ifr_data = (void *)stats;
	if (!err && ioctl(fd, SIOCETHTOOL, &request))
		err = -errno;
	*value = 0;
	for (i = 0; !err && i < driver.n_stats; i++)
		if (is_counter((const char *)names->data + i * ETH_GSTRING_LEN, queue, counter))
			*value += stats->data[i];
	free(names);
	free(stats);
	return err;
}

int veth_gro_on(const struct place *place)
{
	__close_fd int fd = place_socket(place);
	struct ethtool_value value = {.cmd = ETHTOOL_SGRO, .data = 1};
	struct ifreq request = {.ifr_data = (void *)&value};

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", place->interface);
	if (fd >= 0 && !ioctl(fd, SIOCETHTOOL, &request))
		return 0;
	error("bench: %s: GRO: %s", place->interface, strerror(errno));
	return -errno;
}
