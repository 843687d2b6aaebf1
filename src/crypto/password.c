/* crypto/password.c -- Argon2id with the parameters of the OWASP cheat sheet; at most two computations at a time. */
#include "crypto/crypto.h"
#include <argon2.h>
#include <stdlib.h>
#include <pthread.h>

enum { PASSES = 2, KIBIBYTES = 19456, LANES = 1, SALT = 16, DIGEST = 32, AT_ONCE = 2 };

/* Memory hardness is the point: without a bound a flood of sign-ins would take all memory. */
static struct {
        pthread_mutex_t lock;
        pthread_cond_t free;
        int busy;
} gate = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};

static void enter(void)
{
        (void)pthread_mutex_lock(&gate.lock);
        while (gate.busy >= AT_ONCE)
                (void)pthread_cond_wait(&gate.free, &gate.lock);
        gate.busy++;
        (void)pthread_mutex_unlock(&gate.lock);
}

static void leave(void)
{
        (void)pthread_mutex_lock(&gate.lock);
        gate.busy--;
        (void)pthread_cond_signal(&gate.free);
        (void)pthread_mutex_unlock(&gate.lock);
}

bool password_hash(const char *password, char out[PASSWORD_HASH_SIZE], struct err *e)
{
        unsigned char salt[SALT];
        if (!random_bytes(salt, sizeof salt, e))
                return false;
        enter();
        int code = argon2id_hash_encoded(PASSES, KIBIBYTES, LANES, password, strlen(password), salt, sizeof salt, DIGEST, out,
                                         PASSWORD_HASH_SIZE);
        leave();
        return code == ARGON2_OK || err_set(e, ERR_FAULT, "hashing a password failed: %s", argon2_error_message(code));
}

bool password_verify(const char *password, const char *hash)
{
        if (!hash || strncmp(hash, "$argon2id$", 10) != 0)
                return false;
        enter();
        int code = argon2id_verify(hash, password, strlen(password));
        leave();
        if (code == ARGON2_MEMORY_ALLOCATION_ERROR)
                abort(); /* else a right password would count as a wrong one */
        return code == ARGON2_OK;
}
