// SPDX-License-Identifier: GPL-2.0
/* Claims as JSON, and back. */
#include "loader/recipe/claims_json.h"

#include <string.h>

#include "loader/base/json.h"
#include "loader/base/memory.h"

static json_t *claim_json(const struct claim *claim)
{
	__cleanup(names_free) struct names ports = {};

	ports_strings(&claim->ports, &ports);
	return json_pack("{s:o, s:o, s:o, s:o, s:i, s:o}", "profile", text_json(claim->profile),
			 "service", text_json(claim->service), "ports", names_json(&ports), "file",
			 text_json(claim->file), "line", claim->line, "text",
			 text_json(claim->text));
}

json_t *claims_json(const struct claims *claims)
{
	json_t *list = json_array(), *products = json_array();

	for (size_t i = 0; i < claims->count; i++)
		json_array_append_new(list, claim_json(&claims->claim[i]));
	for (size_t i = 0; i < claims->products; i++)
		json_array_append_new(products,
				      json_pack("{s:o, s:o}", "profile",
						text_json(claims->product[i].profile), "file",
						text_json(claims->product[i].file)));
	return json_pack("{s:o, s:o, s:o}", "claims", list, "products", products, "problems",
			 names_json(&claims->problems));
}

static const char *text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key)) ?: "";
}

static void add_claim(const json_t *json, struct claims *claims)
{
	const struct claim_file file = {claims, text(json, "profile"), text(json, "file")};
	const json_t *port;
	struct claim *claim;
	size_t i;

	if (!name_valid(file.profile) || !name_valid(text(json, "service")) ||
	    claims_find(claims, file.profile, text(json, "service")))
		return;
	claims_add(&file, text(json, "service"), NULL, NULL);
	claim = &claims->claim[claims->count - 1];
	claim->line = (int)json_integer_value(json_object_get(json, "line"));
	claim->text = xstrdup(json_string_value(json_object_get(json, "text")));
	json_array_foreach (json_object_get(json, "ports"), i, port) {
		__free_text char *why = NULL;

		ports_parse(json_string_value(port) ?: "", &claim->ports, &why);
	}
}

void claims_from_json(const json_t *json, struct claims *claims)
{
	const json_t *item;
	size_t i;

	json_array_foreach (json_object_get(json, "claims"), i, item)
		add_claim(item, claims);
	json_array_foreach (json_object_get(json, "products"), i, item)
		if (name_valid(text(item, "profile")))
			claims_product(claims, text(item, "profile"), text(item, "file"));
	json_array_foreach (json_object_get(json, "problems"), i, item)
		names_add(&claims->problems, json_string_value(item) ?: "");
}
