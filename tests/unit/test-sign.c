/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signatures: made, checked, spoilt by one bit; the same bytes as those of the
 * kernel's own sign-file, wherever one is on this machine; and what a list of
 * trusted keys says about a certificate.
 */
#include "tests/unit/unit.h"

#include <endian.h>
#include <glob.h>

#include "core/base/cleanup.h"
#include "core/base/proc.h"
#include "core/base/text.h"

#include "core/ko.h"
#include "core/mok.h"
#include "core/sign-format.h"

#define MODULE "module.ko"

static const struct kiln_key_place place = { (char *)"/keys/one.key", (char *)"/keys/one.pub", false };
static const struct kiln_key_place other = { (char *)"/keys/two.key", (char *)"/keys/two.pub", false };

static struct kiln_ctx *context(const struct unit_root *root)
{
	struct kiln_options options = { .root = root->path, .arch = "x86_64" };
	struct kiln_ctx *ctx;

	assert_int_equal(kiln_ctx_new(&options, &ctx, NULL), 0);
	return ctx;
}

/* A key pair in the root, and loaded. */
static struct kiln_key make(struct kiln_ctx *ctx, const struct kiln_key_place *at)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	struct kiln_key key;

	if (kiln_key_make(ctx, at, &err) < 0 || kiln_key_load(ctx, at, NULL, &key, &err) < 0)
		fail_msg("%s", kiln_err_text(&err));
	return key;
}

static void read_module(const struct unit_root *root, const char *path, char **ret, size_t *len)
{
	assert_int_equal(kiln_fs_read(root->fd, path, 1 << 24, ret, len), 0);
}

static void run(const char *const *argv, int expected)
{
	struct kiln_proc p = KILN_PROC_INIT;

	p.argv = argv;
	assert_int_equal(kiln_proc_run(&p, NULL), expected);
}

/* ---- keys ---- */

static void test_key(void **state)
{
	struct unit_root *root = *state;
	struct kiln_ctx *ctx = context(root);
	struct kiln_key key = make(ctx, &place);
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	_cleanup_(freep) char *name = kiln_key_name(&key), *print = kiln_key_fingerprint(&key);
	struct stat st;

	assert_int_equal(fstatat(root->fd, "keys/one.key", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(fstatat(root->fd, "keys/one.pub", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_true(kiln_text_ends(name, "DKMS module signing key"));
	assert_int_equal(strlen(print), 20 * 3 - 1);
	/* It is not made twice: what somebody has enrolled is not thrown away. */
	assert_int_equal(kiln_key_make(ctx, &place, &err), -EEXIST);
	kiln_key_done(&key);
	kiln_ctx_free(ctx);
}

static void test_certificate_says_what_it_is_for(void **state)
{
	struct unit_root *root = *state;
	struct kiln_ctx *ctx = context(root);
	struct kiln_key key = make(ctx, &place);
	_cleanup_(freep) char *path = kiln_strf("%s/keys/one.pub", root->path);
	_cleanup_(kiln_buf_free) struct kiln_buf out = KILN_BUF_INIT;
	const char *argv[] = { "openssl", "x509", "-inform", "DER", "-in", path, "-noout", "-text", NULL };
	struct kiln_proc p = KILN_PROC_INIT;

	p.argv = argv;
	p.capture = &out;
	if (!kiln_proc_have("openssl")) {
		print_message("no openssl program: the certificate's text was not looked at\n");
	} else {
		assert_int_equal(kiln_proc_run(&p, NULL), 0);
		assert_non_null(strstr(kiln_buf_str(&out), "Public-Key: (3072 bit)"));
		assert_non_null(strstr(kiln_buf_str(&out), "CA:FALSE"));
		assert_non_null(strstr(kiln_buf_str(&out), "Code Signing, 1.3.6.1.4.1.2312.16.1.2"));
	}
	kiln_key_done(&key);
	kiln_ctx_free(ctx);
}

static void assert_no_key(struct kiln_ctx *ctx, const struct kiln_key_place *at, const char *pin, const char *text)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	struct kiln_key key;

	assert_true(kiln_key_load(ctx, at, pin, &key, &err) < 0);
	if (!strstr(kiln_err_text(&err), text))
		fail_msg("\"%s\" is not in \"%s\"", text, kiln_err_text(&err));
	assert_null(key.certificate);
	assert_null(key.secret);
}

static void test_keys_that_cannot_be_used(void **state)
{
	struct unit_root *root = *state;
	struct kiln_ctx *ctx = context(root);
	struct kiln_key one = make(ctx, &place), two = make(ctx, &other);
	struct kiln_key_place mixed = { place.key, other.certificate, false };
	struct kiln_key_place junk = { (char *)"/keys/junk", other.certificate, false };

	unit_write(root, "keys/junk", "-----BEGIN PRIVATE KEY-----\nbm8=\n-----END PRIVATE KEY-----\n");
	assert_no_key(ctx, &mixed, NULL, "does not belong to the key /keys/one.key");
	assert_no_key(ctx, &junk, NULL, "/keys/junk is no private key");
	junk.certificate = (char *)"/keys/junk";
	assert_no_key(ctx, &junk, NULL, "/keys/junk is no certificate");
	junk.certificate = (char *)"/keys/absent";
	assert_no_key(ctx, &junk, NULL, "cannot read the certificate /keys/absent");
	junk = (struct kiln_key_place){ (char *)"pkcs11:object=none?pin-value=secret", other.certificate, false };
	assert_no_key(ctx, &junk, NULL, "the key pkcs11:object=none cannot be used");
	kiln_key_done(&one);
	kiln_key_done(&two);
	kiln_ctx_free(ctx);
}

/* Nobody is asked: stdin of a transaction is nobody's. */
static void test_passphrase(void **state)
{
	struct unit_root *root = *state;
	struct kiln_ctx *ctx = context(root);
	struct kiln_key key = make(ctx, &place);
	_cleanup_(freep) char *from = kiln_strf("%s/keys/one.key", root->path), *to = kiln_strf("%s/keys/locked", root->path);
	const char *argv[] = { "openssl", "pkcs8", "-topk8", "-in", from, "-out", to, "-passout", "pass:open sesame", NULL };
	struct kiln_key_place locked = { (char *)"/keys/locked", place.certificate, false };

	kiln_key_done(&key);
	if (!kiln_proc_have("openssl")) {
		print_message("no openssl program: a key with a passphrase was not tried\n");
	} else {
		run(argv, 0);
		assert_no_key(ctx, &locked, NULL, "has a passphrase; put it into a file");
		assert_no_key(ctx, &locked, "wrong", "open the key");
		assert_int_equal(kiln_key_load(ctx, &locked, "open sesame", &key, NULL), 0);
		kiln_key_done(&key);
	}
	kiln_ctx_free(ctx);
}

/* Configured for transactions, where there is no environment; a file that others can read is no secret. */
static void test_pin_file(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	_cleanup_(kiln_pin_freep) char *pin = NULL;
	struct kiln_ctx *ctx;

	unit_write(root, "etc/dkms/framework.conf", "mok_pin_file=/keys/pin\n");
	unit_write(root, "keys/pin", "5678 9\nnothing\n");
	ctx = context(root);
	assert_int_equal(fchmodat(root->fd, "keys/pin", 0640, 0), 0);
	assert_true(kiln_pin_find(ctx, &pin, &err) < 0);
	assert_non_null(strstr(kiln_err_text(&err), "chmod 600 /keys/pin"));
	assert_int_equal(fchmodat(root->fd, "keys/pin", 0600, 0), 0);
	assert_int_equal(kiln_pin_find(ctx, &pin, NULL), 0);
	assert_string_equal(pin, "5678 9");
	kiln_pin_freep(&pin);
	setenv("KBUILD_SIGN_PIN", "before", 1);
	assert_int_equal(kiln_pin_find(ctx, &pin, NULL), 0);
	assert_string_equal(pin, "before");
	unsetenv("KBUILD_SIGN_PIN");
	kiln_pin_freep(&pin);
	assert_int_equal(unlinkat(root->fd, "keys/pin", 0), 0);
	assert_true(kiln_pin_find(ctx, &pin, &err) < 0);
	assert_non_null(strstr(kiln_err_text(&err), "cannot read /keys/pin"));
	kiln_ctx_free(ctx);
}

/* ---- signatures ---- */

/* A module of some length that no block size divides. */
static void write_module(const struct unit_root *root, const char *path)
{
	_cleanup_(kiln_buf_free) struct kiln_buf text = KILN_BUF_INIT;

	for (int i = 0; i < 3000; i++)
		kiln_buf_addf(&text, "line %d of a module\n", i * 7919 % 3001);
	unit_write(root, path, kiln_buf_str(&text));
}

static void test_signature(void **state)
{
	struct unit_root *root = *state;
	struct kiln_ctx *ctx = context(root);
	struct kiln_key one = make(ctx, &place), two = make(ctx, &other);
	_cleanup_(freep) char *module = NULL, *signer = NULL, *name = kiln_key_name(&one);
	size_t len, plain;

	write_module(root, MODULE);
	read_module(root, MODULE, &module, &plain);
	assert_int_equal(kiln_sign_check(&one, module, plain, NULL), -ENODATA);
	assert_int_equal(kiln_sign_signer(module, plain, &signer), -ENODATA);
	free(module);
	assert_int_equal(kiln_sign_file(&one, "sha256", root->fd, MODULE, NULL), 0);
	read_module(root, MODULE, &module, &len);
	assert_true(len > plain + sizeof(struct kiln_sig_trailer));
	assert_int_equal(kiln_sign_check(&one, module, len, NULL), 0);
	assert_int_equal(kiln_sign_check(&two, module, len, NULL), -EKEYREJECTED);
	assert_int_equal(kiln_sign_signer(module, len, &signer), 0);
	assert_string_equal(signer, name);
	/* Any byte of the module, of the message, of the trailer. */
	for (size_t at = 5; at < len - strlen(KILN_SIG_MAGIC); at += 1999) {
		module[at] ^= 1;
		assert_int_equal(kiln_sign_check(&one, module, len, NULL), -EKEYREJECTED);
		module[at] ^= 1;
	}
	assert_int_equal(kiln_sign_check(&one, module, len, NULL), 0);
	kiln_key_done(&one);
	kiln_key_done(&two);
	kiln_ctx_free(ctx);
}

static void test_trailers_that_lie(void **state)
{
	struct unit_root *root = *state;
	struct kiln_ctx *ctx = context(root);
	struct kiln_key key = make(ctx, &place);
	size_t magic = strlen(KILN_SIG_MAGIC), len = sizeof(struct kiln_sig_trailer) + magic + 100;
	_cleanup_(freep) char *data = calloc(1, len), *signer = NULL;
	struct kiln_sig_trailer t = { .id_type = KILN_SIG_PKCS7 };

	memcpy(data + len - magic, KILN_SIG_MAGIC, magic);
	for (uint32_t size = 0; size < 200; size++) {
		t.sig_len = htobe32(size < 150 ? size : 0u - size);
		memcpy(data + 100, &t, sizeof(t));
		assert_int_equal(kiln_sign_check(&key, data, len, NULL), -EKEYREJECTED);
		assert_int_equal(kiln_sign_signer(data, len, &signer), -EBADMSG);
	}
	for (size_t n = magic; n < magic + 14; n++)
		assert_int_equal(kiln_sign_check(&key, data + len - n, n, NULL), n > magic ? -EKEYREJECTED : -ENODATA);
	kiln_key_done(&key);
	kiln_ctx_free(ctx);
}

/* A compressed file is checked for what the kernel will have in memory. */
static void test_compressed(void **state)
{
	static const char *const files[] = { [KILN_GZIP] = MODULE ".gz", [KILN_XZ] = MODULE ".xz", [KILN_ZSTD] = MODULE ".zst" };
	struct unit_root *root = *state;
	struct kiln_ctx *ctx = context(root);
	struct kiln_key key = make(ctx, &place);

	for (enum kiln_compression c = KILN_GZIP; c <= KILN_ZSTD; c++) {
		_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
		_cleanup_(freep) char *packed = NULL, *cut = NULL;
		size_t len, n;

		write_module(root, MODULE);
		assert_int_equal(kiln_sign_file(&key, "sha512", root->fd, MODULE, NULL), 0);
		assert_int_equal(kiln_ko_compress(root->fd, MODULE, c, NULL, NULL), 0);
		if (kiln_sign_check_file(&key, root->fd, files[c], &err) < 0)
			fail_msg("%s: %s", files[c], kiln_err_text(&err));
		read_module(root, files[c], &packed, &len);
		assert_int_equal(kiln_fs_replace(root->fd, "cut", packed, len / 2, 0644), 0);
		assert_int_equal(kiln_ko_read(root->fd, "cut", &cut, &n), -EBADMSG);
		assert_null(cut);
	}
	kiln_key_done(&key);
	kiln_ctx_free(ctx);
}

/* ---- the kernel's own program ---- */

static void find_programs(glob_t *found)
{
	const char *cache = getenv("MODKILN_CACHE");
	_cleanup_(freep) char *below = kiln_strf("%s/tree/*/usr/lib/linux-kbuild-*/scripts/sign-file",
						 cache ? cache : "/var/cache/modkiln");

	glob("/usr/lib/linux-kbuild-*/scripts/sign-file", 0, NULL, found);
	glob("/usr/src/kernels/*/scripts/sign-file", GLOB_APPEND, NULL, found);
	glob(below, GLOB_APPEND, NULL, found);
}

/* -1: it does not run here. */
static int sign_by(const struct unit_root *root, const char *program, const char *hash)
{
	_cleanup_(freep) char *key = kiln_strf("%s/keys/one.key", root->path), *cert = kiln_strf("%s/keys/one.pub", root->path);
	_cleanup_(freep) char *file = kiln_strf("%s/" MODULE, root->path);
	const char *argv[] = { program, hash, key, cert, file, NULL };
	struct kiln_proc p = KILN_PROC_INIT;

	p.argv = argv;
	write_module(root, MODULE);
	return kiln_proc_run(&p, NULL) == 0 ? 0 : -1;
}

static int compare_with(const struct unit_root *root, const struct kiln_key *key, const char *program)
{
	static const char *const hashes[] = { "sha1", "sha256", "sha384", "sha512" };

	for (size_t i = 0; i < ARRAY_SIZE(hashes); i++) {
		_cleanup_(freep) char *theirs = NULL, *ours = NULL;
		size_t n, len;

		if (sign_by(root, program, hashes[i]) < 0)
			return -1;
		read_module(root, MODULE, &theirs, &n);
		write_module(root, MODULE);
		assert_int_equal(kiln_sign_file(key, hashes[i], root->fd, MODULE, NULL), 0);
		read_module(root, MODULE, &ours, &len);
		assert_int_equal(n, len);
		assert_memory_equal(theirs, ours, n);
	}
	return 0;
}

static void test_same_bytes_as_sign_file(void **state)
{
	struct unit_root *root = *state;
	struct kiln_ctx *ctx = context(root);
	struct kiln_key key = make(ctx, &place);
	glob_t found = { 0 };
	size_t compared = 0;

	find_programs(&found);
	for (size_t i = 0; i < found.gl_pathc; i++)
		compared += compare_with(root, &key, found.gl_pathv[i]) == 0;
	print_message("compared with %zu of %zu sign-file programs\n", compared, found.gl_pathc);
	globfree(&found);
	kiln_key_done(&key);
	kiln_ctx_free(ctx);
	if (!compared)
		skip();
}

/* ---- a key in a token ---- */

/* MODKILN_SOFTHSM: where SoftHSM and OpenSSL's engine are unpacked, if they are not installed. */
static char *softhsm(const char *path)
{
	const char *prefix = getenv("MODKILN_SOFTHSM");
	_cleanup_(freep) char *whole = kiln_strf("%s%s", prefix ? prefix : "", path);

	return access(whole, R_OK) < 0 ? NULL : TAKE_PTR(whole);
}

/* A token "ground" with PIN 5678, which has the key of place as "k". */
static void make_token(const struct unit_root *root, const char *util, const char *library)
{
	_cleanup_(freep) char *conf = kiln_strf("%s/softhsm.conf", root->path), *key = kiln_strf("%s/keys/one.key", root->path);
	_cleanup_(freep) char *text = kiln_strf("directories.tokendir = %s/tokens\n", root->path);
	const char *init[] = { util, "--module", library, "--init-token", "--free", "--label", "ground", "--so-pin", "1234",
			       "--pin", "5678", NULL };
	const char *import[] = { util, "--module", library, "--import", key, "--token", "ground", "--label", "k", "--id", "a1",
				 "--pin", "5678", NULL };

	unit_dir(root, "tokens");
	unit_write(root, "softhsm.conf", text);
	setenv("SOFTHSM2_CONF", conf, 1);
	run(init, 0);
	run(import, 0);
}

static void test_token(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(freep) char *util = softhsm("/usr/bin/softhsm2-util"), *library = softhsm("/usr/lib/softhsm/libsofthsm2.so");
	_cleanup_(freep) char *by_file = NULL, *by_token = NULL;
	struct kiln_key_place at = { (char *)"pkcs11:token=ground;object=k;type=private", place.certificate, true };
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	struct kiln_ctx *ctx = context(root);
	struct kiln_key key = make(ctx, &place), token;
	size_t n, len;

	if (!util || !library) {
		print_message("no softhsm2: a key in a token was not tried\n");
		kiln_key_done(&key);
		kiln_ctx_free(ctx);
		skip();
	}
	make_token(root, util, library);
	assert_no_key(ctx, &at, NULL, "cannot be used");
	if (kiln_key_load(ctx, &at, "5678", &token, &err) < 0)
		fail_msg("%s", kiln_err_text(&err));
	write_module(root, MODULE);
	assert_int_equal(kiln_sign_file(&key, "sha256", root->fd, MODULE, NULL), 0);
	read_module(root, MODULE, &by_file, &n);
	write_module(root, MODULE);
	assert_int_equal(kiln_sign_file(&token, "sha256", root->fd, MODULE, &err), 0);
	read_module(root, MODULE, &by_token, &len);
	assert_int_equal(n, len);
	assert_memory_equal(by_file, by_token, n);
	kiln_key_done(&token);
	kiln_key_done(&key);
	kiln_ctx_free(ctx);
}

/* ---- trust ---- */

static void add_list(struct kiln_buf *to, const unsigned char type[16], const void *data, size_t n)
{
	static const unsigned char owner[16] = "an owner";
	uint32_t sizes[3] = { htole32((uint32_t)(28 + 16 + n)), 0, htole32((uint32_t)(16 + n)) };

	kiln_buf_add(to, type, 16);
	kiln_buf_add(to, sizes, sizeof(sizes));
	kiln_buf_add(to, owner, sizeof(owner));
	kiln_buf_add(to, data, n);
}

static void test_lists(void **state)
{
	static const unsigned char x509[16] = { 0xa1, 0x59, 0xc0, 0xa5, 0xe4, 0x94, 0xa7, 0x4a,
						0x87, 0xb5, 0xab, 0x15, 0x5c, 0x2b, 0xf0, 0x72 };
	static const unsigned char sha256[16] = { 0x26, 0x16, 0xc4, 0xc1, 0x4c, 0x50, 0x92, 0x40,
						  0xac, 0xa9, 0x41, 0xf9, 0x36, 0x93, 0x43, 0x28 };
	struct unit_root *root = *state;
	struct kiln_ctx *ctx = context(root);
	struct kiln_key one = make(ctx, &place), two = make(ctx, &other);
	_cleanup_(kiln_buf_free) struct kiln_buf list = KILN_BUF_INIT;
	_cleanup_(freep) char *a = NULL, *b = NULL;
	size_t a_len, b_len, before;

	read_module(root, "keys/one.pub", &a, &a_len);
	read_module(root, "keys/two.pub", &b, &b_len);
	add_list(&list, sha256, a, 32);
	add_list(&list, x509, b, b_len);
	assert_false(kiln_trust_list_has(&one, list.data, list.len));
	assert_true(kiln_trust_list_has(&two, list.data, list.len));
	before = list.len;
	add_list(&list, x509, a, a_len);
	assert_true(kiln_trust_list_has(&one, list.data, list.len));
	for (size_t n = 0; n < list.len; n++) /* cut off anywhere */
		assert_false(kiln_trust_list_has(&one, list.data, n));
	memset(list.data + before + 16, 0, 4); /* a list of no size would be read for ever */
	assert_false(kiln_trust_list_has(&one, list.data, list.len));
	kiln_key_done(&one);
	kiln_key_done(&two);
	kiln_ctx_free(ctx);
}

static void test_keys_of_the_kernel(void **state)
{
	static const unsigned char der[] = {
#include "tests/unit/unit-certificate.h"
	};
	struct unit_root *root = *state;
	struct kiln_ctx *ctx = context(root);
	struct kiln_key key;

	assert_int_equal(kiln_fs_replace(root->fd, "cert", der, sizeof(der), 0644), 0);
	assert_int_equal(kiln_certificate_load(ctx, "/cert", &key, NULL), 0);
	assert_true(kiln_trust_keys_have(&key, "0a I------ 1 perm 1f030000 0 0 asym Some key: 00: X509.rsa 00 []\n"
					       "0b I------ 1 perm 1f030000 0 0 asym unit: " UNIT_CERTIFICATE_ID
					       ": X509.rsa " UNIT_CERTIFICATE_ID " []\n"));
	assert_false(kiln_trust_keys_have(&key, "0a I------ 1 perm 1f030000 0 0 asym Some key: 00: X509.rsa 00 []\n"));
	assert_false(kiln_trust_keys_have(&key, ""));
	kiln_key_done(&key);
	kiln_ctx_free(ctx);
}

/* A machine's answer: what its kernel shows rules, else the lists of the firmware; then what waits in MokNew. */
static void test_asking(void **state)
{
#define EFI "sys/firmware/efi/efivars/"
#define SHIM "-605dab50-e046-4300-abb6-3dd810dd8b23"
	static const unsigned char x509[16] = { 0xa1, 0x59, 0xc0, 0xa5, 0xe4, 0x94, 0xa7, 0x4a,
						0x87, 0xb5, 0xab, 0x15, 0x5c, 0x2b, 0xf0, 0x72 };
	struct unit_root *root = *state;
	struct kiln_ctx *ctx = context(root);
	struct kiln_key key = make(ctx, &place);
	_cleanup_(kiln_buf_free) struct kiln_buf list = KILN_BUF_INIT;
	_cleanup_(freep) char *der = NULL;
	size_t len;

	read_module(root, "keys/one.pub", &der, &len);
	kiln_buf_add(&list, "\7\0\0", 4);
	add_list(&list, x509, der, len);
	unit_dir(root, "sys/firmware/efi/efivars");
	unit_dir(root, "proc");
	assert_int_equal(kiln_trust_ask(root->fd, &key), KILN_UNTRUSTED);
	assert_int_equal(kiln_fs_replace(root->fd, EFI "MokNew" SHIM, list.data, list.len, 0644), 0);
	assert_int_equal(kiln_trust_ask(root->fd, &key), KILN_TRUST_PENDING);
	assert_int_equal(kiln_fs_replace(root->fd, EFI "MokListRT" SHIM, list.data, list.len, 0644), 0);
	assert_int_equal(kiln_trust_ask(root->fd, &key), KILN_TRUSTED);
	/* Without Secure Boot a kernel takes no key from there. */
	unit_write(root, "proc/keys", "0a I------ 1 perm 1f030000 0 0 asym Its own: 00: X509.rsa 00 []\n");
	assert_int_equal(kiln_trust_ask(root->fd, &key), KILN_TRUST_PENDING);
	kiln_key_done(&key);
	kiln_ctx_free(ctx);
}

/* ---- where keys may be made ---- */

static void test_no_key_for_another_root(void **state)
{
	struct unit_root *root = *state;
	struct kiln_ctx *ctx = context(root);
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	_cleanup_(kiln_signing_done) struct kiln_signing s = { 0 };

	assert_int_equal(kiln_mok_make(ctx, &err), -KILN_E_ARGUMENT);
	assert_non_null(strstr(kiln_err_text(&err), "another root directory"));
	assert_false(kiln_fs_exists(root->fd, "var/lib/dkms/mok.key"));
	assert_int_equal(kiln_signing_load(ctx, "6.1.0", &s, NULL), 0);
	assert_string_equal(s.why_not, "there is no key /var/lib/dkms/mok.key");
	kiln_ctx_free(ctx);
}

static void test_configured_places(void **state)
{
	struct unit_root *root = *state;
	_cleanup_(kiln_key_place_done) struct kiln_key_place at = { 0 };
	_cleanup_(kiln_signing_done) struct kiln_signing s = { 0 };
	struct kiln_ctx *ctx;
	struct kiln_key key;

	unit_write(root, "etc/dkms/framework.conf", "mok_signing_key='/keys/${kernelver}.key'\nmok_certificate=/keys/one.pub\n"
						    "try_sign_modules=true\n");
	ctx = context(root);
	assert_int_equal(kiln_key_place_find(ctx, "one", &at), 0);
	assert_string_equal(at.key, "/keys/one.key");
	assert_true(at.configured);
	assert_true(kiln_signing_wished(ctx));
	key = make(ctx, &place);
	assert_int_equal(kiln_signing_load(ctx, "one", &s, NULL), 0);
	assert_null(s.why_not);
	assert_non_null(s.signer);
	assert_int_equal(s.trust, KILN_TRUST_UNKNOWN);
	kiln_key_done(&key);
	kiln_ctx_free(ctx);
}

static void test_policy(void **state)
{
	static const struct {
		const char *line;
		bool wished;
	} cases[] = { { "", true }, { "try_sign_modules=true\n", true }, { "try_sign_modules=false\n", false },
		      { "try_sign_modules=not_in_chroot\n", false } };
	struct unit_root *root = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct kiln_ctx *ctx;

		unit_write(root, "etc/dkms/framework.conf", cases[i].line);
		ctx = context(root);
		assert_int_equal(kiln_signing_wished(ctx), cases[i].wished);
		kiln_ctx_free(ctx);
	}
}

/* Of what OpenSSL keeps for itself (fetched algorithms), its own clean-up at exit loses some. */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libcrypto.so\n";
}

int main(void)
{
	_cleanup_(freep) char *library = softhsm("/usr/lib/softhsm/libsofthsm2.so");
	const struct CMUnitTest tests[] = {
		unit_test_with_root(test_key),
		unit_test_with_root(test_certificate_says_what_it_is_for),
		unit_test_with_root(test_keys_that_cannot_be_used),
		unit_test_with_root(test_passphrase),
		unit_test_with_root(test_pin_file),
		unit_test_with_root(test_signature),
		unit_test_with_root(test_trailers_that_lie),
		unit_test_with_root(test_compressed),
		unit_test_with_root(test_same_bytes_as_sign_file),
		unit_test_with_root(test_token),
		unit_test_with_root(test_lists),
		unit_test_with_root(test_keys_of_the_kernel),
		unit_test_with_root(test_asking),
		unit_test_with_root(test_no_key_for_another_root),
		unit_test_with_root(test_configured_places),
		unit_test_with_root(test_policy),
	};

	if (library) /* the engine asks once in a process */
		setenv("PKCS11_MODULE_PATH", library, 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
