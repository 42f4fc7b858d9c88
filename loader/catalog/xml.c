// SPDX-License-Identifier: GPL-2.0
/* Values in an XML file, by XPath. */
#include "loader/catalog/xml.h"

#include <errno.h>
#include <libxml/parser.h>
#include <libxml/xmlerror.h>
#include <libxml/xpath.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/library.h"
#include "loader/base/memory.h"

#define OPERATIONS 1000000 /* operations of one expression, at most */

/* The version of libxml2 whose structures the headers describe. */
#define LIBRARY (LIBXML_VERSION >= 21400 ? "libxml2.so.16" : "libxml2.so.2")

static struct {
	xmlParserCtxtPtr (*parser_new)(void);
	void (*parser_free)(xmlParserCtxtPtr);
	xmlDocPtr (*read)(xmlParserCtxtPtr, const char *, int, const char *, const char *, int);
	void (*free_document)(xmlDocPtr);
	long (*line)(const xmlNode *);
	xmlChar *(*content)(const xmlNode *);
	xmlXPathContextPtr (*context_new)(xmlDocPtr);
	void (*context_free)(xmlXPathContextPtr);
	xmlXPathObjectPtr (*evaluate)(const xmlChar *, xmlXPathContextPtr);
	xmlChar *(*text_of)(xmlXPathObjectPtr);
	void (*object_free)(xmlXPathObjectPtr);
	xmlFreeFunc *free;
} library;

static const struct library_symbol symbol[] = {
	{"xmlNewParserCtxt", &library.parser_new},
	{"xmlFreeParserCtxt", &library.parser_free},
	{"xmlCtxtReadMemory", &library.read},
	{"xmlFreeDoc", &library.free_document},
	{"xmlGetLineNo", &library.line},
	{"xmlNodeGetContent", &library.content},
	{"xmlXPathNewContext", &library.context_new},
	{"xmlXPathFreeContext", &library.context_free},
	{"xmlXPathEvalExpression", &library.evaluate},
	{"xmlXPathCastToString", &library.text_of},
	{"xmlXPathFreeObject", &library.object_free},
	{"xmlFree", &library.free},
};

struct xml {
	xmlDocPtr document;
};

static int load(char **why)
{
	static const char *const names[] = {LIBRARY, NULL};
	const char *reason = library_load(names, symbol, ARRAY_SIZE(symbol));

	if (!reason)
		return 0;
	*why = xasprintf(
		"libxml2, which reads XML, cannot be loaded (%s); on Debian: apt install libxml2",
		reason);
	return -ENOENT;
}

/* "line 7: Opening and ending tag mismatch: a and b" */
static char *error_text(const xmlError *error)
{
	const char *message = error->message ?: "it is not well-formed XML";
	int length = (int)strcspn(message, "\n");

	return error->line > 0 ? xasprintf("line %d: %.*s", error->line, length, message) :
				 xasprintf("%.*s", length, message);
}

int xml_parse(const char *text, size_t length, struct xml **xml, char **why)
{
	xmlParserCtxtPtr parser;
	xmlDocPtr document;
	int err = load(why);

	if (err)
		return err;
	parser = library.parser_new();
	/* XML_PARSE_HUGE, which lifts limits, is not set; DTDs and entities are not read. */
	document = parser ? library.read(parser, text, (int)length, NULL, NULL,
					 XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
						 XML_PARSE_COMPACT) :
			    NULL;
	if (!document)
		*why = parser ? error_text(&parser->lastError) : xstrdup("out of memory");
	if (parser)
		library.parser_free(parser);
	/* Entities would be expanded, to any length. */
	if (document && document->intSubset && document->intSubset->entities) {
		*why = xstrdup("it declares entities, which are not expanded");
		library.free_document(document);
		document = NULL;
	}
	if (!document)
		return -EINVAL;
	*xml = xcalloc(1, sizeof(**xml));
	(*xml)->document = document;
	return 0;
}

void xml_free(struct xml **xml)
{
	if (!*xml)
		return;
	library.free_document((*xml)->document);
	free(*xml);
	*xml = NULL;
}

/* An attribute has no line number; take that of its element. */
static int line_of(const xmlNode *node)
{
	return (int)library.line(node->type == XML_ATTRIBUTE_NODE ? node->parent : node);
}

static void add_text(struct settings *found, const char *xpath, const xmlChar *text, int line)
{
	const char *value = text ? (const char *)text : "";

	settings_add(found, xpath, strlen(xpath), value, strlen(value), line);
}

static void add_nodes(struct settings *found, const char *xpath, const xmlNodeSet *nodes)
{
	for (int i = 0; nodes && i < nodes->nodeNr && i < XML_VALUES; i++) {
		const xmlNode *node = nodes->nodeTab[i];
		xmlChar *text;

		if (node->type != XML_ATTRIBUTE_NODE && node->type != XML_ELEMENT_NODE &&
		    node->type != XML_TEXT_NODE)
			continue;
		text = library.content(node);
		add_text(found, xpath, text, line_of(node));
		(*library.free)(text);
	}
}

static void add_result(struct settings *found, const char *xpath, xmlXPathObjectPtr result)
{
	xmlChar *text;

	if (result->type == XPATH_NODESET) {
		add_nodes(found, xpath, result->nodesetval);
		return;
	}
	text = library.text_of(result);
	if (text && *text)
		add_text(found, xpath, text, 0);
	(*library.free)(text);
}

static void ignore_error(void *context, const xmlError *error)
{
	(void)context;
	(void)error;
}

int xml_find(struct xml *xml, const char *xpath, struct settings *found, char **why)
{
	xmlXPathContextPtr context = library.context_new(xml->document);
	xmlXPathObjectPtr result = NULL;

	if (context) {
		context->opLimit = OPERATIONS;
		/* Without a handler libxml2 prints errors. */
		context->error = (xmlStructuredErrorFunc)ignore_error;
		result = library.evaluate((const xmlChar *)xpath, context);
	}
	if (result)
		add_result(found, xpath, result);
	else
		*why = xasprintf("the XPath expression '%s' is wrong, or costs too much", xpath);
	if (result)
		library.object_free(result);
	if (context)
		library.context_free(context);
	return result ? 0 : -EINVAL;
}
