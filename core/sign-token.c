/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys that never leave a token or an HSM: pkcs11: URIs (RFC 7512), by the
 * provider of OpenSSL 3 where one is installed, else by the older engine, which
 * is what the kernel's sign-file uses.
 */
#include "core/sign.h"

#include <string.h>

#include "core/base/cleanup.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/store.h>
#include <openssl/ui.h>

#ifndef OPENSSL_NO_ENGINE
/* Deprecated for the sake of providers, which Debian 12 does not have for PKCS #11. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#include <openssl/engine.h>
#pragma GCC diagnostic pop
#endif

static int give_pin(char *to, int size, int writing, void *data)
{
	const char *pin = data;
	size_t n = pin ? strlen(pin) : 0;

	(void)writing;
	if (!pin || n >= (size_t)size)
		return -1;
	memcpy(to, pin, n);
	return (int)n;
}

static void method_freep(UI_METHOD **m)
{
	UI_destroy_method(*m);
}

static void store_freep(OSSL_STORE_CTX **s)
{
	OSSL_STORE_close(*s);
}

static EVP_PKEY *by_provider(const char *uri, const char *pin)
{
	_cleanup_(method_freep) UI_METHOD *ui = UI_UTIL_wrap_read_pem_callback(give_pin, 0);
	_cleanup_(store_freep) OSSL_STORE_CTX *store = NULL;
	EVP_PKEY *key = NULL;

	/* Without the default one, which a loaded provider would otherwise replace, nothing can be hashed. */
	if (!OSSL_PROVIDER_available(NULL, "pkcs11") &&
	    (!OSSL_PROVIDER_load(NULL, "default") || !OSSL_PROVIDER_load(NULL, "pkcs11")))
		return NULL;
	store = ui ? OSSL_STORE_open(uri, ui, (void *)pin, NULL, NULL) : NULL;
	if (!store || OSSL_STORE_expect(store, OSSL_STORE_INFO_PKEY) != 1)
		return NULL;
	while (!key && !OSSL_STORE_eof(store)) {
		OSSL_STORE_INFO *info = OSSL_STORE_load(store);

		if (!info)
			break;
		key = OSSL_STORE_INFO_get1_PKEY(info);
		OSSL_STORE_INFO_free(info);
	}
	return key;
}

#ifndef OPENSSL_NO_ENGINE
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
static EVP_PKEY *by_engine(const char *uri, const char *pin)
{
	_cleanup_(method_freep) UI_METHOD *ui = UI_UTIL_wrap_read_pem_callback(give_pin, 0);
	EVP_PKEY *key = NULL;
	ENGINE *engine;

	ENGINE_load_builtin_engines();
	engine = ENGINE_by_id("pkcs11");
	if (!engine || !ui)
		return NULL;
	if (ENGINE_init(engine)) {
		if (!pin || ENGINE_ctrl_cmd_string(engine, "PIN", pin, 0))
			key = ENGINE_load_private_key(engine, uri, ui, (void *)pin);
		ENGINE_finish(engine);
	}
	ENGINE_free(engine);
	return key;
}
#pragma GCC diagnostic pop
#else
static EVP_PKEY *by_engine(const char *uri, const char *pin)
{
	(void)uri;
	(void)pin;
	return NULL;
}
#endif

/* The URI without what would give the PIN away. */
static int shown_length(const char *uri)
{
	return (int)strcspn(uri, "?");
}

/* A provider that is given no PIN would ask on the terminal for one, and wait. */
struct evp_pkey_st *kiln_key_of_token(const char *uri, const char *pin, struct kiln_err *err)
{
	EVP_PKEY *key;
	const char *reason;

	UI_set_default_method(UI_null());
	key = by_provider(uri, pin);
	if (!key)
		key = by_engine(uri, pin);
	reason = ERR_reason_error_string(ERR_peek_last_error());
	if (!key)
		kiln_fail(err, -EKEYREJECTED, "the key %.*s cannot be used: %s; it needs OpenSSL's pkcs11 provider or "
			  "engine, and its PIN in mok_pin_file, in the URI (pin-source) or in KBUILD_SIGN_PIN", shown_length(uri), uri,
			  reason ? reason : "no reason is given");
	ERR_clear_error();
	return key;
}
