/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kernel's own module comes back as it was, or as its package has made it in
 * the meantime: over two versions of ours in turn, packed or not, whether it had
 * to move, was overwritten or could stay.
 */
#include "tests/unit/unit.h"

#include "core/base/cleanup.h"
#include "core/place.h"

#define K	"lib/modules/6.1"
#define TREE	"var/lib/dkms/m"
#define ARCHIVE TREE "/original_module/6.1/x86_64"

struct world {
	struct unit_root *root;
	struct kiln_ctx *ctx;
	struct kiln_done done;
	const char *location; /* where the conf puts the module */
};

/* location: what Debian decides for all modules, or (ID=other) what the conf says. */
static void begin(struct world *w, struct unit_root *root, const char *os, const char *location)
{
	struct kiln_options o = { .root = root->path, .arch = "x86_64" };

	*w = (struct world){ .root = root, .location = location };
	unit_write(root, "etc/os-release", os);
	unit_dir(root, K);
	assert_int_equal(kiln_ctx_new(&o, &w->ctx, NULL), 0);
}

static void end(struct world *w)
{
	kiln_done_clear(&w->done);
	kiln_ctx_free(w->ctx);
}

static void place(struct world *w, const char *version, bool install)
{
	struct kiln_conf_module module = { .built_name = (char *)"one", .dest_name = (char *)"one",
					   .dest_location = (char *)w->location };
	struct kiln_conf conf = { .modules = &module, .n_modules = 1 };
	struct kiln_kernel kernel = { .release = (char *)"6.1", .arch = (char *)"x86_64" };
	struct kiln_place_job job = { .ctx = w->ctx, .mod = { "m", version }, .kernel = &kernel,
				      .conf = install ? &conf : NULL, .source_dir = "/usr/src/m" };
	bool changed;

	kiln_done_clear(&w->done);
	if (install)
		kiln_place_install(&job, &w->done, &changed);
	else
		kiln_place_uninstall(&job, &w->done, &changed);
	assert_int_equal(w->done.result, KILN_DONE);
}

/* Builds ("V one") and installs. */
static void install(struct world *w, const char *version)
{
	_cleanup_(freep) char *ko = kiln_strf(TREE "/%s/6.1/x86_64/module/one.ko", version);
	_cleanup_(freep) char *text = kiln_strf("%s one", version);
	struct kiln_record r = { .version = 1, .inputs = (char *)"inputs" };

	unit_write(w->root, ko, text);
	if (kiln_record_load(w->ctx, (struct kiln_mod){ "m", version }, (struct kiln_kern){ "6.1", "x86_64" }, &r) < 0)
		assert_int_equal(kiln_record_save(w->ctx, (struct kiln_mod){ "m", version },
						  (struct kiln_kern){ "6.1", "x86_64" }, &r), 0);
	else
		kiln_record_done(&r);
	place(w, version, true);
}

static void uninstall(struct world *w, const char *version)
{
	place(w, version, false);
}

static bool there(const struct world *w, const char *path)
{
	return kiln_fs_exists(w->root->fd, path);
}

/* Ours has gone, the original is there with this content, and nothing is archived any more. */
static void assert_back(const struct world *w, const char *path, const char *text)
{
	unit_assert_file(w->root, path, text);
	assert_false(there(w, TREE "/original_module"));
	assert_false(there(w, TREE "/kernel-6.1-x86_64"));
	assert_false(there(w, K "/updates"));
}

/* ---- two versions in turn ---- */

static void in_turn(struct world *w)
{
	install(w, "1");
	install(w, "2");
	install(w, "1");
	uninstall(w, "1");
}

static void test_stays_in_turn(void **state)
{
	struct world w;

	begin(&w, *state, "ID=debian\n", "/updates/dkms");
	unit_write(w.root, K "/kernel/net/one.ko.xz", "packed original");
	install(&w, "1");
	unit_assert_file(w.root, ARCHIVE "/one.ko.xz", "packed original");
	unit_assert_file(w.root, K "/updates/dkms/one.ko", "1 one");
	in_turn(&w);
	assert_back(&w, K "/kernel/net/one.ko.xz", "packed original");
	end(&w);
}

static void test_moves_in_turn(void **state)
{
	struct world w;

	begin(&w, *state, "ID=debian\n", "/updates/dkms");
	unit_write(w.root, "etc/depmod.d/a.conf", "search extra updates built-in\n");
	unit_write(w.root, K "/extra/one.ko.zst", "packed original");
	install(&w, "1");
	assert_false(there(&w, K "/extra/one.ko.zst"));
	in_turn(&w);
	assert_back(&w, K "/extra/one.ko.zst", "packed original");
	end(&w);
}

static void test_overwritten_in_turn(void **state)
{
	struct world w;

	begin(&w, *state, "ID=other\n", "/kernel/net");
	unit_write(w.root, K "/kernel/net/one.ko", "original");
	in_turn(&w);
	assert_back(&w, K "/kernel/net/one.ko", "original");
	end(&w);
}

/* In the same directory, but packed: both would be one module to depmod. */
static void test_beside_in_turn(void **state)
{
	struct world w;

	begin(&w, *state, "ID=other\n", "/kernel/net");
	unit_write(w.root, K "/kernel/net/one.ko.gz", "packed original");
	install(&w, "1");
	assert_false(there(&w, K "/kernel/net/one.ko.gz"));
	in_turn(&w);
	assert_back(&w, K "/kernel/net/one.ko.gz", "packed original");
	assert_false(there(&w, K "/kernel/net/one.ko"));
	end(&w);
}

/* ---- the kernel's package is upgraded under us: its files are its own ---- */

static void test_stays_upgraded(void **state)
{
	struct world w;

	begin(&w, *state, "ID=debian\n", "/updates/dkms");
	unit_write(w.root, K "/kernel/one.ko.xz", "original");
	install(&w, "1");
	unit_write(w.root, K "/kernel/one.ko.xz", "newer");
	uninstall(&w, "1");
	assert_back(&w, K "/kernel/one.ko.xz", "newer");
	install(&w, "1");
	unit_write(w.root, K "/kernel/one.ko.xz", "newest");
	install(&w, "2");
	uninstall(&w, "2");
	assert_back(&w, K "/kernel/one.ko.xz", "newest");
	end(&w);
}

/* The upgrade packs its modules in another way: what was archived is nobody's any more. */
static void test_stays_upgraded_packed(void **state)
{
	struct world w;

	begin(&w, *state, "ID=debian\n", "/updates/dkms");
	unit_write(w.root, K "/kernel/one.ko", "original");
	install(&w, "1");
	assert_int_equal(unlinkat(w.root->fd, K "/kernel/one.ko", 0), 0);
	unit_write(w.root, K "/kernel/one.ko.xz", "newer");
	uninstall(&w, "1");
	unit_assert_file(w.root, K "/kernel/one.ko.xz", "newer");
	assert_false(there(&w, K "/kernel/one.ko"));
	end(&w);
}

static void test_moved_upgraded(void **state)
{
	struct world w;

	begin(&w, *state, "ID=debian\n", "/updates/dkms");
	unit_write(w.root, "etc/depmod.d/a.conf", "search extra updates built-in\n");
	unit_write(w.root, K "/extra/one.ko.xz", "original");
	install(&w, "1");
	unit_write(w.root, K "/extra/one.ko.xz", "newer");
	install(&w, "2");
	assert_false(there(&w, K "/extra/one.ko.xz"));
	uninstall(&w, "2");
	assert_back(&w, K "/extra/one.ko.xz", "newer");
	end(&w);
}

static void test_overwritten_upgraded(void **state)
{
	struct world w;

	begin(&w, *state, "ID=other\n", "/kernel/net");
	unit_write(w.root, K "/kernel/net/one.ko", "original");
	install(&w, "1");
	unit_write(w.root, K "/kernel/net/one.ko", "newer");
	install(&w, "2");
	unit_assert_file(w.root, K "/kernel/net/one.ko", "2 one");
	uninstall(&w, "2");
	assert_back(&w, K "/kernel/net/one.ko", "newer");
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		unit_test_with_root(test_stays_in_turn),
		unit_test_with_root(test_moves_in_turn),
		unit_test_with_root(test_overwritten_in_turn),
		unit_test_with_root(test_beside_in_turn),
		unit_test_with_root(test_stays_upgraded),
		unit_test_with_root(test_stays_upgraded_packed),
		unit_test_with_root(test_moved_upgraded),
		unit_test_with_root(test_overwritten_upgraded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
