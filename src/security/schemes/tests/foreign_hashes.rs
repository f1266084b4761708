//! Hashes of other programs, each with the program and, in brackets, how it was created.

/// The password of all of them.
pub const PASSWORD: &str = "correct horse ü";

/// Firebase's hash in the format of Ory Kratos.
pub const FIREBASE_HASH: &str = "$firescrypt$ln=14,r=8,p=1$42xEC+ixf3L2lw==$C4y5yxVuKQ8frzvMkNfIfnyEqdXYT20Cdjc335uFV8Dzwwye8ujit0Mno4fsflutFNBhfgb/d/mniw+25YB4Eg==$Bw==$jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==";

/// Program, how the hash was created, and the hash.
pub const HASHES: [(&str, &str); 38] = [
    (
        "Django 5.2, Argon2 [Argon2PasswordHasher().encode, time_cost 1, memory_cost 64]",
        "argon2$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHRzYWx0$/lZdQ5TKThIZr+kQQLPDMMbCzxTp6GzItp2AILIIpQk",
    ),
    (
        "Django 5.2, bcrypt of SHA-256 [BCryptSHA256PasswordHasher().encode, rounds 4]",
        "bcrypt_sha256$$2b$04$BsiQqVTJuVVCU5C3IXbKoet5pVddy0NtrUU/K8WrsjlprX9Id2Ola",
    ),
    (
        "Django 5.2, bcrypt [BCryptPasswordHasher().encode, rounds 4]",
        "bcrypt$$2b$04$GV2Hz2uc7yOpj.76uLoaneViBkINRyr9Pl1CPgd2VC8gULmUW1eHu",
    ),
    (
        "Django 5.2, scrypt [ScryptPasswordHasher().encode, n=1024]",
        "scrypt$1024$saltsaltsalt$8$5$xr/KaJFt7jwhmyNb3Lt+qgEFdv4iO1YWSbrmjC7JKXh2D+DY3VTdzI9/ynNSX0ljKeKNdc/fsdcMVh3cRE2i2A==",
    ),
    (
        "Werkzeug 2.3.8 [generate_password_hash, method='sha256']",
        "sha256$vMaC4TlDNuwZp9vE$9e825c43a4b456168e74fa335b4938e17264d2b9b3b3ff39e45c678c08d21af8",
    ),
    (
        "Werkzeug 2.3.8 [method='sha512']",
        "sha512$z5NpkwBkpEWd9ZKC$3cd17ed1a2e7e8b531d027cfd4828c44bb7360140e7aeb6c5bb72fcdbfc61b35562df0f29e68a9651c5714df195587a657b0844ccc40cae4de8ee9d8fa7a7367",
    ),
    ("Werkzeug 2.3.8 [method='sha1']", "sha1$EZS0k6zgdELv1MQR$fd03804cf6ca5dfeb7407f9b1d57d0711819e727"),
    (
        "Werkzeug 2.3.8 [method='pbkdf2:sha256:1000']",
        "pbkdf2:sha256:1000$SVByPErrrTudlKbq$4d767e44ed6ed125a9eaba4d09d7abd22ef2e49fb6967430d002035a3891f57b",
    ),
    (
        "Werkzeug 2.3.8 [method='scrypt:1024:8:1']",
        "scrypt:1024:8:1$s9sVRkt9FN1l1ZKa$bf6dd80ac4f7feeef1e9e356ceb547c51f27c498e315888dc206aaaa1a19c3966cc719860a3de303eddd61ca6fec127d541465378d8f914d436a2b9fa29281af",
    ),
    (
        "PostgreSQL, the bytes of bcrypt [bytea text of bcrypt 4.0.1's hashpw]",
        "\\x24326224303424613671704b74435a6f6d6d682e7a6d336d37694230756f316f756b56302f6a686573374c5548776b6d6742596f6c32303836664765",
    ),
    (
        "Python, the text of bytes [repr() of bcrypt 4.0.1's hashpw]",
        "b'$2b$04$cG2lFfGW9W2NN/Rro81Xtesv40yzKC9v9Cz3z.fvTogZZKnG/R.uG'",
    ),
    (
        "LDAP, {BCRYPT} [the same in Dovecot's and Spring's braces]",
        "{BCRYPT}$2b$04$cG2lFfGW9W2NN/Rro81Xtesv40yzKC9v9Cz3z.fvTogZZKnG/R.uG",
    ),
    ("Spring, {bcrypt}", "{bcrypt}$2b$04$cG2lFfGW9W2NN/Rro81Xtesv40yzKC9v9Cz3z.fvTogZZKnG/R.uG"),
    ("passlib 1.7.4 [ldap_bcrypt]", "{CRYPT}$2b$04$HVpzjPrmiLVpmk8xzEJzcurRySI17OFYBPk4QnHy6Q1VteGTSCEnW"),
    (
        "passlib 1.7.4 [ldap_sha512_crypt, rounds=1000]",
        "{CRYPT}$6$rounds=1000$eOpDSwq6KX8wuM9a$BNiZ7yVNiBLUYe4NkJ9VkiAKE7F/x8VIMGGDPJ.OQ0r3s6D5Un8huxmJe/23Xvqq744Ctz42lHD05pNPnlrni/",
    ),
    (
        "OpenLDAP, {ARGON2} [argon2-cffi 25.1 in its braces]",
        "{ARGON2}$argon2id$v=16$m=64,t=2,p=1$c2FsdHNhbHRzYWx0$R/RxdUXQJRqSlNfiXnqm0c9zFFDOiVVpAL7J59jSSqc",
    ),
    (
        "passlib 1.7.4 [ldap_pbkdf2_sha256, rounds=1000]",
        "{PBKDF2-SHA256}1000$/D9njDFmzDmnVCplLAWAsA$LiV.yv.h5torMC8i/bs0mPA2WqwsraMmIFr6SCuAA.I",
    ),
    (
        "argon2-cffi 25.1 [low_level.hash_secret, version=16]",
        "$argon2id$v=16$m=64,t=2,p=1$c2FsdHNhbHRzYWx0$R/RxdUXQJRqSlNfiXnqm0c9zFFDOiVVpAL7J59jSSqc",
    ),
    (
        "the same without its version, which argon2-cffi verifies",
        "$argon2id$m=64,t=2,p=1$c2FsdHNhbHRzYWx0$R/RxdUXQJRqSlNfiXnqm0c9zFFDOiVVpAL7J59jSSqc",
    ),
    (
        "passlib 1.7.4 [argon2, type='I']",
        "$argon2i$v=19$m=64,t=1,p=1$rLWWkhLCOIfwPue8N8b4fw$SB3IYjcGVJtbVBEXtiiu9uvk62OyiTRJcfPfLr254+Y",
    ),
    (
        "Ory Kratos, PBKDF2 [hashlib.pbkdf2_hmac, in the form of its documentation]",
        "$pbkdf2-sha256$i=1000,l=32$gBSI6cghHLRdAjVte2TFoA$YYJahuGRMdAcNvWW6BQtUFmEm9TpXQ3dfeTvxEd23fU",
    ),
    (
        "Better Auth [hashPassword of better-auth/crypto]",
        "b3d1973f507267f53ed7ad2eb8aa8eb7:3d4ad9f23c64a532b28b357e8164ab4bc10798860e30bbdb0f92692c7ebf1e3e3ae7881ea41ea2b1b858de52e82d338c488dbfae4c9801475b73add2fdb5493d",
    ),
    (
        "Node 20 [crypto.scryptSync(password, digits of the salt, 64)]",
        "9d4d5f59fa379c2ec00cf2b9a8d3cd0c:e0940b21f03809faac22bceb04fd242d97086c4dcf711fbd762ba23eb3a42b275c3da827dd32fdb0340568f2379699b5c8f489b86f23d8fd13ada3390125b001",
    ),
    (
        "Node 20 [the same, the other way round]",
        "e0940b21f03809faac22bceb04fd242d97086c4dcf711fbd762ba23eb3a42b275c3da827dd32fdb0340568f2379699b5c8f489b86f23d8fd13ada3390125b001.9d4d5f59fa379c2ec00cf2b9a8d3cd0c",
    ),
    (
        "Node 20 [crypto.scryptSync(password, bytes of the salt, 64)]",
        "5ef1bc724757d2675ba8306b8e3fb42b:d87c07f6535be443d7a6754e4926a3bf26920cb96ca0abf44ff25a71372747024979f47d68b89846af8168165539e542304cae8555fd002f525cb85d67dc2e17",
    ),
    (
        "Lucia's form [Better Auth's hash, which is made alike]",
        "s2:b3d1973f507267f53ed7ad2eb8aa8eb7:3d4ad9f23c64a532b28b357e8164ab4bc10798860e30bbdb0f92692c7ebf1e3e3ae7881ea41ea2b1b858de52e82d338c488dbfae4c9801475b73add2fdb5493d",
    ),
    (
        "passlib 1.7.4 [scrypt, rounds=10]",
        "$scrypt$ln=10,r=8,p=1$Z6zV+t87Z8y5d25tLSWk9A$fxBNn+JEIl3eKUdobOnuaXstjsRxrHEFxBF79t7wxZ8",
    ),
    (
        "Ory Kratos, scrypt [the same, N in its stead]",
        "$scrypt$ln=1024,r=8,p=1$Z6zV+t87Z8y5d25tLSWk9A==$fxBNn+JEIl3eKUdobOnuaXstjsRxrHEFxBF79t7wxZ8=",
    ),
    ("Firebase [npm firebase-scrypt, in the form of Ory Kratos]", FIREBASE_HASH),
    ("WordPress to 6.7 [passlib 1.7.4, phpass, rounds=13]", "$P$BkAsuUO.SB5g2rg2iWegSQpkjKeZPA1"),
    ("phpBB [passlib 1.7.4, phpass, ident='H', rounds=11]", "$H$9dfiw7zeQULU3rauoR5HYfvcRHt4l11"),
    (
        "WordPress 6.8 [bcrypt 4.0.1 of hmac's SHA-384, as its wp_hash_password has it]",
        "$wp$2y$04$UUuY7dUblV/Ozt5DZIuLBOoqfKRGnHKiem0XPgE2p0bQ7K5ItmSaq",
    ),
    (
        "passlib 1.7.4 [bcrypt_sha256, rounds=4]",
        "$bcrypt-sha256$v=2,t=2b,r=4$4g.GWR/CIuH5t7A7VBaXJu$z/RmzyTXc3ngPI113c/8kx3TkGzdgwm",
    ),
    ("passlib 1.7.4 [ldap_salted_sha1]", "{SSHA}SMqTtwPkWC+tfU6zg3TXpfM7VxjdW+t9"),
    ("passlib 1.7.4 [ldap_salted_sha256]", "{SSHA256}VJnh0QexnTfact+zVs/D2k+4olWYkmAKXmeAVIit23ADAAAAACCEsA=="),
    (
        "passlib 1.7.4 [ldap_salted_sha512]",
        "{SSHA512}pdXguuxfxdwvs8tZ0yFDQQEgX3vCjsycohOpX7THt4mz7ZUv65VgziZnx3B/1SMavOyJRABjrx0k0C+6P+4KSACgFOK8t5Yy",
    ),
    (
        "passlib 1.7.4 [sha512_crypt, rounds=1000]",
        "$6$rounds=1000$6qg4A8OldB6pVv4h$3RQCCMzdODjnQ.OZQRUhFuGSL5MZusig.PH9yL8EIvPMl6vTio4AyO2kXvZTUwxF87LbEZqaC0Sxvn1JZYhDJ0",
    ),
    ("passlib 1.7.4 [sha256_crypt, rounds=5000]", "$5$2xu9zhbjKBnKlxW8$WFzBFUYmjQU3vw.89rZJfSOVrZlyeNqh2IEG/X5eHiC"),
];
