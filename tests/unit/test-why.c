/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why a pair is as it is, one machine for each reason; and what is missing without asking a conf. */
#include "tests/unit/unit-machine.h"

#include "core/facts.h"
#include "core/place.h"
#include "core/sign.h"
#include "core/why.h"

static const struct kiln_mod acme = { "acme", "1.2" };
static const struct kiln_kern k9 = { K9, "x86_64" }, k10 = { K10, "x86_64" };

/* ---- making machines ---- */

/* As dkms rollback leaves it: held as long as it would be built from the same. */
static void save_held(const struct unit_root *root)
{
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = new_ctx(root);
	_cleanup_(kiln_record_done) struct kiln_record r = { .version = 1, .held = true };
	struct kiln_kernel kernel;
	struct kiln_inputs inputs = { 0 };

	assert_int_equal(kiln_kernel_load(ctx, k9, &kernel, NULL), 0);
	assert_int_equal(kiln_record_inputs(ctx, "/usr/src/acme-1.2", acme, &kernel, &inputs, NULL), 0);
	r.inputs = strdup(inputs.hash);
	assert_int_equal(kiln_record_save(ctx, acme, k9, &r), 0);
	kiln_kernel_done(&kernel);
}

/* ---- asking ---- */

static void assert_why(const struct unit_root *root, const char *version, const char *release, const char *expected)
{
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = new_ctx(root);
	_cleanup_(freep) char *line = NULL;
	struct kiln_why *v = NULL;
	size_t n = 0;

	assert_int_equal(kiln_why(ctx, (struct kiln_mod){ "acme", version }, (struct kiln_kern){ release, NULL }, &v, &n,
				  NULL), 0);
	assert_int_equal(n, 1);
	line = kiln_strf("%s: %s%s%s%s%s", kiln_why_name(v->kind), v->reason, v->log ? " @" : "", v->log ? v->log : "",
			 v->next ? " -> " : "", v->next ? v->next : "");
	assert_string_equal(line, expected);
	kiln_why_free(v, n);
}

/* expected: "CODE reason", NULL: nothing is missing. */
static void assert_missing(const struct unit_root *root, const char *expected)
{
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = new_ctx(root);
	_cleanup_(kiln_state_freep) struct kiln_state *s = NULL;
	_cleanup_(freep) char *line = NULL;
	const struct kiln_missing *m;
	size_t n;

	assert_int_equal(kiln_state_load(ctx, NULL, &s, NULL), 0);
	m = kiln_state_missing(s, &n);
	assert_int_equal(n, expected ? 1 : 0);
	if (!expected)
		return;
	line = kiln_strf("%s %s", kiln_code_name(m->code), m->reason);
	assert_string_equal(line, expected);
}

/* ---- reasons ---- */

static void test_held(void **state)
{
	struct unit_root *root = *state;

	add_kernel(root, K9, true);
	add_module(root, "1.0", "AUTOINSTALL=yes");
	add_module(root, "1.2", "AUTOINSTALL=yes");
	add_installed(root, "1.0", K9);
	save_held(root);
	assert_why(root, "1.2", K9, "superseded: it was rolled back, and nothing has changed since -> "
		   "\"dkms install acme/1.2 -k " K9 "\" takes it again");
	assert_missing(root, NULL);
	unit_write(root, "usr/src/acme-1.2/acme.c", "int fixed;\n");
	assert_why(root, "1.2", K9, "missing: version 1.0 is installed, and this one is newer -> \"dkms install acme/1.2 -k "
		   K9 "\" installs it");
}

static void test_states(void **state)
{
	struct unit_root *root = *state;

	unit_write(root, "etc/os-release", "ID=debian\n");
	add_module(root, "1.2", "AUTOINSTALL=yes");
	assert_why(root, NULL, NULL, "waiting: no kernel is installed");
	add_kernel(root, K9, false);
	assert_why(root, NULL, NULL, "waiting: the kernel's headers are not installed -> install linux-headers-" K9
				     ": it is built then");
	add_kernel(root, K9, true);
	assert_why(root, NULL, NULL, "missing: nothing stands in its way -> \"dkms install acme/1.2 -k " K9 "\" installs it");
	assert_why(root, NULL, "5.10", "waiting: this kernel is not installed");
	add_installed(root, "1.2", K9);
	assert_why(root, NULL, NULL, "fine: installed");
	add_module(root, "1.10", "AUTOINSTALL=yes");
	assert_why(root, "1.2", NULL, "fine: installed");
	assert_why(root, "1.10", NULL, "missing: version 1.2 is installed, and this one is newer -> \"dkms install acme/1.10 -k "
				       K9 "\" installs it");
	add_kernel(root, K10, true);
	assert_why(root, "1.2", K10, "superseded: version 1.10 is newer, and the one that installs itself -> "
				     "\"dkms install acme/1.2 -k " K10 "\" installs this one all the same");
	add_installed(root, "1.10", K10);
	assert_why(root, "1.2", K10, "superseded: version 1.10 is installed -> \"dkms install acme/1.2 -k " K10
				     "\" puts this one in its place");
}

static void test_refusals(void **state)
{
	struct unit_root *root = *state;

	add_kernel(root, K9, true);
	add_module(root, "1.2", "BUILD_EXCLUSIVE_KERNEL=^5\n");
	assert_why(root, NULL, NULL, "excluded: BUILD_EXCLUSIVE_KERNEL=\"^5\" does not match kernel " K9
				     " -> a newer version of the module may support this kernel");
	unit_write(root, "etc/dkms/acme.conf", "BUILD_EXCLUSIVE_KERNEL=\n");
	assert_why(root, NULL, NULL, "disabled: its dkms.conf does not say AUTOINSTALL=\"yes\" -> \"dkms install acme/1.2 -k "
				     K9 "\" installs it");
	unit_write(root, "etc/dkms/acme.conf", "AUTOINSTALL=yes\nBUILD_EXCLUSIVE_KERNEL=\nBUILD_DEPENDS=base\n");
	assert_why(root, NULL, NULL, "waiting: it needs base, which is not registered -> install the package that brings base");
	save_failure(root, k9, KILN_E_MAKE);
	assert_why(root, NULL, NULL, "failed: did not build: it is Monday @/var/log/modkiln/acme-1.2-" K9 "-x86_64.log -> "
				     "\"dkms install acme/1.2 -k " K9 "\" tries again; something has changed since");
	unit_write(root, "etc/dkms/no-autoinstall", "");
	unit_write(root, "etc/dkms/acme.conf", "PACKAGE_NAME=\n");
	assert_int_equal(unlinkat(root->fd, "usr/src/acme-1.2/dkms.conf", 0), 0);
	assert_why(root, NULL, NULL, "failed: its source has no dkms.conf -> install its package again");
}

static void test_waiting(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = NULL;
	_cleanup_(kiln_facts_freep) struct kiln_facts *facts = kiln_facts_new();
	_cleanup_(kiln_journal_done) struct kiln_journal j = { 0 };

	add_kernel(root, K9, true);
	add_module(root, "1.2", "AUTOINSTALL=yes");
	ctx = new_ctx(root);
	assert_int_equal(kiln_facts_request(facts, KILN_OP_INSTALL, acme, k9, 0), 0);
	assert_int_equal(kiln_pending_write(ctx, facts, NULL), 0);
	assert_why(root, NULL, NULL, "waiting: a wish to install it is recorded -> the next run carries it out, for one: "
				     "dkms autoinstall -k " K9);
	assert_missing(root, "NOTREACHED a wish to install it is recorded and waits for the next run");
	assert_int_equal(kiln_journal_init(&j, KILN_OP_INSTALL, acme, k9), 0);
	assert_int_equal(kiln_journal_add(&j, KILN_ACT_DELETE, "/lib/modules/x.ko", NULL, NULL), 0);
	assert_int_equal(kiln_journal_open(ctx, &j, NULL), 0);
	assert_why(root, NULL, NULL, "waiting: its install was cut off -> the next run finishes it, for one: "
				     "dkms autoinstall -k " K9);
	add_installed(root, "1.2", K9);
	assert_missing(root, "NOTREACHED it was cut off half-way, and the next run finishes it");
}

static void test_missing(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = NULL;

	unit_write(root, "etc/os-release", "ID=debian\n");
	add_kernel(root, K9, true);
	add_kernel(root, K10, true);
	add_module(root, "1.2", "AUTOINSTALL=yes");
	assert_missing(root, NULL); /* nobody has asked for it so far */
	add_installed(root, "1.2", K9);
	assert_missing(root, "NOTREACHED is installed for an older kernel, and not for this one");
	save_failure(root, k10, KILN_E_MAKE);
	assert_missing(root, "MAKE did not build: it is Monday");
	save_failure(root, k10, KILN_E_EXCLUDED);
	assert_missing(root, NULL);
	ctx = new_ctx(root);
	kiln_record_drop(ctx, acme, k10);
	unit_write(root, "etc/dkms/no-autoinstall", "");
	assert_missing(root, NULL);
	assert_int_equal(unlinkat(root->fd, "etc/dkms/no-autoinstall", 0), 0);
	assert_int_equal(kiln_fs_remove_tree(root->fd, "lib/modules/" K10 "/build"), 0);
	assert_missing(root, "NOHEADERS waits for the kernel's headers, package linux-headers-" K10);
	assert_int_equal(kiln_fs_remove_tree(root->fd, "usr/src/acme-1.2"), 0);
	assert_missing(root, "BROKEN its source is missing");
	assert_why(root, NULL, NULL, "broken: its source is missing -> install its package again, or give it up: "
				     "dkms remove acme/1.2 --all");
}

/* A refused request leaves a record; one of a set that is built does not change. */
static void test_exclusion_is_recorded(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = new_ctx(root);
	_cleanup_(kiln_record_done) struct kiln_record r = { 0 };

	kiln_record_exclude(ctx, acme, k9, "by a directive");
	assert_int_equal(kiln_record_load(ctx, acme, k9, &r), 0);
	assert_int_equal(r.code, KILN_E_EXCLUDED);
	assert_string_equal(r.reason, "by a directive");
	add_installed(root, "1.2", K10);
	kiln_record_exclude(ctx, acme, k10, "by a directive");
	kiln_record_done(&r);
	assert_int_equal(kiln_record_load(ctx, acme, k10, &r), -ENOENT);
}

/* ---- signatures ---- */

static void assert_judged(const struct kiln_why_signed *signed_as, enum kiln_level level, const char *expected)
{
	_cleanup_(kiln_state_freep) struct kiln_state *s = kiln_state_new("x86_64");
	struct kiln_module *m = kiln_state_add_module(s, acme);
	struct kiln_facts *none = kiln_facts_new();
	struct kiln_why_case c = { .state = s, .pending = none, .module = m, .kern = k9, .signed_as = signed_as,
				   .instance = kiln_module_add_instance(m, k9, level) };
	struct kiln_why w = { 0 };
	_cleanup_(freep) char *line = NULL;

	m->registered = m->source = true;
	assert_int_equal(kiln_why_judge(&c, &w), 0);
	line = kiln_strf("%s: %s%s%s", kiln_why_name(w.kind), w.reason, w.next ? " -> " : "", w.next ? w.next : "");
	assert_string_equal(line, expected);
	free(w.reason);
	free(w.next);
	kiln_facts_free(none);
}

static void test_what_is_said_of_signatures(void **state)
{
	struct kiln_why_signed s = { .is = KILN_SIGNED_BY_KEY, .key = { .signer = (char *)"Me", .trust = KILN_TRUSTED } };

	(void)state;
	assert_judged(&s, KILN_INSTALLED, "fine: installed");
	s.key.trust = KILN_UNTRUSTED;
	s.key.next = (char *)"run it";
	assert_judged(&s, KILN_INSTALLED, "untrusted: installed, but signed by \"Me\", which this machine does not trust -> "
		      "run it");
	s.key.trust = KILN_TRUST_PENDING;
	assert_judged(&s, KILN_BUILT, "untrusted: built, but signed by \"Me\", which this machine does not trust yet -> run it");
	s.is = KILN_SIGNED_UNKNOWN;
	assert_judged(&s, KILN_INSTALLED, "fine: installed");
	s.is = KILN_SIGNED_NOT;
	assert_judged(&s, KILN_INSTALLED, "untrusted: installed, but not signed, and this system loads only signed modules -> "
		      "\"dkms build acme/1.2 -k " K9 " --force\" signs it");
	s.key.signer = NULL;
	assert_judged(&s, KILN_BUILT, "untrusted: built, but not signed, and this system loads only signed modules -> once "
		      "there is a key (dkms generate_mok), \"dkms build acme/1.2 -k " K9 " --force\" signs it");
}

/* Only a kernel that asks for signatures has its modules read for them. */
static void test_signatures(void **state)
{
	static const struct kiln_key_place place = { (char *)"/var/lib/dkms/mok.key", (char *)"/var/lib/dkms/mok.pub", false };
	static const char unsigned_[] = "untrusted: installed, but not signed, and this system loads only signed modules -> ";
	struct unit_root *root = *state;
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = new_ctx(root);
	_cleanup_(freep) char *cure = kiln_strf("%s\"dkms build acme/1.2 -k " K9 " --force\" signs it", unsigned_);
	_cleanup_(freep) char *no_key = kiln_strf("%sonce there is a key (dkms generate_mok), \"dkms build acme/1.2 -k "
						  K9 " --force\" signs it", unsigned_);
	_cleanup_(kiln_key_done) struct kiln_key key = { 0 };

	add_kernel(root, K9, true);
	add_module(root, "1.2", "AUTOINSTALL=yes");
	add_installed(root, "1.2", K9);
	assert_why(root, NULL, NULL, "fine: installed");
	unit_write(root, "lib/modules/" K9 "/build/.config", "CONFIG_MODULE_SIG_FORCE=y\n");
	assert_why(root, NULL, NULL, no_key);
	assert_int_equal(kiln_key_make(ctx, &place, NULL), 0);
	assert_why(root, NULL, NULL, cure);
	assert_int_equal(kiln_key_load(ctx, &place, NULL, &key, NULL), 0);
	assert_int_equal(kiln_sign_file(&key, "sha256", root->fd, TREE "acme/1.2/" K9 "/x86_64/module/acme.ko", NULL), 0);
	/* Another root is no machine that could be asked what it trusts. */
	assert_why(root, NULL, NULL, "fine: installed");
	unit_write(root, TREE "acme/1.2/" K9 "/x86_64/module/second.ko", "plain");
	assert_why(root, NULL, NULL, cure);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		unit_test_with_root(test_held),
		unit_test_with_root(test_states),  unit_test_with_root(test_refusals),
		unit_test_with_root(test_waiting), unit_test_with_root(test_missing),
		unit_test_with_root(test_exclusion_is_recorded), cmocka_unit_test(test_what_is_said_of_signatures),
		unit_test_with_root(test_signatures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
