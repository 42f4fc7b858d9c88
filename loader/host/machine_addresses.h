/* SPDX-License-Identifier: GPL-2.0 */
/* Compares the addresses of machines with those of this host. */
#ifndef PORTCULLIS_HOST_MACHINE_ADDRESSES_H
#define PORTCULLIS_HOST_MACHINE_ADDRESSES_H

#include "loader/base/diag.h"
#include "loader/recipe/recipe.h"
#include "loader/recipe/site_interface.h"

/*
 * Reports each address of a machine that this host has itself: packets to it are decided by the
 * interface's own profiles. A prefix around an address of this host is a warning. `site`: the entry of
 * the site file, with the places; NULL: none. `warns`: a warning instead of an error. -EINVAL with
 * an error in `diag`.
 */
int machine_addresses_check(const struct recipe *recipe, const struct site_interface *site,
			    bool warns, struct diag *diag);

#endif
