/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a package of a module's source can tell rpm: which devices the driver
 * names, in the words of modules.alias, and which module in which version it is.
 */
#include "tests/unit/unit.h"

#include "core/base/cleanup.h"

#include "core/alias.h"
#include "core/kiln-package.h"

static void assert_aliases(const char *code, const char *want)
{
	_cleanup_(kiln_strv_free) struct kiln_strv aliases = KILN_STRV_INIT;
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;

	assert_int_equal(kiln_alias_find(code, &aliases), 0);
	for (size_t i = 0; i < aliases.n; i++)
		kiln_buf_addf(&b, "%s%s", i ? " " : "", aliases.v[i]);
	assert_string_equal(kiln_buf_str(&b), want);
}

static void test_literal(void **state)
{
	(void)state;
	assert_aliases("MODULE_ALIAS(\"pci:v00001234d*sv*sd*bc*sc*i*\");\nMODULE_ALIAS ( \"acpi*:ABC0001:*\" ) ;", "pci:v00001234d*sv*sd*bc*sc*i*");
	assert_aliases("MODULE_ALIAS(\"of:N*T*Cacme,foo\");", "of:N*T*Cacme,foo");
	/* Not a device; put together; of a macro; nothing behind the bus. */
	assert_aliases("MODULE_ALIAS(\"fs-acme\"); MODULE_ALIAS(\"net-pf-\" \"16\"); MODULE_ALIAS(ACME); MODULE_ALIAS(\"pci:\");"
		       "MODULE_ALIAS(\"pci:v1\" \"d*\"); MODULE_ALIAS(\"pci:a b\"); MODULE_ALIAS(\"char:1\")", "");
}

static void test_table(void **state)
{
	static const char table[] =
		"#define ACME 0x1ACE /* us */\n#define B 2 + 2\n"
		"static const struct pci_device_id ids[] = {\n"
		"	{ PCI_DEVICE(ACME, 0x0001) }, { PCI_DEVICE( 0x8086,0x100eU ), .driver_data = 1 },\n"
		"	{ PCI_DEVICE(ACME, PCI_ANY_ID) }, { PCI_DEVICE(PCI_ANY_ID, 1) },\n"
		"	{ PCI_DEVICE_SUB(ACME, 2, 3, PCI_ANY_ID) }, { PCI_DEVICE(PCI_VENDOR_ID_INTEL, 7) },\n"
		"	{ PCI_DEVICE(ACME, 1 + 2) }, { PCI_DEVICE(ACME, B) }, { PCI_DEVICE(ACME) }\n"
		"	/* { PCI_DEVICE(9, 9) }, */ // { PCI_DEVICE(9, 8) }\n"
		"	{ }\n"
		"};\n";
	_cleanup_(freep) char *known = kiln_strf("%sMODULE_DEVICE_TABLE(pci, ids);\n", table);
	_cleanup_(freep) char *other = kiln_strf("%sMODULE_DEVICE_TABLE(usb, ids);\n", table);

	(void)state;
	assert_aliases(known, "pci:v00001ACEd00000001sv*sd*bc*sc*i* pci:v00008086d0000100Esv*sd*bc*sc*i* "
			      "pci:v00001ACEd*sv*sd*bc*sc*i* pci:v00001ACEd00000002sv00000003sd*bc*sc*i*");
	assert_aliases(table, "");
	assert_aliases(other, "");
	assert_aliases("{ USB_DEVICE(0x46d, 0xC52B) }, { USB_DEVICE(1, VENDOR) } MODULE_DEVICE_TABLE (usb, t)",
		       "usb:v046DpC52Bd*dc*dsc*dp*ic*isc*ip*in*");
}

/* Text that ends anywhere is no trap. */
static void test_cut(void **state)
{
	static const char text[] = "/* x */ '\\'' \"/* \\\" */\" MODULE_ALIAS(\"usb:v1\"); MODULE_DEVICE_TABLE(pci, x) PCI_DEVICE(1, 2)//";

	(void)state;
	for (size_t n = 0; n < sizeof(text); n++) {
		_cleanup_(kiln_strv_free) struct kiln_strv aliases = KILN_STRV_INIT;
		_cleanup_(freep) char *cut = strndup(text, n);

		assert_int_equal(kiln_alias_find(cut, &aliases), 0);
		assert_true(aliases.n <= 2);
	}
	assert_aliases(text, "usb:v1 pci:v00000001d00000002sv*sd*bc*sc*i*");
}

static void test_devices(void **state)
{
	struct unit_root *root = *state;
	struct kiln_options o = { .root = root->path, .arch = "x86_64" };
	_cleanup_(kiln_strv_free) struct kiln_strv got = KILN_STRV_INIT;
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = NULL;

	assert_int_equal(kiln_ctx_new(&o, &ctx, NULL), 0);
	unit_write(root, "usr/src/acme-1/src/acme.c", "MODULE_ALIAS(\"usb:v2\"); MODULE_ALIAS(\"usb:v1\");");
	unit_write(root, "usr/src/acme-1/more.h", "MODULE_ALIAS(\"usb:v2\");");
	unit_write(root, "usr/src/acme-1/README", "MODULE_ALIAS(\"usb:v3\");");
	assert_int_equal(kiln_package_devices(ctx, "/usr/src/acme-1", &got, NULL), 0);
	assert_int_equal(got.n, 2);
	assert_string_equal(got.v[0], "modalias(usb:v1)");
	assert_string_equal(got.v[1], "modalias(usb:v2)");
}

static void assert_provides(const char *name, const char *version, const char *want)
{
	_cleanup_(freep) char *got = kiln_package_provides(name, version);

	if (want)
		assert_string_equal(got, want);
	else
		assert_null(got);
}

static void test_provides(void **state)
{
	(void)state;
	assert_provides("acme", "1.2", "dkms(acme) = 1.2");
	assert_provides("a-b_c", "v1.0-rc1+git", "dkms(a-b_c) = 1.0~rc1^git");
	assert_provides("acme", "1:2", "dkms(acme)");
	assert_provides("ac me", "1", NULL);
	assert_provides("a(b)", "1", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_literal),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_cut),
		unit_test_with_root(test_devices),
		cmocka_unit_test(test_provides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
