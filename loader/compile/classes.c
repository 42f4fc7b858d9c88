// SPDX-License-Identifier: GPL-2.0
/* The recipes of machines behind this host: their pages of ports, and their tallies. */
#include "loader/compile/classes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"

#define PAGES_OF_WAY (PC_PORTS / PC_CLASS_PAGE_PORTS)

/* The tables of one recipe, while they are made. */
struct making {
	struct class_tallies tallies;
	/* the tally of each port, in both directions: classes.scratch */
	__u32 *tally;
	bool touched[2][PAGES_OF_WAY]; /* pages on which a port is open */
};

static void making_free(struct making *making)
{
	free(making->tallies.tally);
}

/* --- tallies --- */

static __u32 add_tally(struct class_tallies *tallies, __u32 first, __u32 last, int out)
{
	tallies->tally = grow(tallies->tally, tallies->count, sizeof(*tallies->tally));
	tallies->tally[tallies->count] =
		(struct pc_tally){.first = first, .last = last, .out = (__u32)out};
	return (__u32)tallies->count++;
}

static bool is_range(__u32 first, __u32 last)
{
	return last - first >= PC_TALLY_RANGE;
}

/* Each port of a short range has a tally of its own, even if a long range has the port, too. */
static void tally_short(struct making *making, __u32 first, __u32 last, int out)
{
	for (__u32 port = first; port <= last; port++) {
		__u32 *tally = &making->tally[(size_t)out * PC_PORTS + port];
		const struct pc_tally *known = &making->tallies.tally[*tally];

		if (!*tally || known->first != known->last)
			*tally = add_tally(&making->tallies, port, port, out);
	}
}

/* A port that has a tally keeps it, so that of overlapping long ranges the first in the profile
 * counts. */
static void tally_long(struct making *making, __u32 first, __u32 last, int out)
{
	__u32 *tally = &making->tally[(size_t)out * PC_PORTS], added = 0;

	for (__u32 port = first; port <= last; port++) {
		if (tally[port])
			continue;
		if (!added)
			added = add_tally(&making->tallies, port, last, out);
		tally[port] = added;
	}
}

static void touch(struct making *making, __u32 first, __u32 last, int out)
{
	for (__u32 page = first / PC_CLASS_PAGE_PORTS; page <= last / PC_CLASS_PAGE_PORTS; page++)
		making->touched[out][page] = true;
}

static void tally_service(struct making *making, const struct composed *composed, int out,
			  bool ranges)
{
	for (size_t i = 0; i < composed->ports.count; i++) {
		const struct port_range *range = &composed->ports.range[i];

		for (int transport = 0; transport < PC_TRANSPORTS; transport++) {
			__u32 first = PC_PORT(transport, range->first);
			__u32 last = PC_PORT(transport, range->last);

			if (!(range->transports & 1 << transport) ||
			    is_range(first, last) != ranges)
				continue;
			touch(making, first, last, out);
			(ranges ? tally_long : tally_short)(making, first, last, out);
		}
	}
}

static void tally_all(struct making *making, const struct composition *composition)
{
	static const enum direction way[] = {DIRECTION_IN, DIRECTION_OUT};

	for (int out = 0; out < 2; out++) /* PC_TALLY_IN, PC_TALLY_OUT: what no row lists */
		add_tally(&making->tallies, 1, 0, out);
	for (int out = 0; out < 2; out++)
		for (int ranges = 1; ranges >= 0; ranges--)
			for (size_t i = 0; i < composition->services; i++)
				if (composed_compiled(&composition->service[i], way[out]))
					tally_service(making, &composition->service[i], out,
						      ranges);
}

/* --- pages --- */

static __u16 make_page(struct classes *classes, const __u32 *entry, const __u32 *tally)
{
	struct pc_class_page page;

	for (__u32 i = 0; i < PC_CLASS_PAGE_PORTS; i++)
		page.port[i] = (struct pc_class_port){(__u16)entry[i], (__u16)tally[i]};
	return (__u16)pool_number(&classes->pages, &page, sizeof(page));
}

static void make_pages(struct classes *classes, const struct making *making, int out, __u32 *entry,
		       __u16 *number)
{
	for (__u32 page = 0; page < PAGES_OF_WAY; page++) {
		__u32 first = page * PC_CLASS_PAGE_PORTS;

		if (!making->touched[out][page])
			continue;
		number[page] = make_page(classes, entry + first,
					 making->tally + (size_t)out * PC_PORTS + first);
		memset(entry + first, 0, PC_CLASS_PAGE_PORTS * sizeof(*entry));
		memset(making->tally + (size_t)out * PC_PORTS + first, 0,
		       PC_CLASS_PAGE_PORTS * sizeof(*making->tally));
	}
}

int classes_add(struct classes *classes, struct port_table *table,
		const struct composition *composition, struct pc_class *class)
{
	__cleanup(making_free) struct making making = {};
	static const struct pc_class_page closed;
	size_t number;

	if (!classes->scratch)
		classes->scratch = xcalloc(2 * (size_t)PC_PORTS, sizeof(*classes->scratch));
	making.tally = classes->scratch;
	pool_number(&classes->pages, &closed, sizeof(closed));
	tally_all(&making, composition);
	class->tallies = (__u16)making.tallies.count;
	make_pages(classes, &making, 0, table->in, class->page[0]);
	make_pages(classes, &making, 1, table->out, class->page[1]);
	number = pool_number(&classes->classes, class, sizeof(*class));
	if (number == classes->counted) {
		classes->tallies = grow(classes->tallies, number, sizeof(*classes->tallies));
		classes->tallies[classes->counted++] = making.tallies;
		making.tallies = (struct class_tallies){};
	}
	return (int)number + 1;
}

/* The first machine whose recipe got no class. */
static const char *first_beyond(const struct tables *tables)
{
	for (size_t i = 0; i < tables->machines; i++)
		if (tables->machine[i].class > PC_CLASSES)
			return tables->machine[i].name;
	return "";
}

int classes_write(struct classes *classes, struct tables *tables, struct diag *diag)
{
	size_t count = classes->classes.count;

	if (count > PC_CLASSES)
		diag_error(
			diag, NULL,
			"the machines behind this host have %zu different recipes; the limit is %d, so give some of them the same options; the first one beyond it is %s",
			count, PC_CLASSES, first_beyond(tables));
	if (classes->pages.count > PC_CLASS_PAGES)
		diag_error(
			diag, NULL,
			"the machines behind this host list ports in %zu different ranges of %u; the limit is %d, so list fewer ports or give some machines the same options",
			classes->pages.count, PC_CLASS_PAGE_PORTS, PC_CLASS_PAGES);
	if (count > PC_CLASSES || classes->pages.count > PC_CLASS_PAGES)
		return -EINVAL;
	memcpy(tables->generation->class, classes->classes.bytes, classes->classes.used);
	memcpy(tables->generation->class_page, classes->pages.bytes, classes->pages.used);
	for (size_t i = 0; i < count; i++) {
		tables->tallies[i] = classes->tallies[i];
		classes->tallies[i] = (struct class_tallies){};
	}
	return 0;
}

void classes_free(struct classes *classes)
{
	for (size_t i = 0; i < classes->counted; i++)
		free(classes->tallies[i].tally);
	free(classes->tallies);
	free(classes->scratch);
	pool_free(&classes->classes);
	pool_free(&classes->pages);
}
