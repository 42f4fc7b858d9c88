/* SPDX-License-Identifier: GPL-2.0 */
/* Composes a kept recipe with the present catalog. */
#ifndef PORTCULLIS_COMPILE_REPLAN_H
#define PORTCULLIS_COMPILE_REPLAN_H

#include "loader/compile/plan.h"

struct remade {
	json_t *kept;
	struct names folders;
	struct catalog catalog;
	struct recipe recipe;
	struct plan plan;
};

/*
 * `recipe`: the text kept with a generation; `first`: folders of profiles that are searched before
 * all others, NULL: none. Returns 0, or -errno with a message. Call remade_free in each case.
 */
int remake(const char *interface, const char *recipe, const struct names *first,
	   struct remade *remade);
/* As remake, from `kept`, which must be set, and with errors in `diag`. */
int remake_kept(const char *interface, const struct names *first, struct remade *remade,
		struct diag *diag);
void remade_free(struct remade *remade);

#endif
