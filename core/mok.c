/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which key signs here, whether one may be made, and what an administrator has
 * to know about it.  A key belongs to one machine: one that was made in a chroot,
 * a container or an image build would be shipped to all who get the image.
 */
#include "core/mok.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

/* ---- where the key is ---- */

/* A setting with $kernelver and ${kernelver} filled in. */
char *kiln_setting_expand(const char *raw, const char *release)
{
	static const char *const names[] = { "${kernelver}", "$kernelver" };
	_cleanup_(kiln_buf_free) struct kiln_buf text = KILN_BUF_INIT;
	char *ret;

	while (*raw) {
		size_t skip = kiln_text_starts(raw, names[0]) ? strlen(names[0]) :
			      kiln_text_starts(raw, names[1]) ? strlen(names[1]) : 0;

		if (skip && release)
			kiln_buf_adds(&text, release);
		else
			kiln_buf_addc(&text, *raw);
		raw += skip && release ? skip : 1;
	}
	return kiln_buf_steal(&text, &ret) < 0 ? NULL : ret;
}

static char *setting_or(const char *setting, const char *release, const char *usual)
{
	return setting && *setting ? kiln_setting_expand(setting, release) : strdup(usual);
}

int kiln_key_place_find(const struct kiln_ctx *ctx, const char *release, struct kiln_key_place *ret)
{
	const struct kiln_settings *set = &ctx->settings;
	bool ubuntu = ctx->distro.id && kiln_text_starts(ctx->distro.id, "ubuntu");

	*ret = (struct kiln_key_place){
		.key = setting_or(set->mok_signing_key, release,
				  ubuntu ? "/var/lib/shim-signed/mok/MOK.priv" : "/var/lib/dkms/mok.key"),
		.certificate = setting_or(set->mok_certificate, release,
					  ubuntu ? "/var/lib/shim-signed/mok/MOK.der" : "/var/lib/dkms/mok.pub"),
		.configured = set->mok_signing_key && *set->mok_signing_key,
	};
	if (ret->key && ret->certificate)
		return 0;
	kiln_key_place_done(ret);
	return -ENOMEM;
}

static bool there(const struct kiln_ctx *ctx, const char *path)
{
	_cleanup_(closep) int fd = kiln_ctx_open(ctx, path, O_PATH);

	return fd >= 0;
}

int kiln_key_place_check(const struct kiln_ctx *ctx, const struct kiln_key_place *at, struct kiln_err *err)
{
	bool key = kiln_key_is_token(at->key) || there(ctx, at->key), certificate = there(ctx, at->certificate);

	if (key && certificate)
		return 0;
	if (!key && !certificate)
		return kiln_fail(err, -ENOKEY, "there is no key %s", at->key);
	return kiln_fail(err, -ENOKEY, "%s is there, but %s is not", key ? at->key : at->certificate,
			 key ? at->certificate : at->key);
}

bool kiln_signing_wished(const struct kiln_ctx *ctx)
{
	const char *word = ctx->settings.try_sign_modules;

	if (!word || !strcmp(word, "true"))
		return true;
	return !strcmp(word, "not_in_chroot") && !ctx->not_a_machine;
}

/* ---- what this root is ---- */

/* Inode numbers of the namespaces that a kernel starts with: include/linux/proc_ns.h. */
enum { FIRST_USER_NS = 0xeffffffd, FIRST_PID_NS = 0xeffffffc };

static bool in_namespace(const char *path, unsigned long inode)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_ino == inode;
}

static bool same_root_as_init(void)
{
	struct stat a, b;

	return stat("/", &a) == 0 && stat("/proc/1/root/", &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static bool container_says_so(void)
{
	static const char *const marks[] = { "/run/systemd/container", "/run/.containerenv", "/.dockerenv", NULL };

	for (const char *const *m = marks; *m; m++)
		if (kiln_fs_exists(AT_FDCWD, *m))
			return true;
	return getenv("container") != NULL;
}

/* systemd fills it in at the first boot; who makes an image to be copied empties it. */
static bool never_started(void)
{
	_cleanup_(freep) char *id = NULL;

	return kiln_fs_read(AT_FDCWD, "/etc/machine-id", 4096, &id, NULL) >= 0 &&
	       (!*id || *id == '\n' || kiln_text_starts(id, "uninitialized"));
}

const char *kiln_not_a_machine(const char *root_path)
{
	if (*root_path)
		return "another root directory";
	if (getenv("FAKECHROOT"))
		return "a fakechroot";
	if (!kiln_fs_exists(AT_FDCWD, "/proc/self/ns"))
		return "a root directory without /proc";
	if (!in_namespace("/proc/self/ns/user", FIRST_USER_NS) || !in_namespace("/proc/self/ns/pid", FIRST_PID_NS) ||
	    container_says_so())
		return "a container";
	if (!same_root_as_init())
		return "a chroot";
	return never_started() ? "an image that was not started yet" : NULL;
}

/* ---- whether it must be ---- */

/* "none [integrity] confidentiality" */
static bool locked_down(void)
{
	_cleanup_(closep) int fd = open("/sys/kernel/security/lockdown", O_RDONLY | O_CLOEXEC);
	char text[128] = "";

	return fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 && !strstr(text, "[none]");
}

static bool told_at_boot(void)
{
	_cleanup_(closep) int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	char text[4096] = " ";
	const char *word;

	if (fd < 0 || read(fd, text + 1, sizeof(text) - 2) <= 0)
		return false;
	word = strstr(text, " module.sig_enforce");
	word = word ? word + strlen(" module.sig_enforce") : "=0";
	return !*word || strchr(" \n", *word) || (*word == '=' && strchr("1yY", word[1]) && word[1]);
}

bool kiln_signing_enforced(struct kiln_ctx *ctx, const struct kiln_kernel *kernel)
{
	if (kernel && kiln_kernel_config_has(ctx, kernel, "CONFIG_MODULE_SIG_FORCE"))
		return true;
	return !ctx->not_a_machine && (locked_down() || told_at_boot());
}

/* ---- the state of it all, in words ---- */

static int ask_trust(struct kiln_ctx *ctx, const struct kiln_key *k, struct kiln_signing *ret)
{
	ret->signer = kiln_key_name(k);
	ret->fingerprint = kiln_key_fingerprint(k);
	ret->trust = ctx->not_a_machine ? KILN_TRUST_UNKNOWN : kiln_trust_ask(ctx->root, k);
	if (ret->trust == KILN_UNTRUSTED)
		ret->next = kiln_strf("run \"mokutil --import %s\", restart, and enrol it in the MOK manager", ret->certificate);
	else if (ret->trust == KILN_TRUST_PENDING)
		ret->next = strdup("restart, and enrol it in the MOK manager");
	if (ret->next)
		ret->advice = kiln_strf("modules are signed by \"%s\", which this machine does not trust%s: %s", ret->signer,
					ret->trust == KILN_TRUST_PENDING ? " yet" : "", ret->next);
	return ret->signer && ret->fingerprint ? 0 : -ENOMEM;
}

/* A program may have a key that we cannot open: then only the certificate is looked at. */
static int load(struct kiln_ctx *ctx, const struct kiln_key_place *at, struct kiln_key *k, struct kiln_err *err)
{
	const struct kiln_settings *set = &ctx->settings;
	_cleanup_(kiln_pin_freep) char *pin = NULL;
	int r;

	if ((set->sign_file && *set->sign_file) || (set->sign_tool && *set->sign_tool))
		return kiln_certificate_load(ctx, at->certificate, k, err);
	r = kiln_pin_find(ctx, &pin, err);
	return r < 0 ? r : kiln_key_load(ctx, at, pin, k, err);
}

static int look(struct kiln_ctx *ctx, const struct kiln_key_place *at, struct kiln_signing *ret, struct kiln_err *err)
{
	_cleanup_(kiln_key_done) struct kiln_key k = { 0 };
	int r;

	if (!kiln_signing_wished(ctx))
		return kiln_fail(err, -ENOKEY, "try_sign_modules=%s in framework.conf", ctx->settings.try_sign_modules);
	r = kiln_key_place_check(ctx, at, err);
	if (r >= 0)
		r = load(ctx, at, &k, err);
	return r < 0 ? r : ask_trust(ctx, &k, ret);
}

static int look_at_certificate(struct kiln_ctx *ctx, const struct kiln_key_place *at, struct kiln_signing *ret,
			       struct kiln_err *err)
{
	_cleanup_(kiln_key_done) struct kiln_key k = { 0 };
	int r = kiln_certificate_load(ctx, at->certificate, &k, err);

	return r < 0 ? r : ask_trust(ctx, &k, ret);
}

typedef int look_fn(struct kiln_ctx *ctx, const struct kiln_key_place *at, struct kiln_signing *ret, struct kiln_err *err);

static int ask(struct kiln_ctx *ctx, const char *release, look_fn *fn, struct kiln_signing *ret, struct kiln_err *err)
{
	_cleanup_(kiln_key_place_done) struct kiln_key_place at = { 0 };
	_cleanup_(kiln_err_clear) struct kiln_err why = KILN_ERR_INIT;
	int r = kiln_key_place_find(ctx, release, &at);

	*ret = (struct kiln_signing){ 0 };
	if (r < 0)
		return kiln_fail(err, r, "out of memory");
	ret->key = strdup(at.key);
	ret->certificate = strdup(at.certificate);
	ret->enforced = kiln_signing_enforced(ctx, NULL);
	r = fn(ctx, &at, ret, &why);
	if (r < 0)
		ret->why_not = strdup(kiln_err_text(&why));
	return 0;
}

int kiln_signing_load(struct kiln_ctx *ctx, const char *release, struct kiln_signing *ret, struct kiln_err *err)
{
	return ask(ctx, release, look, ret, err);
}

int kiln_signing_of_certificate(struct kiln_ctx *ctx, const char *release, struct kiln_signing *ret, struct kiln_err *err)
{
	return ask(ctx, release, look_at_certificate, ret, err);
}

void kiln_signing_done(struct kiln_signing *s)
{
	free(s->key);
	free(s->certificate);
	free(s->signer);
	free(s->fingerprint);
	free(s->why_not);
	free(s->advice);
	free(s->next);
	*s = (struct kiln_signing){ 0 };
}

/* ---- making it ---- */

/* As kiln_mok_check(). */
static int may_make(struct kiln_ctx *ctx, const struct kiln_key_place *at, struct kiln_err *err)
{
	if (kiln_key_place_check(ctx, at, NULL) >= 0)
		return 0;
	if (kiln_key_is_token(at->key))
		return kiln_fail(err, -KILN_E_ARGUMENT, "the key of mok_signing_key is in a token, where only its own "
				 "tools make keys; put its certificate into %s", at->certificate);
	if (ctx->not_a_machine)
		return kiln_fail(err, -KILN_E_ARGUMENT, "this is %s, and a key belongs to one machine: make it there, or "
				 "name one with mok_signing_key in /etc/dkms/framework.conf", ctx->not_a_machine);
	return 1;
}

int kiln_mok_check(struct kiln_ctx *ctx, struct kiln_err *err)
{
	_cleanup_(kiln_key_place_done) struct kiln_key_place at = { 0 };
	int r = kiln_key_place_find(ctx, NULL, &at);

	return r < 0 ? kiln_fail(err, r, "out of memory") : may_make(ctx, &at, err);
}

int kiln_mok_make(struct kiln_ctx *ctx, struct kiln_err *err)
{
	_cleanup_(kiln_key_place_done) struct kiln_key_place at = { 0 };
	int r = kiln_key_place_find(ctx, NULL, &at);

	if (r < 0)
		return kiln_fail(err, r, "out of memory");
	r = may_make(ctx, &at, err);
	return r > 0 ? kiln_key_make(ctx, &at, err) : r;
}

static void make_if_missing(struct kiln_ctx *ctx)
{
	_cleanup_(kiln_key_place_done) struct kiln_key_place at = { 0 };
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;

	if (kiln_key_place_find(ctx, NULL, &at) < 0 || at.configured || ctx->not_a_machine ||
	    there(ctx, at.key) || there(ctx, at.certificate))
		return;
	if (kiln_key_make(ctx, &at, &err) < 0)
		kiln_log(ctx, KILN_LOG_WARNING, "%s", kiln_err_text(&err));
	else
		kiln_log(ctx, KILN_LOG_NOTICE, "made the key %s to sign modules with; where Secure Boot is on, run "
			 "\"mokutil --import %s\" once", at.key, at.certificate);
}

void kiln_signing_prepare(struct kiln_ctx *ctx, const struct kiln_kernel *kernel)
{
	_cleanup_(kiln_signing_done) struct kiln_signing s = { 0 };
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	bool enforced = kiln_signing_enforced(ctx, kernel);

	if (kiln_signing_wished(ctx))
		make_if_missing(ctx);
	if (kiln_signing_load(ctx, kernel->release, &s, &err) < 0)
		return;
	if (s.why_not)
		kiln_log(ctx, enforced ? KILN_LOG_WARNING : KILN_LOG_INFO, "modules stay unsigned%s: %s",
			 enforced ? ", and this system loads only signed ones" : "", s.why_not);
	else if (s.advice && enforced)
		kiln_log(ctx, KILN_LOG_WARNING, "%s", s.advice);
}
