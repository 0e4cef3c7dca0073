/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Modules that a kernel would load and modules that it would refuse, each for
 * one reason.  The kernel is a Module.symvers, a config and one module.
 */
#include "tests/unit/unit-elf.h"

#include "core/proof.h"

#define MAGIC "6.1.0-9-amd64 SMP preempt mod_unload modversions "
#define KERNEL "lib/modules/6.1.0-9-amd64"
#define HEADERS KERNEL "/build"
#define MODULES "var/lib/dkms/acme/1.2/6.1.0-9-amd64/x86_64/module"
#define OLDER "var/lib/dkms/acme/1/6.1.0-9-amd64/x86_64/module"
#define INFO "vermagic=" MAGIC "\nlicense=GPL\n"

/* One kernel and one module, acme.ko, that is to be loaded into it. */
struct machine {
	struct unit_root *root;
	struct kiln_ctx *ctx;
	struct kiln_kernel kernel;
	struct kiln_strv files;
	struct kiln_proof proof;
};

static void done(struct machine *m)
{
	kiln_strv_free(&m->files);
	free(m->proof.note);
	kiln_kernel_done(&m->kernel);
	kiln_ctx_free(m->ctx);
}

static void write_kernel(const struct unit_root *root, const char *config)
{
	static const struct unit_elf own = { .info = INFO };

	unit_write(root, HEADERS "/include/config/auto.conf", config);
	unit_write(root, HEADERS "/Module.symvers",
		   "0x00000001\tmodule_layout\tvmlinux\tEXPORT_SYMBOL\t\n"
		   "0x00000002\tprintk\tvmlinux\tEXPORT_SYMBOL\t\n"
		   "0x00000003\tsecret\tvmlinux\tEXPORT_SYMBOL_GPL\t\n"
		   "0x00000004\tdma_map\tdrivers/dma/dma\tEXPORT_SYMBOL_GPL\tDMA_BUF\n"
		   "0x00000005\tfew\tvmlinux\tEXPORT_SYMBOL_GPL\tmodule:ac*,other\n"
		   "0x00000000\tno_crc\tvmlinux\tEXPORT_SYMBOL\t\n");
	unit_write(root, KERNEL "/modules.order", "kernel/left-out.ko\nkernel/own.ko\n");
	unit_write_elf(root, KERNEL "/kernel/own.ko", &own);
}

static void set_up(struct machine *m, struct unit_root *root, const char *config)
{
	struct kiln_options options = { .root = root->path, .arch = "x86_64" };
	struct kiln_kern kern = { "6.1.0-9-amd64", "x86_64" };

	*m = (struct machine){ .root = root };
	if (config)
		write_kernel(root, config);
	assert_int_equal(kiln_ctx_new(&options, &m->ctx, NULL), 0);
	assert_int_equal(kiln_kernel_load(m->ctx, kern, &m->kernel, NULL), 0);
	assert_int_equal(kiln_strv_add(&m->files, "acme.ko"), 0);
	m->proof = (struct kiln_proof){ .ctx = m->ctx, .mod = { "acme", "1.2" }, .kernel = &m->kernel,
					.folder = "/" MODULES, .files = &m->files };
}

#define WITH_CRCS "CONFIG_MODULES=y\nCONFIG_MODVERSIONS=y\n"

/* reason NULL: it has to be taken; else the part of the sentence that tells why not. */
static void check(struct unit_root *root, const char *config, const struct unit_elf *elf, const char *reason)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	struct machine m;
	int r;

	set_up(&m, root, config);
	unit_write_elf(root, MODULES "/acme.ko", elf);
	r = kiln_proof_set(&m.proof, &err);
	if (!reason && r < 0)
		fail_msg("refused: %s", kiln_err_text(&err));
	if (reason && (r != -KILN_E_UNFIT || !strstr(kiln_err_text(&err), reason)))
		fail_msg("\"%s\" is not in \"%s\"", reason, kiln_err_text(&err));
	assert_null(m.proof.note);
	done(&m);
}

/* ---- symbols ---- */

static void test_fits(void **state)
{
	check(*state, WITH_CRCS, &(struct unit_elf){ .info = INFO, .imports = {
		{ "module_layout", 1, false }, { "printk", 2, false }, { "secret", 3, false }, { "maybe", 0, true } } }, NULL);
}

static void test_checksums(void **state)
{
	const struct unit_elf wrong = { .info = INFO, .imports = { { "printk", 7, false } } };
	const struct unit_elf layout = { .info = INFO, .imports = { { "module_layout", 7, false } } };
	const struct unit_elf none = { .info = INFO, .imports = { { "printk", 0, false } } };

	check(*state, WITH_CRCS, &wrong,
	      "acme.ko would not load: it was built against another printk (checksum 0x00000007) than that of vmlinux "
	      "(0x00000002)");
	check(*state, WITH_CRCS, &layout, "another module_layout");
	check(*state, WITH_CRCS, &none, "built without any");
	check(*state, "CONFIG_MODULES=y\n", &wrong, NULL);
	check(*state, "# CONFIG_MODVERSIONS is not set\n", &none, NULL);
	check(*state, WITH_CRCS, &(struct unit_elf){ .info = INFO, .imports = { { "no_crc", 7, false } } }, NULL);
}

static void test_missing(void **state)
{
	const struct unit_elf missing = { .info = INFO, .imports = { { "printk", 2, false }, { "nowhere", 9, false } } };

	check(*state, WITH_CRCS, &missing, "it needs nowhere, which neither the kernel nor a module has");
	check(*state, "CONFIG_MODULES=y\n", &missing, "it needs nowhere");
}

/* Beside one that loads, and unless one of its name works now; whatever else is wrong counts as ever. */
static void test_missing_beside_others(void **state)
{
	static const struct unit_elf fine = { .info = INFO, .imports = { { "printk", 2, false } } };
	static const struct unit_elf missing = { .info = INFO, .imports = { { "nowhere", 9, false }, { "printk", 2, false } } };
	static const struct unit_elf worse = { .info = INFO, .imports = { { "nowhere", 9, false }, { "printk", 7, false } } };
	struct unit_root *root = *state;
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	struct machine m;

	set_up(&m, root, WITH_CRCS);
	assert_int_equal(kiln_strv_add(&m.files, "other.ko"), 0);
	unit_write_elf(root, MODULES "/acme.ko", &missing);
	unit_write_elf(root, MODULES "/other.ko", &fine);
	assert_int_equal(kiln_proof_set(&m.proof, NULL), 0);
	assert_string_equal(m.proof.note, "acme.ko would not load: it needs nowhere, which neither the kernel nor a module has");
	free(m.proof.note);
	unit_write_elf(root, OLDER "/acme.ko", &fine);
	unit_link(root, "var/lib/dkms/acme/kernel-6.1.0-9-amd64-x86_64", "1/6.1.0-9-amd64/x86_64");
	assert_int_equal(kiln_proof_set(&m.proof, &err), -KILN_E_UNFIT);
	assert_true(m.proof.passing);
	assert_null(m.proof.note);
	unit_write_elf(root, OLDER "/acme.ko", &missing);
	assert_int_equal(kiln_proof_set(&m.proof, NULL), 0);
	free(m.proof.note);
	unit_write_elf(root, MODULES "/acme.ko", &worse);
	assert_int_equal(kiln_proof_set(&m.proof, &err), -KILN_E_UNFIT);
	assert_non_null(strstr(kiln_err_text(&err), "against another printk"));
	unit_write_elf(root, MODULES "/acme.ko", &missing);
	unit_write_elf(root, MODULES "/other.ko", &missing);
	assert_int_equal(kiln_proof_set(&m.proof, &err), -KILN_E_UNFIT);
	assert_null(m.proof.note);
	done(&m);
}

static void test_licence(void **state)
{
	struct unit_elf elf = { .info = "license=Proprietary\nvermagic=" MAGIC "\n", .imports = { { "secret", 3, false } } };

	check(*state, WITH_CRCS, &elf, "it needs secret, which is for GPL modules only, and its licence is \"Proprietary\"");
	elf.info = "vermagic=" MAGIC "\n";
	check(*state, WITH_CRCS, &elf, "its licence is \"unspecified\"");
	elf.info = "license=Dual MIT/GPL\nvermagic=" MAGIC "\n";
	check(*state, WITH_CRCS, &elf, NULL);
	elf = (struct unit_elf){ .info = "license=Proprietary\nvermagic=" MAGIC "\n", .imports = { { "printk", 2, false } } };
	check(*state, WITH_CRCS, &elf, NULL);
}

static void test_namespace(void **state)
{
	struct unit_elf elf = { .info = INFO, .imports = { { "dma_map", 4, false } } };

	check(*state, WITH_CRCS, &elf, "it needs dma_map of the namespace DMA_BUF, which it does not import");
	check(*state, WITH_CRCS "CONFIG_MODULE_ALLOW_MISSING_NAMESPACE_IMPORTS=y\n", &elf, NULL);
	elf.info = INFO "import_ns=OTHER\nimport_ns=DMA_BUF\n";
	check(*state, WITH_CRCS, &elf, NULL);
	elf = (struct unit_elf){ .info = INFO, .imports = { { "few", 5, false } } };
	check(*state, WITH_CRCS, &elf, NULL); /* "ac*" */
}

/* ---- symbols of others ---- */

static void test_others(void **state)
{
	struct unit_root *root = *state;
	const struct unit_elf elf = { .info = INFO, .imports = { { "base_open", 8, false } } };
	const struct unit_elf base = { .info = INFO, .exports = { { "base_open", 8, false } } };
	const struct unit_elf other = { .info = INFO, .exports = { { "base_open", 9, false } } };

	check(root, WITH_CRCS, &elf, "it needs base_open");
	unit_write_elf(root, MODULES "/base.ko", &base); /* of the set */
	check(root, WITH_CRCS, &elf, NULL);
	unit_write_elf(root, MODULES "/base.ko", &other);
	check(root, WITH_CRCS, &elf, "another base_open (checksum 0x00000008) than that of");
	assert_int_equal(unlinkat(root->fd, MODULES "/base.ko", 0), 0);

	unit_write(root, "var/lib/dkms/base/1/6.1.0-9-amd64/x86_64/module/Module.symvers",
		   "0x00000008\tbase_open\tbase\tEXPORT_SYMBOL\t\n");
	check(root, WITH_CRCS, &elf, "it needs base_open"); /* built, and not installed */
	unit_link(root, "var/lib/dkms/base/kernel-6.1.0-9-amd64-x86_64", "1/6.1.0-9-amd64/x86_64");
	check(root, WITH_CRCS, &elf, NULL);
}

static void test_indexed(void **state)
{
	struct unit_root *root = *state;
	const struct unit_elf elf = { .info = INFO, .imports = { { "vendor_open", 8, false } } };
	const struct unit_elf vendor = { .info = INFO, .exports = { { "vendor_open", 8, false } } };

	unit_write_elf(root, KERNEL "/extra/some-vendor.ko", &vendor);
	unit_write(root, KERNEL "/modules.symbols", "# Aliases\nalias symbol:vendor_open some_vendor\n");
	unit_write(root, KERNEL "/modules.dep", "kernel/own.ko:\nextra/some-vendor.ko: kernel/own.ko\n");
	check(root, WITH_CRCS, &elf, NULL);
}

/* ---- the file ---- */

static void test_vermagic(void **state)
{
	check(*state, WITH_CRCS, &(struct unit_elf){ .info = "license=GPL\nvermagic=6.1.0-8-amd64 SMP\n" },
	      "its vermagic is \"6.1.0-8-amd64 SMP\", and that of the kernel \"" MAGIC "\"");
	check(*state, WITH_CRCS, &(struct unit_elf){ .info = "license=GPL\n" }, "it has no vermagic");
}

static void test_machine(void **state)
{
	check(*state, WITH_CRCS, &(struct unit_elf){ .info = INFO, .machine = EM_AARCH64 }, "another kind of processor");
}

static void test_signature(void **state)
{
	struct unit_elf elf = { .info = INFO };

	check(*state, WITH_CRCS "CONFIG_MODULE_SIG_FORCE=y\n", &elf, "the kernel takes signed modules only");
	check(*state, WITH_CRCS "CONFIG_MODULE_SIG=y\n", &elf, NULL);
	elf.is_signed = true;
	check(*state, WITH_CRCS "CONFIG_MODULE_SIG_FORCE=y\n", &elf, NULL);
}

/* It is kept for the key that may come, and placed then. */
static void test_signature_of_a_build(void **state)
{
	struct unit_root *root = *state;
	struct machine m;

	set_up(&m, root, WITH_CRCS "CONFIG_MODULE_SIG_FORCE=y\n");
	unit_write_elf(root, MODULES "/acme.ko", &(struct unit_elf){ .info = INFO });
	m.proof.building = true;
	assert_int_equal(kiln_proof_set(&m.proof, NULL), 0);
	m.proof.building = false;
	assert_int_equal(kiln_proof_set(&m.proof, NULL), -KILN_E_UNFIT);
	done(&m);
}

static void test_no_module(void **state)
{
	static const char *const contents[] = { "", "text\n", "\177ELF", "\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\1" };
	struct unit_root *root = *state;
	struct machine m;

	set_up(&m, root, WITH_CRCS);
	for (size_t i = 0; i < ARRAY_SIZE(contents); i++) {
		_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;

		unit_write(root, MODULES "/acme.ko", contents[i]);
		assert_int_equal(kiln_proof_set(&m.proof, &err), -KILN_E_UNFIT);
		assert_non_null(strstr(kiln_err_text(&err), "it is not an ELF object file"));
	}
	done(&m);
}

/* What a full disk or a crash makes of a module. */
static void test_truncated(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(freep) char *whole = NULL;
	struct machine m;
	size_t len;
	int fd;

	set_up(&m, root, WITH_CRCS);
	unit_write_elf(root, MODULES "/acme.ko", &(struct unit_elf){ .info = INFO, .imports = { { "printk", 2, false } } });
	assert_int_equal(kiln_fs_read(root->fd, MODULES "/acme.ko", 1 << 20, &whole, &len), 0);
	for (size_t cut = 0; cut < len; cut += 7) {
		fd = openat(root->fd, MODULES "/acme.ko", O_WRONLY | O_TRUNC | O_CLOEXEC);
		assert_int_equal(write(fd, whole, cut), (ssize_t)cut);
		close(fd);
		assert_int_equal(kiln_proof_set(&m.proof, NULL), -KILN_E_UNFIT);
	}
	done(&m);
}

/* ---- what is not known ---- */

static void test_not_proven(void **state)
{
	struct unit_root *root = *state;
	struct machine m;

	unit_write(root, MODULES "/acme.ko", "anything\n");
	set_up(&m, root, NULL);
	assert_int_equal(kiln_proof_set(&m.proof, NULL), 0);
	assert_non_null(strstr(m.proof.note, "not proven: "));
	done(&m);

	/* The symbols of an external module are not those of the kernel. */
	unit_write(root, HEADERS "/Module.symvers", "0x00000002\tother\tother\tEXPORT_SYMBOL\t\n");
	set_up(&m, root, NULL);
	assert_int_equal(kiln_proof_set(&m.proof, NULL), 0);
	assert_non_null(m.proof.note);
	done(&m);
}

static void test_overruled(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	struct machine m;

	unit_write(root, "etc/dkms/framework.conf", "skip_proof=1\n");
	unit_write(root, MODULES "/acme.ko", "anything\n");
	set_up(&m, root, WITH_CRCS);
	assert_int_equal(kiln_proof_set(&m.proof, &err), 0);
	assert_null(err.text);
	assert_non_null(strstr(m.proof.note, "not an ELF object file (skip_proof is set)"));
	done(&m);
}

static void test_read_once(void **state)
{
	struct unit_root *root = *state;
	const struct kiln_proof_kernel *first;
	struct machine m;

	set_up(&m, root, WITH_CRCS);
	first = kiln_proof_kernel(m.ctx, &m.kernel);
	assert_non_null(first);
	assert_int_equal(first->symbols.n, 6);
	assert_ptr_equal(kiln_proof_kernel(m.ctx, &m.kernel)->symbols.v, first->symbols.v);
	unit_write(root, HEADERS "/Module.symvers", "0x00000001\tprintk\tvmlinux\tEXPORT_SYMBOL\n");
	assert_int_equal(kiln_proof_kernel(m.ctx, &m.kernel)->symbols.n, 1);
	done(&m);
}

static void test_symvers(void **state)
{
	struct kiln_symvers t;
	const struct kiln_symbol *s;

	(void)state;
	assert_int_equal(kiln_symvers_parse(strdup("0x0000000a\told\tNS\tnet/old\tEXPORT_SYMBOL_GPL\n\nrubbish\n"
						   "0xb\ttwice\ta\tEXPORT_SYMBOL\t\n0xc\ttwice\tb\tEXPORT_SYMBOL_GPL"), &t), 0);
	assert_int_equal(t.n, 3);
	s = kiln_symvers_find(&t, "old", NULL);
	assert_string_equal(s->module, "net/old");
	assert_string_equal(s->space, "NS");
	assert_true(s->gpl);
	s = kiln_symvers_find(&t, "twice", NULL);
	assert_int_equal(s->crc, 11);
	assert_false(s->gpl);
	s = kiln_symvers_find(&t, "twice", s);
	assert_int_equal(s->crc, 12);
	assert_null(kiln_symvers_find(&t, "twice", s));
	assert_null(kiln_symvers_find(&t, "none", NULL));
	kiln_symvers_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		unit_test_with_root(test_fits),	      unit_test_with_root(test_checksums),
		unit_test_with_root(test_missing),    unit_test_with_root(test_licence),
		unit_test_with_root(test_missing_beside_others),
		unit_test_with_root(test_namespace),  unit_test_with_root(test_others),
		unit_test_with_root(test_indexed),    unit_test_with_root(test_vermagic),
		unit_test_with_root(test_machine),    unit_test_with_root(test_signature),
		unit_test_with_root(test_signature_of_a_build),
		unit_test_with_root(test_no_module),  unit_test_with_root(test_truncated),
		unit_test_with_root(test_not_proven), unit_test_with_root(test_overruled),
		unit_test_with_root(test_read_once),  unit_test_with_root(test_symvers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
