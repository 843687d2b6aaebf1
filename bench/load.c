/* bench/load.c -- HTTP load on one thread: C connections, kept alive when the server does, each with one request under way, from a
 * file of requests.
 *
 * bench_load PORT AUTHORIZATION CONNECTIONS FILE [RATE]     each line of FILE: METHOD PATH [BODY]
 * With RATE the requests are begun evenly, so many a second, while connections are free: a latency counts from when the request
 * should have begun; and no more are begun once standard input ends.
 * A server that closes the connection after an answer is dialled again; the dialling counts in the latency of the next request.
 * Prints one line of JSON: how many, how many failed, rate, latencies.  The first failed answer goes to stderr.
 */
#include "base/base.h"
#include "base/clock.h"
#include "base/text.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { ANSWER_ROOM = 1 << 20, REQUEST_ROOM = 16 << 10, CONNECTIONS_MOST = 4096 };

struct connection {
        int socket;
        char *request, *answer;
        size_t request_n, sent, answer_n;
        int64_t began; /* 0: no request is under way */
};
struct load {
        int port, epoll;
        const char *authorization;
        char **lines;
        size_t n_lines, next, done, failed;
        int64_t start, gap;       /* microseconds between the beginnings of requests; 0: as fast as answers come */
        struct connection **idle; /* those that wait for their request's time */
        size_t n_idle;
        int64_t *latency;
};

static void die(const char *what)
{
        perror(what);
        exit(1);
}

static void read_lines(struct load *l, const char *path)
{
        FILE *f = fopen(path, "re");
        size_t room = 0, line_room = 0;
        char *line = NULL;
        if (!f)
                die(path);
        while (getline(&line, &line_room, f) > 0) {
                if (l->n_lines == room) {
                        room = room ? room * 2 : 1024;
                        l->lines = realloc(l->lines, room * sizeof *l->lines);
                }
                line[strcspn(line, "\n")] = '\0';
                if (!l->lines || !(l->lines[l->n_lines++] = strdup(line)))
                        die("memory");
        }
        free(line);
        (void)fclose(f);
}

static void put_request(const struct load *l, struct connection *c, const char *line)
{
        char method[8], path[1024];
        int used = 0;
        if (sscanf(line, "%7s %1023s%n", method, path, &used) != 2)
                die("a line without method and path");
        const char *body = line[used] ? line + used + 1 : "";
        c->request_n =
                (size_t)snprintf(c->request, REQUEST_ROOM,
                                 "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: %s\r\nContent-Type: application/json\r\n"
                                 "Content-Length: %zu\r\n\r\n%s",
                                 method, path, l->authorization, strlen(body), body);
        if (c->request_n >= REQUEST_ROOM)
                die("a request is too long");
        c->sent = c->answer_n = 0;
}

static void watch(const struct load *l, struct connection *c, int operation, uint32_t events)
{
        struct epoll_event ev = {.events = events, .data.ptr = c};
        if (epoll_ctl(l->epoll, operation, c->socket, &ev) != 0)
                die("epoll_ctl");
}

static void push(const struct load *l, struct connection *c)
{
        const ssize_t n = send(c->socket, c->request + c->sent, c->request_n - c->sent, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN)
                die("send");
        c->sent += n > 0 ? (size_t)n : 0;
        watch(l, c, EPOLL_CTL_MOD, c->sent < c->request_n ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void dial(const struct load *l, struct connection *c)
{
        const struct sockaddr_in to = {.sin_family = AF_INET,
                                       .sin_port = htons((uint16_t)l->port),
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        const int yes = 1;
        c->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (c->socket < 0 || connect(c->socket, (const struct sockaddr *)&to, sizeof to) != 0)
                die("connect");
        (void)setsockopt(c->socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        if (fcntl(c->socket, F_SETFL, O_NONBLOCK) != 0)
                die("fcntl");
        watch(l, c, EPOLL_CTL_ADD, EPOLLIN);
}

/* Microseconds until the next request may begin; 0: now. */
static int64_t until_next(const struct load *l)
{
        const int64_t wait = l->start + (int64_t)l->next * l->gap - clock_steady();
        return l->gap && wait > 0 ? wait : 0;
}

/* Begins the connection's next request, if there is one and its time has come. */
static void begin(struct load *l, struct connection *c)
{
        if (l->next == l->n_lines) {
                if (c->socket >= 0)
                        watch(l, c, EPOLL_CTL_DEL, 0);
                return;
        }
        if (until_next(l) > 0) {
                l->idle[l->n_idle++] = c;
                return;
        }
        c->began = l->gap ? l->start + (int64_t)l->next * l->gap : clock_steady();
        put_request(l, c, l->lines[l->next++]);
        if (c->socket < 0)
                dial(l, c);
        push(l, c);
}

/* The value of a header of the answer, or NULL; head_end: the empty line after the headers. */
static const char *header(const struct connection *c, const char *head_end, const char *name)
{
        const char *found = strcasestr(c->answer, name);
        return found && found < head_end ? found + strlen(name) : NULL;
}

/* Is the answer whole?  ended: the server has closed the connection.  *closes: it will not answer on it again. */
static bool whole(const struct connection *c, bool ended, bool *closes)
{
        const char *end = memmem(c->answer, c->answer_n, "\r\n\r\n", 4);
        if (!end)
                return false;
        const char *length = header(c, end, "\r\ncontent-length:");
        *closes = ended || header(c, end, "\r\nconnection: close") || strncmp(c->answer, "HTTP/1.0", 8) == 0;
        if (length)
                return c->answer_n >= (size_t)(end - c->answer) + 4 + (size_t)strtoull(length, NULL, 10);
        if (header(c, end, "\r\ntransfer-encoding: chunked"))
                return memcmp(c->answer + c->answer_n - 5, "0\r\n\r\n", 5) == 0;
        return ended || !*closes;
}

static void hang_up(struct connection *c)
{
        (void)close(c->socket);
        c->socket = -1;
}

static void take(struct load *l, struct connection *c)
{
        bool closes = false;
        const ssize_t n = recv(c->socket, c->answer + c->answer_n, ANSWER_ROOM - 1 - c->answer_n, 0);
        if (n < 0 && errno != EAGAIN)
                die("recv");
        if (n < 0)
                return;
        if (n == 0 && c->began == 0) { /* cut while it waited for its time: dialled again then */
                hang_up(c);
                return;
        }
        c->answer_n += (size_t)n;
        c->answer[c->answer_n] = '\0';
        if (!whole(c, n == 0, &closes)) {
                if (n > 0)
                        return;
                fprintf(stderr, "bench_load: the server closed a connection within an answer\n");
                exit(1);
        }
        l->latency[l->done++] = clock_steady() - c->began;
        if (strncmp(c->answer, "HTTP/1.", 7) != 0 || c->answer[9] != '2') {
                if (l->failed++ == 0)
                        fprintf(stderr, "first failure: %.600s\n", c->answer);
        }
        c->began = 0;
        if (closes)
                hang_up(c);
        begin(l, c);
}

static int by_value(const void *a, const void *b)
{
        const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
        return (x > y) - (x < y);
}

static double percentile(const struct load *l, double share)
{
        const size_t i = (size_t)((double)l->done * share);
        return l->done ? (double)l->latency[i < l->done ? i : l->done - 1] / 1000.0 : 0;
}

static void answer(struct load *l, const struct epoll_event *ev)
{
        struct connection *c = ev->data.ptr;
        if (!c) { /* standard input has ended: what is under way is still waited for */
                for (size_t i = l->next; i < l->n_lines; i++)
                        free(l->lines[i]);
                l->n_lines = l->next;
                (void)epoll_ctl(l->epoll, EPOLL_CTL_DEL, STDIN_FILENO, NULL);
                return;
        }
        if (ev->events & EPOLLOUT && c->sent < c->request_n)
                push(l, c);
        if (ev->events & ~(uint32_t)EPOLLOUT)
                take(l, c);
}

static void turn(struct load *l)
{
        struct epoll_event events[256];
        const bool waiting = l->n_idle > 0 && l->next < l->n_lines;
        const int n = epoll_wait(l->epoll, events, 256, waiting ? (int)((until_next(l) + 999) / 1000) : 30000);
        if (n < 0 || (n == 0 && !waiting))
                die("no answer within 30 seconds");
        for (int i = 0; i < n; i++)
                answer(l, &events[i]);
        while (l->n_idle > 0 && l->next < l->n_lines && until_next(l) == 0)
                begin(l, l->idle[--l->n_idle]);
}

/* All connections send at once; each sends the next line when its answer is there. */
static double run(struct load *l, struct connection *connections, int64_t n_connections)
{
        l->idle = calloc((size_t)n_connections, sizeof *l->idle);
        if (!l->idle)
                die("memory");
        for (int64_t i = 0; i < n_connections; i++) {
                connections[i].request = malloc(REQUEST_ROOM);
                connections[i].answer = malloc(ANSWER_ROOM);
                if (!connections[i].request || !connections[i].answer)
                        die("memory");
                dial(l, &connections[i]);
        }
        l->start = clock_steady();
        for (int64_t i = 0; i < n_connections; i++)
                begin(l, &connections[i]);
        while (l->done < l->n_lines)
                turn(l);
        return (double)(clock_steady() - l->start) / 1e6;
}

/* Reads the command line; false when it is not as it should be. */
static bool read_words(int argc, char **argv, struct load *l, int64_t *n_connections)
{
        int64_t port, rate = 0;
        if (argc < 5 || argc > 6 || !text_to_int(argv[1], &port) || !text_to_int(argv[3], n_connections))
                return false;
        if (argc == 6 && (!text_to_int(argv[5], &rate) || rate < 1))
                return false;
        l->port = (int)port;
        l->authorization = argv[2];
        l->gap = rate ? 1000000 / rate : 0;
        return *n_connections >= 1 && *n_connections <= CONNECTIONS_MOST;
}

static void prepare(struct load *l, const char *path)
{
        struct epoll_event end = {.events = EPOLLHUP};
        read_lines(l, path);
        l->epoll = epoll_create1(EPOLL_CLOEXEC);
        l->latency = malloc((l->n_lines + 1) * sizeof *l->latency);
        if (l->epoll < 0 || !l->latency)
                die("start");
        if (l->gap && epoll_ctl(l->epoll, EPOLL_CTL_ADD, STDIN_FILENO, &end) != 0)
                die("with RATE standard input must be a pipe");
}

int main(int argc, char **argv)
{
        static struct connection connections[CONNECTIONS_MOST];
        struct load l = {0};
        int64_t n_connections;
        if (!read_words(argc, argv, &l, &n_connections)) {
                fprintf(stderr, "use: bench_load PORT AUTHORIZATION CONNECTIONS FILE [RATE]\n");
                return 2;
        }
        prepare(&l, argv[4]);
        const double seconds = run(&l, connections, n_connections);
        qsort(l.latency, l.done, sizeof *l.latency, by_value);
        printf("{\"requests\":%zu,\"failed\":%zu,\"seconds\":%.3f,\"rate\":%.1f,"
               "\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"most_ms\":%.2f}\n",
               l.done, l.failed, seconds, (double)l.done / seconds, percentile(&l, 0.5), percentile(&l, 0.99), percentile(&l, 1));
        for (size_t i = 0; i < l.n_lines; i++)
                free(l.lines[i]);
        free(l.lines);
        free(l.idle);
        free(l.latency);
        return l.failed ? 1 : 0;
}
