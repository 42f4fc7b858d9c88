/* SPDX-License-Identifier: GPL-2.0 */
/* Settings of an exported registry of Windows. */
#ifndef PORTCULLIS_CATALOG_SETTINGS_REGISTRY_H
#define PORTCULLIS_CATALOG_SETTINGS_REGISTRY_H

#include "loader/base/names.h"
#include "loader/catalog/settings.h"

#define SETTINGS_REGISTRY_LIMIT (64 << 20) /* bytes */

/*
 * An exported registry (.reg), in UTF-16 or bytes: "HKEY_LOCAL_MACHINE\\SOFTWARE\\Shop\\Port", with
 * the name of the value last. A dword is written in decimal; values of other types than dword and
 * text are left out. Only keys in `wanted` are kept, compared without case; NULL: all.
 */
int settings_registry(const char *text, size_t length, const struct names *wanted,
		      struct settings *settings, char **why);

#endif
