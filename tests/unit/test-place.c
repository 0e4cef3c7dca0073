/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Installing and uninstalling sets of modules in a root of a test's own: what
 * is ours goes and comes, what is not ours stays or comes back, and a failure
 * changes nothing.  The module files are mere text: their content is all that
 * counts here (test-sanity.c looks into real ones).
 */
#include "tests/unit/unit-elf.h"
#include "tests/unit/unit-place.h"

#define NO_HASH "0000000000000000000000000000000000000000000000000000000000000000"

/* ---- plain ---- */

static void test_plain(void **state)
{
	struct world *w = new_world(*state, "ID=debian\n");
	struct kiln_journal *all;
	size_t n;

	give(w, "1", "one", "/updates/dkms");
	give(w, "1", "two-b", "/updates/dkms");
	install(w, "1");
	unit_assert_file(w->root, OURS "one.ko", "1 one");
	unit_assert_file(w->root, OURS "two-b.ko", "1 two-b");
	assert_active(w, "1/6.1/x86_64");
	assert_int_equal(kiln_journal_list(w->ctx, &all, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(all[0].n, 0); /* in place, and waits for depmod */
	kiln_journal_done(&all[0]);
	free(all);
	assert_int_equal(kiln_journal_close(w->ctx, (struct kiln_kern){ "6.1", "x86_64" }), 0);
	assert_false(there(w, JOURNALS "/m,1,6.1,x86_64"));
	uninstall(w, "1");
	assert_true(w->changed);
	assert_active(w, NULL);
	assert_false(there(w, K "/updates"));
	assert_true(there(w, K));
	uninstall(w, "1"); /* nothing left to do */
	assert_false(w->changed);
	end_world(w);
}

static void test_modprobe_conf(void **state)
{
	static const char file[] = "etc/modprobe.d/modkiln-m.conf";
	struct world *w = new_world(*state, "ID=debian\n");

	w->conf.modprobe = (char *)"options one x=1\n";
	give(w, "1", "one", "/updates/dkms");
	install(w, "1");
	assert_true(there(w, file));
	unit_link(w->root, TREE "/kernel-6.2-x86_64", "1/6.2/x86_64");
	uninstall(w, "1");
	assert_true(there(w, file));
	unlinkat(w->root->fd, TREE "/kernel-6.2-x86_64", 0);
	install_again(w, "1");
	uninstall(w, "1");
	assert_false(there(w, file));
	unit_write(w->root, file, "# mine\n");
	install_again(w, "1");
	uninstall(w, "1");
	unit_assert_file(w->root, file, "# mine\n");
	end_world(w);
}

/* Cut off before the settings are in place, which somebody else's are by then or are not. */
static void test_modprobe_replay(void **state)
{
	static const char file[] = "etc/modprobe.d/modkiln-m.conf", staged[] = "etc/modprobe.d/.modkiln-m";
	struct world *w = new_world(*state, "ID=debian\n");
	_cleanup_(kiln_journal_done) struct kiln_journal j = { 0 };

	assert_int_equal(kiln_journal_init(&j, KILN_OP_INSTALL, (struct kiln_mod){ "m", "1" },
					   (struct kiln_kern){ "6.1", "x86_64" }), 0);
	assert_int_equal(kiln_journal_add(&j, KILN_ACT_PUT, "/etc/modprobe.d/.modkiln-m", "/etc/modprobe.d/modkiln-m.conf",
					  NO_HASH), 0);
	unit_write(w->root, staged, "# Made by modkiln of old\n");
	assert_int_equal(kiln_journal_replay(w->ctx, &j, NULL), 0);
	unit_assert_file(w->root, file, "# Made by modkiln of old\n");
	assert_int_equal(kiln_journal_replay(w->ctx, &j, NULL), 0); /* it is done */
	unit_write(w->root, staged, "# Made by modkiln of late\n");
	assert_int_equal(kiln_journal_replay(w->ctx, &j, NULL), 0);
	unit_assert_file(w->root, file, "# Made by modkiln of late\n");
	unit_write(w->root, file, "# mine\n");
	unit_write(w->root, staged, "# Made by modkiln too late\n");
	assert_int_equal(kiln_journal_replay(w->ctx, &j, NULL), 0);
	unit_assert_file(w->root, file, "# mine\n");
	assert_false(there(w, staged));
	end_world(w);
}

/* The next version has other settings, and the one after it none; an install that is void leaves none of its own. */
static void test_modprobe_versions(void **state)
{
	static const char file[] = "etc/modprobe.d/modkiln-m.conf", staged[] = "etc/modprobe.d/.modkiln-m";
	struct world *w = new_world(*state, "ID=debian\n");
	_cleanup_(freep) char *text = NULL;

	w->conf.modprobe = (char *)"options one x=1\n";
	give(w, "1", "one", "/updates/dkms");
	install(w, "1");
	w->conf.modprobe = (char *)"options one x=2\n";
	give(w, "2", "one", "/updates/dkms");
	install(w, "2");
	assert_true(kiln_fs_read(w->root->fd, file, 1000, &text, NULL) >= 0);
	assert_non_null(strstr(text, "x=2"));
	assert_false(there(w, staged));
	w->conf.modprobe = NULL;
	give(w, "3", "one", "/updates/dkms");
	install(w, "3");
	assert_false(there(w, file));
	end_world(w);
}

static void test_no_modules(void **state)
{
	struct world *w = new_world(*state, "ID=debian\n");

	unit_dir(w->root, TREE "/1/6.1/x86_64/module");
	install(w, "1");
	assert_active(w, "1/6.1/x86_64");
	uninstall(w, "1");
	assert_active(w, NULL);
	end_world(w);
}

/* The next version has one of two modules, and one more; then back again. */
static void test_other_version(void **state)
{
	struct world *w = new_world(*state, "ID=debian\n");

	give(w, "1", "one", "/updates/dkms");
	give(w, "1", "two", "/updates/dkms");
	install(w, "1");
	give(w, "2", "two", "/updates/dkms");
	give(w, "2", "three", "/updates/dkms");
	install(w, "2");
	assert_false(there(w, OURS "one.ko"));
	unit_assert_file(w->root, OURS "two.ko", "2 two");
	unit_assert_file(w->root, OURS "three.ko", "2 three");
	assert_active(w, "2/6.1/x86_64");
	assert_false(there(w, ARCHIVE)); /* our own are no originals */
	uninstall(w, "1");		 /* not the one in use */
	assert_false(w->changed);
	unit_assert_file(w->root, OURS "two.ko", "2 two");
	give(w, "1", "one", "/updates/dkms");
	install(w, "1");
	unit_assert_file(w->root, OURS "one.ko", "1 one");
	assert_false(there(w, OURS "three.ko"));
	end_world(w);
}

/* ---- originals ---- */

static void test_original_stays(void **state)
{
	struct world *w = new_world(*state, "ID=debian\n");

	unit_write(w->root, K "/kernel/one.ko", "original");
	give(w, "1", "one", "/updates/dkms");
	install(w, "1");
	unit_assert_file(w->root, K "/kernel/one.ko", "original");
	unit_assert_file(w->root, ARCHIVE "/one.ko", "original");
	unit_assert_file(w->root, ARCHIVE "/one.ko.origin", "/" K "/kernel/one.ko\n");
	assert_non_null(strstr(w->done.note, "stays"));
	uninstall(w, "1");
	unit_assert_file(w->root, K "/kernel/one.ko", "original");
	assert_false(there(w, TREE "/original_module"));
	end_world(w);
}

/* What nobody of us moves may still come first: then it is said. */
static void test_shadowed(void **state)
{
	struct world *w = new_world(*state, "ID=debian\n");

	unit_write(w->root, "etc/depmod.d/a.conf", "search weak-updates updates built-in\n");
	unit_link(w->root, K "/weak-updates/one.ko", "/opt/one.ko");
	unit_write(w->root, K "/modules.builtin", "kernel/fs/other.ko\nkernel/drivers/two-b.ko\n");
	give(w, "1", "one", "/updates/dkms");
	give(w, "1", "two_b", "/updates/dkms");
	install(w, "1");
	assert_non_null(strstr(w->done.note, "modprobe takes the link /" K "/weak-updates/one.ko"));
	assert_non_null(strstr(w->done.note, "two_b is built into this kernel"));
	assert_null(strstr(w->done.note, "other"));
	end_world(w);
}

/* depmod would take the other one: it has to go, whatever its spelling. */
static void test_original_moves(void **state)
{
	struct world *w = new_world(*state, "ID=debian\n");

	unit_write(w->root, "etc/depmod.d/a.conf", "# first\nsearch extra \\\nupdates built-in\n");
	unit_write(w->root, "usr/lib/depmod.d/a.conf",
		   "search updates\n"); /* hidden by the other */
	unit_write(w->root, K "/extra/on_e.ko.xz", "original");
	unit_write(w->root, K "/kernel/on-e.ko", "kernel's");
	give(w, "1", "on-e", "/updates/dkms");
	install(w, "1");
	assert_false(there(w, K "/extra/on_e.ko.xz"));
	unit_assert_file(w->root, K "/kernel/on-e.ko", "kernel's");
	unit_assert_file(w->root, ARCHIVE "/on_e.ko.xz", "original");
	uninstall(w, "1");
	unit_assert_file(w->root, K "/extra/on_e.ko.xz", "original");
	assert_false(there(w, TREE "/original_module"));
	end_world(w);
}

/* Where modules go to their written places, ours overwrites the kernel's, and two of one name may
 * have to go. */
static void test_original_overwritten(void **state)
{
	struct world *w = new_world(*state, "ID=other\n");

	unit_write(w->root, K "/kernel/net/one.ko", "original");
	unit_write(w->root, K "/extra/one.ko", "second");
	give(w, "1", "one", "/kernel/net");
	install(w, "1");
	unit_assert_file(w->root, K "/kernel/net/one.ko", "1 one");
	assert_false(there(w, K "/extra/one.ko"));
	assert_true(there(w, ARCHIVE "/one.ko"));
	assert_true(there(w, ARCHIVE "/one.2.ko"));
	unit_write(w->root, K "/updates/one.ko", "third");
	give(w, "2", "one", "/kernel/net");
	install(w, "2");
	unit_assert_file(w->root, K "/kernel/net/one.ko", "2 one");
	assert_true(there(w, ARCHIVE "/one.3.ko"));
	uninstall(w, "2");
	unit_assert_file(w->root, K "/updates/one.ko", "third");
	unit_assert_file(w->root, K "/kernel/net/one.ko", "original");
	unit_assert_file(w->root, K "/extra/one.ko", "second");
	assert_false(there(w, TREE "/original_module"));
	end_world(w);
}

/* The original is the very same: forced in its place, and given back. */
static void test_original_same(void **state)
{
	struct world *w = new_world(*state, "ID=other\n");

	unit_write(w->root, K "/kernel/one.ko", "1 one");
	give(w, "1", "one", "//kernel/./");
	record(w, "1");
	run(w, true, "1", &w->conf, KILN_FORCE);
	assert_int_equal(w->done.result, KILN_DONE);
	assert_recorded(w, "1", "/" K "/kernel/one.ko");
	uninstall(w, "1");
	unit_assert_file(w->root, K "/kernel/one.ko", "1 one");
	assert_false(there(w, TREE "/original_module"));
	end_world(w);
}

/* The kernel package brought a newer original in the meantime. */
static void test_original_updated(void **state)
{
	struct world *w = new_world(*state, "ID=other\n");

	unit_write(w->root, K "/kernel/one.ko", "original");
	give(w, "1", "one", "/kernel");
	install(w, "1");
	unit_write(w->root, K "/kernel/one.ko", "newer");
	uninstall(w, "1");
	assert_non_null(strstr(w->done.note, "stays"));
	unit_assert_file(w->root, K "/kernel/one.ko", "newer");
	assert_false(there(w, TREE "/original_module"));
	assert_active(w, NULL);
	end_world(w);
}

/* Whoever signs modules once they are in place has not made others of them. */
static void test_signed_in_place(void **state)
{
	static const struct unit_elf plain = { .info = "version=1\nsrcversion=ABC\n" };
	static const struct unit_elf sealed = { .info = "version=1\nsrcversion=ABC\n", .is_signed = true };
	static const struct unit_elf other = { .info = "version=1\nsrcversion=DEF\n" };
	struct world *w = new_world(*state, "ID=debian\n");

	give(w, "1", "one", "/updates/dkms");
	unit_write_elf(w->root, TREE "/1/6.1/x86_64/module/one.ko", &plain);
	install(w, "1");
	unit_write_elf(w->root, OURS "one.ko", &sealed);
	uninstall(w, "1");
	assert_false(there(w, OURS "one.ko"));
	install_again(w, "1");
	unit_write_elf(w->root, OURS "one.ko", &other);
	uninstall(w, "1");
	assert_true(there(w, OURS "one.ko"));
	end_world(w);
}

/* An old dkms archived without saying from where; the kernel's list of its modules knows. */
static void test_original_without_origin(void **state)
{
	struct world *w = new_world(*state, "ID=debian\n");

	give(w, "1", "one", "/updates/dkms");
	install(w, "1");
	unit_write(w->root, K "/modules.order", "kernel/a/other.ko\nkernel/drivers/one.ko\n");
	unit_write(w->root, ARCHIVE "/one.ko.xz", "original");
	unit_write(w->root, ARCHIVE "/unknown.ko", "original");
	unit_write(w->root, ARCHIVE "/gone.ko.origin", "/" K "/kernel/gone.ko\n");
	uninstall(w, "1");
	unit_assert_file(w->root, K "/kernel/drivers/one.ko.xz", "original");
	unit_assert_file(w->root, ARCHIVE "/unknown.ko", "original");
	assert_false(there(w, ARCHIVE "/gone.ko.origin"));
	assert_non_null(strstr(w->done.note, "unknown.ko"));
	end_world(w);
}

/* A version without a module gives that module's original back. */
static void test_original_of_dropped_module(void **state)
{
	struct world *w = new_world(*state, "ID=other\n");

	unit_write(w->root, K "/kernel/one.ko", "original");
	give(w, "1", "one", "/kernel");
	give(w, "1", "two", "/kernel");
	install(w, "1");
	give(w, "2", "two", "/kernel");
	install(w, "2");
	unit_assert_file(w->root, K "/kernel/one.ko", "original");
	assert_false(there(w, TREE "/original_module"));
	end_world(w);
}

/* ---- whose is it ---- */

static void test_replaced_by_somebody(void **state)
{
	struct world *w = new_world(*state, "ID=debian\n");

	give(w, "1", "one", "/updates/dkms");
	give(w, "1", "two", "/updates/dkms");
	install(w, "1");
	unit_write(w->root, OURS "one.ko", "somebody's");
	uninstall(w, "1");
	unit_assert_file(w->root, OURS "one.ko", "somebody's");
	assert_false(there(w, OURS "two.ko"));
	assert_non_null(strstr(w->done.note, "one.ko stays"));
	end_world(w);
}

/* bash dkms built and installed it: there is no record. */
static void test_adopted(void **state)
{
	struct world *w = new_world(*state, "ID=debian\n");

	give(w, "1", "one", "/updates/dkms");
	unit_write(w->root, OURS "one.ko", "1 one");
	unit_write(w->root, K "/kernel/one.ko",
		   "1 one"); /* the same bytes, but where we never put any */
	unit_link(w->root, TREE "/kernel-6.1-x86_64", "1/6.1/x86_64");
	uninstall(w, "1");
	assert_false(there(w, OURS "one.ko"));
	unit_assert_file(w->root, K "/kernel/one.ko", "1 one");
	assert_active(w, NULL);
	end_world(w);
}

/* What bash dkms built and we install has a record from then on. */
static void test_adopted_by_install(void **state)
{
	struct world *w = new_world(*state, "ID=debian\n");

	unit_write(w->root, "usr/src/m/dkms.conf", "");
	give(w, "1", "one", "/updates/dkms");
	run(w, true, "1", &w->conf, 0);
	assert_int_equal(w->done.result, KILN_DONE);
	assert_recorded(w, "1", "/" OURS "one.ko");
	end_world(w);
}

/* The link is gone, but a record says that the file is ours. */
static void test_orphan(void **state)
{
	struct world *w = new_world(*state, "ID=debian\n");

	give(w, "1", "one", "/updates/dkms");
	install(w, "1");
	assert_int_equal(unlinkat(w->root->fd, TREE "/kernel-6.1-x86_64", 0), 0);
	assert_int_equal(kiln_fs_remove_tree(w->root->fd, TREE "/1/6.1"), 0);
	give(w, "2", "two", "/updates/dkms");
	unit_write(w->root, OURS "two.ko", "2 two"); /* as built, but perhaps another package's */
	uninstall(w, "1");
	assert_false(there(w, OURS "one.ko"));
	assert_true(there(w, OURS "two.ko"));
	end_world(w);
}

static void test_symlinks(void **state)
{
	struct world *w = new_world(*state, "ID=debian\n");
	_cleanup_(freep) char *text = NULL;

	w->ctx->settings.symlink_modules = true;
	give(w, "1", "one", "/updates/dkms");
	install(w, "1");
	assert_int_equal(kiln_fs_read_link(w->root->fd, OURS "one.ko", &text), 0);
	assert_string_equal(text, "/" TREE "/1/6.1/x86_64/module/one.ko");
	uninstall(w, "1");
	assert_false(there(w, K "/updates"));
	end_world(w);
}

/* Files outside the set are never touched; directories that packages may own stay. */
static void test_directories(void **state)
{
	struct world *w = new_world(*state, "ID=fedora\n");

	give(w, "1", "one", "/extra/sub");
	install(w, "1");
	uninstall(w, "1");
	assert_false(there(w, K "/extra/sub"));
	assert_true(there(w, K "/extra"));
	end_world(w);
}

/* ---- failures ---- */

static void assert_refused(struct world *w, int code)
{
	char before[KILN_HASH_SIZE], after[KILN_HASH_SIZE];

	assert_int_equal(kiln_fs_hash_tree(w->root->fd, "lib", before), 0);
	run(w, true, "1", &w->conf, 0);
	assert_int_equal(w->done.result, KILN_FAILED);
	assert_int_equal(w->done.code, code);
	assert_false(w->changed);
	assert_int_equal(kiln_fs_hash_tree(w->root->fd, "lib", after), 0);
	assert_string_equal(before, after);
	assert_active(w, NULL);
	assert_false(there(w, JOURNALS "/m,1,6.1,x86_64"));
}

static void test_refused(void **state)
{
	struct world *w = new_world(*state, "ID=debian\n");

	give(w, "1", "one", "/updates/dkms");
	give(w, "1", "two", "/extra/dkms");
	unit_write(w->root, K "/extra", "a file in the way");
	assert_refused(w, KILN_E_PLACE); /* after one.ko was copied */
	w->modules[1].dest_location = (char *)"/updates/../..";
	assert_refused(w, KILN_E_PLACE);
	w->modules[1].dest_location = (char *)"/updates";
	w->modules[1].dest_name = (char *)"gone";
	assert_refused(w, KILN_E_PLACE);
	assert_non_null(strstr(w->done.text, "gone.ko"));
	w->kernel.release = (char *)"9.9";
	run(w, true, "1", &w->conf, 0);
	assert_int_equal(w->done.code, KILN_E_NOKERNEL);
	end_world(w);
}

/* What works goes on working, and we still know that it is ours. */
static void test_failure_keeps_the_old(void **state)
{
	struct world *w = new_world(*state, "ID=debian\n");

	give(w, "1", "one", "/updates/dkms");
	install(w, "1");
	give(w, "1", "one", "/updates/dkms");
	give(w, "1", "two", "/extra");
	unit_write(w->root, K "/extra", "a file in the way");
	run(w, true, "1", &w->conf, 0);
	assert_int_equal(w->done.result, KILN_FAILED);
	unit_assert_file(w->root, OURS "one.ko", "1 one");
	assert_false(there(w, OURS ".modkiln-one"));
	assert_active(w, "1/6.1/x86_64");
	assert_recorded(w, "1", "/" OURS "one.ko");
	assert_true(there(w, JOURNALS
			  "/m,1,6.1,x86_64")); /* the first install still waits for depmod */
	end_world(w);
}

static void test_scripts(void **state)
{
	struct world *w = new_world(*state, "ID=debian\n");

	unit_write(w->root, "usr/src/m/fail.sh", "#!/bin/sh\nexit 3\n");
	unit_write(w->root, "usr/src/m/note.sh",
		   "#!/bin/sh\necho \"$module $module_version $kernelver $arch $1\" >ran\n");
	assert_int_equal(fchmodat(w->root->fd, "usr/src/m/fail.sh", 0755, 0), 0);
	assert_int_equal(fchmodat(w->root->fd, "usr/src/m/note.sh", 0755, 0), 0);
	give(w, "1", "one", "/updates/dkms");
	w->conf.pre_install = (char *)"fail.sh";
	w->conf.post_install = (char *)"note.sh word";
	assert_refused(w, KILN_E_SCRIPT);
	run(w, true, "1", &w->conf, KILN_FORCE);
	assert_int_equal(w->done.result, KILN_DONE);
	assert_non_null(strstr(w->done.note, "fail.sh"));
	unit_assert_file(w->root, "usr/src/m/ran", "m 1 6.1 x86_64 word\n");
	w->conf.post_remove = (char *)"fail.sh";
	run(w, false, "1", &w->conf, 0);
	assert_int_equal(w->done.result, KILN_DONE);
	assert_non_null(strstr(w->done.note, "POST_REMOVE"));
	end_world(w);
}

/* A run that was cut off is finished before anything else is done. */
static void test_resumed(void **state)
{
	struct world *w = new_world(*state, "ID=debian\n");
	struct kiln_journal j;
	char hash[KILN_HASH_SIZE];

	give(w, "1", "one", "/updates/dkms");
	unit_write(w->root, OURS ".modkiln-one", "1 one");
	kiln_hash_bytes("1 one", 5, hash);
	assert_int_equal(kiln_journal_init(&j, KILN_OP_INSTALL, (struct kiln_mod){ "m", "1" },
					   (struct kiln_kern){ "6.1", "x86_64" }),
			 0);
	assert_int_equal(kiln_journal_add(&j, KILN_ACT_RENAME, "/" OURS ".modkiln-one",
					  "/" OURS "one.ko", hash), 0);
	assert_int_equal(kiln_journal_add(&j, KILN_ACT_LINK, "/" TREE "/kernel-6.1-x86_64",
					  "1/6.1/x86_64", NULL), 0);
	assert_int_equal(kiln_journal_open(w->ctx, &j, NULL), 0);
	kiln_journal_done(&j);
	w->conf.n_modules = 0;
	give(w, "2", "two", "/updates/dkms");
	install(w, "2");
	assert_false(there(w, OURS "one.ko"));
	assert_false(there(w, OURS ".modkiln-one"));
	unit_assert_file(w->root, OURS "two.ko", "2 two");
	assert_active(w, "2/6.1/x86_64");
	end_world(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		unit_test_with_root(test_plain),
		unit_test_with_root(test_modprobe_conf),
		unit_test_with_root(test_modprobe_replay),
		unit_test_with_root(test_modprobe_versions),
		unit_test_with_root(test_no_modules),
		unit_test_with_root(test_other_version),
		unit_test_with_root(test_shadowed),
		unit_test_with_root(test_original_stays),
		unit_test_with_root(test_original_moves),
		unit_test_with_root(test_original_overwritten),
		unit_test_with_root(test_original_same),
		unit_test_with_root(test_original_updated),
		unit_test_with_root(test_signed_in_place),
		unit_test_with_root(test_original_without_origin),
		unit_test_with_root(test_original_of_dropped_module),
		unit_test_with_root(test_replaced_by_somebody),
		unit_test_with_root(test_adopted),
		unit_test_with_root(test_adopted_by_install),
		unit_test_with_root(test_orphan),
		unit_test_with_root(test_symlinks),
		unit_test_with_root(test_directories),
		unit_test_with_root(test_refused),
		unit_test_with_root(test_failure_keeps_the_old),
		unit_test_with_root(test_scripts),
		unit_test_with_root(test_resumed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
