/* The load client: opens many streams of server-sent events, checks that each brings its updates once and in order,
 * and keeps how long they took.
 *
 *   load HOST PORT TARGETS HEADERS
 *
 * TARGETS is a file of request targets, one a line, of which the streams take one after the other, over and over;
 * HEADERS a file of header lines that go with every request. Commands are lines on standard input, each answered by
 * one line of JSON: `open COUNT`, `warm`, `reset`, `report`, `cut COUNT`; at the end of the input it ends. Streams that
 * are cut break off without a word, and come back at once with the last id that they were given.
 *
 * An update's data holds `"@<seq, 10 digits> <nanoseconds of CLOCK_MONOTONIC, 19 digits> `; seq counts from 1 on each
 * channel, and 0 is a warm-up that is not counted. A `snapshot` stands for all updates up to its id. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    READ_BYTES = 256 * 1024,
    KEPT_BYTES = 1024 * 1024, /* of a line that has not ended */
    CONNECTING = 64,          /* streams that are being opened at the same time */
    EVENTS = 512,
    STEPS = 64, /* of the histogram between two powers of two */
    BUCKETS = 40 * STEPS,
    OPEN_SECONDS = 120,
    ID_BYTES = 48,
};

enum phase { CLOSED, CONNECTS, HEAD, BODY };
enum chunk { SIZE, SIZE_END, DATA, DATA_END };

struct stream {
    int fd;
    uint8_t phase, chunk;
    bool chunked, warm, is_snapshot, has_update;
    size_t chunk_left;
    char *kept; /* the line that has not ended, or the head */
    size_t kept_bytes;
    uint64_t next; /* the seq that is to come */
    uint64_t seen; /* bit n: next - 1 - n has come */
    int64_t ahead; /* how much the log's own numbers are ahead of ours */
    uint64_t log_seq, seq, sent_ns;
    char id[ID_BYTES], fresh_id[ID_BYTES]; /* of the last event that came whole, and of the one that comes */
};

static struct stream *streams;
static size_t stream_count, stream_room, opened, connecting, wanted, warm;
static char **targets, *headers;
static size_t target_count;
static struct sockaddr_in address;
static char host_and_port[64];
static int poller;
static char buffer[KEPT_BYTES + READ_BYTES];

static uint64_t open_began_ns, open_ended_ns;
static size_t refused, closed;
static int refusal; /* the last status that was not 200 */
static uint64_t received, doubled, reordered, missing, jumped, pings, bytes, reads;
static uint64_t histogram[BUCKETS], slowest_us, reset_cpu_ns;

static uint64_t clock_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

/* -- figures -- */

static size_t bucket_of(uint64_t us) {
    if (us < STEPS)
        return us;
    int shift = 63 - __builtin_clzll(us) - 5;
    size_t bucket = (size_t)shift * (STEPS / 2) + (us >> shift);
    return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

static uint64_t us_of(size_t bucket) {
    if (bucket < STEPS)
        return bucket;
    size_t shift = bucket / (STEPS / 2) - 1;
    return ((uint64_t)(bucket % (STEPS / 2)) + STEPS / 2) << shift;
}

static double quantile_ms(double part) {
    uint64_t all = 0, below = 0;
    for (size_t each = 0; each < BUCKETS; each++)
        all += histogram[each];
    for (size_t each = 0; each < BUCKETS; each++) {
        below += histogram[each];
        if (below && (double)below >= part * (double)all)
            return (double)us_of(each) / 1000;
    }
    return 0;
}

static void report(void) {
    printf("{\"received\": %lu, \"doubled\": %lu, \"reordered\": %lu, \"missing\": %lu, \"jumped\": %lu, "
           "\"pings\": %lu, \"bytes\": %lu, \"reads\": %lu, \"closed\": %zu, "
           "\"p50_ms\": %.3f, \"p99_ms\": %.3f, \"worst_ms\": %.3f, \"cpu_seconds\": %.6f}\n",
           received, doubled, reordered, missing, jumped, pings, bytes, reads, closed, quantile_ms(0.5),
           quantile_ms(0.99), (double)slowest_us / 1000,
           (double)(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - reset_cpu_ns) / 1e9);
}

static void reset(void) {
    received = doubled = reordered = missing = jumped = pings = bytes = reads = slowest_us = 0;
    memset(histogram, 0, sizeof histogram);
    reset_cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    printf("{}\n");
}

/* -- what a stream says -- */

static void count_update(struct stream *stream, uint64_t now_ns) {
    if (stream->seq == 0) {
        warm += !stream->warm;
        stream->warm = true;
        return;
    }
    if (stream->seq >= stream->next) {
        uint64_t ahead = stream->seq - stream->next;
        missing += ahead;
        stream->seen = (ahead < 63 ? stream->seen << (ahead + 1) : 0) | 1;
        stream->next = stream->seq + 1;
    } else {
        uint64_t back = stream->next - 1 - stream->seq;
        if (back >= 64 || stream->seen >> back & 1) {
            doubled++;
            return;
        }
        stream->seen |= 1ull << back;
        missing--;
        reordered++;
    }
    received++;
    stream->ahead = (int64_t)(stream->log_seq - stream->seq);
    uint64_t us = now_ns > stream->sent_ns ? (now_ns - stream->sent_ns) / 1000 : 0;
    if (us > slowest_us)
        slowest_us = us;
    histogram[bucket_of(us)]++;
}

static void take_snapshot(struct stream *stream) {
    uint64_t next = stream->log_seq - (uint64_t)stream->ahead + 1;
    if (stream->next > 1 && next > stream->next) {
        jumped += next - stream->next;
        stream->next = next;
        stream->seen = ~0ull;
    }
}

static uint64_t number(const char *digits, size_t count) {
    uint64_t value = 0;
    while (count--)
        value = value * 10 + (uint64_t)(*digits++ - '0');
    return value;
}

static void take_line(struct stream *stream, char *line, size_t length, uint64_t now_ns) {
    if (length && line[length - 1] == '\r')
        length--;
    if (length == 0) {
        if (stream->fresh_id[0])
            memcpy(stream->id, stream->fresh_id, ID_BYTES);
        if (stream->is_snapshot)
            take_snapshot(stream);
        else if (stream->has_update)
            count_update(stream, now_ns);
        stream->is_snapshot = stream->has_update = false;
    } else if (line[0] == 'd') {
        char *mark = memmem(line, length, "\"@", 2);
        if (mark && mark + 33 <= line + length && !stream->is_snapshot) {
            stream->seq = number(mark + 2, 10);
            stream->sent_ns = number(mark + 13, 19);
            stream->has_update = true;
        }
    } else if (line[0] == 'i') {
        char *dash = memchr(line, '-', length);
        if (dash)
            stream->log_seq = number(dash + 1, (size_t)(line + length - dash - 1));
        if (length > 4 && length - 4 < ID_BYTES)
            *(char *)mempcpy(stream->fresh_id, line + 4, length - 4) = 0;
    } else if (line[0] == 'e') {
        stream->is_snapshot = length == 15 && memcmp(line, "event: snapshot", 15) == 0;
        pings += length == 11 && memcmp(line, "event: ping", 11) == 0;
    } else if (line[0] == ':') {
        pings++;
    }
}

static void end(struct stream *stream) {
    connecting -= stream->phase == CONNECTS || stream->phase == HEAD;
    opened -= stream->phase == BODY;
    stream->phase = CLOSED;
    close(stream->fd);
    free(stream->kept);
    stream->kept = NULL;
    stream->kept_bytes = 0;
}

static void keep(struct stream *stream, const char *from, size_t length) {
    if (length > KEPT_BYTES) {
        fprintf(stderr, "a line is longer than %d bytes\n", KEPT_BYTES);
        exit(1);
    }
    free(stream->kept);
    stream->kept = length ? malloc(length) : NULL;
    stream->kept_bytes = length;
    if (length)
        memcpy(stream->kept, from, length);
}

/* Takes the chunks' own bytes out, in place; how many are left. */
static size_t unchunked(struct stream *stream, char *from, size_t length) {
    char *to = from, *start = from, *stop = from + length;
    while (from < stop) {
        if (stream->chunk == DATA) {
            size_t take = (size_t)(stop - from) < stream->chunk_left ? (size_t)(stop - from) : stream->chunk_left;
            memmove(to, from, take);
            to += take;
            from += take;
            stream->chunk_left -= take;
            if (stream->chunk_left == 0)
                stream->chunk = DATA_END;
            continue;
        }
        char byte = *from++;
        if (stream->chunk == DATA_END) {
            if (byte == '\n')
                stream->chunk = SIZE;
        } else if (byte == '\n') {
            stream->chunk = stream->chunk_left ? DATA : DATA_END;
        } else if (stream->chunk == SIZE && byte != '\r' && byte != ';') {
            size_t digit = (size_t)(byte <= '9' ? byte - '0' : (byte | 32) - 'a' + 10);
            stream->chunk_left = stream->chunk_left * 16 + digit;
        } else {
            stream->chunk = SIZE_END;
        }
    }
    return (size_t)(to - start);
}

/* Where the body begins, or NULL while the head has not ended. */
static char *take_head(struct stream *stream, char *text, size_t length) {
    char *head_end = memmem(text, length, "\r\n\r\n", 4);
    if (!head_end)
        return NULL;
    *head_end = 0;
    int status = length > 12 ? atoi(text + 9) : 0;
    if (status != 200) {
        refusal = status;
        refused++;
        end(stream);
        return NULL;
    }
    stream->chunked = strcasestr(text, "\r\ntransfer-encoding: chunked") != NULL;
    stream->phase = BODY;
    connecting--;
    opened++;
    open_ended_ns = clock_ns(CLOCK_MONOTONIC);
    return head_end + 4;
}

static void take_bytes(struct stream *stream) {
    if (stream->kept_bytes)
        memcpy(buffer, stream->kept, stream->kept_bytes);
    char *fresh = buffer + stream->kept_bytes, *text = buffer;
    ssize_t got = recv(stream->fd, fresh, READ_BYTES, 0);
    if (got <= 0) {
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        closed += stream->phase == BODY;
        refused += stream->phase != BODY;
        end(stream);
        return;
    }
    uint64_t now_ns = clock_ns(CLOCK_MONOTONIC);
    size_t length = (size_t)got;
    bytes += length;
    reads++;
    if (stream->phase == HEAD) {
        length += stream->kept_bytes;
        char *body = take_head(stream, buffer, length);
        if (!body) {
            if (stream->phase == HEAD)
                keep(stream, buffer, length);
            return;
        }
        length -= (size_t)(body - buffer);
        fresh = text = body;
    }
    if (stream->chunked)
        length = unchunked(stream, fresh, length);
    char *stop = fresh + length, *line_end;
    char *search = fresh;
    while ((line_end = memchr(search, '\n', (size_t)(stop - search)))) {
        take_line(stream, text, (size_t)(line_end - text), now_ns);
        search = text = line_end + 1;
    }
    keep(stream, text, (size_t)(stop - text));
}

/* -- opening and cutting -- */

static void watch(struct stream *stream, uint32_t what, int how) {
    struct epoll_event event = {.events = what, .data.u64 = (uint64_t)(stream - streams)};
    if (epoll_ctl(poller, how, stream->fd, &event) < 0)
        fail("epoll_ctl");
}

static void connect_stream(struct stream *stream) {
    stream->phase = CONNECTS;
    stream->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (stream->fd < 0)
        fail("socket");
    int on = 1;
    struct linger at_once = {.l_onoff = 1};
    setsockopt(stream->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(stream->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    if (connect(stream->fd, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS)
        fail("connect");
    connecting++;
    watch(stream, EPOLLOUT, EPOLL_CTL_ADD);
}

static void open_next(void) {
    struct stream *stream = &streams[stream_count++];
    *stream = (struct stream){.next = 1};
    connect_stream(stream);
}

static void ask(struct stream *stream) {
    char request[8192];
    size_t number = (size_t)(stream - streams);
    int length = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: %s\r\n%s%s%s%s\r\n",
                          targets[number % target_count], host_and_port, headers,
                          stream->id[0] ? "Last-Event-ID: " : "", stream->id, stream->id[0] ? "\r\n" : "");
    if (send(stream->fd, request, (size_t)length, MSG_NOSIGNAL) != length) {
        refused++;
        end(stream);
        return;
    }
    stream->phase = HEAD;
    watch(stream, EPOLLIN, EPOLL_CTL_MOD);
}

static void begin_open(size_t count) {
    wanted = count;
    refused = 0;
    open_began_ns = clock_ns(CLOCK_MONOTONIC);
    if (stream_count + count > stream_room) {
        stream_room = stream_count + count;
        streams = realloc(streams, stream_room * sizeof *streams);
    }
}

static void go_on_opening(void) {
    while (wanted && connecting < CONNECTING) {
        wanted--;
        open_next();
    }
}

static void tell_opened(void) {
    printf("{\"opened\": %zu, \"refused\": %zu, \"refusal\": %d, \"seconds\": %.6f}\n", opened, refused, refusal,
           (double)(open_ended_ns - open_began_ns) / 1e9);
}

static void cut(size_t count) {
    static size_t place;
    size_t left = count;
    for (size_t tried = 0; left && tried < stream_count; tried++) {
        struct stream *stream = &streams[place++ % stream_count];
        if (stream->phase != BODY)
            continue;
        end(stream);
        stream->chunk = SIZE;
        stream->chunk_left = 0;
        stream->chunked = stream->is_snapshot = stream->has_update = false;
        stream->fresh_id[0] = 0;
        connect_stream(stream);
        left--;
    }
    printf("{\"cut\": %zu}\n", count - left);
}

/* -- the program -- */

static bool obey(void) {
    char line[128];
    size_t count = 0;
    ssize_t got = read(STDIN_FILENO, line, sizeof line - 1);
    if (got <= 0)
        return false;
    line[got] = 0;
    if (sscanf(line, "open %zu", &count) == 1)
        begin_open(count);
    else if (sscanf(line, "cut %zu", &count) == 1)
        cut(count);
    else if (strcmp(line, "warm\n") == 0)
        printf("{\"warm\": %zu}\n", warm);
    else if (strcmp(line, "reset\n") == 0)
        reset();
    else if (strcmp(line, "report\n") == 0)
        report();
    fflush(stdout);
    return true;
}

static void serve_events(const struct epoll_event *events, int count) {
    for (int each = 0; each < count; each++) {
        if (events[each].data.u64 == UINT64_MAX) {
            if (!obey())
                exit(0);
            continue;
        }
        struct stream *stream = &streams[events[each].data.u64];
        if (stream->phase == CONNECTS)
            ask(stream);
        else if (stream->phase != CLOSED)
            take_bytes(stream);
    }
}

static char *whole_file(const char *path) {
    FILE *file = fopen(path, "r");
    char *text = NULL;
    size_t room = 0;
    if (!file)
        fail(path);
    if (getdelim(&text, &room, 0, file) < 0)
        text = strdup("");
    fclose(file);
    return text;
}

static void read_targets(char *text) {
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        targets = realloc(targets, (target_count + 1) * sizeof *targets);
        targets[target_count++] = line;
    }
}

static void allow_all_files(void) {
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

int main(int count, char **arguments) {
    if (count != 5) {
        fprintf(stderr, "load HOST PORT TARGETS HEADERS\n");
        return 2;
    }
    allow_all_files();
    snprintf(host_and_port, sizeof host_and_port, "%s:%s", arguments[1], arguments[2]);
    address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(arguments[2]))};
    inet_pton(AF_INET, arguments[1], &address.sin_addr);
    read_targets(whole_file(arguments[3]));
    headers = whole_file(arguments[4]);
    poller = epoll_create1(0);
    struct epoll_event commands = {.events = EPOLLIN, .data.u64 = UINT64_MAX};
    epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &commands);
    struct epoll_event events[EVENTS];
    bool opening = false;
    for (;;) {
        opening = opening || wanted;
        go_on_opening();
        bool late = opening && clock_ns(CLOCK_MONOTONIC) - open_began_ns > OPEN_SECONDS * 1000000000ull;
        if (opening && ((!wanted && !connecting) || late)) {
            opening = false;
            tell_opened();
            fflush(stdout);
        }
        int ready = epoll_wait(poller, events, EVENTS, opening ? 1000 : -1);
        if (ready < 0 && errno != EINTR)
            fail("epoll_wait");
        serve_events(events, ready);
    }
}
