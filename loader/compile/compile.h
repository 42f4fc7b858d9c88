/* SPDX-License-Identifier: GPL-2.0 */
/* A composition compiled into the tables of one generation. Pure: no BPF, no privilege. */
#ifndef PORTCULLIS_COMPILE_COMPILE_H
#define PORTCULLIS_COMPILE_COMPILE_H

#include "bpf/abi.h"
#include "loader/compile/tables.h"
#include "loader/recipe/compose.h"

/*
 * Compiles every open service: `in` into port, `out` into out, with common rules and spans. Only
 * groups that some open service needs take a bit and go into the tries. Limits that are passed are
 * errors in `diag` which say the limit and the number: groups
 * (PC_GROUPS), prefixes of one family (PC_PREFIXES), rules, spans. Returns 0 or -EINVAL.
 */
int compile(const struct composition *composition, struct tables *tables, struct diag *diag);

#endif
