// SPDX-License-Identifier: GPL-2.0
/* Pairs the machines of two kept texts. */
#include "loader/report/difference_machines.h"

#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/recipe/kept_machines.h"

/* Pairs of profiles that were found equal, because machines share their profiles. */
struct equal {
	const json_t *(*pair)[2];
	size_t count;
};

static void equal_free(struct equal *seen)
{
	free(seen->pair);
}

static bool same_profile(struct equal *seen, const json_t *one, const json_t *other)
{
	for (size_t i = 0; i < seen->count; i++)
		if (seen->pair[i][0] == one && seen->pair[i][1] == other)
			return true;
	if (!json_equal(one, other))
		return false;
	seen->pair = grow(seen->pair, seen->count, sizeof(*seen->pair));
	seen->pair[seen->count][0] = one;
	seen->pair[seen->count++][1] = other;
	return true;
}

static bool same_profiles(struct equal *seen, const json_t *one, const json_t *other)
{
	const json_t *profile;
	size_t i;

	if (json_array_size(one) != json_array_size(other))
		return false;
	json_array_foreach (one, i, profile)
		if (!same_profile(seen, profile, json_array_get(other, i)))
			return false;
	return true;
}

/* A machine's name, address and the words that its recipe was made of. */
static const json_t *words_at(const json_t *kept, size_t at)
{
	return json_array_get(json_object_get(json_object_get(kept, "recipe"), "machines"), at);
}

/* True if policy, outbound and groups of the interfaces are equal, because machines use them,
 * too. */
static bool same_interface(const json_t *a, const json_t *b)
{
	static const char *const key[] = {"policy", "outbound", "groups"};
	const json_t *one = json_object_get(a, "recipe"), *other = json_object_get(b, "recipe");

	for (size_t i = 0; i < ARRAY_SIZE(key); i++)
		if (!json_equal(json_object_get(one, key[i]), json_object_get(other, key[i])))
			return false;
	return true;
}

/* True if words and profiles are equal. */
static bool same_machine(const json_t *before, const json_t *after, size_t was, size_t is,
			 struct equal *seen)
{
	return json_equal(words_at(before, was), words_at(after, is)) &&
	       same_profiles(seen, kept_machine_profiles(before, was),
			     kept_machine_profiles(after, is));
}

static bool is_given(const json_t *old, const json_t *now, const char *key)
{
	return json_object_get(old, key) || json_object_get(now, key);
}

static void tell_pair(const json_t *before, const json_t *after, size_t was, size_t is,
		      struct equal *seen, machine_pair_tell *tell, void *context)
{
	bool old = was < kept_machines(before), now = is < kept_machines(after);
	const json_t *old_words = json_object_get(words_at(before, was), "recipe");
	const json_t *words = json_object_get(words_at(after, is), "recipe");
	__free_text char *from = old ? kept_machine_address(before, was) : NULL;
	__free_text char *to = now ? kept_machine_address(after, is) : NULL;
	json_t *one = old ? kept_machine(before, was) : json_object();
	json_t *other = now ? kept_machine(after, is) : json_object();
	const struct machine_pair pair = {
		.name = now ? kept_machine_name(after, is) : kept_machine_name(before, was),
		.before = one,
		.after = other,
		.was = from,
		.is = to,
		.old_groups = json_object_get(old_words, "groups"),
		.groups = json_object_get(words, "groups"),
		.own_policy = is_given(old_words, words, "policy"),
		.own_outbound = is_given(old_words, words, "outbound"),
	};

	if (!old || !now || strcmp(from, to) ||
	    !json_equal(json_object_get(one, "recipe"), json_object_get(other, "recipe")) ||
	    !same_profiles(seen, json_object_get(one, "profiles"),
			   json_object_get(other, "profiles")))
		tell(context, &pair);
	json_decref(one);
	json_decref(other);
}

void difference_machines(const json_t *before, const json_t *after, machine_pair_tell *tell,
			 void *context)
{
	size_t old = kept_machines(before), now = kept_machines(after), near = 0;
	bool same = same_interface(before, after);
	__cleanup(equal_free) struct equal seen = {};

	for (size_t i = 0; i < now; i++) {
		size_t was = kept_machine_find_near(before, kept_machine_name(after, i), near);

		near = was + 1;
		if (!same || was == old || !same_machine(before, after, was, i, &seen))
			tell_pair(before, after, was, i, &seen, tell, context);
	}
	near = 0;
	for (size_t i = 0; i < old; i++) {
		size_t is = kept_machine_find_near(after, kept_machine_name(before, i), near);

		near = is + 1;
		if (is == now)
			tell_pair(before, after, i, now, &seen, tell, context);
	}
}
