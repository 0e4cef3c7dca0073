/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Modules into archives and out of them: every layout, whole or not at all, and
 * the same bytes for the same tree.  Modules are mere text.
 */
#include "tests/unit/unit.h"

#include <sys/wait.h>

#include "core/base/cleanup.h"
#include "core/state.h"
#include "core/tarball.h"
#include "core/tree.h"
#include "core/worker.h"
#include "tests/unit/unit-tar.h"

#define CONF	"PACKAGE_NAME=\"m\"\nPACKAGE_VERSION=\"1\"\nBUILT_MODULE_NAME=m\nDEST_MODULE_LOCATION=/updates\n"
#define TREE	"var/lib/dkms/m/1"
#define SOURCE	"usr/src/m-1"
#define ARCHIVE "archives/m.tar"

static const struct kiln_mod mod = { "m", "1" };

struct world {
	struct unit_root *root;
	struct kiln_ctx *ctx;
};

static void begin(struct world *w, struct unit_root *root)
{
	struct kiln_options o = { .root = root->path };

	*w = (struct world){ .root = root };
	setenv("TMPDIR", "/tmp", 1);
	unsetenv("SOURCE_DATE_EPOCH");
	unit_write(root, "etc/os-release", "ID=debian\n");
	unit_dir(root, "tmp");
	assert_int_equal(kiln_ctx_new(&o, &w->ctx, NULL), 0);
}

static void end(struct world *w)
{
	kiln_ctx_free(w->ctx);
}

static char *path_of(const struct world *w, const char *path)
{
	return kiln_strf("%s/%s", w->root->path, path);
}

static bool there(const struct world *w, const char *path)
{
	return kiln_fs_exists(w->root->fd, path);
}

/* The exit status that loading the archive has. */
static int load(struct world *w, const char *archive, unsigned flags)
{
	_cleanup_(kiln_facts_freep) struct kiln_facts *facts = kiln_facts_new();
	_cleanup_(kiln_report_freep) struct kiln_report *report = NULL;
	_cleanup_(freep) char *path = path_of(w, archive);
	struct kiln_load found = { 0 };
	struct kiln_err err = KILN_ERR_INIT;

	if (kiln_load_look(w->ctx, path, &found, &err) < 0)
		fail_msg("%s", kiln_err_text(&err));
	assert_string_equal(found.name, "m");
	assert_string_equal(found.version, "1");
	kiln_load_done(&found);
	assert_int_equal(kiln_facts_load(facts, mod, path, flags), 0);
	if (kiln_run(w->ctx, facts, 0, NULL, NULL, &report, &err) < 0)
		fail_msg("%s", kiln_err_text(&err));
	assert_non_null(report);
	assert_false(there(w, "var/lib/dkms/.load"));
	assert_false(there(w, "var/lib/dkms/.load.new"));
	return kiln_report_status(report);
}

static enum kiln_level level(struct world *w, const char *release)
{
	_cleanup_(kiln_state_freep) struct kiln_state *s = NULL;
	const struct kiln_module *m;
	const struct kiln_instance *i;

	assert_int_equal(kiln_state_load(w->ctx, NULL, &s, NULL), 0);
	m = kiln_state_module(s, mod);
	if (!m || !m->registered || m->broken)
		return KILN_ABSENT;
	i = release ? kiln_module_instance(m, (struct kiln_kern){ release, "x86_64" }) : NULL;
	return i ? i->level : KILN_ADDED;
}

static void add_conf(struct kiln_buf *b, const char *name)
{
	unit_tar_member(b, &(struct unit_member){ .type = '0', .name = name, .text = CONF });
}

static void save(const struct world *w, struct kiln_buf *b)
{
	unit_tar_end(b);
	unit_tar_save(w->root, ARCHIVE, b);
}

/* ---- loading ---- */

/* As dkms 2 and 3 write it; two kernels, which dkms 3 makes one of. */
static void test_layouts(void **state)
{
	static const char *const prefixes[] = { "./", "" };
	struct kiln_buf b = KILN_BUF_INIT;
	struct world w;

	begin(&w, *state);
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		const char *p = prefixes[i];
		_cleanup_(freep) char *words = kiln_strf(
			"d %sdkms_main_tree|f %sdkms_main_tree/dkms_dbversion=2.0.0|"
			"f %sdkms_main_tree/6.1/x86_64/module/m.ko=one|f %sdkms_main_tree/6.1/x86_64/log/make.log=log|"
			"f %sdkms_main_tree/6.2/x86_64/module/m.ko=two|f %sdkms_main_tree/6.2/x86_64/.dep_a=2|"
			"f %sdkms_main_tree/source/evil.c=e|f %sdkms_main_tree/6.1/stray=s|f %sdkms_main_tree/stray=s|"
			"f %sdkms_source_tree/.hidden=h|l %sdkms_source_tree/sub/up>../.hidden|", p, p, p, p, p, p, p, p, p, p, p);
		_cleanup_(freep) char *conf = kiln_strf("%sdkms_source_tree/dkms.conf", p);

		add_conf(&b, conf);
		unit_tar_words(&b, words);
		save(&w, &b);
		assert_int_equal(load(&w, ARCHIVE, i ? KILN_FORCE : 0), 0);
		unit_assert_file(w.root, TREE "/6.1/x86_64/module/m.ko", "one");
		unit_assert_file(w.root, TREE "/6.1/x86_64/log/make.log", "log");
		unit_assert_file(w.root, TREE "/6.2/x86_64/module/m.ko", "two");
		unit_assert_file(w.root, TREE "/6.2/x86_64/.dep_a", "2");
		unit_assert_file(w.root, SOURCE "/.hidden", "h");
		unit_assert_file(w.root, SOURCE "/sub/up", "h");
		assert_int_equal(level(&w, "6.1"), KILN_BUILT);
		assert_int_equal(level(&w, "6.2"), KILN_BUILT);
		assert_false(there(&w, TREE "/dkms_dbversion"));
		assert_false(there(&w, TREE "/stray"));
		assert_false(there(&w, TREE "/6.1/stray"));
		assert_false(there(&w, SOURCE "/evil.c"));
	}
	end(&w);
}

static void test_binaries_only(void **state)
{
	_cleanup_(freep) char *link = NULL;
	struct kiln_buf b = KILN_BUF_INIT;
	struct world w;

	begin(&w, *state);
	unit_tar_words(&b, "f dkms_main_tree/6.1/x86_64/module/m.ko=one|"
			   "f dkms_binaries_only/PACKAGE_NAME=m|f dkms_binaries_only/PACKAGE_VERSION=1");
	add_conf(&b, "dkms_binaries_only/dkms.conf");
	save(&w, &b);
	assert_int_equal(load(&w, ARCHIVE, 0), 0);
	assert_int_equal(level(&w, "6.1"), KILN_BUILT);
	unit_assert_file(w.root, TREE "/source/dkms.conf", CONF);
	assert_false(there(&w, SOURCE));
	assert_int_equal(load(&w, ARCHIVE, 0), 8);
	assert_int_equal(load(&w, ARCHIVE, KILN_FORCE), 0);

	/* Its source comes later: what stood for it goes. */
	add_conf(&b, "dkms.conf");
	unit_tar_words(&b, "f ./m.c=int m;");
	save(&w, &b);
	assert_int_equal(load(&w, ARCHIVE, KILN_FORCE), 0);
	assert_int_equal(kiln_fs_read_link(w.root->fd, TREE "/source", &link), 0);
	unit_assert_file(w.root, SOURCE "/m.c", "int m;");
	assert_int_equal(level(&w, "6.1"), KILN_BUILT);
	assert_int_equal(kiln_fs_remove_tree(w.root->fd, SOURCE), 0);
	free(TAKE_PTR(link));

	/* With the source on the machine, that is what they are of. */
	assert_int_equal(kiln_fs_remove_tree(w.root->fd, "var/lib/dkms/m"), 0);
	unit_write(w.root, SOURCE "/dkms.conf", CONF);
	unit_tar_words(&b, "f dkms_main_tree/6.1/x86_64/module/m.ko=one");
	add_conf(&b, "dkms_binaries_only/dkms.conf");
	save(&w, &b);
	assert_int_equal(load(&w, ARCHIVE, 0), 0);
	assert_int_equal(kiln_fs_read_link(w.root->fd, TREE "/source", &link), 0);
	assert_string_equal(link, "/usr/src/m-1");
	unit_assert_file(w.root, TREE "/6.1/x86_64/module/m.ko", "one");
	end(&w);
}

static void test_source_alone(void **state)
{
	struct kiln_buf b = KILN_BUF_INIT;
	struct world w;

	begin(&w, *state);
	add_conf(&b, "m-1.0-whatever/dkms.conf");
	add_conf(&b, "m-1.0-whatever/examples/other/dkms.conf");
	unit_tar_words(&b, "f m-1.0-whatever/m.c=int m;|h m-1.0-whatever/n.c>m-1.0-whatever/m.c|f README=outside");
	unit_tar_member(&b, &(struct unit_member){ .type = '0', .name = "m-1.0-whatever/configure", .text = "#!", .mode = 06777 });
	save(&w, &b);
	assert_int_equal(load(&w, ARCHIVE, 0), 0);
	assert_int_equal(level(&w, NULL), KILN_ADDED);
	unit_assert_file(w.root, SOURCE "/m.c", "int m;");
	unit_assert_file(w.root, SOURCE "/n.c", "int m;");
	assert_false(there(&w, SOURCE "/README"));
	assert_int_equal(load(&w, ARCHIVE, 0), 8);
	end(&w);
}

/* Neither a bit that gives rights away nor a second name of a file; times stay. */
static void test_attributes(void **state)
{
	struct kiln_buf b = KILN_BUF_INIT;
	struct stat st, other;
	struct world w;

	begin(&w, *state);
	add_conf(&b, "m/dkms.conf");
	unit_tar_member(&b, &(struct unit_member){ .type = '0', .name = "m/run", .text = "#!", .mode = 06777 });
	unit_tar_words(&b, "h m/again>m/run|d m/d");
	save(&w, &b);
	assert_int_equal(load(&w, ARCHIVE, 0), 0);
	assert_int_equal(fstatat(w.root->fd, SOURCE "/run", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0775);
	assert_int_equal(st.st_mtime, 1000000000);
	assert_int_equal(st.st_nlink, 1);
	assert_int_equal(fstatat(w.root->fd, SOURCE "/again", &other, 0), 0);
	assert_true(st.st_ino != other.st_ino);
	assert_int_equal(fstatat(w.root->fd, SOURCE "/d", &st, 0), 0);
	assert_int_equal(st.st_mtime, 1000000000);
	end(&w);
}

/* What is there stays, unless it is said otherwise; then it goes. */
static void test_force(void **state)
{
	struct kiln_buf b = KILN_BUF_INIT;
	struct world w;

	begin(&w, *state);
	unit_write(w.root, TREE "/6.1/x86_64/module/m.ko", "old");
	add_conf(&b, "dkms_source_tree/dkms.conf");
	unit_tar_words(&b, "f dkms_main_tree/6.1/x86_64/module/m.ko=new|f dkms_main_tree/6.2/x86_64/module/m.ko=new");
	save(&w, &b);
	assert_int_equal(load(&w, ARCHIVE, 0), 0);
	unit_assert_file(w.root, TREE "/6.1/x86_64/module/m.ko", "old");
	unit_assert_file(w.root, TREE "/6.2/x86_64/module/m.ko", "new");
	unit_write(w.root, SOURCE "/left-over.c", "");
	unit_write(w.root, TREE "/6.1/x86_64/module/gone.ko", "");
	assert_int_equal(load(&w, ARCHIVE, 0), 8);
	assert_true(there(&w, SOURCE "/left-over.c"));
	assert_int_equal(load(&w, ARCHIVE, KILN_FORCE), 0);
	unit_assert_file(w.root, TREE "/6.1/x86_64/module/m.ko", "new");
	assert_false(there(&w, TREE "/6.1/x86_64/module/gone.ko"));
	assert_false(there(&w, SOURCE "/left-over.c"));
	end(&w);
}

/* ---- cut off ---- */

/* After the decision the next run finishes, wherever it was cut. */
static void test_resume(void **state)
{
	for (int cut = 0; cut < 5; cut++) {
		struct kiln_err err = KILN_ERR_INIT;
		struct world w;

		begin(&w, *state);
		unit_write(w.root, "var/lib/dkms/.load/module", "m\n1\n");
		if (cut < 1)
			unit_write(w.root, SOURCE ".modkiln-new/dkms.conf", CONF);
		else
			unit_write(w.root, SOURCE "/dkms.conf", CONF);
		if (cut < 2)
			unit_write(w.root, "var/lib/dkms/.load/sets/6.1/x86_64/module/m.ko", "new");
		else
			unit_write(w.root, TREE "/6.1/x86_64/module/m.ko", "new");
		if (cut == 1) /* an old set on its way out */
			unit_write(w.root, TREE "/6.1/x86_64/module/m.ko", "old");
		if (cut < 3)
			unit_write(w.root, "var/lib/dkms/.load/sets/6.2/x86_64/module/m.ko", "new");
		else
			unit_write(w.root, TREE "/6.2/x86_64/module/m.ko", "new");
		assert_true(kiln_has_pending(w.ctx));
		assert_int_equal(kiln_load_resume(w.ctx, &err), 0);
		assert_false(kiln_has_pending(w.ctx));
		assert_int_equal(level(&w, "6.1"), KILN_BUILT);
		assert_int_equal(level(&w, "6.2"), KILN_BUILT);
		unit_assert_file(w.root, TREE "/6.1/x86_64/module/m.ko", "new");
		unit_assert_file(w.root, TREE "/6.2/x86_64/module/m.ko", "new");
		assert_false(there(&w, "var/lib/dkms/.load"));
		assert_false(there(&w, SOURCE ".modkiln-new"));
		end(&w);
		assert_int_equal(kiln_fs_remove_tree((*(struct unit_root **)state)->fd, "var"), 0);
		assert_int_equal(kiln_fs_remove_tree((*(struct unit_root **)state)->fd, "usr"), 0);
	}
}

/* Before it, nothing is left. */
static void test_undecided(void **state)
{
	struct world w;

	begin(&w, *state);
	unit_write(w.root, "var/lib/dkms/.load.new/module", "m\n1\n");
	unit_write(w.root, "var/lib/dkms/.load.new/sets/6.1/x86_64/module/m.ko", "new");
	unit_write(w.root, SOURCE ".modkiln-new/dkms.conf", CONF);
	assert_int_equal(kiln_load_resume(w.ctx, NULL), 0);
	assert_int_equal(level(&w, NULL), KILN_ABSENT);
	assert_false(there(&w, "var/lib/dkms/.load.new"));
	assert_false(there(&w, SOURCE ".modkiln-new"));
	end(&w);
}

/* ---- packing ---- */

static void add_module(const struct world *w)
{
	unit_write(w->root, SOURCE "/dkms.conf", CONF);
	unit_write(w->root, SOURCE "/m.c", "int m;");
	unit_write(w->root, SOURCE "/.hidden", "h");
	unit_link(w->root, SOURCE "/sub/link", "../m.c");
	unit_link(w->root, TREE "/source", "/usr/src/m-1");
	for (int i = 1; i < 5; i++) {
		_cleanup_(freep) char *ko = kiln_strf(TREE "/6.%d/x86_64/module/m.ko", i), *text = kiln_strf("for 6.%d", i);
		_cleanup_(freep) char *log = kiln_strf(TREE "/6.%d/x86_64/log/make.log", i);

		unit_write(w->root, ko, text);
		unit_write(w->root, log, text);
	}
}

static int pack(const struct world *w, const struct kiln_tarball *p, char **path)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	_cleanup_(kiln_strv_free) struct kiln_strv warnings = KILN_STRV_INIT;
	int r = kiln_tarball_make(w->ctx, p, path, &warnings, &err);

	assert_int_equal(warnings.n, 0);
	return r;
}

static void assert_packed(const struct world *w, const struct kiln_tarball *p, const char *name)
{
	_cleanup_(freep) char *path = NULL;

	assert_int_equal(pack(w, p, &path), 0);
	assert_string_equal(strrchr(path, '/') + 1, name);
	assert_true(there(w, path + strlen(w->root->path) + 1));
}

static void test_names(void **state)
{
	struct kiln_kern two[] = { { "6.3", "x86_64" }, { "6.1", "x86_64" } }, none = { "6.9", "x86_64" };
	struct kiln_tarball p = { .mod = mod };
	char *path = NULL;
	struct world w;

	begin(&w, *state);
	assert_int_equal(pack(&w, &p, &path), -KILN_E_NOTADDED);
	add_module(&w);
	assert_packed(&w, &p, "m-1-kernel6.1-x86_64-kernel6.2-x86_64-kernel6.3-x86_64-kernel6.4-x86_64.dkms.tar.gz");
	p.kerns = two;
	p.n = 2;
	assert_packed(&w, &p, "m-1-kernel6.3-x86_64-kernel6.1-x86_64.dkms.tar.gz");
	p.kerns = &none;
	p.n = 1;
	assert_int_equal(pack(&w, &p, &path), -KILN_E_NOTBUILT);
	p.what = KILN_TARBALL_SOURCE;
	p.n = 0;
	assert_packed(&w, &p, "m-1-source-only.dkms.tar.gz");
	p.archive = "short.tar.xz";
	assert_packed(&w, &p, "short.tar.xz");
	assert_int_equal(unlinkat(w.root->fd, TREE "/source", 0), 0);
	unit_link(w.root, TREE "/source", "/usr/src/gone");
	assert_int_equal(pack(&w, &p, &path), -KILN_E_BROKEN);
	end(&w);
}

/* Out of the tree and into another one, in every compression: nothing is lost on the way. */
static void test_there_and_back(void **state)
{
	static const char *const ends[] = { "tar", "tar.gz", "tar.bz2", "tar.xz", "tar.zst", "tar.lz", "tar.lzma", "tar.Z", "tgz" };
	struct world w;

	begin(&w, *state);
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		_cleanup_(freep) char *name = kiln_strf("%s/archives/m.%s", w.root->path, ends[i]), *path = NULL;
		struct kiln_tarball p = { .mod = mod, .archive = name, .what = i % 2 ? KILN_TARBALL_BINARIES : KILN_TARBALL_ALL };
		char before[2][KILN_HASH_SIZE], after[2][KILN_HASH_SIZE];

		add_module(&w);
		assert_int_equal(kiln_fs_hash_tree(w.root->fd, SOURCE, before[0]), 0);
		assert_int_equal(kiln_fs_hash_tree(w.root->fd, TREE "/6.3", before[1]), 0);
		assert_int_equal(pack(&w, &p, &path), 0);
		assert_int_equal(kiln_fs_remove_tree(w.root->fd, "var/lib/dkms/m"), 0);
		assert_int_equal(kiln_fs_remove_tree(w.root->fd, SOURCE), 0);
		assert_int_equal(load(&w, path + strlen(w.root->path) + 1, 0), 0);
		if (i % 2 == 0) {
			assert_int_equal(kiln_fs_hash_tree(w.root->fd, SOURCE, after[0]), 0);
			assert_string_equal(before[0], after[0]);
		}
		assert_int_equal(kiln_fs_hash_tree(w.root->fd, TREE "/6.3", after[1]), 0);
		assert_string_equal(before[1], after[1]);
		for (int k = 1; k < 5; k++) {
			_cleanup_(freep) char *release = kiln_strf("6.%d", k);

			assert_int_equal(level(&w, release), KILN_BUILT);
		}
		assert_int_equal(kiln_fs_remove_tree(w.root->fd, "var"), 0);
		assert_int_equal(kiln_fs_remove_tree(w.root->fd, "usr"), 0);
	}
	end(&w);
}

static void test_same_bytes(void **state)
{
	char sums[3][KILN_HASH_SIZE];
	struct kiln_tarball p = { .mod = mod, .archive = "a.tar.gz" };
	struct world w;

	begin(&w, *state);
	add_module(&w);
	for (int i = 0; i < 3; i++) {
		_cleanup_(freep) char *path = NULL;

		if (i == 2)
			setenv("SOURCE_DATE_EPOCH", "1000000000", 1);
		assert_int_equal(pack(&w, &p, &path), 0);
		assert_int_equal(kiln_fs_hash_file(AT_FDCWD, path, sums[i]), 0);
		assert_int_equal(utimensat(w.root->fd, SOURCE "/m.c", i ? NULL : (struct timespec[]){ { 0, UTIME_OMIT }, { 0, UTIME_OMIT } }, 0), 0);
	}
	assert_string_equal(sums[0], sums[1]);
	assert_string_not_equal(sums[1], sums[2]);
	for (int i = 0; i < 2; i++) { /* later times make no difference any more */
		_cleanup_(freep) char *path = NULL;

		assert_int_equal(utimensat(w.root->fd, SOURCE "/m.c", NULL, 0), 0);
		assert_int_equal(pack(&w, &p, &path), 0);
		assert_int_equal(kiln_fs_hash_file(AT_FDCWD, path, sums[i]), 0);
	}
	assert_string_equal(sums[0], sums[2]);
	assert_string_equal(sums[1], sums[2]);
	end(&w);
}

static void test_link_out(void **state)
{
	_cleanup_(kiln_strv_free) struct kiln_strv warnings = KILN_STRV_INIT;
	struct kiln_tarball p = { .mod = mod };
	char *path = NULL;
	struct world w;

	begin(&w, *state);
	add_module(&w);
	unit_link(w.root, SOURCE "/sub/out", "/etc/passwd");
	assert_int_equal(kiln_tarball_make(w.ctx, &p, &path, &warnings, NULL), 0);
	assert_int_equal(warnings.n, 1);
	assert_non_null(strstr(warnings.v[0], "sub/out"));
	free(path);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		unit_test_with_root(test_layouts),
		unit_test_with_root(test_binaries_only),
		unit_test_with_root(test_source_alone),
		unit_test_with_root(test_attributes),
		unit_test_with_root(test_force),
		unit_test_with_root(test_resume),
		unit_test_with_root(test_undecided),
		unit_test_with_root(test_names),
		unit_test_with_root(test_there_and_back),
		unit_test_with_root(test_same_bytes),
		unit_test_with_root(test_link_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
