/* signin/signin_api.c -- sessions, the own password, the second factor. */
#include "signin/signin.h"
#include "base/arena.h"
#include "base/text.h"
#include "district/district.h"
#include "http/http.h"
#include "people/people.h"
#include "people/second.h"
#include "people/tokens.h"
#include <ctype.h>
#include <stdio.h>

/* --- in and out --------------------------------------------------------------------------------------------------- */

static void account_json(const struct account *a, struct json *j)
{
        json_object(j, "account");
        json_text(j, "login", a->login);
        json_text(j, "name", a->name);
        json_text(j, "role", role_name(a->role));
        json_text(j, "unit", a->unit);
        json_text(j, "area", a->area);
        json_object_end(j);
}

static struct sign_in sign_in_of(const struct request *rq, const char *login)
{
        const struct district *d = rq->app;
        return (struct sign_in){.login = login,
                                .password = json_get_text(rq->body, "password", ""),
                                .code = json_get_text(rq->body, "code", NULL),
                                .address = rq->address,
                                .agent = request_header(rq, "User-Agent"),
                                .keys = keyring_now(d->keys),
                                .now = rq->now};
}

static bool post_session(struct request *rq, struct reply *rp, struct err *e)
{
        struct session s;
        const char *login = json_get_text(rq->body, "login", json_get_text(rq->body, "user", ""));
        if (text_empty(login))
                return err_both(e, ERR_INVALID, "login", "\"login\" is missing", "缺少登录名“login”");
        const struct sign_in in = sign_in_of(rq, login);
        if (!session_open(rq->store, rq->arena, &in, &s, e))
                return false;
        rp->status = 201;
        reply_header(rp, "Set-Cookie",
                     arena_format(rq->arena, "yiwang_session=%s; Path=/; HttpOnly; SameSite=Lax; Max-Age=43200%s", s.token,
                                  rq->secure ? "; Secure" : ""));
        json_object(&rp->json, NULL);
        json_text(&rp->json, "token", s.token);
        json_text(&rp->json, "csrf", s.csrf);
        json_time(&rp->json, "expires", s.expires);
        account_json(&s.account, &rp->json);
        json_object_end(&rp->json);
        return true;
}

static bool delete_session(struct request *rq, struct reply *rp, struct err *e)
{
        const char *bearer = request_header(rq, "Authorization"), *cookie = request_cookie(rq, "yiwang_session");
        const char *token = bearer && strlen(bearer) > 7 ? bearer + 7 : cookie;
        rp->status = 204;
        reply_header(rp, "Set-Cookie",
                     arena_format(rq->arena, "yiwang_session=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0%s",
                                  rq->secure ? "; Secure" : ""));
        return !token || session_close(rq->store, token, e);
}

static bool get_session(struct request *rq, struct reply *rp, struct err *e)
{
        (void)e;
        json_object(&rp->json, NULL);
        json_text(&rp->json, "name", rq->actor.name);
        json_text(&rp->json, "role", role_name((int)rq->actor.role));
        json_text(&rp->json, "unit", rq->actor.unit);
        json_text(&rp->json, "area", rq->actor.area);
        json_text(&rp->json, "csrf", rq->actor.csrf);
        json_object_end(&rp->json);
        return true;
}

/* --- sessions that are open ------------------------------------------------------------------------------------------ */

/* Of this request, so that a list can say which it is. */
static bool is_current(const struct request *rq, const struct session_view *v)
{
        unsigned char hash[SHA256_SIZE];
        const char *bearer = request_header(rq, "Authorization"), *cookie = request_cookie(rq, "yiwang_session");
        const char *token = bearer && strlen(bearer) > 7 ? bearer + 7 : cookie;
        if (!token)
                return false;
        token_hash(token, hash);
        return memcmp(hash, v->hash, sizeof hash) == 0;
}

static bool list_sessions(struct request *rq, struct reply *rp, const char *login, struct err *e)
{
        struct session_view *at;
        struct json *j = &rp->json;
        size_t n;
        if (!session_list(rq->store, rq->arena, login, rq->now, &at, &n, e))
                return false;
        json_object(j, NULL);
        json_array(j, "sessions");
        for (size_t i = 0; i < n; i++) {
                json_object(j, NULL);
                json_text(j, "id", at[i].id);
                json_time(j, "created", at[i].created);
                json_time(j, "expires", at[i].expires);
                json_text(j, "address", at[i].address);
                json_text(j, "agent", at[i].agent);
                json_bool(j, "current", is_current(rq, &at[i]));
                json_object_end(j);
        }
        json_array_end(j);
        json_object_end(j);
        return true;
}

static bool get_sessions(struct request *rq, struct reply *rp, struct err *e)
{
        return list_sessions(rq, rp, rq->actor.account ? rq->actor.name : "", e);
}

static bool delete_own(struct request *rq, struct reply *rp, struct err *e)
{
        rp->status = 204;
        return session_end(rq->store, rq->arena, rq->actor.account ? rq->actor.name : "", request_param(rq, "id"), rq->now, e);
}

static bool get_others(struct request *rq, struct reply *rp, struct err *e)
{
        int64_t id;
        return account_id(rq->store, request_param(rq, "login"), &id, e) && list_sessions(rq, rp, request_param(rq, "login"), e);
}

static bool delete_others(struct request *rq, struct reply *rp, struct err *e)
{
        int64_t id;
        rp->status = 204;
        return account_id(rq->store, request_param(rq, "login"), &id, e)
               && session_end_all(rq->store, request_param(rq, "login"), e);
}

/* --- the own account ------------------------------------------------------------------------------------------------- */

static bool is_person(const struct request *rq, struct err *e)
{
        return rq->actor.account != 0
               || err_both(e, ERR_DENIED, NULL, "this is for people who signed in, not for keys", "仅限登录用户，不适用于接口密钥");
}

static bool prove(struct request *rq, struct err *e)
{
        int64_t account;
        const struct sign_in in = sign_in_of(rq, rq->actor.name);
        return is_person(rq, e) && sign_in_prove(rq->store, rq->arena, &in, &account, e);
}

static bool post_password(struct request *rq, struct reply *rp, struct err *e)
{
        rp->status = 204;
        return prove(rq, e) && account_password(rq->store, rq->actor.name, json_get_text(rq->body, "new_password", ""), e);
}

/* What stands in a URI as it is (RFC 3986, 2.3); all else in hex. */
static const char *uri_text(struct arena *a, const char *text)
{
        char *out = arena_alloc(a, 3 * strlen(text) + 1), *to = out;
        for (const unsigned char *c = (const unsigned char *)text; *c; c++)
                if ((*c < 0x80 && isalnum(*c)) || strchr("-._~", *c))
                        *to++ = (char)*c;
                else
                        to += snprintf(to, 4, "%%%02X", *c);
        *to = '\0';
        return out;
}

static bool post_second(struct request *rq, struct reply *rp, struct err *e)
{
        const struct district *d = rq->app;
        const char *secret;
        if (!prove(rq, e) || !second_begin(rq->store, rq->arena, keyring_now(d->keys), rq->actor.account, &secret, e))
                return false;
        json_object(&rp->json, NULL);
        json_text(&rp->json, "secret", secret);
        json_text(&rp->json, "uri",
                  arena_format(rq->arena, "otpauth://totp/yiwang:%s?secret=%s&issuer=yiwang&algorithm=SHA1&digits=6&period=30",
                               uri_text(rq->arena, rq->actor.name), secret));
        json_object_end(&rp->json);
        return true;
}

static bool post_confirm(struct request *rq, struct reply *rp, struct err *e)
{
        const struct district *d = rq->app;
        const char *codes[RECOVERY_CODES];
        if (!is_person(rq, e)
            || !second_confirm(rq->store, rq->arena, keyring_now(d->keys), rq->actor.account, json_get_text(rq->body, "code", ""),
                               rq->now, codes, e))
                return false;
        json_object(&rp->json, NULL);
        json_array(&rp->json, "recovery_codes");
        for (size_t i = 0; i < RECOVERY_CODES; i++)
                json_text(&rp->json, NULL, codes[i]);
        json_array_end(&rp->json);
        json_object_end(&rp->json);
        return true;
}

static bool post_end(struct request *rq, struct reply *rp, struct err *e)
{
        rp->status = 204;
        return prove(rq, e) && second_end(rq->store, rq->actor.account, e);
}

/* --- tables ---------------------------------------------------------------------------------------------------------- */

static const struct shape session_body[] = {
        {.name = "login", .type = SHAPE_TEXT, .most = 60, .about = "Login of the account."},
        {.name = "user", .type = SHAPE_TEXT, .most = 60, .about = "The same under another name."},
        {.name = "password", .type = SHAPE_TEXT, .required = true, .most = 200, .about = "Its password."},
        {.name = "code",
         .type = SHAPE_TEXT,
         .most = 40,
         .about = "Of the authenticator app, or a recovery code, when the account has them."},
        {0},
};
static const struct shape account_members[] = {
        {.name = "login", .type = SHAPE_TEXT, .required = true},
        {.name = "name", .type = SHAPE_TEXT, .required = true},
        {.name = "role", .type = SHAPE_TEXT, .required = true},
        {.name = "unit", .type = SHAPE_TEXT, .required = true, .nullable = true},
        {.name = "area", .type = SHAPE_TEXT, .required = true, .nullable = true},
        {0},
};
static const struct shape session_answer[] = {
        {.name = "token",
         .type = SHAPE_TEXT,
         .required = true,
         .about = "Give it as Authorization: Bearer, or let the cookie carry it."},
        {.name = "csrf", .type = SHAPE_TEXT, .required = true, .about = "Send it as X-CSRF-Token with changes made by the cookie."},
        {.name = "expires", .type = SHAPE_TIME, .required = true},
        {.name = "account", .type = SHAPE_OBJECT, .required = true, .fields = account_members},
        {0},
};
static const struct shape who_answer[] = {
        {.name = "name", .type = SHAPE_TEXT, .required = true},
        {.name = "role", .type = SHAPE_TEXT, .required = true},
        {.name = "unit", .type = SHAPE_TEXT, .required = true, .nullable = true},
        {.name = "area", .type = SHAPE_TEXT, .required = true, .nullable = true},
        {.name = "csrf",
         .type = SHAPE_TEXT,
         .required = true,
         .nullable = true,
         .about = "Of a session: send it as X-CSRF-Token with changes made by the cookie. A page opened anew has lost it."},
        {0},
};
static const struct shape session_members[] = {
        {.name = "id", .type = SHAPE_TEXT, .required = true},
        {.name = "created", .type = SHAPE_TIME, .required = true, .nullable = true},
        {.name = "expires", .type = SHAPE_TIME, .required = true},
        {.name = "address", .type = SHAPE_TEXT, .required = true, .about = "From where it was opened."},
        {.name = "agent", .type = SHAPE_TEXT, .required = true, .about = "User-Agent."},
        {.name = "current", .type = SHAPE_BOOL, .required = true, .about = "It is the one that asks."},
        {0},
};
static const struct shape session_element[] = {{.type = SHAPE_OBJECT, .fields = session_members}, {0}};
static const struct shape sessions_answer[] = {
        {.name = "sessions",
         .type = SHAPE_ARRAY,
         .required = true,
         .fields = session_element,
         .about = "Newest first, at most 100."},
        {0},
};
#define PROOF \
        {.name = "password", .type = SHAPE_TEXT, .required = true, .most = 200, .about = "The present one."}, \
        { \
                .name = "code", .type = SHAPE_TEXT, .most = 40, .about = "When the account has a second factor." \
        }
static const struct shape proof_body[] = {PROOF, {0}};
static const struct shape password_body[] = {
        PROOF,
        {.name = "new_password", .type = SHAPE_TEXT, .required = true, .most = 200, .about = "Ends all sessions."},
        {0},
};
static const struct shape secret_answer[] = {
        {.name = "secret", .type = SHAPE_TEXT, .required = true, .about = "Base32, told this once."},
        {.name = "uri", .type = SHAPE_TEXT, .required = true, .most = 400, .about = "For the app, as a QR code."},
        {0},
};
static const struct shape code_body[] = {
        {.name = "code", .type = SHAPE_TEXT, .required = true, .least = 6, .most = 6, .about = "Of the app, now."},
        {0},
};
static const struct shape text_element[] = {{.type = SHAPE_TEXT}, {0}};
static const struct shape codes_answer[] = {
        {.name = "recovery_codes",
         .type = SHAPE_ARRAY,
         .required = true,
         .fields = text_element,
         .about = "Each good once instead of a code; told this once."},
        {0},
};
static const struct route routes[] = {
        {.method = "POST",
         .path = "/api/v1/session",
         .roles = ROLE_ALL,
         .run = post_session,
         .body = session_body,
         .answer = session_answer,
         .per_minute = 30,
         .slow = true,
         .about = "Signs a person of the staff in."},
        {.method = "DELETE", .path = "/api/v1/session", .roles = ROLE_ALL, .run = delete_session, .about = "Signs out."},
        {.method = "GET",
         .path = "/api/v1/session",
         .roles = ROLE_ALL,
         .run = get_session,
         .answer = who_answer,
         .about = "Who is asking."},
        {.method = "GET",
         .path = "/api/v1/sessions",
         .roles = ROLE_STAFF | ROLE_CITIZEN,
         .run = get_sessions,
         .answer = sessions_answer,
         .about = "One's own open sessions."},
        {.method = "DELETE",
         .path = "/api/v1/sessions/{id}",
         .roles = ROLE_STAFF | ROLE_CITIZEN,
         .run = delete_own,
         .about = "Ends one of one's own sessions, within 10 seconds."},
        {.method = "GET",
         .path = "/api/v1/accounts/{login}/sessions",
         .roles = ROLE_ADMIN,
         .run = get_others,
         .answer = sessions_answer,
         .about = "Somebody's open sessions."},
        {.method = "DELETE",
         .path = "/api/v1/accounts/{login}/sessions",
         .roles = ROLE_ADMIN,
         .run = delete_others,
         .about = "Ends all sessions of somebody, within 10 seconds."},
        {.method = "POST",
         .path = "/api/v1/password",
         .roles = ROLE_STAFF | ROLE_CITIZEN,
         .run = post_password,
         .body = password_body,
         .slow = true,
         .about = "Changes one's own password; ends all one's sessions."},
        {.method = "POST",
         .path = "/api/v1/second_factor",
         .roles = ROLE_STAFF | ROLE_CITIZEN,
         .run = post_second,
         .body = proof_body,
         .answer = secret_answer,
         .slow = true,
         .about = "Begins a second factor: a secret for an authenticator app (RFC 6238); in force once confirmed."},
        {.method = "POST",
         .path = "/api/v1/second_factor/confirm",
         .roles = ROLE_STAFF | ROLE_CITIZEN,
         .run = post_confirm,
         .body = code_body,
         .answer = codes_answer,
         .about = "Puts the second factor in force with a code of it; gives recovery codes."},
        {.method = "POST",
         .path = "/api/v1/second_factor/end",
         .roles = ROLE_STAFF | ROLE_CITIZEN,
         .run = post_end,
         .body = proof_body,
         .slow = true,
         .about = "Ends the second factor, with password and code."},
        {0},
};
const struct route *const signin_routes = routes;
