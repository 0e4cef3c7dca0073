/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Module files: their names, what they say of themselves, and that what we
 * compress is what the kernel can read.
 */
#include "tests/unit/unit-ko.h"

#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "core/base/proc.h"

#include "core/ko.h"

static void write_module(const struct unit_root *root, const char *path)
{
	unit_write_ko(root, path, "version=1.2\nsrcversion=ABCDEF\nvermagic=6.1.0-9-amd64 SMP mod_unload \n"
				  "depends=mii,usbnet\nlicense=GPL\n");
}

/* ---- names ---- */

static void test_name(void **state)
{
	static const struct {
		const char *file, *name;
	} cases[] = {
		{ "foo.ko", "foo" },	     { "foo.ko.gz", "foo" },  { "foo.ko.xz", "foo" },  { "foo.ko.zst", "foo" },
		{ "foo-bar.ko", "foo-bar" }, { "a.b.ko", "a.b" },     { "foo.ko.xz.ko", "foo.ko.xz" },
		{ "foo", NULL },	     { "foo.xz", NULL },      { ".ko", NULL },	       { ".ko.xz", NULL },
		{ "foo.ko.bz2", NULL },	     { "foo.ko.xz.gz", NULL }, { "", NULL },	       { "Module.symvers", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(freep) char *name = NULL;

		assert_int_equal(kiln_ko_name(cases[i].file, &name), cases[i].name != NULL);
		if (cases[i].name)
			assert_string_equal(name, cases[i].name);
	}
}

static void test_find(void **state)
{
	struct unit_root *root = *state;
	char *path = NULL;

	unit_write(root, "foo.ko.xz", "");
	unit_write(root, "foo.ko.zst", "");
	unit_write(root, "foobar.ko", "");
	unit_dir(root, "dir.ko");
	assert_int_equal(kiln_ko_find(root->fd, "foo", &path), 0);
	assert_string_equal(path, "foo.ko.xz");
	free(path);
	unit_write(root, "foo.ko", "");
	assert_int_equal(kiln_ko_find(root->fd, "foo", &path), 0);
	assert_string_equal(path, "foo.ko");
	free(path);
	assert_int_equal(kiln_ko_find(root->fd, "fo", &path), -ENOENT);
	assert_int_equal(kiln_ko_find(root->fd, "dir", &path), -ENOENT);
}

/* ---- reading ---- */

static void assert_says(int dir, const char *path)
{
	_cleanup_(kiln_ko_done) struct kiln_ko ko = { 0 };

	assert_int_equal(kiln_ko_load(dir, path, &ko, NULL), 0);
	assert_string_equal(ko.version, "1.2");
	assert_string_equal(ko.srcversion, "ABCDEF");
	assert_string_equal(ko.vermagic, "6.1.0-9-amd64 SMP mod_unload ");
	assert_string_equal(ko.depends, "mii,usbnet");
}

static void test_load(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(freep) char *whole = kiln_strf("%s/a/foo.ko", root->path);
	_cleanup_(closep) int top = open("/", O_RDONLY | O_DIRECTORY);

	write_module(root, "a/foo.ko");
	assert_says(root->fd, "a/foo.ko");
	assert_says(AT_FDCWD, whole);
	assert_says(top, whole + 1); /* what works without /proc */
}

static void test_load_refuses(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	_cleanup_(freep) char *whole = NULL;
	struct kiln_ko ko = { 0 };

	assert_true(kiln_ko_load(root->fd, "none.ko", &ko, &err) < 0);
	assert_non_null(strstr(err.text, "none.ko"));
	unit_write(root, "text.ko", "not a module\n");
	assert_true(kiln_ko_load(root->fd, "text.ko", &ko, NULL) < 0);
	write_module(root, "foo.ko");
	assert_int_equal(kiln_fs_read(root->fd, "foo.ko", 1 << 20, &whole, NULL), 0);
	assert_int_equal(kiln_fs_replace(root->fd, "cut.ko", whole, 100, 0644), 0);
	assert_true(kiln_ko_load(root->fd, "cut.ko", &ko, NULL) < 0);
	assert_null(ko.version);
}

/* ---- packing ---- */

static size_t unpack(enum kiln_compression c, const char *packed, size_t n, unsigned char *to, size_t room)
{
	z_stream z = { .next_in = (Bytef *)packed, .avail_in = n, .next_out = to, .avail_out = room };
	uint64_t limit = 1 << 26;
	size_t at = 0, got = 0;

	switch (c) {
	case KILN_XZ:
		assert_int_equal(packed[7], LZMA_CHECK_CRC32); /* the kernel knows no other */
		assert_int_equal(lzma_stream_buffer_decode(&limit, 0, NULL, (const uint8_t *)packed, &at, n, to, &got, room),
				 LZMA_OK);
		return got;
	case KILN_ZSTD:
		return ZSTD_decompress(to, room, packed, n);
	default:
		assert_int_equal(packed[3], 0); /* no file name in it */
		assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
		assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
		inflateEnd(&z);
		return z.total_out;
	}
}

/* foo.ko, compressed, has to give the bytes that foo.ko was. */
static void assert_unpacks(const struct unit_root *root, enum kiln_compression c, const char *plain, size_t len)
{
	_cleanup_(freep) char *path = kiln_strf("foo.ko%s", kiln_compression_suffix(c)), *packed = NULL;
	_cleanup_(freep) unsigned char *got = malloc(len + 1);
	size_t n;

	assert_non_null(got);
	assert_int_equal(kiln_fs_read(root->fd, path, 1 << 20, &packed, &n), 0);
	assert_true(n < len);
	assert_int_equal(unpack(c, packed, n, got, len + 1), len);
	assert_memory_equal(got, plain, len);
}

static void test_compress(void **state)
{
	static const enum kiln_compression all[] = { KILN_GZIP, KILN_XZ, KILN_ZSTD };
	struct unit_root *root = *state;
	_cleanup_(freep) char *plain = NULL;
	size_t len;

	write_module(root, "foo.ko");
	assert_int_equal(kiln_fs_read(root->fd, "foo.ko", 1 << 20, &plain, &len), 0);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		write_module(root, "foo.ko");
		assert_int_equal(kiln_ko_compress(root->fd, "foo.ko", all[i], NULL, NULL), 0);
		assert_false(kiln_fs_exists(root->fd, "foo.ko"));
		assert_unpacks(root, all[i], plain, len);
	}
	assert_says(root->fd, "foo.ko.xz");
	write_module(root, "foo.ko");
	assert_int_equal(kiln_ko_compress(root->fd, "foo.ko", KILN_PLAIN, NULL, NULL), 0);
	assert_says(root->fd, "foo.ko");
}

/* What no packer makes smaller: its beginning stands in the first block of the file. */
static char *write_large(const struct unit_root *root, const char *path, size_t n)
{
	char *data = malloc(n);
	uint32_t x = 1;

	assert_non_null(data);
	for (size_t i = 0; i < n; i++, x = x * 1664525 + 1013904223)
		data[i] = i < 4 ? "\177ELF"[i] : (char)(x >> 24);
	assert_int_equal(kiln_fs_replace(root->fd, path, data, n, 0644), 0);
	return data;
}

/* Of a large module the start alone is read, which it still has when its end is cut off. */
static void test_read(void **state)
{
	static const enum kiln_compression all[] = { KILN_PLAIN, KILN_GZIP, KILN_XZ, KILN_ZSTD };
	enum { SIZE = 2 << 20, CUT = 200 << 10 };
	struct unit_root *root = *state;

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		_cleanup_(freep) char *data = write_large(root, "foo.ko", SIZE), *got = NULL, *rest = NULL;
		_cleanup_(freep) char *path = kiln_strf("%s/foo.ko%s", root->path, kiln_compression_suffix(all[i]));
		struct kiln_ko_head head;
		char start[20];
		size_t n;

		assert_int_equal(kiln_ko_compress(root->fd, "foo.ko", all[i], NULL, NULL), 0);
		assert_int_equal(kiln_ko_read(AT_FDCWD, path, &got, &n), 0);
		assert_int_equal(n, SIZE);
		assert_memory_equal(got, data, SIZE);
		for (size_t cut = 0; cut < 2; cut++) {
			assert_int_equal(kiln_ko_read_start(AT_FDCWD, path, start, sizeof(start)), 0);
			assert_memory_equal(start, data, sizeof(start));
			assert_int_equal(kiln_ko_head(AT_FDCWD, path, &head), 0);
			assert_int_equal(truncate(path, CUT), 0);
		}
		assert_int_equal(kiln_ko_read(AT_FDCWD, path, &rest, &n), all[i] == KILN_PLAIN ? 0 : -EBADMSG);
		assert_int_equal(truncate(path, 10), 0);
		assert_int_equal(kiln_ko_read_start(AT_FDCWD, path, start, sizeof(start)), -EBADMSG);
		assert_int_equal(kiln_ko_head(AT_FDCWD, path, &head), -ENOEXEC);
	}
}

/* LZMA2 alone with 1 MiB: larger ones, or filters before it, are not sure to be in a kernel. */
static void test_xz_dictionary(void **state)
{
	struct unit_root *root = *state;
	lzma_filter filters[LZMA_FILTERS_MAX + 1];
	lzma_block block = { .filters = filters, .check = LZMA_CHECK_CRC32 };
	_cleanup_(freep) char *packed = NULL;
	const uint8_t *header;

	write_module(root, "foo.ko");
	assert_int_equal(kiln_ko_compress(root->fd, "foo.ko", KILN_XZ, NULL, NULL), 0);
	assert_int_equal(kiln_fs_read(root->fd, "foo.ko.xz", 1 << 20, &packed, NULL), 0);
	header = (const uint8_t *)packed + LZMA_STREAM_HEADER_SIZE;
	block.header_size = lzma_block_header_size_decode(*header);
	assert_int_equal(lzma_block_header_decode(&block, NULL, header), LZMA_OK);
	assert_int_equal(filters[0].id, LZMA_FILTER_LZMA2);
	assert_int_equal(((lzma_options_lzma *)filters[0].options)->dict_size, 1 << 20);
	assert_int_equal(filters[1].id, LZMA_VLI_UNKNOWN);
	free(filters[0].options);
}

static void test_compress_fails(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;

	assert_int_equal(kiln_ko_compress(root->fd, "none.ko", KILN_XZ, NULL, &err), -ENOENT);
	assert_non_null(strstr(err.text, "none.ko"));
	assert_false(kiln_fs_exists(root->fd, "none.ko.xz"));
}

static void test_compress_with_options(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	_cleanup_(freep) char *plain = NULL;
	size_t len;

	if (!kiln_proc_have("gzip"))
		skip();
	write_module(root, "foo.ko");
	assert_int_equal(kiln_fs_read(root->fd, "foo.ko", 1 << 20, &plain, &len), 0);
	assert_true(kiln_ko_compress(root->fd, "foo.ko", KILN_GZIP, "--no-such-option", &err) < 0);
	assert_non_null(strstr(err.text, "--no-such-option"));
	assert_says(root->fd, "foo.ko");
	assert_int_equal(kiln_ko_compress(root->fd, "foo.ko", KILN_GZIP, "-9 -n", NULL), 0);
	assert_unpacks(root, KILN_GZIP, plain, len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_name),
		unit_test_with_root(test_find),
		unit_test_with_root(test_load),
		unit_test_with_root(test_load_refuses),
		unit_test_with_root(test_compress),
		unit_test_with_root(test_read),
		unit_test_with_root(test_xz_dictionary),
		unit_test_with_root(test_compress_fails),
		unit_test_with_root(test_compress_with_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
