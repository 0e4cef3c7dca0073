/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The previous set: kept by the install that replaces it, brought back by a
 * rollback, gone with its kernel.  Module files are mere text.
 */
#include "tests/unit/unit.h"

#include "core/base/cleanup.h"
#include "core/previous.h"

#define K     "lib/modules/6.1"
#define OURS  K "/updates/dkms/"
#define TREE  "var/lib/dkms/m"
#define STATE "var/lib/modkiln/"
#define KEPT  STATE "previous/m,"

static const struct kiln_kern kern = { "6.1", "x86_64" };

struct world {
	struct unit_root *root;
	struct kiln_ctx *ctx;
	struct kiln_kernel kernel;
	struct kiln_conf_module modules[3];
	struct kiln_conf conf;
	struct kiln_done done;
};

static void begin(struct world *w, struct unit_root *root)
{
	struct kiln_options o = { .root = root->path };

	*w = (struct world){ .root = root };
	unit_write(root, "etc/os-release", "ID=debian\n");
	unit_dir(root, K);
	assert_int_equal(kiln_ctx_new(&o, &w->ctx, NULL), 0);
	w->kernel.release = (char *)"6.1";
	w->kernel.arch = (char *)"x86_64";
}

static void end(struct world *w)
{
	kiln_done_clear(&w->done);
	kiln_ctx_free(w->ctx);
}

static struct kiln_place_job job_of(const struct world *w, const char *version)
{
	return (struct kiln_place_job){ .ctx = w->ctx, .mod = { "m", version }, .kernel = &w->kernel };
}

/* Builds and installs a set: one module for each name, whose content is "VERSION NAME". */
static void install(struct world *w, const char *version, const char *text, const char *names)
{
	struct kiln_place_job job = job_of(w, version);
	_cleanup_(kiln_record_done) struct kiln_record r = { .version = 1 };
	bool changed = false;

	w->conf = (struct kiln_conf){ .modules = w->modules };
	for (const char *n = names; *n; n++) {
		_cleanup_(freep) char *path = kiln_strf(TREE "/%s/6.1/x86_64/module/%c.ko", version, *n);
		_cleanup_(freep) char *content = kiln_strf("%s %c", text, *n);
		char *name = *n == 'a' ? (char *)"a" : *n == 'b' ? (char *)"b" : (char *)"c";

		unit_write(w->root, path, content);
		w->modules[w->conf.n_modules++] = (struct kiln_conf_module){
			.built_name = name, .dest_name = name, .dest_location = (char *)"/updates/dkms" };
	}
	job.conf = &w->conf;
	job.source_dir = "/usr/src/m";
	job.flags = KILN_FORCE;
	kiln_record_load(w->ctx, job.mod, kern, &r); /* what is installed stays known, as after a build */
	free(r.inputs);
	r.inputs = strdup(text);
	assert_int_equal(kiln_record_save(w->ctx, job.mod, kern, &r), 0);
	kiln_done_clear(&w->done);
	kiln_place_install(&job, &w->done, &changed);
	assert_int_equal(w->done.result, KILN_DONE);
}

static void roll_back(struct world *w, const char *version, enum kiln_result result)
{
	struct kiln_place_job job = job_of(w, version);
	bool changed = false;

	kiln_done_clear(&w->done);
	kiln_rollback(&job, &w->done, &changed);
	if (w->done.result != result)
		fail_msg("%s", w->done.text ? w->done.text : "it did what it must not");
	assert_true(changed || result != KILN_DONE);
}

static bool there(const struct world *w, const char *path)
{
	return kiln_fs_exists(w->root->fd, path);
}

static void assert_active(const struct world *w, const char *version)
{
	_cleanup_(freep) char *text = NULL, *expected = kiln_strf("%s/6.1/x86_64", version);

	assert_int_equal(kiln_fs_read_link(w->root->fd, TREE "/kernel-6.1-x86_64", &text), 0);
	assert_string_equal(text, expected);
}

static bool is_held(const struct world *w, const char *version)
{
	_cleanup_(kiln_record_done) struct kiln_record r = { 0 };

	assert_int_equal(kiln_record_load(w->ctx, (struct kiln_mod){ "m", version }, kern, &r), 0);
	return r.held;
}

static void assert_settled(const struct world *w)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;

	kiln_fs_list(w->root->fd, STATE "pending", &names);
	assert_int_equal(names.n, 0);
	kiln_journal_close(w->ctx, kern);
	kiln_fs_list(w->root->fd, STATE "journal", &names);
	assert_int_equal(names.n, 0);
}

/* ---- what is kept ---- */

static void test_kept(void **state)
{
	struct world w;

	begin(&w, *state);
	install(&w, "1", "one", "ab");
	assert_false(there(&w, STATE "previous"));
	install(&w, "2", "two", "ac");
	unit_assert_file(w.root, KEPT "1,6.1,x86_64/a.ko", "one a");
	unit_assert_file(w.root, KEPT "1,6.1,x86_64/a.ko.origin", "/" OURS "a.ko\n");
	unit_assert_file(w.root, KEPT "1,6.1,x86_64/b.ko", "one b");
	install(&w, "2", "two", "ac"); /* the same again is no reason to forget */
	assert_true(there(&w, KEPT "1,6.1,x86_64/b.ko"));
	install(&w, "2", "new two", "a");
	assert_false(there(&w, KEPT "1,6.1,x86_64"));
	unit_assert_file(w.root, KEPT "2,6.1,x86_64/a.ko", "two a");
	unit_assert_file(w.root, KEPT "2,6.1,x86_64/c.ko", "two c");
	end(&w);
}

static void test_listed_and_dropped(void **state)
{
	_cleanup_(kiln_strv_free) struct kiln_strv kept = KILN_STRV_INIT;
	struct world w;

	begin(&w, *state);
	install(&w, "1", "one", "a");
	install(&w, "2,b", "two", "a");
	install(&w, "3", "three", "a");
	assert_int_equal(kiln_previous_list(w.ctx, &kept, NULL), 0);
	assert_int_equal(kept.n, 4);
	assert_string_equal(kept.v[1], "2,b");
	assert_string_equal(kept.v[2], "6.1");
	kiln_previous_drop(w.ctx, "m", kern);
	assert_true(there(&w, KEPT "2%2Cb,6.1,x86_64")); /* a version is installed */
	assert_int_equal(unlinkat(w.root->fd, TREE "/kernel-6.1-x86_64", 0), 0);
	kiln_previous_drop(w.ctx, "m", kern);
	assert_false(there(&w, KEPT "2%2Cb,6.1,x86_64"));
	end(&w);
}

/* ---- bringing it back ---- */

static void test_other_version(void **state)
{
	struct world w;

	begin(&w, *state);
	install(&w, "1", "one", "ab");
	install(&w, "2", "two", "ac");
	assert_int_equal(kiln_fs_remove_tree(w.root->fd, TREE "/1"), 0); /* superseded, as packages do it */
	roll_back(&w, "1", KILN_DONE);
	unit_assert_file(w.root, OURS "a.ko", "one a");
	unit_assert_file(w.root, OURS "b.ko", "one b");
	assert_false(there(&w, OURS "c.ko"));
	assert_active(&w, "1");
	unit_assert_file(w.root, TREE "/1/6.1/x86_64/module/b.ko", "one b");
	assert_true(there(&w, TREE "/1/source/dkms.conf"));
	assert_true(is_held(&w, "2"));
	assert_settled(&w);

	roll_back(&w, "2", KILN_DONE); /* returns */
	unit_assert_file(w.root, OURS "a.ko", "two a");
	unit_assert_file(w.root, OURS "c.ko", "two c");
	assert_false(there(&w, OURS "b.ko"));
	assert_active(&w, "2");
	assert_settled(&w);
	install(&w, "2", "two", "ac");
	assert_false(is_held(&w, "2"));
	end(&w);
}

static void test_same_version(void **state)
{
	struct world w;

	begin(&w, *state);
	install(&w, "1", "old", "a");
	install(&w, "1", "new", "a");
	roll_back(&w, "1", KILN_DONE);
	unit_assert_file(w.root, OURS "a.ko", "old a");
	unit_assert_file(w.root, TREE "/1/6.1/x86_64/module/a.ko", "old a");
	unit_assert_file(w.root, KEPT "1,6.1,x86_64/a.ko", "new a");
	assert_true(is_held(&w, "1"));
	roll_back(&w, "1", KILN_DONE);
	unit_assert_file(w.root, OURS "a.ko", "new a");
	assert_settled(&w);
	end(&w);
}

static void test_nothing_kept(void **state)
{
	struct world w;

	begin(&w, *state);
	install(&w, "1", "one", "a");
	roll_back(&w, "1", KILN_FAILED);
	assert_int_equal(w.done.code, KILN_E_PLACE);
	unit_assert_file(w.root, OURS "a.ko", "one a");
	assert_settled(&w);
	end(&w);
}

/* An origin that leads elsewhere is not followed. */
static void test_bad_origin(void **state)
{
	static const char *const origins[] = { "/etc/passwd\n", "/" K "/../../../etc/a.ko\n", "", "a.ko\n" };
	struct world w;

	begin(&w, *state);
	install(&w, "1", "one", "a");
	install(&w, "2", "two", "a");
	for (size_t i = 0; i < ARRAY_SIZE(origins); i++) {
		unit_write(w.root, KEPT "1,6.1,x86_64/a.ko.origin", origins[i]);
		roll_back(&w, "1", KILN_FAILED);
		unit_assert_file(w.root, OURS "a.ko", "two a");
		assert_settled(&w);
		assert_false(is_held(&w, "2"));
	}
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		unit_test_with_root(test_kept),		 unit_test_with_root(test_listed_and_dropped),
		unit_test_with_root(test_other_version), unit_test_with_root(test_same_version),
		unit_test_with_root(test_nothing_kept),	 unit_test_with_root(test_bad_origin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
