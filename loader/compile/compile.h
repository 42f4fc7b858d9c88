/* SPDX-License-Identifier: GPL-2.0 */
/* Compiles a composition into the tables of one generation. Needs neither BPF nor privileges. */
#ifndef PORTCULLIS_COMPILE_COMPILE_H
#define PORTCULLIS_COMPILE_COMPILE_H

#include "bpf/abi.h"
#include "loader/compile/tables.h"
#include "loader/recipe/compose.h"

/*
 * Compiles every open service: `in` into port, `out` into out, with common rules and spans. Only
 * groups that an open service needs get a bit and go into the tries. A limit that is exceeded is an
 * error in `diag` with the limit and the number: groups (PC_GROUPS), prefixes of one family
 * (PC_PREFIXES), rules, spans. Returns 0 or -EINVAL.
 */
int compile(const struct composition *composition, struct tables *tables, struct diag *diag);

#endif
