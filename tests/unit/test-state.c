/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Trees as dkms, killed runs and administrators leave them, and what is read out of them. */
#include "tests/unit/unit.h"

#include "core/base/cleanup.h"
#include "core/base/fs.h"

#include "core/build.h"
#include "core/facts.h"
#include "core/place.h"
#include "core/state.h"
#include "core/tree.h"

#define TREE "var/lib/dkms/"
#define K9 "6.1.0-9-amd64"
#define K10 "6.1.0-10-amd64"

static const struct kiln_mod acme = { "acme", "1.2" };
static const struct kiln_kern k9 = { K9, "x86_64" };

struct machine {
	struct kiln_ctx *ctx;
	struct kiln_facts *facts;
	struct kiln_state *state;
};

static void machine_done(struct machine *m)
{
	kiln_state_free(m->state);
	kiln_facts_free(m->facts);
	kiln_ctx_free(m->ctx);
}

/* facts: lines; NULL: none, as for status. */
static struct machine load(const struct unit_root *root, const char *facts)
{
	struct kiln_options o = { .root = root->path, .arch = "x86_64" };
	_cleanup_(freep) char *text = kiln_strf("modkiln-facts 1\n%s\n", facts ? facts : "");
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	struct machine m = { 0 };

	assert_int_equal(kiln_ctx_new(&o, &m.ctx, NULL), 0);
	if (facts) {
		m.facts = kiln_facts_new();
		assert_int_equal(kiln_facts_parse(m.facts, text, NULL), 0);
	}
	assert_int_equal(kiln_state_load(m.ctx, m.facts, &m.state, &err), 0);
	return m;
}

static const struct kiln_module *module(const struct machine *m, const char *name,
					const char *version)
{
	const struct kiln_module *found =
		kiln_state_module(m->state, (struct kiln_mod){ name, version });

	assert_non_null(found);
	return found;
}

static enum kiln_level level(const struct kiln_module *m, const char *release)
{
	const struct kiln_instance *i =
		kiln_module_instance(m, (struct kiln_kern){ release, "x86_64" });

	assert_non_null(i);
	return i->level;
}

/* ---- making machines ---- */

static void add_source(const struct unit_root *root, const char *name, const char *version,
		       const char *more)
{
	_cleanup_(freep) char *path = kiln_strf("usr/src/%s-%s/dkms.conf", name, version);
	_cleanup_(freep) char *text =
		kiln_strf("PACKAGE_NAME=\"%s\"\nPACKAGE_VERSION=\"%s\"\nBUILT_MODULE_NAME=\"%s\"\n"
			  "DEST_MODULE_LOCATION=\"/extra\"\n%s",
			  name, version, name, more);

	unit_write(root, path, text);
}

static void register_it(const struct unit_root *root, const char *name, const char *version)
{
	_cleanup_(freep) char *link = kiln_strf(TREE "%s/%s/source", name, version);
	_cleanup_(freep) char *target = kiln_strf("/usr/src/%s-%s", name, version);

	unit_link(root, link, target);
}

static void add_module(const struct unit_root *root, const char *name, const char *version,
		       const char *more)
{
	add_source(root, name, version, more);
	register_it(root, name, version);
}

static void add_built(const struct unit_root *root, const char *version, const char *release)
{
	_cleanup_(freep) char *path =
		kiln_strf(TREE "acme/%s/%s/x86_64/module/acme.ko", version, release);

	unit_write(root, path, version);
}

static void add_headers(const struct unit_root *root, const char *release)
{
	_cleanup_(freep) char *path =
		kiln_strf("lib/modules/%s/build/include/generated/utsrelease.h", release);

	unit_write(root, path, release);
}

/* ---- the tree ---- */

static void test_levels(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(machine_done) struct machine m = { 0 };
	const struct kiln_module *one, *two;

	add_module(root, "acme", "1.2", "");
	add_module(root, "acme", "1.10", "");
	unit_dir(root, TREE "acme/1.2/build/x/module");
	unit_dir(root, TREE "acme/1.2/tarball/x/module");
	add_built(root, "1.2", K9);
	add_built(root, "1.10", K9);
	add_built(root, "1.10", "v5-kernel");
	add_built(root, "1.10", "6.1~odd+name_");
	unit_link(root, TREE "acme/kernel-" K9 "-x86_64", "1.10/" K9 "/x86_64");
	unit_link(root, TREE "acme/kernel-v5-kernel-x86_64",
		  "./1.10/v5-kernel/../v5-kernel/x86_64"); /* another way there */
	unit_write(root, TREE "mok.key", "");
	unit_dir(root, TREE ".modkiln/journal");
	unit_dir(root, TREE "acme/original_module/" K9 "/x86_64");
	m = load(root, NULL);
	assert_int_equal(m.state->n_modules, 2);
	one = module(&m, "acme", "1.2");
	two = module(&m, "acme", "1.10");
	assert_true(one->registered && one->source && !one->broken);
	assert_string_equal(one->source_dir, "/usr/src/acme-1.2");
	assert_int_equal(one->n_instances, 1);
	assert_int_equal(level(one, K9), KILN_BUILT);
	assert_int_equal(two->n_instances, 3);
	assert_int_equal(level(two, K9), KILN_INSTALLED);
	assert_int_equal(level(two, "v5-kernel"), KILN_INSTALLED);
	assert_int_equal(level(two, "6.1~odd+name_"), KILN_BUILT);
	assert_ptr_equal(kiln_state_newest(m.state, "acme"), two);
	assert_ptr_equal(kiln_state_installed(m.state, "acme", k9), two);
	assert_null(kiln_state_installed(m.state, "acme", (struct kiln_kern){ K10, "x86_64" }));
	assert_int_equal(one->n_verdicts, 0); /* nobody's code was looked at */
}

static void test_sources(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(machine_done) struct machine m = { 0 };
	const struct kiln_module *x;

	register_it(root, "dangling", "1");
	add_source(root, "unlinked", "1", "");
	unit_dir(root, TREE "unlinked/1/build");
	unit_write(root, TREE "binary/1/source/dkms.conf", "");
	unit_dir(root, TREE "nothing/1");
	unit_dir(root, "usr/src/confless-1");
	register_it(root, "confless", "1");
	add_source(root, "elsewhere", "1", "");
	unit_link(root, TREE "elsewhere/2/source", "../../../../../usr/src/elsewhere-1");
	m = load(root, NULL);
	x = module(&m, "dangling", "1");
	assert_true(x->registered && x->broken && !x->source);
	x = module(&m, "unlinked", "1");
	assert_true(x->registered && x->broken && x->source);
	x = module(&m, "binary", "1");
	assert_true(x->registered && !x->broken && x->source);
	assert_string_equal(x->source_dir, "/var/lib/dkms/binary/1/source");
	x = module(&m, "nothing", "1");
	assert_true(!x->registered && !x->broken && !x->source);
	x = module(&m, "confless", "1");
	assert_true(x->registered && !x->broken && !x->source);
	assert_null(x->source_dir);
	x = module(&m, "elsewhere", "2");
	assert_true(x->registered && !x->broken && x->source);
	assert_true(kiln_state_has_module(m.state, (struct kiln_mod){ "binary", NULL }));
	assert_false(kiln_state_has_module(m.state, (struct kiln_mod){ "nothing", NULL }));
	assert_false(kiln_state_has_module(m.state, (struct kiln_mod){ "binary", "2" }));
	assert_null(kiln_state_newest(m.state, "unlinked"));
}

/* What a run would do about it does not change what status calls it. */
static void test_unlinked(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(machine_done) struct machine m = { 0 };
	const struct kiln_module *x;

	add_source(root, "unlinked", "1", "");
	unit_dir(root, TREE "unlinked/1/build");
	register_it(root, "dangling", "1");
	unit_dir(root, TREE "unlinked/" KILN_FS_NEW_PREFIX "2/build");
	m = load(root, "autoinstall " K9);
	x = module(&m, "unlinked", "1");
	assert_true(x->registered && !x->broken && x->unlinked && x->source);
	assert_ptr_equal(kiln_state_newest(m.state, "unlinked"), x);
	assert_true(module(&m, "dangling", "1")->broken && !module(&m, "dangling", "1")->unlinked);
	assert_string_equal(m.state->garbage.v[0], "/" TREE "unlinked/" KILN_FS_NEW_PREFIX "2");
}

/* What bash dkms stumbles over for good must be seen, to be repaired. */
static void test_leftovers(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(machine_done) struct machine m = { 0 };
	const struct kiln_module *x;
	struct timespec old[2] = { { .tv_sec = 1000000 }, { .tv_sec = 1000000 } };

	add_module(root, "acme", "1.2", "");
	unit_dir(root, TREE "acme/1.2/" K9 "/x86_64/log");
	unit_dir(root, TREE "acme/1.2/notes/of-mine");
	unit_dir(root, TREE "acme/1.2/" K9 "/.tmp_x86_64_modkiln/module");
	unit_dir(root, TREE "acme/1.2/" K9 "/.tmp_x86_64_AbCdEf/module");
	unit_dir(root, TREE "acme/1.2/" K9 "/.tmp_x86_64_GhIjKl/module");
	assert_int_equal(utimensat(root->fd, TREE "acme/1.2/" K9 "/.tmp_x86_64_GhIjKl", old, 0), 0);
	unit_dir(root, TREE "acme/.removed-1.1/source");
	unit_dir(root, "var/lib/modkiln/work/acme,1.2," K9 ",x86_64");
	m = load(root, "reconcile");
	x = module(&m, "acme", "1.2");
	assert_int_equal(x->n_instances, 1);
	assert_int_equal(level(x, K9), KILN_ABSENT);
	assert_int_equal(m.state->garbage.n, 4);
	assert_true(kiln_strv_has(&m.state->garbage,
				  "/" TREE "acme/1.2/" K9 "/.tmp_x86_64_modkiln"));
	assert_true(kiln_strv_has(&m.state->garbage,
				  "/" TREE "acme/1.2/" K9 "/.tmp_x86_64_GhIjKl"));
	assert_true(kiln_strv_has(&m.state->garbage, "/" TREE "acme/.removed-1.1"));
	assert_true(kiln_strv_has(&m.state->garbage,
				  "/var/lib/modkiln/work/acme,1.2," K9 ",x86_64"));
}

/* A file that was cut off before it got its name is nobody's; among what is pending somebody may be writing. */
static void test_files_cut_off(void **state)
{
	static const char *const folders[] = { "", "journal/", "records/", "stale-initramfs/" };
	struct unit_root *root = *state;
	_cleanup_(machine_done) struct machine m = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		_cleanup_(freep) char *path =
			kiln_strf("var/lib/modkiln/%s" KILN_FS_NEW_PREFIX "1", folders[i]);

		unit_write(root, path, "");
	}
	unit_write(root, "var/lib/modkiln/pending/" KILN_FS_NEW_PREFIX "1", "");
	m = load(root, "reconcile");
	assert_int_equal(m.state->garbage.n, ARRAY_SIZE(folders));
	assert_int_equal(m.state->stale_initramfs.n, 0);
}

static void test_empty(void **state)
{
	_cleanup_(machine_done) struct machine m = load(*state, NULL);
	_cleanup_(freep) struct kiln_kern *kernels = NULL;
	size_t n = 1;

	assert_int_equal(m.state->n_modules, 0);
	assert_int_equal(kiln_state_kernels(m.state, &kernels, &n), 0);
	assert_int_equal(n, 0);
}

/* ---- with facts ---- */

static void test_unregistered_sources(void **state)
{
	struct unit_root *root = *state;
	static const char *const facts[] = {
		"source-added jool-dkms 4.1.9", "reconcile", "request add jool-dkms 4.1.9 - -",
	};

	static const size_t verdicts[] = { 1, 1, 0 };

	add_source(root, "jool-dkms", "4.1.9", "");
	add_headers(root, K9);
	unit_dir(root, "usr/src/linux-headers-6.1");
	unit_write(root, "usr/src/misnamed/dkms.conf", "PACKAGE_NAME=other\nPACKAGE_VERSION=1\n");
	for (size_t i = 0; i < ARRAY_SIZE(facts); i++) {
		_cleanup_(machine_done) struct machine m = load(root, facts[i]);
		const struct kiln_module *x = module(&m, "jool-dkms", "4.1.9");

		assert_true(!x->registered && x->source && !x->broken);
		assert_string_equal(x->source_dir, "/usr/src/jool-dkms-4.1.9");
		assert_int_equal(m.state->n_modules, 1);
		assert_int_equal(x->n_verdicts, verdicts[i]);
		assert_int_equal(x->found, !strcmp(facts[i], "reconcile"));
		assert_ptr_equal(kiln_state_newest(m.state, "jool-dkms"), x->found ? NULL : x);
	}
	for (int i = 0; i < 2; i++) {
		_cleanup_(machine_done) struct machine m =
			load(root, i ? "kernel-added " K9 : NULL);

		assert_int_equal(m.state->n_modules, 0);
	}
}

static size_t count_verdicts(const struct machine *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->state->n_modules; i++)
		n += m->state->modules[i].n_verdicts;
	return n;
}

/* Two modules, one in two versions; three kernels, one without headers; headers alone. */
static void make_machine(const struct unit_root *root)
{
	add_module(root, "acme", "1.2", "AUTOINSTALL=yes\n");
	add_module(root, "acme", "1.1", "AUTOINSTALL=yes\n");
	add_module(root, "needs", "1", "BUILD_DEPENDS=\"acme\"\n");
	add_headers(root, K9);
	unit_dir(root, "lib/modules/" K9 "/kernel");
	add_headers(root, K10);
	unit_dir(root, "lib/modules/" K10 "/kernel");
	unit_dir(root, "lib/modules/5.10/kernel");
	add_headers(root, "6.0");
}

/* Exactly the pairs that a fact can concern, and what those depend on. */
static void test_scope(void **state)
{
	struct unit_root *root = *state;
	static const struct {
		const char *fact;
		size_t verdicts;
	} cases[] = {
		{ "kernel-added " K9, 2 },
		{ "headers-added " K9 " x86_64", 2 },
		{ "headers-added 6.0", 2 }, /* whoever names a kernel means it */
		{ "autoinstall " K9, 2 },
		{ "source-added acme 1.2", 3 },
		{ "source-added needs 1", 6 },
		{ "reconcile", 7 }, /* 2 x 3, and 1.1, which is built for one */
		{ "request build acme 1.1 " K10, 1 },
		{ "request build needs 1 " K9, 2 },
		{ "request remove acme 1.1 - -", 1 },
		{ "request remove acme 1.2 - -", 0 },
		{ "kernel-removed " K9, 0 },
		{ "source-removed acme 1.2", 0 },
	};

	make_machine(root);
	add_built(root, "1.1", K10);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(machine_done) struct machine m = load(root, cases[i].fact);

		assert_int_equal(count_verdicts(&m), cases[i].verdicts);
	}
	unit_write(root, "etc/dkms/no-autoinstall", "");
	for (size_t i = 0; i < 7; i++) {
		_cleanup_(machine_done) struct machine m = load(root, cases[i].fact);

		assert_true(m.state->no_autoinstall);
		assert_int_equal(count_verdicts(&m), 0);
	}
}

static void test_verdicts(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(machine_done) struct machine m = { 0 };
	const struct kiln_verdict *v;

	make_machine(root);
	add_module(root, "picky", "1", "BUILD_EXCLUSIVE_KERNEL=\"^5\"\n");
	unit_write(root, "usr/src/bad-1/dkms.conf", "PACKAGE_VERSION=1\n");
	register_it(root, "bad", "1");
	m = load(root, "kernel-added " K9);
	v = kiln_module_verdict(module(&m, "acme", "1.2"), k9);
	assert_int_equal(v->code, 0);
	assert_true(v->autoinstall);
	assert_non_null(v->conf);
	v = kiln_module_verdict(module(&m, "needs", "1"), k9);
	assert_false(v->autoinstall);
	assert_int_equal(v->depends.n, 1);
	assert_string_equal(v->depends.v[0], "acme");
	v = kiln_module_verdict(module(&m, "picky", "1"), k9);
	assert_int_equal(v->code, KILN_E_EXCLUDED);
	assert_non_null(v->reason);
	v = kiln_module_verdict(module(&m, "bad", "1"), k9);
	assert_int_equal(v->code, KILN_E_CONF);
	assert_non_null(v->reason);
	assert_null(v->conf);
}

/* A cycle of dependencies is somebody else's mistake and must not become our endless loop. */
static void test_dependency_cycle(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(machine_done) struct machine m = { 0 };

	add_module(root, "a", "1", "BUILD_DEPENDS=\"b\"\n");
	add_module(root, "b", "1", "BUILD_DEPENDS=\"a\"\n");
	add_headers(root, K9);
	m = load(root, "request build a 1 " K9);
	assert_int_equal(count_verdicts(&m), 2);
}

/* A module that nobody names is looked at when what it is built against may change. */
static void test_dependants(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(machine_done) struct machine m = { 0 };
	const struct kiln_verdict *v;

	make_machine(root);
	add_built(root, "1.2", K9);
	unit_link(root, TREE "acme/kernel-" K9 "-x86_64", "1.2/" K9 "/x86_64");
	add_source(root, "acme", "1.2", "BUILD_DEPENDS[0]=spl\nBUILD_DEPENDS[1]=zlib\nBUILD_DEPENDS_REBUILD=yes\n");
	unit_write(root, TREE "acme/1.2/" K9 "/x86_64/.dep_spl", "1\n");
	add_source(root, "needs", "1", "BUILD_DEPENDS=spl\n");
	unit_dir(root, TREE "needs/1/" K9 "/x86_64/module");
	unit_link(root, TREE "needs/kernel-" K9 "-x86_64", "1/" K9 "/x86_64");
	add_module(root, "spl", "2", "");
	m = load(root, "request install spl 2 " K9);
	v = kiln_module_verdict(module(&m, "acme", "1.2"), k9);
	assert_non_null(v);
	assert_true(v->rebuild);
	assert_int_equal(v->against.n, 2);
	assert_string_equal(v->against.v[0], "1");
	assert_string_equal(v->against.v[1], "");
	assert_null(kiln_module_verdict(module(&m, "needs", "1"), k9));
}

/* ---- what was tried before ---- */

static void save_record(const struct machine *m, const char *inputs, bool failed)
{
	struct kiln_record r = { .version = 1, .failed = failed, .code = failed ? KILN_E_MAKE : 0 };

	r.inputs = (char *)inputs;
	r.reason = failed ? (char *)"acme.c:1: error: it is Monday" : NULL;
	assert_int_equal(kiln_record_save(m->ctx, acme, k9, &r), 0);
}

static char *inputs_of(const struct machine *m)
{
	struct kiln_inputs inputs = { 0 };

	assert_int_equal(kiln_record_inputs(m->ctx, "/usr/src/acme-1.2", acme,
					    kiln_state_kernel(m->state, k9), &inputs, NULL),
			 0);
	return strdup(inputs.hash);
}

static void test_failed_before(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(freep) char *inputs = NULL;

	make_machine(root);
	for (int changed = 0; changed < 2; changed++) {
		_cleanup_(machine_done) struct machine m = load(root, "reconcile"), again = { 0 };
		const struct kiln_verdict *v;

		inputs = inputs ? inputs : inputs_of(&m);
		save_record(&m, inputs, true);
		if (changed)
			unit_write(root, "usr/src/acme-1.2/acme.c", "fixed");
		again = load(root, "reconcile");
		v = kiln_module_verdict(module(&again, "acme", "1.2"), k9);
		assert_int_equal(v->failed_before, !changed);
		if (!changed)
			assert_string_equal(v->failed_reason, "acme.c:1: error: it is Monday");
	}
}

static void assert_outdated(const struct unit_root *root, bool outdated)
{
	_cleanup_(machine_done) struct machine m = load(root, "reconcile");

	assert_int_equal(kiln_module_instance(module(&m, "acme", "1.2"), k9)->outdated, outdated);
}

static void test_outdated(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(freep) char *inputs = NULL;
	_cleanup_(machine_done) struct machine m = { 0 };

	make_machine(root);
	add_built(root, "1.2", K9);
	assert_outdated(root, false); /* without a record, as bash dkms leaves it */
	m = load(root, "reconcile");
	inputs = inputs_of(&m);
	save_record(&m, inputs, false);
	assert_outdated(root, false);
	unit_write(root, "lib/modules/" K9 "/build/Module.symvers",
		   "0x1 module_layout vmlinux EXPORT_SYMBOL\n");
	assert_outdated(root, true);
	free(inputs);
	inputs = inputs_of(&m);
	save_record(&m, inputs, true); /* its rebuild failed: it is still the old one */
	assert_outdated(root, true);
	save_record(&m, inputs, false);
	assert_outdated(root, false);
}

static void test_journals(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(machine_done) struct machine m = { 0 };
	const struct kiln_notice *notices;
	_cleanup_(kiln_journal_done) struct kiln_journal j = { 0 };

	make_machine(root);
	add_built(root, "1.2", K9);
	m = load(root, NULL);
	assert_int_equal(kiln_journal_init(&j, KILN_OP_INSTALL, acme, k9), 0);
	assert_int_equal(kiln_journal_add(&j, KILN_ACT_DELETE, "/lib/modules/x.ko", NULL, NULL), 0);
	assert_int_equal(kiln_journal_open(m.ctx, &j, NULL), 0);
	machine_done(&m);
	m = load(root, NULL);
	assert_int_equal(m.state->n_journals, 1);
	assert_int_equal(m.state->journals[0].op, KILN_OP_INSTALL);
	assert_true(kiln_mod_same(m.state->journals[0].mod, acme));
	assert_true(kiln_module_instance(module(&m, "acme", "1.2"), k9)->mixed);
	notices = kiln_state_notices(m.state, &(size_t){ 0 });
	assert_non_null(strstr(notices->text, "acme/1.2 for kernel " K9));
	assert_true(kiln_mod_same(notices->mod, acme) && !strcmp(notices->kern.release, K9));
}

/* ---- notices ---- */

static void assert_notice(const struct unit_root *root, const char *a, const char *b)
{
	_cleanup_(machine_done) struct machine m = load(root, NULL);
	size_t n;
	const struct kiln_notice *notices = kiln_state_notices(m.state, &n);

	assert_int_equal(n, a ? 1 : 0);
	if (a)
		assert_true(strstr(notices[0].text, a) && strstr(notices[0].text, b));
}

static void test_notices(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(machine_done) struct machine m = { 0 };

	add_module(root, "acme", "1.2", "AUTOINSTALL=yes\n");
	add_headers(root, K9);
	add_built(root, "1.2", K9);
	unit_link(root, TREE "acme/kernel-" K9 "-x86_64", "1.2/" K9 "/x86_64");
	assert_notice(root, NULL, NULL);
	/* Older than any that it is installed for: nobody expects it there. */
	unit_dir(root, "lib/modules/5.10/kernel");
	assert_notice(root, NULL, NULL);
	unit_dir(root, "lib/modules/" K10 "/kernel");
	assert_notice(root, "acme/1.2 for kernel " K10, "headers");
	assert_int_equal(unlinkat(root->fd, "lib/modules/" K10 "/kernel", AT_REMOVEDIR), 0);
	m = load(root, "source-added acme 1.3");
	assert_int_equal(kiln_pending_write(m.ctx, m.facts, NULL), 0);
	assert_notice(root, "acme/1.3", "next run");
}

static void test_notice_of_failure(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(machine_done) struct machine m = { 0 };

	add_module(root, "acme", "1.2", "AUTOINSTALL=yes\n");
	add_headers(root, K9);
	m = load(root, NULL);
	save_record(&m, "0", true);
	assert_notice(root, "it is Monday", "/var/log/modkiln/acme-1.2-" K9 "-x86_64.log");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		unit_test_with_root(test_levels),
		unit_test_with_root(test_sources),
		unit_test_with_root(test_unlinked),
		unit_test_with_root(test_leftovers),
		unit_test_with_root(test_files_cut_off),
		unit_test_with_root(test_empty),
		unit_test_with_root(test_unregistered_sources),
		unit_test_with_root(test_scope),
		unit_test_with_root(test_verdicts),
		unit_test_with_root(test_dependency_cycle),
		unit_test_with_root(test_dependants),
		unit_test_with_root(test_failed_before),
		unit_test_with_root(test_outdated),
		unit_test_with_root(test_journals),
		unit_test_with_root(test_notices),
		unit_test_with_root(test_notice_of_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
