/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The result of a job as a value: it owns its strings, and travels from a
 * worker to the engine as bytes that say how long they are.
 */
#include "core/worker.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>

#include "core/base/cleanup.h"

#define NO_STRING UINT32_MAX

/* Both ends are the same program: no byte order, no version. */
struct head {
	uint32_t size; /* of everything, this head included */
	int32_t result, code, status;
};

void kiln_done_clear(struct kiln_done *d)
{
	free(d->text);
	free(d->log);
	free(d->note);
	*d = (struct kiln_done){ .result = KILN_DONE };
}

void kiln_done_fail(struct kiln_done *d, int code, struct kiln_err *err)
{
	d->result = KILN_FAILED;
	d->code = code < 0 ? -code : code;
	free(d->text);
	d->text = err && err->text ? TAKE_PTR(err->text) : strdup(kiln_code_text(code));
	kiln_err_clear(err);
}

int kiln_done_note(char **note, char *sentence)
{
	char *both;

	if (!sentence || !*note) {
		*note = sentence ? sentence : *note;
		return sentence ? 0 : -ENOMEM;
	}
	both = kiln_strf("%s; %s", *note, sentence);
	free(sentence);
	if (!both)
		return -ENOMEM;
	free(*note);
	*note = both;
	return 0;
}

static void pack_string(struct kiln_buf *b, const char *s)
{
	uint32_t n = s ? strlen(s) : NO_STRING;

	kiln_buf_add(b, &n, sizeof(n));
	if (s)
		kiln_buf_add(b, s, n);
}

void kiln_done_pack(const struct kiln_done *d, struct kiln_buf *b)
{
	struct head h = { .result = d->result, .code = d->code, .status = d->status };

	kiln_buf_reset(b);
	kiln_buf_add(b, &h, sizeof(h));
	pack_string(b, d->text);
	pack_string(b, d->log);
	pack_string(b, d->note);
	if (!kiln_buf_ok(b))
		return;
	h.size = b->len;
	memcpy(b->data, &h, sizeof(h));
}

struct reader {
	const char *at;
	size_t left;
};

static bool take(struct reader *r, void *to, size_t n)
{
	if (r->left < n)
		return false;
	memcpy(to, r->at, n);
	r->at += n;
	r->left -= n;
	return true;
}

static int unpack_string(struct reader *r, char **ret)
{
	_cleanup_(freep) char *s = NULL;
	uint32_t n;

	if (!take(r, &n, sizeof(n)))
		return -EBADMSG;
	if (n == NO_STRING)
		return 0;
	if (n > r->left)
		return -EBADMSG;
	s = calloc(1, (size_t)n + 1);
	if (!s)
		return -ENOMEM;
	take(r, s, n);
	*ret = TAKE_PTR(s);
	return 0;
}

bool kiln_done_is_whole(const char *data, size_t len)
{
	struct reader r = { data, len };
	struct head h;

	return take(&r, &h, sizeof(h)) && len >= h.size;
}

int kiln_done_unpack(const char *data, size_t len, struct kiln_done *d)
{
	struct reader r = { data, len };
	struct kiln_done got = { .result = KILN_DONE };
	struct head h;
	int e;

	if (!take(&r, &h, sizeof(h)) || h.size != len)
		return -EBADMSG;
	got.result = h.result;
	got.code = h.code;
	got.status = h.status;
	if ((e = unpack_string(&r, &got.text)) < 0 || (e = unpack_string(&r, &got.log)) < 0 ||
	    (e = unpack_string(&r, &got.note)) < 0 || (e = r.left ? -EBADMSG : 0) < 0) {
		kiln_done_clear(&got);
		return e;
	}
	kiln_done_clear(d);
	*d = got;
	return 0;
}
