/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a signature stands at the end of a module: include/linux/module_signature.h. */
#pragma once

#include <stdint.h>

#define KILN_SIG_MAGIC "~Module signature appended~\n"

enum { KILN_SIG_PKCS7 = 2 };

/* Above what libcrypto's int can say, and what any kernel would load. */
#define KILN_MODULE_MAX (1UL << 30)

struct kiln_sig_trailer {
	uint8_t algo, hash;              /* 0: the message says it */
	uint8_t id_type;
	uint8_t signer_len, key_id_len;  /* 0 */
	uint8_t pad[3];
	uint32_t sig_len;                /* big endian */
};
