// SPDX-License-Identifier: GPL-2.0
/* The commands for which the lockout guard looks. */
#include "loader/guard/world.h"

const struct guard_command guard_attach = {"attach", GUARD_OPTIONS};
const struct guard_command guard_swap = {"swap", GUARD_OPTIONS_KEPT};
const struct guard_command guard_apply = {"apply", GUARD_SITE_FILE};
const struct guard_command guard_confirm = {"confirm", GUARD_OPTIONS};
