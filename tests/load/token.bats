#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A key that never leaves its token: SoftHSM, by the provider of OpenSSL where the
# release has one, else by the engine.  Nobody can be asked for the PIN, so it
# comes from the configuration.

load ../suite/roots

SUITE=${MODKILN_SUITE:-trixie}

setup_file() {
	needs_root
	local sources=$BATS_FILE_TMPDIR/sources root
	export SAID=$BATS_FILE_TMPDIR/said
	two_kernels "$SUITE"
	mkdir -p "$SAID" "$sources/usr/src"
	quiet "$GROUND" module-src kilnpair 1.0 "$sources/usr/src/kilnpair-1.0" >/dev/null
	root=$(ours_root "$SUITE" "$OLD" "$NEW")
	# shellcheck disable=SC2016 # expanded inside
	"$GROUND" run --scratch --bind "$sources:/sources" --bind "$SAID:/said" --env "k=$NEW" "$root" -- bash -ec '
		bridge=pkcs11-provider
		[ -n "$(apt-cache search --names-only "^$bridge\$")" ] || bridge=libengine-pkcs11-openssl
		apt-get install -y -q --no-install-recommends softhsm2 openssl p11-kit p11-kit-modules "$bridge"
		cp -a /sources/. /
		umask 077
		openssl req -new -x509 -nodes -days 2 -subj "/CN=token key" -newkey rsa:2048 -keyout /tmp/key.pem \
			-outform DER -out /etc/dkms/token.der
		softhsm2-util --init-token --free --label ground --so-pin 1234 --pin 5678
		softhsm2-util --import /tmp/key.pem --token ground --label k --id a1 --pin 5678
		rm /tmp/key.pem
		printf "%s\n" "mok_signing_key=\"pkcs11:token=ground;object=k;type=private\"" \
			"mok_certificate=/etc/dkms/token.der" >/etc/dkms/framework.conf.d/token.conf
		try() {
			dkms build kilnpair/1.0 -k "$k" >"/said/$1" 2>&1 </dev/null
			modinfo -F signer /var/lib/dkms/kilnpair/1.0/$k/x86_64/module/kilnfirst.ko* >"/said/$1.signer"
			cat /var/lib/dkms/kilnpair/1.0/$k/x86_64/log/make.log >>"/said/$1"
			dkms unbuild kilnpair/1.0 -k "$k"
		}
		try none
		echo "mok_pin_file=/etc/dkms/pin" >>/etc/dkms/framework.conf.d/token.conf
		echo 1111 >/etc/dkms/pin
		try wrong
		echo 5678 >/etc/dkms/pin
		chmod 644 /etc/dkms/pin
		try open
		chmod 600 /etc/dkms/pin
		try right
		rm /etc/dkms/pin
		sed -i "/mok_pin_file/d" /etc/dkms/framework.conf.d/token.conf
		KBUILD_SIGN_PIN=5678 try environment' >"$BATS_FILE_TMPDIR/log" 2>&1 ||
		{ tail -n 60 "$BATS_FILE_TMPDIR/log" >&2; return 1; }
}

# unsigned NAME TEXT
unsigned() {
	[ -z "$(cat "$SAID/$1.signer")" ]
	grep -F "$2" "$SAID/$1"
}

# bats test_tags=full
@test "the token signs, with the PIN that the configuration has, or the environment" {
	[ "$(cat "$SAID/right.signer")" = "token key" ]
	[ "$(cat "$SAID/environment.signer")" = "token key" ]
}

# bats test_tags=full
@test "without the PIN, or with a wrong one, nothing waits and nothing is signed; the reason is said" {
	! grep -F "Enter PIN" "$SAID"/* || return 1
	unsigned none "the key pkcs11:token=ground;object=k;type=private cannot be used"
	unsigned wrong "the key pkcs11:token=ground;object=k;type=private cannot be used"
}

# bats test_tags=full
@test "a PIN that others can read is none" {
	unsigned open "chmod 600 /etc/dkms/pin"
}
