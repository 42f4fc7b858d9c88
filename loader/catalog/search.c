// SPDX-License-Identifier: GPL-2.0
/* A search in the catalog: words of names and titles, and ports. */
#include "loader/catalog/search.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"

struct search_word {
	const char *text; /* NULL: the word is only a port */
	/* a number is not searched in documents and URLs, which are full of digits */
	bool number;
	struct ports ports; /* empty: the word is not a port */
};

static int parse_word(const char *text, struct search_word *word, char **why)
{
	word->number = *text && !text[strspn(text, "0123456789")];
	if (strchr(text, '/'))
		return ports_parse(text, &word->ports, why);
	word->text = text;
	if (word->number) {
		__free_text char *both = xasprintf("%s/tcp+udp", text);
		__free_text char *unused = NULL;

		ports_parse(both, &word->ports, &unused);
	}
	return 0;
}

int search_parse(const struct names *words, struct search *search, char **why)
{
	*search = (struct search){.word = xcalloc(words->count, sizeof(*search->word)),
				  .words = words->count};
	for (size_t i = 0; i < words->count; i++) {
		if (parse_word(words->name[i], &search->word[i], why)) {
			search_free(search);
			return -EINVAL;
		}
	}
	return 0;
}

static bool text_has(const char *text, const struct search_word *word)
{
	return text && word->text && strcasestr(text, word->text);
}

static bool ports_meet(const struct ports *a, const struct ports *b)
{
	for (size_t i = 0; i < a->count; i++) {
		for (size_t j = 0; j < b->count; j++) {
			if (a->range[i].transports & b->range[j].transports &&
			    a->range[i].first <= b->range[j].last &&
			    b->range[j].first <= a->range[i].last)
				return true;
		}
	}
	return false;
}

static bool service_has(const struct service *service, const struct search_word *word)
{
	return text_has(service->name, word) || text_has(service->title, word) ||
	       ports_meet(&service->in, &word->ports) || ports_meet(&service->out, &word->ports);
}

static bool profile_has(const struct profile *profile, const struct search_word *word)
{
	if (text_has(profile->name, word) || text_has(profile->title, word))
		return true;
	if (!word->number && (text_has(profile->document, word) || text_has(profile->url, word)))
		return true;
	for (size_t i = 0; i < profile->services; i++) {
		if (service_has(&profile->service[i], word))
			return true;
	}
	return false;
}

bool search_finds(const struct search *search, const struct profile *profile,
		  struct names *services)
{
	for (size_t i = 0; i < search->words; i++) {
		if (!profile_has(profile, &search->word[i]))
			return false;
	}
	for (size_t i = 0; i < profile->services; i++) {
		const struct service *service = &profile->service[i];

		for (size_t j = 0; j < search->words; j++) {
			if (service_has(service, &search->word[j])) {
				names_add(services, service->name);
				break;
			}
		}
	}
	return true;
}

void search_free(struct search *search)
{
	for (size_t i = 0; i < search->words; i++)
		ports_free(&search->word[i].ports);
	free(search->word);
	*search = (struct search){0};
}
