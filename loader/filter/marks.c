// SPDX-License-Identifier: GPL-2.0
/* Tells the programs whether they can trust the marks of local ports. */
#include "loader/filter/marks.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/mman.h>

#include "loader/base/file.h"
#include "loader/base/memory.h"
#include "loader/filter/egress.h"
#include "loader/filter/flow_maps.h"
#include "loader/filter/open.h"
#include "loader/net/link.h"
#include "loader/net/sockets.h"
#include "loader/object/pin.h"

#define ALL_STATES   0xffffffffU
#define TCX_EGRESS   ((enum bpf_attach_type)47) /* BPF_TCX_EGRESS */
#define TCX_PROGRAMS 64				/* programs that one hook takes */

static struct pc_marks *map_marks(int fd)
{
	void *memory =
		mmap(NULL, sizeof(struct pc_marks), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static void unmap_marks(struct pc_marks **table)
{
	if (*table)
		munmap(*table, sizeof(**table));
}

static void set_changes(struct pc_marks *table, __u32 changes)
{
	__atomic_store_n(&table->devices.changes, changes, __ATOMIC_RELEASE);
}

void marks_doubt(const struct filter *filter)
{
	__close_fd int own = filter->fd[FILTER_MARKS] < 0 && filter->id[0] ?
				     object_get(filter->id, "marks") :
				     -1;
	int fd = filter->fd[FILTER_MARKS] < 0 ? own : filter->fd[FILTER_MARKS];
	__cleanup(unmap_marks) struct pc_marks *table = fd < 0 ? NULL : map_marks(fd);

	if (table)
		set_changes(table, 0);
}

/* Reads the kernel's counts of interface changes in the caller's network namespace. 0 or -errno. */
static int count_devices(const struct filter *filter, struct pc_devices *devices)
{
	__u8 frame[64] = {};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = sizeof(frame),
		    .data_out = frame, .data_size_out = sizeof(frame), .repeat = 1);

	if (bpf_prog_test_run_opts(filter->fd[FILTER_DEVICES], &options))
		return -errno;
	memcpy(devices, frame, sizeof(*devices));
	return devices->changes ? 0 : -EOPNOTSUPP;
}

/* True if the filter's egress program is the first at its hook, so that it sees every packet. */
static bool is_first(const struct filter *filter, unsigned int ifindex)
{
	__u32 id[TCX_PROGRAMS], count = TCX_PROGRAMS, flags = 0, own;

	return !object_program(filter->fd[FILTER_EGRESS], &own) &&
	       !bpf_prog_query((int)ifindex, TCX_EGRESS, 0, &flags, id, &count) && count &&
	       id[0] == own;
}

/*
 * True if the filter marks in this map what the interface sends. Programs at a clsact do not count:
 * whoever removes the clsact removes the program, and we are not notified.
 */
static bool hook_marks(const struct hook *hook, __u32 map)
{
	__cleanup(filter_close) struct filter filter = FILTER_NONE;
	struct bpf_map_info info;

	return !filter_open_egress(hook->id, &filter) &&
	       !object_map(filter.fd[FILTER_MARKS], &info) && info.id == map &&
	       egress_state(&filter, hook->ifindex) == EGRESS_TCX &&
	       is_first(&filter, hook->ifindex);
}

static bool is_marked(const struct hooks *hooks, unsigned int ifindex, __u32 map)
{
	size_t i;

	for (i = 0; i < hooks->count; i++)
		if (hooks->hook[i].ifindex == ifindex)
			return hook_marks(&hooks->hook[i], map);
	return false;
}

/*
 * True if the interface needs no marks: it sends nothing, or its packets leave by other interfaces,
 * which are checked themselves. So no connection leaves by it whose answers come by another
 * interface.
 */
static bool needs_no_marks(const struct link *link)
{
	static const char *const kinds[] = {"dummy", "ifb",  "nlmon", "bridge",
					    "bond",  "team", "vlan",  "vrf"};
	size_t i;

	if (link->flags & IFF_LOOPBACK)
		return true;
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(link->kind, kinds[i]))
			return true;
	return false;
}

static bool has_address(const struct links *links, unsigned int ifindex)
{
	size_t i;

	for (i = 0; i < links->addresses; i++)
		if (links->address[i].ifindex == ifindex)
			return true;
	return false;
}

/* True for a member of a bond if the bond has a filter: this host sends through the bond. */
static bool master_marks(const struct hooks *hooks, const struct links *links,
			 const struct link *link, __u32 map)
{
	const struct link *master = links_find(links, link->master);

	return master && (!strcmp(master->kind, "bond") || !strcmp(master->kind, "team")) &&
	       !has_address(links, link->ifindex) && is_marked(hooks, master->ifindex, map);
}

/* Which interfaces do not mark the packets that they send. */
struct looked {
	char unmarked[IF_NAMESIZE]; /* an interface that is up and does not mark; empty: none */
	bool down;		    /* some interfaces that do not mark are down */
};

/* Checks whether everything that this host sends is marked in the map. 0 or -errno. */
static int look(const struct hooks *hooks, __u32 map, struct looked *looked)
{
	__cleanup(links_free) struct links links = {};
	int err = links_read(&links);
	size_t i;

	*looked = (struct looked){};
	for (i = 0; i < links.count && !looked->unmarked[0]; i++) {
		const struct link *link = &links.link[i];

		if (needs_no_marks(link) || is_marked(hooks, link->ifindex, map) ||
		    master_marks(hooks, &links, link, map))
			continue;
		if (link->flags & IFF_UP)
			memcpy(looked->unmarked, link->name, sizeof(looked->unmarked));
		looked->down = true;
	}
	return err;
}

static int mark_socket(const struct socket_info *socket, void *context)
{
	struct pc_marks *table = context;
	__u32 port = PC_PORT(socket->protocol == IPPROTO_TCP ? PC_TCP : PC_UDP, socket->local_port);

	__atomic_store_n(&table->port[port], 1, __ATOMIC_RELAXED);
	return 0;
}

/*
 * Marks the ports of all sockets: of listeners too, because a SYN cookie has no socket until it is
 * answered. The kernel's list may lack a socket if others in the same bucket come and go meanwhile,
 * so it is read twice.
 */
static int mark_all(struct pc_marks *table)
{
	int err = 0, i;

	for (i = 0; i < 2 && !err; i++) {
		err = sockets_each(IPPROTO_TCP, ALL_STATES, false, mark_socket, table);
		if (!err)
			err = sockets_each(IPPROTO_UDP, ALL_STATES, false, mark_socket, table);
	}
	return err;
}

static bool is_trusted(const struct pc_marks *table, const struct pc_devices *devices)
{
	return table->devices.changes == devices->changes &&
	       table->devices.netns == devices->netns &&
	       (table->devices.ups == devices->ups || table->any_ups);
}

/* The marks of the caller's network namespace. */
struct marks {
	struct filter with; /* a filter that has the marks */
	struct pc_marks *table;
	__u32 map; /* id of the map of marks */
};

static void marks_close(struct marks *marks)
{
	unmap_marks(&marks->table);
	filter_close(&marks->with);
}

/* False: there are no marks, or this kernel cannot use them. */
static bool marks_open(const struct hooks *hooks, struct marks *marks)
{
	struct bpf_map_info info;

	*marks = (struct marks){.with = FILTER_NONE};
	if (!hooks->count || flow_maps_find(hooks, 0, &marks->with) ||
	    marks->with.fd[FILTER_DEVICES] < 0 || object_map(marks->with.fd[FILTER_MARKS], &info))
		return false;
	marks->map = info.id;
	marks->table = map_marks(marks->with.fd[FILTER_MARKS]);
	return marks->table;
}

void marks_settle(const struct hooks *hooks)
{
	__cleanup(marks_close) struct marks marks = {.with = FILTER_NONE};
	struct pc_devices devices;
	struct looked looked;
	struct pc_marks *table;

	if (!marks_open(hooks, &marks))
		return;
	table = marks.table;
	if (!count_devices(&marks.with, &devices) && is_trusted(table, &devices))
		return;
	set_changes(table, 0);
	/* The changes are counted first: a change during the checks then makes the marks
	 * invalid. */
	if (count_devices(&marks.with, &devices) || look(hooks, marks.map, &looked) ||
	    looked.unmarked[0] || mark_all(table))
		return;
	table->devices.ups = devices.ups;
	table->devices.netns = devices.netns;
	table->any_ups = !looked.down;
	table->looks = PC_SPARE_LOOKS;
	set_changes(table, devices.changes);
}

bool marks_trusted(const struct hooks *hooks, char **why)
{
	__cleanup(marks_close) struct marks marks = {.with = FILTER_NONE};
	struct pc_devices devices;
	struct looked looked;

	*why = NULL;
	if (!marks_open(hooks, &marks)) {
		if (marks.with.fd[FILTER_MARKS] >= 0 && marks.with.fd[FILTER_DEVICES] < 0)
			*why = xstrdup(
				"this kernel does not tell when an interface comes; Linux 6.6 does");
		return false;
	}
	if (count_devices(&marks.with, &devices))
		return false;
	if (is_trusted(marks.table, &devices))
		return true;
	if (look(hooks, marks.map, &looked))
		return false;
	*why = looked.unmarked[0] ?
		       xasprintf("no filter sees what this host sends by %s", looked.unmarked) :
		       xstrdup("an interface or address came or went; the next portcullis apply or swap looks again");
	return false;
}
