// SPDX-License-Identifier: GPL-2.0
/* `flows`: learned flows that are still live. */
#include "loader/command/flows.h"

#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "loader/base/columns.h"
#include "loader/base/json.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/base/terminal.h"
#include "loader/filter/flows.h"
#include "loader/host/attached.h"
#include "loader/host/machine_counts.h"
#include "loader/object/privilege.h"
#include "loader/report/text.h"

#define PAGE_ROWS 4096 /* rows of text that are aligned together: there may be millions of flows */

/* The maps of a namespace. Usually one set, but an interface that was moved here with its filter
 * has its own. */
struct map_list {
	struct flows *map;
	__u32 *id;
	size_t count;
	struct live *live; /* the filters */
	size_t lives;
	struct machine_names **names; /* of each filter */
	bool machines;		      /* an interface has machines behind it */
};

static void maps_free(struct map_list *maps)
{
	size_t i;

	for (i = 0; i < maps->count; i++)
		flows_free(&maps->map[i]);
	free(maps->map);
	free(maps->id);
	for (i = 0; i < maps->lives; i++)
		free(maps->names[i]);
	free(maps->names);
	live_free(maps->live, maps->lives);
}

static bool have_id(const struct map_list *maps, __u32 id)
{
	size_t i;

	for (i = 0; i < maps->count; i++)
		if (maps->id[i] == id)
			return true;
	return false;
}

static int read_map(const struct live *live, const __u32 *ifindex, size_t ifindexes,
		    struct map_list *maps)
{
	const struct filter *filter = &live->filter;
	const int map[FLOW_MAPS] = {filter->fd[FILTER_CONNECTIONS], filter->fd[FILTER_STREAMS],
				    filter->fd[FILTER_FLOWS]};
	struct flows flows;
	__u32 id;
	int err = flows_id(live->filter.fd[FILTER_FLOWS], &id);

	if (!err && have_id(maps, id))
		return 0;
	if (!err)
		err = flows_read(map, ifindex, ifindexes, &flows);
	if (err) {
		error("%s: cannot read the flows: %s", live->hook.name, strerror(-err));
		return err;
	}
	maps->map = grow(maps->map, maps->count, sizeof(*maps->map));
	maps->id = grow(maps->id, maps->count, sizeof(*maps->id));
	maps->map[maps->count] = flows;
	maps->id[maps->count++] = id;
	return 0;
}

static int read_maps(const struct options *options, struct map_list *maps, bool *left_out)
{
	__free_text __u32 *ifindex = NULL;
	size_t i;
	struct live *list;
	size_t count;
	int err = live_read_kept(&options->arguments, "flows", &list, &count, left_out);

	if (err)
		return err;
	maps->live = list;
	maps->lives = count;
	ifindex = xcalloc(maps->lives + 1, sizeof(*ifindex));
	maps->names = xcalloc(maps->lives + 1, sizeof(*maps->names));
	for (i = 0; i < maps->lives; i++) {
		ifindex[i] = maps->live[i].hook.ifindex;
		maps->names[i] = machine_names_read(&maps->live[i]);
		maps->machines |= maps->names[i] != NULL;
	}
	for (i = 0; i < maps->lives && !err; i++)
		err = read_map(&maps->live[i], ifindex, options->arguments.count ? maps->lives : 0,
			       maps);
	return err;
}

/* The machine behind the interface to which a flow belongs; NULL: none. */
static const char *machine_of(const struct map_list *maps, const struct flow *flow)
{
	bool ipv6 = flow->key.family == 6;

	for (size_t i = 0; i < maps->lives && maps->machines; i++)
		if (maps->live[i].hook.ifindex == flow->ifindex)
			return machine_names_find(maps->names[i], ipv6 ? AF_INET6 : AF_INET,
						  ipv6 ? (const __u8 *)flow->key.ipv6.local :
							 (const __u8 *)&flow->key.ipv4.local);
	return NULL;
}

/* The interface of the previous flow, because flows are sorted by interface. */
struct interface {
	__u32 ifindex;
	char name[IF_NAMESIZE];
};

static const char *name_of(struct interface *interface, __u32 ifindex)
{
	if (ifindex != interface->ifindex && !if_indextoname(ifindex, interface->name))
		strcpy(interface->name, "?");
	interface->ifindex = ifindex;
	return interface->name;
}

/* --- JSON: a line a flow --- */

static void print_json(const struct map_list *maps, const struct flows *all)
{
	struct interface interface = {};
	const char *separator = "";
	size_t i, j;

	printf("{\n  \"version\": 1,\n  \"size\": %zu,\n  \"used\": %zu,\n", all->all.size,
	       all->all.used);
	for (i = 0; i < FLOW_MAPS; i++)
		printf("  \"%s\": {\"used\": %zu, \"size\": %zu},\n", flow_map_name[i],
		       all->use[i].used, all->use[i].size);
	fputs("  \"flows\": [", stdout);
	for (i = 0; i < maps->count; i++)
		for (j = 0; j < maps->map[i].count; j++) {
			const struct flow *flow = &maps->map[i].flow[j];
			json_t *json = flow_json(flow, name_of(&interface, flow->ifindex),
						 machine_of(maps, flow));

			printf("%s\n    ", separator);
			json_print(json, 0);
			json_decref(json);
			separator = ",";
		}
	printf("%s]\n}\n", *separator ? "\n  " : "");
}

/* --- text --- */

/* "10.0.0.1:53", "[2001:db8::1]:53"; only the address for an echo. */
static char *end_text(const json_t *json, const char *address, const char *port)
{
	const char *text = text_of(json, address);
	json_t *number = json_object_get(json, port);
	bool ipv6 = strchr(text, ':');

	if (!number)
		return xstrdup(text);
	return xasprintf("%s%s%s:%lld", ipv6 ? "[" : "", text, ipv6 ? "]" : "",
			 (long long)json_integer_value(number));
}

static void flow_row(struct columns *columns, const struct flow *flow, const char *interface,
		     const char *machine, bool machines)
{
	json_t *json = flow_json(flow, interface, machine);
	const json_t *identifier = json_object_get(json, "identifier");
	__free_text char *local = end_text(json, "local", "local_port");
	__free_text char *remote = end_text(json, "remote", "remote_port");
	__free_text char *protocol = identifier ?
					     xasprintf("%s %lld", text_of(json, "protocol"),
						       (long long)json_integer_value(identifier)) :
					     xstrdup(text_of(json, "protocol"));
	char idle[HUMAN_TEXT], expires[HUMAN_TEXT];

	const char *cell[COLUMNS_MOST] = {text_of(json, "interface"), machine ? machine : "-"};
	size_t count = machines ? 2 : 1;

	cell[count++] = protocol;
	cell[count++] = local;
	cell[count++] = remote;
	cell[count++] = text_of(json, "state");
	cell[count++] = human_seconds(flow->idle, idle);
	cell[count++] = human_seconds(flow_expires(flow), expires);
	columns_row(columns, TONE_PLAIN, cell);
	json_decref(json);
}

static void print_text(const struct map_list *maps, const struct flows *all, bool restricted)
{
	static const char *const heading[] = {"IFACE",	"MACHINE", "PROTO", "LOCAL",
					      "REMOTE", "STATE",   ">IDLE", ">EXPIRES"};
	struct columns columns = {.limit = terminal_columns(stdout)};
	struct interface interface = {};
	size_t i, j;

	if (!maps->count) {
		puts("portcullis is attached to no interface of this network namespace");
		return;
	}
	for (i = 0; i < ARRAY_SIZE(heading); i++)
		if (i != 1 || maps->machines)
			columns.heading[columns.count++] = heading[i];
	for (i = 0; i < maps->count; i++)
		for (j = 0; j < maps->map[i].count; j++) {
			const struct flow *flow = &maps->map[i].flow[j];

			flow_row(&columns, flow, name_of(&interface, flow->ifindex),
				 machine_of(maps, flow), maps->machines);
			if (columns.rows == PAGE_ROWS)
				columns_print(&columns, stdout);
		}
	if (columns.rows)
		columns_print(&columns, stdout);
	text_line(
		stdout, columns.limit, 0, 4,
		"  %zu of %zu flows in use%s: %zu of %zu connections, %zu of %zu streams, %zu of %zu not assured",
		all->all.used, all->all.size, restricted ? " (all interfaces)" : "",
		all->use[FLOWS_CONNECTIONS].used, all->use[FLOWS_CONNECTIONS].size,
		all->use[FLOWS_STREAMS].used, all->use[FLOWS_STREAMS].size,
		all->use[FLOWS_REST].used, all->use[FLOWS_REST].size);
	putchar('\n');
}

static void add_use(struct flow_use *sum, const struct flow_use *use)
{
	sum->used += use->used;
	sum->size += use->size;
}

int command_flows(const struct options *options, struct diag *diag)
{
	__cleanup(maps_free) struct map_list maps = {};
	struct flows all = {};
	size_t i, j;
	bool left_out;

	(void)diag;
	if (kernel_readable("flows") || read_maps(options, &maps, &left_out))
		return EXIT_FAILED;
	for (i = 0; i < maps.count; i++) {
		add_use(&all.all, &maps.map[i].all);
		for (j = 0; j < FLOW_MAPS; j++)
			add_use(&all.use[j], &maps.map[i].use[j]);
	}
	if (options->json)
		print_json(&maps, &all);
	else
		print_text(&maps, &all, options->arguments.count);
	return left_out ? EXIT_FAILED : EXIT_DONE;
}
