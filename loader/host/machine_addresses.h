/* SPDX-License-Identifier: GPL-2.0 */
/* Compares the addresses of machines with those of this host. */
#ifndef PORTCULLIS_HOST_MACHINE_ADDRESSES_H
#define PORTCULLIS_HOST_MACHINE_ADDRESSES_H

#include "bpf/abi.h"
#include "loader/base/diag.h"
#include "loader/net/link_graph.h"
#include "loader/recipe/recipe.h"
#include "loader/recipe/site_interface.h"

/*
 * Reports each address of a machine that this host has itself: packets to it are decided by the
 * interface's own profiles. `site`: the entry of the site file, with the places; NULL: none.
 * `warns`: a warning instead of an error. -EINVAL with an error in `diag`.
 */
int machine_addresses_check(const struct recipe *recipe, const struct site_interface *site,
			    bool warns, struct diag *diag);

/*
 * Reports machines that are on the network of the interface itself: their packets come in by it
 * like those of strangers, so that the machine's rules cannot decide about them. `only`: names of
 * machines; NULL: all. As machine_addresses_check.
 */
int machine_addresses_check_side(const struct recipe *recipe, const struct site_interface *site,
				 const char *interface, const struct names *only, bool warns,
				 struct diag *diag);

/*
 * Lists the addresses of this host (local_taken) that a generation gives to a machine, because they
 * were added after the generation. The caller frees. Returns how many.
 */
size_t machine_addresses_taken(const struct pc_generation *generation, struct link_address **own);
bool machine_addresses_any_taken(const struct pc_generation *generation);

/* Stores the present addresses of this network namespace for boot. Warns if that fails. */
void machine_addresses_keep(void);
/* Reads the stored addresses as whole prefixes, which the caller frees. */
size_t machine_addresses_kept(struct prefix **address);

#endif
