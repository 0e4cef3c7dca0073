/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The .bin files: a trie that shares prefixes, in big-endian words.
 *
 *   file:  magic, version, root
 *   node:  [prefix NUL] [first last child...] [count, (priority, text NUL)...]
 *
 * A reference to a node is its offset; its three top bits say which of the parts
 * it has.  There is one such trie for a set of keys, whatever the order in which
 * they came: it is made here from the sorted keys.  kmod 30 writes the children
 * before a node, kmod 34 behind it.
 */
#include "core/index.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/cleanup.h"

#define MAGIC 0xB007F457u
#define VERSION 0x00020001u
#define HAS_PREFIX 0x80000000u
#define HAS_VALUES 0x40000000u
#define HAS_CHILDREN 0x20000000u
#define LARGEST_OFFSET 0x0fffffffu

enum { LETTERS = 128, HEADER = 12, DEEPEST = 4096 };

struct node {
	const char *prefix; /* in a key */
	uint32_t prefix_len;
	uint32_t values, n_values; /* first entry, and how many */
	uint32_t size, total;	   /* of itself; with all below */
	uint32_t child, next;	   /* numbers of nodes; 0: none */
	unsigned char letter, first, last;
};

struct trie {
	struct node *nodes; /* 0 is the root */
	size_t n, size;
	const struct kiln_index_entry *entries;
	struct kiln_buf *out;
};

/* For one key the smaller priority comes first; equals are the same module, twice. */
static int compare(const void *a, const void *b)
{
	const struct kiln_index_entry *x = a, *y = b;
	int c = strcmp(x->key, y->key);

	if (c)
		return c;
	return x->priority < y->priority ? -1 : x->priority > y->priority;
}

/* ---- making it ---- */

static int add_node(struct trie *t, uint32_t *ret)
{
	if (t->n == t->size) {
		size_t more = t->size ? t->size * 2 : 1024;
		struct node *p = reallocarray(t->nodes, more, sizeof(*p));

		if (!p)
			return -ENOMEM;
		t->nodes = p;
		t->size = more;
	}
	t->nodes[t->n] = (struct node){ 0 };
	*ret = (uint32_t)t->n++;
	return 0;
}

static uint32_t value_size(const struct kiln_index_entry *e)
{
	return 4 + (uint32_t)strlen(e->value) + 1;
}

/* Entries that begin alike; depth letters of them are used up. */
struct range {
	size_t from, to, depth;
};

/* How many letters all of them have in common: what the first and the last of sorted ones have. */
static uint32_t common(const struct trie *t, const struct range *r)
{
	const char *a = t->entries[r->from].key + r->depth, *b = t->entries[r->to - 1].key + r->depth;
	uint32_t n = 0;

	while (a[n] && a[n] == b[n])
		n++;
	return n;
}

static int make_node(struct trie *t, const struct range *r, uint32_t self);

/* One child for each letter that follows. Nodes move while others are added, so they go by number. */
static int make_children(struct trie *t, const struct range *r, uint32_t self)
{
	uint32_t last = 0;

	for (size_t from = r->from, to; from < r->to; from = to) {
		unsigned char letter = (unsigned char)t->entries[from].key[r->depth];
		struct range below = { .from = from, .depth = r->depth + 1 };
		uint32_t child = 0;
		int e = letter < LETTERS ? add_node(t, &child) : -EILSEQ;

		for (to = from; to < r->to && (unsigned char)t->entries[to].key[r->depth] == letter; to++)
			;
		below.to = to;
		if (e >= 0)
			e = make_node(t, &below, child);
		if (e < 0)
			return e;
		*(last ? &t->nodes[last].next : &t->nodes[self].child) = child;
		t->nodes[child].letter = letter;
		t->nodes[self].first = last ? t->nodes[self].first : letter;
		t->nodes[self].last = letter;
		t->nodes[self].total += t->nodes[child].total;
		last = child;
	}
	return 0;
}

static uint32_t own_size(const struct trie *t, const struct node *n)
{
	uint32_t size = n->prefix_len ? n->prefix_len + 1 : 0;

	if (n->child)
		size += 2 + 4 * (n->last - n->first + 1u);
	if (n->n_values)
		size += 4;
	for (uint32_t i = 0; i < n->n_values; i++)
		size += value_size(&t->entries[n->values + i]);
	return size;
}

/* The root never has a prefix. */
static int make_node(struct trie *t, const struct range *r, uint32_t self)
{
	uint32_t prefix = self && r->from < r->to ? common(t, r) : 0;
	struct range rest = { r->from, r->to, r->depth + prefix };
	struct node *n = &t->nodes[self];
	int e;

	if (rest.depth > DEEPEST)
		return -EILSEQ;
	if (prefix)
		n->prefix = t->entries[r->from].key + r->depth;
	n->prefix_len = prefix;
	n->values = (uint32_t)r->from;
	while (rest.from < rest.to && !t->entries[rest.from].key[rest.depth])
		rest.from++;
	n->n_values = (uint32_t)(rest.from - r->from);
	e = make_children(t, &rest, self);
	n = &t->nodes[self];
	n->size = own_size(t, n);
	n->total += n->size;
	return e;
}

/* ---- writing it ---- */

static void add_word(struct kiln_buf *b, uint32_t v)
{
	v = htobe32(v);
	kiln_buf_add(b, &v, sizeof(v));
}

static uint32_t parts_of(const struct node *n)
{
	return (n->prefix_len ? HAS_PREFIX : 0) | (n->n_values ? HAS_VALUES : 0) | (n->child ? HAS_CHILDREN : 0);
}

static void write_children(const struct trie *t, const struct node *n, const uint32_t offsets[LETTERS])
{
	kiln_buf_addc(t->out, (char)n->first);
	kiln_buf_addc(t->out, (char)n->last);
	for (unsigned c = n->first; c <= n->last; c++)
		add_word(t->out, offsets[c]);
}

static void write_node(const struct trie *t, const struct node *n, const uint32_t offsets[LETTERS])
{
	if (n->prefix_len) {
		kiln_buf_add(t->out, n->prefix, n->prefix_len);
		kiln_buf_addc(t->out, '\0');
	}
	if (n->child)
		write_children(t, n, offsets);
	if (n->n_values)
		add_word(t->out, n->n_values);
	for (uint32_t i = 0; i < n->n_values; i++) {
		const struct kiln_index_entry *e = &t->entries[n->values + i];

		add_word(t->out, e->priority);
		kiln_buf_add(t->out, e->value, strlen(e->value) + 1);
	}
}

/* A node, then what is below it; offset: where it begins. */
static void write_down(const struct trie *t, const struct node *n, uint32_t offset)
{
	uint32_t offsets[LETTERS] = { 0 }, at = offset + n->size;

	for (uint32_t c = n->child; c; c = t->nodes[c].next) {
		offsets[t->nodes[c].letter] = at | parts_of(&t->nodes[c]);
		at += t->nodes[c].total;
	}
	write_node(t, n, offsets);
	at = offset + n->size;
	for (uint32_t c = n->child; c; c = t->nodes[c].next) {
		write_down(t, &t->nodes[c], at);
		at += t->nodes[c].total;
	}
}

/* What is below a node, then the node; its reference. */
static uint32_t write_up(const struct trie *t, const struct node *n)
{
	uint32_t offsets[LETTERS] = { 0 }, offset;

	for (uint32_t c = n->child; c; c = t->nodes[c].next)
		offsets[t->nodes[c].letter] = write_up(t, &t->nodes[c]);
	offset = (uint32_t)t->out->len;
	write_node(t, n, offsets);
	return offset | parts_of(n);
}

static void write_trie(const struct trie *t, bool children_first)
{
	const struct node *root = &t->nodes[0];

	add_word(t->out, MAGIC);
	add_word(t->out, VERSION);
	add_word(t->out, HEADER | parts_of(root));
	if (!children_first) {
		write_down(t, root, HEADER);
	} else {
		uint32_t at = htobe32(write_up(t, root));

		if (!t->out->failed)
			memcpy(t->out->data + 8, &at, sizeof(at));
	}
}

int kiln_index_trie(struct kiln_index_entry *entries, size_t n, bool children_first, struct kiln_buf *ret)
{
	struct trie t = { .entries = entries, .out = ret };
	const struct range all = { 0, n, 0 };
	uint32_t root;
	int r;

	if (n)
		qsort(entries, n, sizeof(*entries), compare);
	r = add_node(&t, &root);
	if (r >= 0)
		r = make_node(&t, &all, root);
	if (r >= 0 && t.nodes[root].total > LARGEST_OFFSET - HEADER)
		r = -EFBIG;
	if (r >= 0)
		write_trie(&t, children_first);
	free(t.nodes);
	return r < 0 ? r : kiln_buf_ok(ret) ? 0 : -ENOMEM;
}
