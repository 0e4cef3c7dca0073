/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tries of .bin files, in both layouts: read back by a reader that shares nothing with the writer. */
#include "tests/unit/unit.h"

#include <endian.h>

#include "core/base/cleanup.h"
#include "core/index.h"

static uint32_t word(const struct kiln_buf *b, size_t at)
{
	uint32_t v;

	assert_true(at + sizeof(v) <= b->len);
	memcpy(&v, b->data + at, sizeof(v));
	return be32toh(v);
}

/* Adds "KEY=PRIORITY:VALUE," for all below a node. */
static void read_node(const struct kiln_buf *b, uint32_t ref, const char *key, struct kiln_buf *out)
{
	size_t at = ref & 0x0fffffff;
	_cleanup_(freep) char *whole = kiln_strf("%s%s", key, ref & 0x80000000 ? b->data + at : "");
	size_t children = 0;
	unsigned char first = 0, last = 0;

	if (ref & 0x80000000)
		at += strlen(b->data + at) + 1;
	if (ref & 0x20000000) {
		first = (unsigned char)b->data[at];
		last = (unsigned char)b->data[at + 1];
		children = at + 2;
		at = children + 4 * (last - first + 1u);
	}
	if (ref & 0x40000000) {
		uint32_t n = word(b, at);

		for (at += 4; n; n--, at += 4 + strlen(b->data + at + 4) + 1)
			kiln_buf_addf(out, "%s=%u:%s,", whole, word(b, at), b->data + at + 4);
	}
	for (unsigned c = first; children && c <= last; c++) {
		_cleanup_(freep) char *more = kiln_strf("%s%c", whole, c);

		if (word(b, children + 4 * (c - first)))
			read_node(b, word(b, children + 4 * (c - first)), more, out);
	}
}

static void assert_trie(const struct kiln_index_entry *entries, size_t n, bool children_first, const char *text)
{
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT, out = KILN_BUF_INIT;
	struct kiln_index_entry copy[16];

	memcpy(copy, entries, n * sizeof(*entries));
	assert_int_equal(kiln_index_trie(copy, n, children_first, &b), 0);
	assert_int_equal(word(&b, 0), 0xB007F457);
	assert_int_equal(word(&b, 4), 0x00020001);
	assert_int_equal((word(&b, 8) & 0x0fffffff) == 12, !children_first || !n);
	read_node(&b, word(&b, 8), "", &out);
	assert_string_equal(kiln_buf_str(&out), text);
}

static void test_layouts(void **state)
{
	static const struct kiln_index_entry entries[] = {
		{ "usb:v1*", "one", 7 },   { "usb:v12*", "two", 3 }, { "usb:v1", "three", 1 }, { "a", "four", 9 },
		{ "usb:v1*", "five", 2 },  { "usb:v1*", "six", 300 }, { "", "seven", 0 },      { "usb:v1*", "one", 7 },
		{ "symbol:~", "eight", 5 },
	};
	static const char text[] = "=0:seven,a=9:four,symbol:~=5:eight,usb:v1=1:three,"
				   "usb:v1*=2:five,usb:v1*=7:one,usb:v1*=7:one,usb:v1*=300:six,usb:v12*=3:two,";

	(void)state;
	for (int layout = 0; layout < 2; layout++) {
		assert_trie(entries, ARRAY_SIZE(entries), layout, text);
		assert_trie(entries, 1, layout, "usb:v1*=7:one,");
		assert_trie(entries, 0, layout, "");
	}
}

static void test_limits(void **state)
{
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	_cleanup_(freep) char *deep = malloc(5001);
	struct kiln_index_entry odd = { "caf\xc3\xa9", "x", 0 }, pair[2];

	(void)state;
	assert_non_null(deep);
	memset(deep, 'x', 5000);
	deep[5000] = '\0';
	pair[0] = (struct kiln_index_entry){ deep, "x", 0 };
	pair[1] = (struct kiln_index_entry){ deep + 1, "x", 0 };
	assert_int_equal(kiln_index_trie(pair, 2, false, &b), -EILSEQ);
	pair[0] = odd;
	pair[1] = (struct kiln_index_entry){ "caf", "x", 0 };
	assert_int_equal(kiln_index_trie(pair, 2, true, &b), -EILSEQ);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layouts),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
