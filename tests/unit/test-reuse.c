/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A module derived instead of built: what is rewritten, and all that forbids it. */
#include "tests/unit/unit.h"

#include <elf.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"

#include "core/ko.h"
#include "core/reuse.h"

#define OLD "6.1.0-9-cloud-amd64"
#define NEW "6.1.0-8-cloud-amd64"

/* ---- a module with the places that kbuild writes names into ---- */

static const char names[] = "\0.modinfo\0.note.Linux\0.note.gnu.build-id\0.rodata\0.shstrtab";

struct note {
	Elf64_Nhdr head;
	char name[8], text[24];
};

struct sample {
	Elf64_Ehdr head;
	Elf64_Shdr sections[6];
	struct note salt, id;
	char info[64], rodata[32], names[sizeof(names)];
};

static Elf64_Shdr part(Elf64_Word name, size_t offset, size_t size)
{
	return (Elf64_Shdr){ .sh_name = name, .sh_type = SHT_PROGBITS, .sh_offset = offset, .sh_size = size };
}

static struct sample sample(void)
{
	struct sample s = {
		.head = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
				       __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? ELFDATA2MSB : ELFDATA2LSB, EV_CURRENT },
			  .e_type = ET_REL, .e_shoff = offsetof(struct sample, sections),
			  .e_shentsize = sizeof(Elf64_Shdr), .e_shnum = 6, .e_shstrndx = 5 },
		.salt = { .head = { 6, sizeof(OLD), 0x100 }, .name = "Linux", .text = OLD },
		.id = { .head = { 4, 20, NT_GNU_BUILD_ID }, .name = "GNU" },
		.info = "license=GPL\0vermagic=" OLD " SMP mod_unload ",
		.rodata = "a driver's own text",
	};

	memcpy(s.names, names, sizeof(names));
	s.sections[1] = part(1, offsetof(struct sample, info), sizeof(s.info));
	s.sections[2] = part(10, offsetof(struct sample, salt), sizeof(s.salt));
	/* The name "GNU" takes four bytes, so the description begins right behind it. */
	s.sections[3] = part(22, offsetof(struct sample, id), sizeof(s.id.head) + 4 + 20);
	s.sections[4] = part(41, offsetof(struct sample, rodata), sizeof(s.rodata));
	s.sections[5] = part(49, offsetof(struct sample, names), sizeof(s.names));
	return s;
}

static int derive(void *data, size_t n, const char *to, struct kiln_err *err)
{
	struct kiln_ko_names old = { OLD, OLD }, new = { to, to };

	return kiln_ko_derive(data, n, &old, &new, err);
}

static void test_derive(void **state)
{
	struct sample s = sample(), before = sample();

	(void)state;
	assert_int_equal(derive(&s, sizeof(s), NEW, NULL), 0);
	assert_memory_equal(s.info, "license=GPL\0vermagic=" NEW " SMP mod_unload ", 44);
	assert_string_equal(s.salt.text, NEW);
	assert_memory_not_equal(&s.id, &before.id, sizeof(s.id));
	assert_memory_equal(s.rodata, before.rodata, sizeof(s.rodata));
	assert_memory_equal(s.sections, before.sections, sizeof(s.sections));
}

static void refused(struct sample s, const char *to, const char *why)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;

	assert_int_equal(derive(&s, sizeof(s), to, &err), -KILN_E_NOTMADE);
	if (!strstr(kiln_err_text(&err), why))
		fail_msg("\"%s\" does not say \"%s\"", kiln_err_text(&err), why);
}

static void test_refusals(void **state)
{
	struct sample s = sample();

	(void)state;
	refused(s, "6.1.0-10-cloud-amd64", "different lengths");
	memcpy(s.rodata, "made for 6.1.0-9", 17);
	refused(s, NEW, "names 6.1.0-9 where kbuild does not");
	s = sample();
	memcpy(s.names + 41, ".BTF\0\0", 6);
	refused(s, NEW, "BTF");
	s = sample();
	s.info[12] = 'x';
	refused(s, NEW, "no vermagic");
	s = sample();
	s.salt.text[6] = '7';
	refused(s, NEW, "build salt");
	s = sample();
	s.head.e_ident[EI_CLASS] = ELFCLASS32;
	refused(s, NEW, "not a 64-bit ELF");
}

/* Nothing that a file says of itself leads out of it: under sanitizers this would show. */
static void test_damaged(void **state)
{
	unsigned seed = 1;

	(void)state;
	for (size_t n = 0; n < sizeof(struct sample); n++) {
		struct sample s = sample();
		_cleanup_(freep) char *cut = malloc(n + 1);

		memcpy(cut, &s, n);
		derive(cut, n, NEW, NULL);
	}
	for (int i = 0; i < 20000; i++) {
		struct sample s = sample();

		for (int k = 0; k < 3; k++) {
			seed = seed * 1103515245 + 12345;
			((unsigned char *)&s)[(seed >> 8) % sizeof(s)] = (unsigned char)(seed >> 24);
		}
		derive(&s, sizeof(s), NEW, NULL);
	}
}

static void test_stems(void **state)
{
	static const char *const cases[][2] = {
		{ "6.1.0-9-cloud-amd64", "6.1.0-9" },
		{ "6.12.117+deb13-amd64", "6.12.117+deb13" },
		{ "6.11.4-301.fc41.x86_64", "6.11.4-301.fc41.x86_64" },
		{ "7.2.1", "7.2.1" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(freep) char *stem = kiln_release_stem(cases[i][0]);

		assert_string_equal(stem, cases[i][1]);
	}
}

/* ---- unpacking ---- */

#define SIGNED "PKCS7..\0\0\0\0\0\0\0\0\0\0\0\7~Module signature appended~\n"

static void test_unpack(void **state)
{
	static const struct {
		enum kiln_compression compression;
		const char *file;
	} cases[] = { { KILN_PLAIN, "m.ko" }, { KILN_XZ, "m.ko.xz" }, { KILN_ZSTD, "m.ko.zst" }, { KILN_GZIP, "m.ko.gz" } };
	struct unit_root *root = *state;
	_cleanup_(freep) char *bad = NULL;
	char text[600000];
	size_t size;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)('a' + i * i % 23);
	memcpy(text + sizeof(text) - sizeof(SIGNED) + 1, SIGNED, sizeof(SIGNED) - 1);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(freep) char *data = NULL;
		size_t n = 0;

		assert_int_equal(kiln_fs_replace(root->fd, "m.ko", text, sizeof(text), 0644), 0);
		assert_int_equal(kiln_ko_compress(root->fd, "m.ko", cases[i].compression, NULL, NULL), 0);
		assert_int_equal(kiln_ko_unpack(root->fd, cases[i].file, &data, &n), 0);
		assert_int_equal(n, sizeof(text) - sizeof(SIGNED) + 1);
		assert_memory_equal(data, text, n);
	}
	unit_write(root, "bad.ko.zst", "\x28\xb5\x2f\xfd and no more");
	assert_true(kiln_ko_unpack(root->fd, "bad.ko.zst", &bad, &size) < 0);
}

/* ---- headers ---- */

static void write_headers(struct unit_root *root, const char *stem, const char *option)
{
	_cleanup_(freep) char *dir = kiln_strf("usr/src/linux-headers-%s-cloud-amd64", stem);
	const struct {
		const char *file;
		char *text;
	} files[] = {
		{ "Makefile", kiln_strf("include /usr/src/linux-headers-%s-common/Makefile\n", stem) },
		{ ".config", kiln_strf("CONFIG_BUILD_SALT=\"%s-cloud-amd64\"\n", stem) },
		{ "include/generated/autoconf.h", kiln_strf("#define CONFIG_BUILD_SALT \"%s-cloud-amd64\"\n%s\n", stem, option) },
		{ "include/generated/utsversion.h", kiln_strf("#define UTS_VERSION \"#1 of %s\"\n", stem) },
		{ "Module.symvers", strdup("0x12345678\tprintk\tvmlinux\tEXPORT_SYMBOL\t\n") },
	};
	_cleanup_(freep) char *common = kiln_strf("usr/src/linux-headers-%s-common/include/linux/x.h", stem);
	_cleanup_(freep) char *makefile = kiln_strf("usr/src/linux-headers-%s-common/Makefile", stem);
	_cleanup_(freep) char *link = kiln_strf("%s/scripts", dir);

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_cleanup_(freep) char *path = kiln_strf("%s/%s", dir, files[i].file);

		unit_write(root, path, files[i].text);
		free(files[i].text);
	}
	unit_write(root, common, "struct x { int a; };\n");
	unit_write(root, makefile, "all:\n");
	unit_write(root, "usr/lib/linux-kbuild-6.1/scripts/Makefile.build", "build:\n");
	kiln_fs_unlink(root->fd, link);
	unit_link(root, link, "../../lib/linux-kbuild-6.1/scripts");
}

static void headers(struct unit_root *root, const char *stem, char sum[KILN_HASH_SIZE])
{
	struct kiln_options options = { .root = root->path };
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = NULL;
	_cleanup_(freep) char *release = kiln_strf("%s-cloud-amd64", stem);
	_cleanup_(freep) char *source = kiln_strf("/usr/src/linux-headers-%s", release);
	struct kiln_kernel k = { .release = release, .arch = (char *)"x86_64", .source = source };

	assert_int_equal(kiln_ctx_new(&options, &ctx, NULL), 0);
	assert_int_equal(kiln_reuse_headers(ctx, &k, sum), 0);
}

static void test_headers(void **state)
{
	struct unit_root *root = *state;
	char a[KILN_HASH_SIZE], b[KILN_HASH_SIZE];

	write_headers(root, "6.1.0-9", "#define CONFIG_SMP 1");
	write_headers(root, "6.1.0-8", "#define CONFIG_SMP 1");
	headers(root, "6.1.0-9", a);
	headers(root, "6.1.0-8", b);
	assert_string_equal(a, b);
	headers(root, "6.1.0-8", b); /* kept */
	assert_string_equal(a, b);
	/* The name is excused where it is known to stand, and nowhere else. */
	unit_write(root, "usr/src/linux-headers-6.1.0-8-common/include/linux/x.h", "struct x { int a; }; /* 6.1.0-8 */\n");
	headers(root, "6.1.0-8", b);
	assert_string_not_equal(a, b);
	write_headers(root, "6.1.0-8", "#define CONFIG_SMP 2");
	headers(root, "6.1.0-8", b);
	assert_string_not_equal(a, b);
	write_headers(root, "6.1.0-8", "#define CONFIG_SMP 1");
	unit_write(root, "usr/lib/linux-kbuild-6.1/scripts/Makefile.build", "build: other\n");
	headers(root, "6.1.0-8", b);
	assert_string_not_equal(a, b);
	headers(root, "6.1.0-9", a);
	assert_string_equal(a, b);
}

/* ---- what a source asks ---- */

static void test_source(void **state)
{
	static const struct {
		const char *file, *text;
		bool asks;
	} cases[] = {
		{ "x.c", "#include <linux/module.h>\n#if LINUX_VERSION_CODE > 1\n#endif\n", false },
		{ "x.c", "pr_info(\"%s\", UTS_RELEASE);\n", true },
		{ "x.h", "#include <generated/utsversion.h>\n", true },
		{ "README", "tested with 6.1.0-9\n", true },
		{ "README", "UTS_RELEASE, KERNELRELEASE, $(shell x)\n", false },
		{ "Makefile", "ifneq ($(KERNELRELEASE),)\nobj-m := x.o\nelse\nKDIR ?= /lib/modules/$(shell uname -r)/build\n"
			      "PWD := $(shell pwd)\nVERSION ?= $(shell cat VERSION)\nall:\n\t$(MAKE) -C $(KDIR) M=$(PWD) modules\nendif\n", false },
		{ "Makefile", "obj-m := x.o\nifeq ($(findstring rt,$(KERNELRELEASE)),rt)\nendif\n", true },
		{ "Makefile", "EXTRA := $(shell ./ask $(KDIR))\n", true },
		{ "Kbuild", "ccflags-y += -DRELEASE=$(KERNELRELEASE)\n", true },
		{ "sub/flags.mk", "V != uname -r\n", true },
		{ "Makefile", "# $(shell anything) KERNELRELEASE\n", false },
	};
	struct unit_root *root = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(freep) char *why = NULL, *path = kiln_strf("source/%s", cases[i].file);
		_cleanup_(closep) int dir = -1;

		kiln_fs_remove_tree(root->fd, "source");
		unit_write(root, path, cases[i].text);
		dir = kiln_fs_open_dir(root->fd, "source");
		assert_int_equal(kiln_reuse_source_asks(dir, OLD, &why), 0);
		if (!why == cases[i].asks)
			fail_msg("%s \"%s\": %s", cases[i].file, cases[i].text, why ? why : "asks nothing");
	}
}

static void test_make(void **state)
{
	static const char *const plain[] = {
		"make -C /lib/modules/" OLD "/build M=/var/lib/dkms/x/1/build",
		"make -j4 KERNELRELEASE=" OLD " -C /h M=/b CONFIG_X=m modules",
	};
	static const char *const others[] = {
		"make", "make all KDIR=/h", "./configure; make -C /h M=/b", "make -C /elsewhere M=/b", "make -C /h",
		"'make' -C /h M=/b", "make -C /h M=/b X=$(id)", "make -C /h M=/b all",
	};

	(void)state;
	assert_true(kiln_reuse_make_is_plain(NULL, "/h", "/lib/modules", OLD));
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
		assert_true(kiln_reuse_make_is_plain(plain[i], "/h", "/lib/modules", OLD));
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (kiln_reuse_make_is_plain(others[i], "/h", "/lib/modules", OLD))
			fail_msg("%s", others[i]);
}

static void test_log(void **state)
{
	(void)state;
	assert_false(kiln_reuse_log_names("DKMS make.log for x/1 for kernel " OLD "\n# command: make KERNELRELEASE=" OLD
					  "\nmake: Entering directory '/usr/src/linux-headers-" OLD "'\n  CC [M]  x.o\n", OLD));
	assert_true(kiln_reuse_log_names("configured for 6.1.0-9\n", OLD));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_derive),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_stems),
		unit_test_with_root(test_unpack),
		unit_test_with_root(test_headers),
		unit_test_with_root(test_source),
		cmocka_unit_test(test_make),
		cmocka_unit_test(test_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
