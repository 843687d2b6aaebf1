/* http/server.c -- starting and stopping: libmicrohttpd's epoll threads in front, workers behind. */
#include "base/log.h"
#include "crypto/crypto.h"
#include "http/inside.h"
#include <arpa/inet.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { EPOLL_THREADS = 2, SLOW_MOST = 4, CONNECTION_MEMORY = 32 << 10, STOP_SECONDS = 20 };
/* Large bodies that come in at a time, in bytes; of one address. */
enum { BODIES_MOST = 256 << 20, BODIES_MOST_OF_ONE = 64 << 20 };

static void log_mhd(void *ctx, const char *format, va_list values)
{
        char text[400];
        (void)ctx;
        (void)vsnprintf(text, sizeof text, format, values);
        text[strcspn(text, "\n")] = '\0';
        log_event(LOG_DEBUG, "http.library", "text=\"%s\"", text);
}

/* Our own parser decodes; MHD must not. */
static size_t keep_escapes(void *ctx, struct MHD_Connection *connection, char *text)
{
        (void)ctx, (void)connection;
        return strlen(text);
}

static void defaults(struct server_options *o)
{
        o->address = o->address ? o->address : "127.0.0.1";
        o->workers = o->workers > 0 ? o->workers : 64;
        o->queue = o->queue > 0 ? o->queue : 1024;
        o->connections = o->connections > 0 ? o->connections : 12000;
        o->connections_per_address = o->connections_per_address > 0 ? o->connections_per_address : 512;
        o->idle_seconds = o->idle_seconds > 0 ? o->idle_seconds : 30;
        o->streams = o->streams > 0 ? o->streams : 1000;
        o->title = o->title ? o->title : "yiwang";
        o->release = o->release ? o->release : "0";
}

static bool resolve(const struct server_options *o, struct addrinfo **out, struct err *e)
{
        char port[8];
        const struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
        (void)snprintf(port, sizeof port, "%d", o->port);
        const int status = getaddrinfo(o->address, port, &hints, out);
        return status == 0 || err_set(e, ERR_INVALID, "the address %s cannot be used: %s", o->address, gai_strerror(status));
}

/* GnuTLS asks within a handshake which certificate to show. */
static int show_certificate(gnutls_session_t session, const gnutls_datum_t *authorities, int n_authorities,
                            const gnutls_pk_algorithm_t *algorithms, int n_algorithms, gnutls_pcert_st **chain, unsigned *n,
                            gnutls_privkey_t *key)
{
        struct MHD_Connection *connection = gnutls_session_get_ptr(session);
        const union MHD_ConnectionInfo *guest = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
        const struct server *s = guest_owner(guest->socket_context);
        (void)authorities, (void)n_authorities, (void)algorithms, (void)n_algorithms;
        tls_current(s->tls, chain, n, key);
        return 0;
}

static struct MHD_Daemon *listen_on(struct server *s, const struct sockaddr *address)
{
        /* The list of options holds data pointers only; POSIX lets them hold a function's address. */
        const union {
                gnutls_certificate_retrieve_function2 *call;
                void *pointer;
        } show = {.call = show_certificate};
        const struct MHD_OptionItem plain[] = {{MHD_OPTION_END, 0, NULL}};
        const struct MHD_OptionItem encrypted[] = {{MHD_OPTION_HTTPS_CERT_CALLBACK, 0, show.pointer},
                                                   {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)tls_priorities},
                                                   {MHD_OPTION_END, 0, NULL}};
        const unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG
                               | (s->tls ? (unsigned)MHD_USE_TLS : 0U)
                               | (address->sa_family == AF_INET6 ? (unsigned)MHD_USE_IPv6 : 0U);
        return MHD_start_daemon(flags, 0, exchange_admit, s, exchange_on, s, MHD_OPTION_EXTERNAL_LOGGER, log_mhd, NULL,
                                MHD_OPTION_SOCK_ADDR, address, MHD_OPTION_THREAD_POOL_SIZE, (unsigned)EPOLL_THREADS,
                                MHD_OPTION_CONNECTION_LIMIT, (unsigned)s->options.connections, MHD_OPTION_CONNECTION_TIMEOUT,
                                (unsigned)s->options.idle_seconds, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
                                MHD_OPTION_LISTEN_BACKLOG_SIZE, 4096U, MHD_OPTION_LISTENING_ADDRESS_REUSE, 1U,
                                MHD_OPTION_URI_LOG_CALLBACK, exchange_new, s, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,
                                MHD_OPTION_ARRAY, s->tls ? encrypted : plain, MHD_OPTION_NOTIFY_CONNECTION, exchange_connection, s,
                                MHD_OPTION_NOTIFY_COMPLETED, exchange_done, s, MHD_OPTION_END);
}

static bool open_port(struct server *s, struct err *e)
{
        struct addrinfo *found;
        if (!resolve(&s->options, &found, e))
                return false;
        s->daemon = listen_on(s, found->ai_addr);
        freeaddrinfo(found);
        if (!s->daemon)
                return err_set(e, ERR_BUSY, "cannot listen on %s port %d: is another program using it?", s->options.address,
                               s->options.port);
        const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_BIND_PORT);
        s->port = info ? info->port : s->options.port;
        return true;
}

static void make_openapi(struct server *s)
{
        unsigned char hash[SHA256_SIZE];
        s->openapi = BUF_LIMIT(8 << 20);
        openapi_write(&s->routes, s->options.title, s->options.release, &s->openapi);
        sha256(s->openapi.at, s->openapi.length, hash);
        hex_text(hash, 8, s->openapi_etag);
}

static void take_limits(struct server *s, const struct server_options *o)
{
        atomic_store(&s->rate_reads, o->rate_reads);
        atomic_store(&s->rate_writes, o->rate_writes);
        atomic_store(&s->rate_key, o->rate_key);
        atomic_store(&s->access_log, o->access_log);
}

static bool open_tls(const struct server_options *o, struct tls **out, struct err *e)
{
        if (!o->tls_certificate != !o->tls_key)
                return err_both(e, ERR_INVALID, NULL, "tls_certificate and tls_key belong together: set both or none",
                                "tls_certificate 与 tls_key 须同时设置");
        return !o->tls_certificate || tls_new(out, o->tls_certificate, o->tls_key, e);
}

static bool read_proxy(const struct server_options *o, struct address *out, struct err *e)
{
        const char *proxy = o->trusted_proxy;
        return !proxy || address_parse(proxy, strlen(proxy), out)
               || err_both(e, ERR_INVALID, NULL, "trusted_proxy must be an IP address, not \"%.60s\"",
                           "trusted_proxy 应为 IP 地址，而不是“%.60s”", proxy);
}

bool server_check(const struct server_options *o, struct err *e)
{
        struct tls *tls = NULL;
        struct address proxy;
        const bool good = read_proxy(o, &proxy, e) && open_tls(o, &tls, e);
        tls_free(&tls);
        return good;
}

bool server_reload(struct server *s, const struct server_options *options, struct err *e)
{
        struct server_options o = *options;
        defaults(&o);
        if (s->tls && o.tls_certificate && o.tls_key && !tls_reload(s->tls, o.tls_certificate, o.tls_key, e))
                return false;
        if (!s->tls != !o.tls_certificate)
                log_event(LOG_WARN, "http.tls", "cause=\"HTTPS is turned on or off by a restart\"");
        take_limits(s, &o);
        guests_limit(s->guests, o.connections_per_address);
        return true;
}

bool server_start(struct server **out, const struct server_options *options, struct err *e)
{
        struct address proxy = {.known = false};
        struct tls *tls = NULL;
        if (!read_proxy(options, &proxy, e) || !open_tls(options, &tls, e))
                return false;
        struct server *s = calloc(1, sizeof *s);
        if (!s)
                abort();
        s->options = *options;
        s->proxy = proxy;
        s->tls = tls;
        defaults(&s->options);
        s->arena = arena_new();
        s->started = clock_steady();
        const struct route *const own[] = {server_routes, NULL};
        s->routes = routes_compile(s->arena, own, s->options.routes);
        s->buckets = buckets_new();
        s->guests = guests_new(s->options.connections_per_address, &s->proxy, s);
        s->bodies = bodies_new(BODIES_MOST, BODIES_MOST_OF_ONE);
        take_limits(s, options);
        s->lives = lives_new(s->options.streams);
        s->pool = pool_new(s->options.workers, s->options.queue, SLOW_MOST, exchange_run);
        make_openapi(s);
        (void)signal(SIGPIPE, SIG_IGN);
        if (!random_token(s->id_prefix, 8, e) || !open_port(s, e)) {
                server_stop(&s);
                return false;
        }
        *out = s;
        return true;
}

int server_port(const struct server *s)
{
        return s->port;
}

int server_requests(struct server *s)
{
        int waiting, running;
        pool_figures(s->pool, &waiting, &running);
        return waiting + running;
}

void server_wake_streams(struct server *s)
{
        lives_wake(s->lives);
}

/* Idle keep-alive connections have no exchange, so they do not hold this up. */
static void wait_for_exchanges(const struct server *s)
{
        const int64_t until = clock_steady() + STOP_SECONDS * USEC_SECOND;
        while (atomic_load(&s->in_flight) > 0 && clock_steady() < until)
                (void)nanosleep(&(struct timespec){.tv_nsec = 5000000L}, NULL);
        if (atomic_load(&s->in_flight) > 0)
                log_event(LOG_WARN, "http.stop", "unsent=%lld", (long long)atomic_load(&s->in_flight));
}

void server_stop(struct server **server)
{
        struct server *s = *server;
        if (!s)
                return;
        atomic_store(&s->stopping, true);
        if (s->daemon) {
                const MHD_socket listener = MHD_quiesce_daemon(s->daemon);
                lives_end(s->lives);
                wait_for_exchanges(s);
                pool_free(&s->pool);
                MHD_stop_daemon(s->daemon);
                if (listener != MHD_INVALID_SOCKET)
                        (void)close(listener);
        } else {
                lives_end(s->lives);
                pool_free(&s->pool);
        }
        lives_free(&s->lives);
        buckets_free(&s->buckets);
        guests_free(&s->guests);
        bodies_free(&s->bodies);
        tls_free(&s->tls);
        buf_free(&s->openapi);
        arena_free(&s->arena);
        free(s);
        *server = NULL;
}
