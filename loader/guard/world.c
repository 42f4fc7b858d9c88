// SPDX-License-Identifier: GPL-2.0
/* The commands that use the lockout guard. */
#include "loader/guard/world.h"

const struct guard_command guard_attach = {"attach", GUARD_OPTIONS, false};
const struct guard_command guard_swap = {"swap", GUARD_OPTIONS_KEPT, false};
const struct guard_command guard_apply = {"apply", GUARD_SITE_FILE, false};
const struct guard_command guard_confirm = {"confirm", GUARD_OPTIONS, false};
const struct guard_command guard_rollback = {"rollback", GUARD_NO_OPTIONS, false};
const struct guard_command guard_refresh = {"groups --refresh", GUARD_NO_OPTIONS, false};
const struct guard_command guard_explain = {"swap", GUARD_OPTIONS_KEPT, true};
const struct guard_command guard_explain_new = {"attach", GUARD_OPTIONS, true};
const struct guard_command guard_explain_site = {"apply", GUARD_SITE_FILE, true};
