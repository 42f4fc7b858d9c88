/* SPDX-License-Identifier: GPL-2.0 */
/* The entries of all ports for one recipe, and the rules that all recipes share. */
#ifndef PORTCULLIS_COMPILE_PORT_TABLE_H
#define PORTCULLIS_COMPILE_PORT_TABLE_H

#include <stdbool.h>

#include "bpf/abi.h"
#include "loader/base/pool.h"
#include "loader/compile/group_words.h"
#include "loader/recipe/compose.h"

struct port_table {
	struct group_words words;
	struct pool rules;   /* lists of spans that a port admits */
	struct pool limits;  /* struct pc_limit */
	struct pool sets;    /* struct pc_limit_set */
	__u32 in[PC_PORTS];  /* PC_PORT_* by local port, for `in` */
	__u32 out[PC_PORTS]; /* PC_PORT_* by remote port, for `out` */
};

/*
 * Sets the entries of the ports that the composition opens; other entries are kept. Returns 0,
 * or -EINVAL with an error in `diag`.
 */
int port_table_compile(struct port_table *table, const struct composition *composition,
		       struct diag *diag);

/*
 * The bits in the first word of the groups of `deny` or `never-ban` in this host's composition.
 * `granted`: those of `never-ban`, which also have members by grants.
 */
__u64 port_table_groups(const struct port_table *table, const struct composition *composition,
			const struct names *names, bool granted);

/* Writes the rules of all recipes. If there are too many: -EINVAL with an error in `diag`. */
int port_table_write_rules(const struct port_table *table, struct pc_generation *generation,
			   struct diag *diag);

/* True if the service has entries, because its ports are open. */
bool composed_compiled(const struct composed *composed, enum direction way);

void port_table_free(struct port_table **table); /* allocated by xcalloc */

#endif
