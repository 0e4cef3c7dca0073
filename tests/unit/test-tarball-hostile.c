/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Archives that are made to do harm, or that harm has been done to.  Each is
 * refused with the name of the member that is wrong with it, and leaves tree,
 * sources and everything else below the root as they were.
 */
#include "tests/unit/unit.h"

#include "core/base/cleanup.h"
#include "core/state.h"
#include "core/tarball.h"
#include "core/worker.h"
#include "tests/unit/unit-tar.h"

#define CONF	"PACKAGE_NAME=\"m\"\nPACKAGE_VERSION=\"1\"\nBUILT_MODULE_NAME=m\nDEST_MODULE_LOCATION=/updates\n"
#define GOOD	"d dkms_main_tree|d dkms_source_tree|f dkms_source_tree/Makefile=x|"
#define SET	"f dkms_main_tree/6.1/x86_64/module/m.ko=ko|"
#define ARCHIVE "archives/m.tar"

struct world {
	struct unit_root *root;
	struct kiln_ctx *ctx;
	struct kiln_state *state;
	char before[KILN_HASH_SIZE];
};

/* A machine with a module of the same name, and with something next to it to be overwritten. */
static void begin(struct world *w, struct unit_root *root)
{
	struct kiln_options o = { .root = root->path };

	*w = (struct world){ .root = root };
	unit_write(root, "etc/os-release", "ID=debian\n");
	unit_write(root, "etc/passwd", "root\n");
	unit_write(root, "usr/src/m-1/dkms.conf", CONF);
	unit_write(root, "usr/src/m-1/old.c", "old\n");
	unit_write(root, "var/lib/dkms/m/1/6.1/x86_64/module/m.ko", "old\n");
	unit_write(root, "var/lib/dkms/m/1/6.1/x86_64/log/make.log", "old\n");
	unit_link(root, "var/lib/dkms/m/1/source", "/usr/src/m-1");
	unit_dir(root, "tmp");
	setenv("TMPDIR", "/tmp", 1);
	assert_int_equal(kiln_ctx_new(&o, &w->ctx, NULL), 0);
	w->state = kiln_state_new("x86_64");
	assert_non_null(w->state);
}

static void end(struct world *w)
{
	kiln_state_free(w->state);
	kiln_ctx_free(w->ctx);
}

/* The dkms.conf is a member of several lines, hence not one of words. */
static void add_conf(struct kiln_buf *b, const char *name)
{
	unit_tar_member(b, &(struct unit_member){ .type = '0', .name = name, .text = CONF });
}

static void assert_text(const char *what, const char *text, const char *part)
{
	if (!text || !strstr(text, part))
		fail_msg("%s: \"%s\" does not name %s", what, text ? text : "(nothing)", part);
}

/* Directories, which a hash of files does not see. */
static bool left_behind(const struct world *w)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;

	assert_int_equal(kiln_fs_list(w->root->fd, "tmp", &names), 0);
	assert_int_equal(kiln_fs_list(w->root->fd, "var/lib/dkms", &names), 0);
	assert_int_equal(kiln_fs_list(w->root->fd, "usr/src", &names), 0);
	return names.n != 2 || strcmp(names.v[0], "m") || strcmp(names.v[1], "m-1");
}

/* By looking, and by loading over what is there, which is as far as an archive can come. */
static void refuse(struct world *w, const char *what, int code, const char *part)
{
	_cleanup_(freep) char *path = kiln_strf("%s/" ARCHIVE, w->root->path);
	struct kiln_load_job job = { w->ctx, { "m", "1" }, path, KILN_FORCE, w->state };
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	struct kiln_done d = { 0 };
	struct kiln_load found = { 0 };
	char after[KILN_HASH_SIZE];
	int r;

	assert_int_equal(kiln_fs_hash_tree(w->root->fd, ".", w->before), 0);
	r = kiln_load_look(w->ctx, path, &found, &err);
	if (r != -code)
		fail_msg("%s: %d instead of %d (%s)", what, r, -code, kiln_err_text(&err));
	assert_text(what, kiln_err_text(&err), part);
	kiln_load_run(&job, &d);
	assert_int_equal(d.result, KILN_FAILED);
	assert_int_equal(d.code, code);
	assert_text(what, d.text, part);
	kiln_done_clear(&d);
	assert_int_equal(kiln_fs_hash_tree(w->root->fd, ".", after), 0);
	if (strcmp(w->before, after) || left_behind(w))
		fail_msg("%s: something below the root has changed", what);
}

static const struct {
	const char *what, *words, *member;
} members[] = {
	{ "absolute path", GOOD "f /etc/passwd=evil", "/etc/passwd" },
	{ "absolute path behind slashes", GOOD "f ///etc/passwd=evil", "///etc/passwd" },
	{ "up at once", GOOD "f ../etc/passwd=evil", "../etc/passwd" },
	{ "up on the way", GOOD "f dkms_source_tree/../../etc/passwd=evil", "dkms_source_tree/../../etc/passwd" },
	{ "up behind dots", GOOD "f ./././../etc/passwd=evil", "./././../etc/passwd" },
	{ "up at the end", GOOD "d dkms_source_tree/..", "dkms_source_tree/.." },
	{ "link to an absolute path", GOOD "l dkms_source_tree/x>/etc", "dkms_source_tree/x" },
	{ "link out", GOOD "l dkms_source_tree/x>../../etc/passwd", "dkms_source_tree/x" },
	{ "link up behind a name", GOOD "d dkms_source_tree/a|l dkms_source_tree/x>a/../..", "dkms_source_tree/x" },
	{ "link up behind a link", GOOD "l dkms_source_tree/p/q/r/s>../../..|l dkms_source_tree/x>p/q/r/s/../..", "dkms_source_tree/x" },
	{ "link out of the source", GOOD "l dkms_source_tree/x>../dkms_main_tree", "x" },
	{ "link to nowhere", GOOD "l dkms_source_tree/x>", "dkms_source_tree/x" },
	{ "file through a link", GOOD "l dkms_source_tree/x>.|f dkms_source_tree/x/y=evil", "dkms_source_tree/x/y" },
	{ "file over a link", GOOD "l dkms_source_tree/x>Makefile|f dkms_source_tree/x=evil", "dkms_source_tree/x" },
	{ "directory over a link", GOOD "l dkms_source_tree/x>.|d dkms_source_tree/x", "dkms_source_tree/x" },
	{ "hard link to an absolute path", GOOD "h dkms_source_tree/x>/etc/passwd", "dkms_source_tree/x" },
	{ "hard link out", GOOD "h dkms_source_tree/x>../../etc/passwd", "dkms_source_tree/x" },
	{ "hard link to nothing", GOOD "h dkms_source_tree/x>dkms_source_tree/y", "dkms_source_tree/x" },
	{ "hard link to itself", GOOD "h dkms_source_tree/x>dkms_source_tree/x", "dkms_source_tree/x" },
	{ "hard link to a link", GOOD "l dkms_source_tree/y>Makefile|h dkms_source_tree/x>dkms_source_tree/y", "dkms_source_tree/x" },
	{ "hard link to a directory", GOOD "h dkms_source_tree/x>dkms_source_tree", "dkms_source_tree/x" },
	{ "hard link over a file", GOOD "f dkms_source_tree/x=1|h dkms_source_tree/x>dkms_source_tree/Makefile", "dkms_source_tree/x" },
	{ "hard link through a link", GOOD "l dkms_source_tree/y>.|h dkms_source_tree/x>dkms_source_tree/y/Makefile", "dkms_source_tree/x" },
	{ "character device", GOOD "c dkms_source_tree/x", "dkms_source_tree/x" },
	{ "block device", GOOD "b dkms_source_tree/x", "dkms_source_tree/x" },
	{ "pipe", GOOD "p dkms_source_tree/x", "dkms_source_tree/x" },
	{ "one file twice", GOOD "f dkms_source_tree/x=1|f dkms_source_tree/x=2", "dkms_source_tree/x" },
	{ "twice, spelt otherwise", GOOD "f dkms_source_tree/x=1|f ./dkms_source_tree//x=2", "dkms_source_tree/x" },
	{ "file over a directory", GOOD "f dkms_source_tree=1", "dkms_source_tree" },
	{ "directory over a file", GOOD "d dkms_source_tree/Makefile", "dkms_source_tree/Makefile" },
	{ "file below a file", GOOD "f dkms_source_tree/Makefile/x=1", "dkms_source_tree/Makefile/x" },
	{ "control character in a name", GOOD "f dkms_source_tree/a\033[2Jb=1", "dkms_source_tree/a?[2Jb" },
	{ "a file for the whole", GOOD "f .=1", "" },
	{ "deeper than deep", GOOD "f a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a=1",
	  "a/a/a/a" },
	{ "set for a link's name", GOOD "f dkms_main_tree/source/x86_64/module/m.ko=1", "dkms_main_tree/source" },
	{ "set for a hidden name", GOOD "f dkms_main_tree/.load/x86_64/module/m.ko=1", "dkms_main_tree/.load" },
	{ "set for a hidden architecture", GOOD "f dkms_main_tree/6.1/.x/module/m.ko=1", "dkms_main_tree/6.1/.x" },
	{ "set for an odd name", GOOD "f dkms_main_tree/6 1/x86_64/module/m.ko=1", "dkms_main_tree/6 1" },
	{ "set without modules", GOOD "f dkms_main_tree/6.1/x86_64/log/make.log=1", "dkms_main_tree/6.1/x86_64" },
	{ "module that is a link", GOOD SET "l dkms_main_tree/6.1/x86_64/module/n.ko>m.ko", "6.1/x86_64/module/n.ko" },
};

static void test_members(void **state)
{
	struct world w;

	begin(&w, *state);
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		struct kiln_buf b = KILN_BUF_INIT;

		add_conf(&b, "dkms_source_tree/dkms.conf");
		unit_tar_words(&b, members[i].words);
		unit_tar_end(&b);
		unit_tar_save(w.root, ARCHIVE, &b);
		refuse(&w, members[i].what, KILN_E_ARCHIVE, members[i].member);
	}
	end(&w);
}

/* ---- sizes and counts ---- */

static void save(struct world *w, struct kiln_buf *b)
{
	unit_tar_end(b);
	unit_tar_save(w->root, ARCHIVE, b);
}

static void start(struct kiln_buf *b)
{
	*b = (struct kiln_buf)KILN_BUF_INIT;
	add_conf(b, "dkms_source_tree/dkms.conf");
	unit_tar_words(b, GOOD);
}

static void test_sizes(void **state)
{
	static const char *const bomb[] = { "GNU.sparse.major=1", "GNU.sparse.minor=0", "GNU.sparse.realsize=1099511627776", NULL };
	static const char *const hole[] = { "GNU.sparse.size=1073741824", "GNU.sparse.numblocks=1", "GNU.sparse.offset=0",
					    "GNU.sparse.numbytes=1", NULL };
	static const char huge[12] = "\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff";
	struct kiln_buf b;
	struct world w;

	begin(&w, *state);
	start(&b);
	unit_tar_header(&b, &(struct unit_member){ .type = '0', .name = "dkms_source_tree/eight-exabytes", .size = huge });
	save(&w, &b);
	refuse(&w, "base-256 size", KILN_E_ARCHIVE, "dkms_source_tree/eight-exabytes");

	start(&b);
	unit_tar_header(&b, &(struct unit_member){ .type = '0', .name = "dkms_source_tree/two-gigabytes", .size = "20000000000" });
	save(&w, &b);
	refuse(&w, "large file", KILN_E_ARCHIVE, "dkms_source_tree/two-gigabytes");

	start(&b); /* of nothing but a hole */
	unit_tar_pax(&b, bomb);
	unit_tar_member(&b, &(struct unit_member){ .type = '0', .name = "dkms_source_tree/hole", .text = "0\n" });
	save(&w, &b);
	refuse(&w, "sparse bomb", KILN_E_ARCHIVE, "dkms_source_tree/hole");

	start(&b); /* each as large as one may be */
	for (int i = 0; i < 5; i++) {
		_cleanup_(freep) char *name = kiln_strf("dkms_source_tree/hole-%d", i);

		unit_tar_pax(&b, hole);
		unit_tar_member(&b, &(struct unit_member){ .type = '0', .name = name, .text = "x" });
	}
	save(&w, &b);
	refuse(&w, "many holes", KILN_E_ARCHIVE, "dkms_source_tree/hole-");
	end(&w);
}

/* A directory may come twice, so that nothing but their number is wrong with these. */
static void test_too_many(void **state)
{
	struct kiln_buf b, one = KILN_BUF_INIT;
	struct world w;

	begin(&w, *state);
	start(&b);
	unit_tar_words(&one, "d dkms_source_tree/again");
	for (int i = 0; i < 100000; i++)
		kiln_buf_add(&b, one.data, one.len);
	kiln_buf_free(&one);
	save(&w, &b);
	refuse(&w, "100,000 and more", KILN_E_ARCHIVE, "dkms_source_tree/again");
	end(&w);
}

/* ---- damage ---- */

static void test_damage(void **state)
{
	_cleanup_(freep) char *noise = malloc(4096);
	struct kiln_buf b;
	struct world w;

	begin(&w, *state);
	start(&b);
	unit_tar_header(&b, &(struct unit_member){ .type = '0', .name = "dkms_source_tree/cut", .size = "00000100000" });
	unit_tar_content(&b, "only this", 9);
	unit_tar_save(w.root, ARCHIVE, &b);
	refuse(&w, "cut off in a file", KILN_E_ARCHIVE, "dkms_source_tree/cut");

	start(&b);
	unit_tar_words(&b, "f dkms_source_tree/last=1");
	kiln_buf_cut(&b, b.len - 700);
	unit_tar_save(w.root, ARCHIVE, &b);
	refuse(&w, "cut off in a header", KILN_E_ARCHIVE, "dkms_source_tree/Makefile");

	start(&b);
	unit_tar_words(&b, "f dkms_source_tree/x=1");
	b.data[b.len - 1024 + 3] ^= 1;
	save(&w, &b);
	refuse(&w, "wrong checksum", KILN_E_ARCHIVE, "dkms_source_tree/Makefile");

	for (int i = 0; i < 4096; i++)
		noise[i] = (char)(i * 7919 >> 3);
	b = (struct kiln_buf)KILN_BUF_INIT;
	kiln_buf_add(&b, noise, 4096);
	unit_tar_save(w.root, ARCHIVE, &b);
	refuse(&w, "no archive", KILN_E_ARCHIVE, ARCHIVE);

	unit_write(w.root, ARCHIVE, "\x1f\x8b\x08 and nothing that would follow");
	refuse(&w, "gzip that is none", KILN_E_ARCHIVE, ARCHIVE);
	unit_write(w.root, ARCHIVE, "");
	refuse(&w, "empty file", KILN_E_ARCHIVE, ARCHIVE);
	end(&w);
}

/* ---- archives that are honest, and not what they have to be ---- */

static void test_content(void **state)
{
	struct kiln_buf b = KILN_BUF_INIT;
	struct world w;

	begin(&w, *state);
	save(&w, &b);
	refuse(&w, "nothing in it", KILN_E_NOCONF, "no dkms.conf");

	unit_tar_words(&b, "f a/m.c=1|f a/Makefile=2");
	save(&w, &b);
	refuse(&w, "no conf", KILN_E_NOCONF, "no dkms.conf");

	add_conf(&b, "a/dkms.conf");
	add_conf(&b, "b/dkms.conf");
	save(&w, &b);
	refuse(&w, "two modules", KILN_E_NOCONF, "several modules");

	unit_tar_words(&b, GOOD SET);
	save(&w, &b);
	refuse(&w, "sets without a conf", KILN_E_ARCHIVE, "dkms_source_tree");

	unit_tar_words(&b, GOOD SET "l dkms_source_tree/dkms.conf>Makefile");
	save(&w, &b);
	refuse(&w, "a conf that is a link", KILN_E_ARCHIVE, "dkms_source_tree");

	start(&b);
	unit_tar_words(&b, "f dkms_main_tree/dkms_dbversion=3.0.0");
	save(&w, &b);
	refuse(&w, "of a later dkms", KILN_E_NEWLAYOUT, "dkms_dbversion");

	start(&b);
	unit_tar_words(&b, "f dkms_main_tree/6.1/module/m.ko=1");
	save(&w, &b);
	refuse(&w, "of dkms 1", KILN_E_OLDLAYOUT, "architecture");

	unit_tar_words(&b, "d dkms_main_tree");
	unit_tar_member(&b, &(struct unit_member){ .type = '0', .name = "dkms_source_tree/dkms.conf",
						   .text = "PACKAGE_NAME=\"../../etc\"\nPACKAGE_VERSION=\"1\"\n" });
	save(&w, &b);
	refuse(&w, "a name that leads away", KILN_E_ARCHIVE, "dkms_source_tree/dkms.conf:1");
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		unit_test_with_root(test_members),
		unit_test_with_root(test_sizes),
		unit_test_with_root(test_too_many),
		unit_test_with_root(test_damage),
		unit_test_with_root(test_content),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
