/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Content hashes and comparison: how a record knows that a source, a kernel's
 * headers or an installed module is still the one it was.
 */
#include "core/base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/cleanup.h"

static void digest_free(EVP_MD_CTX **ctx)
{
	EVP_MD_CTX_free(*ctx);
}

static EVP_MD_CTX *digest_new(void)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1)
		return ctx;
	EVP_MD_CTX_free(ctx);
	return NULL;
}

static int digest_hex(EVP_MD_CTX *ctx, char ret[KILN_HASH_SIZE])
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (EVP_DigestFinal_ex(ctx, sum, &n) != 1 || n * 2 + 1 != KILN_HASH_SIZE)
		return -EIO;
	for (unsigned i = 0; i < n; i++)
		snprintf(ret + i * 2, 3, "%02x", sum[i]);
	return 0;
}

static int digest_fd(EVP_MD_CTX *ctx, int fd)
{
	char chunk[65536];
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk)))) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (EVP_DigestUpdate(ctx, chunk, (size_t)n) != 1)
			return -EIO;
	}
	return 0;
}

int kiln_fs_hash_opened(int fd, char ret[KILN_HASH_SIZE])
{
	_cleanup_(digest_free) EVP_MD_CTX *ctx = digest_new();
	int r;

	if (!ctx)
		return -ENOMEM;
	r = digest_fd(ctx, fd);
	return r < 0 ? r : digest_hex(ctx, ret);
}

int kiln_fs_hash_file(int dir, const char *path, char ret[KILN_HASH_SIZE])
{
	_cleanup_(closep) int fd = kiln_fs_open_file(dir, path, 0);

	return fd < 0 ? fd : kiln_fs_hash_opened(fd, ret);
}

void kiln_hash_bytes(const void *data, size_t n, char ret[KILN_HASH_SIZE])
{
	_cleanup_(digest_free) EVP_MD_CTX *ctx = digest_new();

	/* Without memory for a digest, an all-zero one equals no real one. */
	if (!ctx || EVP_DigestUpdate(ctx, data, n) != 1 || digest_hex(ctx, ret) < 0)
		snprintf(ret, KILN_HASH_SIZE, "%064d", 0);
}

/* One line for each entry: type and mode, hash of content or target, path with its NUL. */
static int hash_entry(void *data, int dir, const char *name, const char *path, const struct stat *st)
{
	_cleanup_(freep) char *target = NULL;
	_cleanup_(closep) int fd = -1;
	char sum[KILN_HASH_SIZE] = "-", line[KILN_HASH_SIZE + 16];
	int n, r = 0;

	if (S_ISREG(st->st_mode)) {
		fd = kiln_fs_open_file(dir, name, O_NOFOLLOW);
		r = fd < 0 ? fd : kiln_fs_hash_opened(fd, sum);
	} else if (S_ISLNK(st->st_mode)) {
		r = kiln_fs_read_link(dir, name, &target);
		if (r == 0)
			kiln_hash_bytes(target, strlen(target), sum);
	}
	if (r < 0)
		return r;
	n = snprintf(line, sizeof(line), "%06o %s ", (unsigned)st->st_mode, sum);
	if (EVP_DigestUpdate(data, line, (size_t)n) != 1 || EVP_DigestUpdate(data, path, strlen(path) + 1) != 1)
		return -EIO;
	return 0;
}

int kiln_fs_hash_tree(int dir, const char *path, char ret[KILN_HASH_SIZE])
{
	_cleanup_(digest_free) EVP_MD_CTX *ctx = digest_new();
	int r;

	if (!ctx)
		return -ENOMEM;
	r = kiln_fs_walk(dir, path, hash_entry, ctx);
	return r < 0 ? r : digest_hex(ctx, ret);
}

/* read() until the chunk is full or the file ends. */
static ssize_t read_full(int fd, char *chunk, size_t size)
{
	size_t have = 0;

	while (have < size) {
		ssize_t n = read(fd, chunk + have, size - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		have += (size_t)n;
	}
	return (ssize_t)have;
}

static int same_content(int a, int b)
{
	char chunk_a[32768], chunk_b[32768];
	ssize_t n, m;

	do {
		n = read_full(a, chunk_a, sizeof(chunk_a));
		m = read_full(b, chunk_b, sizeof(chunk_b));
		if (n < 0 || m < 0)
			return (int)(n < 0 ? n : m);
		if (n != m || memcmp(chunk_a, chunk_b, (size_t)n))
			return 0;
	} while (n);
	return 1;
}

int kiln_fs_same(int a_dir, const char *a, int b_dir, const char *b)
{
	_cleanup_(closep) int fd_a = kiln_fs_open_file(a_dir, a, 0);
	_cleanup_(closep) int fd_b = kiln_fs_open_file(b_dir, b, 0);
	struct stat st_a, st_b;

	if (fd_a == -ENOENT || fd_b == -ENOENT)
		return 0;
	if (fd_a < 0 || fd_b < 0)
		return fd_a < 0 ? fd_a : fd_b;
	if (fstat(fd_a, &st_a) < 0 || fstat(fd_b, &st_b) < 0)
		return -errno;
	if (st_a.st_dev == st_b.st_dev && st_a.st_ino == st_b.st_ino)
		return 1;
	return st_a.st_size == st_b.st_size ? same_content(fd_a, fd_b) : 0;
}
