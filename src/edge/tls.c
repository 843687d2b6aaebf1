/* edge/tls.c -- see tls.h. */
#include "edge/tls.h"
#include "base/log.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { CHAIN_MOST = 8, FILE_MOST = 256 << 10, KEY_ID_SIZE = 64, SOON_DAYS = 21 };

const char tls_priorities[] =
        "NONE:+VERS-TLS1.3:+VERS-TLS1.2:+ECDHE-ECDSA:+ECDHE-RSA:+AES-256-GCM:+CHACHA20-POLY1305:+AES-128-GCM:+AEAD"
        ":+SIGN-ALL:-SIGN-RSA-SHA1:-SIGN-ECDSA-SHA1:-SIGN-DSA-SHA1:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1"
        ":+COMP-NULL:+CTYPE-SRV-X509:%SERVER_PRECEDENCE:%SAFE_RENEGOTIATION";

struct pair { /* one certificate with its key */
        gnutls_pcert_st chain[CHAIN_MOST];
        unsigned n;
        gnutls_privkey_t key;
        time_t begins, ends;
        struct pair *older;
};
struct tls {
        pthread_mutex_t lock;
        struct pair *newest; /* the older ones may still be in a handshake */
};

/* --- files ----------------------------------------------------------------------------------------------------------------- */
static bool read_whole(int fd, unsigned char *out, size_t *n)
{
        *n = 0;
        for (ssize_t m; *n < FILE_MOST && (m = read(fd, out + *n, FILE_MOST - *n)) != 0; *n += (size_t)m)
                if (m < 0)
                        return false;
        return *n < FILE_MOST;
}

/* free() the bytes. */
static bool read_pem(const char *file, bool secret, gnutls_datum_t *out, struct err *e)
{
        struct stat st;
        FILE *f = fopen(file, "re");
        size_t n = 0;
        *out = (gnutls_datum_t){.data = malloc(FILE_MOST)};
        if (!out->data)
                abort();
        const bool whole = f && fstat(fileno(f), &st) == 0 && read_whole(fileno(f), out->data, &n);
        const int cause = errno;
        if (f)
                (void)fclose(f);
        out->size = (unsigned)n;
        if (!whole)
                return err_both(e, ERR_INVALID, NULL, "cannot read %s: %s", "无法读取 %s：%s", file, strerror(cause));
        if (secret && (st.st_mode & (S_IWGRP | S_IRWXO)))
                return err_both(e, ERR_DENIED, NULL,
                                "the key %s may be read or changed by others; chmod 600 (or 640 for a group) it",
                                "密钥 %s 可被他人读取或修改，请 chmod 600（或供用户组读取的 640）", file);
        return true;
}

/* --- a pair ---------------------------------------------------------------------------------------------------------------- */
static void pair_free(struct pair *p)
{
        for (unsigned i = 0; i < p->n; i++)
                gnutls_pcert_deinit(&p->chain[i]);
        if (p->key)
                gnutls_privkey_deinit(p->key);
        free(p);
}

static bool read_chain(struct pair *p, const gnutls_datum_t *pem, const char *file, struct err *e)
{
        unsigned n = CHAIN_MOST;
        const int status = gnutls_pcert_list_import_x509_raw(p->chain, &n, pem, GNUTLS_X509_FMT_PEM, 0);
        if (status < 0 || n == 0)
                return err_both(e, ERR_INVALID, NULL, "%s holds no certificate in PEM form: %s", "%s 中没有 PEM 格式的证书：%s",
                                file, gnutls_strerror(status));
        p->n = n;
        gnutls_x509_crt_t first;
        if (gnutls_pcert_export_x509(&p->chain[0], &first) < 0)
                return err_both(e, ERR_INVALID, NULL, "the certificate in %s cannot be used", "%s 中的证书无法使用", file);
        p->begins = gnutls_x509_crt_get_activation_time(first);
        p->ends = gnutls_x509_crt_get_expiration_time(first);
        gnutls_x509_crt_deinit(first);
        return true;
}

static bool read_key(struct pair *p, const gnutls_datum_t *pem, const char *file, struct err *e)
{
        if (gnutls_privkey_init(&p->key) < 0)
                abort();
        const int status = gnutls_privkey_import_x509_raw(p->key, pem, GNUTLS_X509_FMT_PEM, NULL, 0);
        return status >= 0
               || err_both(e, ERR_INVALID, NULL, "%s holds no private key in PEM form without a password: %s",
                           "%s 中没有未加密的 PEM 格式私钥：%s", file, gnutls_strerror(status));
}

static bool key_id(gnutls_pubkey_t key, unsigned char *out, size_t *n)
{
        *n = KEY_ID_SIZE;
        return gnutls_pubkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, out, n) == 0;
}

static bool check_pair(const struct pair *p, const char *certificate, const char *key, struct err *e)
{
        unsigned char ours[KEY_ID_SIZE], theirs[KEY_ID_SIZE];
        size_t ours_n, theirs_n;
        unsigned bits = 0;
        gnutls_pubkey_t own;
        if (gnutls_pubkey_init(&own) < 0)
                abort();
        const bool read = gnutls_pubkey_import_privkey(own, p->key, 0, 0) == 0 && key_id(own, ours, &ours_n);
        gnutls_pubkey_deinit(own);
        if (!read || !key_id(p->chain[0].pubkey, theirs, &theirs_n) || ours_n != theirs_n || memcmp(ours, theirs, ours_n) != 0)
                return err_both(e, ERR_INVALID, NULL, "the key %s is not that of the certificate %s", "密钥 %s 与证书 %s 不匹配",
                                key, certificate);
        const int algorithm = gnutls_pubkey_get_pk_algorithm(p->chain[0].pubkey, &bits);
        return gnutls_pk_bits_to_sec_param((gnutls_pk_algorithm_t)algorithm, bits) >= GNUTLS_SEC_PARAM_MEDIUM
               || err_both(e, ERR_INVALID, NULL, "the key %s has only %u bits: make one of at least 2048 (RSA) or 224 (EC)",
                           "密钥 %s 只有 %u 位：请使用至少 2048 位（RSA）或 224 位（EC）", key, bits);
}

static void tell_dates(const struct pair *p, const char *file)
{
        const time_t now = time(NULL);
        if (now < p->begins || now >= p->ends)
                log_event(LOG_ERROR, "tls.certificate", "file=\"%s\" cause=\"%s\"", file,
                          now < p->begins ? "not in force yet" : "has ended: browsers warn of it");
        else if (p->ends - now < (time_t)SOON_DAYS * 86400)
                log_event(LOG_WARN, "tls.certificate", "file=\"%s\" days_left=%lld", file, (long long)(p->ends - now) / 86400);
}

static struct pair *pair_read(const char *certificate, const char *key, struct err *e)
{
        gnutls_datum_t chain_pem = {0}, key_pem = {0};
        struct pair *p = calloc(1, sizeof *p);
        if (!p)
                abort();
        const bool good = read_pem(certificate, false, &chain_pem, e) && read_pem(key, true, &key_pem, e)
                          && read_chain(p, &chain_pem, certificate, e) && read_key(p, &key_pem, key, e)
                          && check_pair(p, certificate, key, e);
        free(chain_pem.data);
        if (key_pem.data)
                explicit_bzero(key_pem.data, key_pem.size);
        free(key_pem.data);
        if (good) {
                tell_dates(p, certificate);
                return p;
        }
        pair_free(p);
        return NULL;
}

/* --- in force ---------------------------------------------------------------------------------------------------------------- */
bool tls_reload(struct tls *t, const char *certificate, const char *key, struct err *e)
{
        struct pair *p = pair_read(certificate, key, e);
        if (!p)
                return false;
        (void)pthread_mutex_lock(&t->lock);
        p->older = t->newest;
        t->newest = p;
        (void)pthread_mutex_unlock(&t->lock);
        return true;
}

bool tls_new(struct tls **out, const char *certificate, const char *key, struct err *e)
{
        struct tls *t = calloc(1, sizeof *t);
        if (!t)
                abort();
        (void)pthread_mutex_init(&t->lock, NULL);
        if (!tls_reload(t, certificate, key, e)) {
                tls_free(&t);
                return false;
        }
        *out = t;
        return true;
}

void tls_current(struct tls *t, gnutls_pcert_st **chain, unsigned *n, gnutls_privkey_t *key)
{
        (void)pthread_mutex_lock(&t->lock);
        *chain = t->newest->chain;
        *n = t->newest->n;
        *key = t->newest->key;
        (void)pthread_mutex_unlock(&t->lock);
}

int64_t tls_ends(struct tls *t)
{
        (void)pthread_mutex_lock(&t->lock);
        const int64_t ends = t->newest->ends;
        (void)pthread_mutex_unlock(&t->lock);
        return ends;
}

void tls_free(struct tls **tls)
{
        struct tls *t = *tls;
        if (!t)
                return;
        while (t->newest) {
                struct pair *p = t->newest;
                t->newest = p->older;
                pair_free(p);
        }
        (void)pthread_mutex_destroy(&t->lock);
        free(t);
        *tls = NULL;
}
