/* What the machine itself can do: one subscription to the store, and each message written to each of its channel's
 * readers. No more is checked than the bench needs.
 *
 *   epoll PORT SOCKET */

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
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    FILES = 65536,
    NAMES = 32768, /* places in the table of channels; a power of two, and more than there are channels */
    NAME_BYTES = 64,
    READ_BYTES = 1024 * 1024,
    TICKS = 64, /* in which everybody is pinged once */
    PING_SECONDS = 15,
    WAITING_BYTES = 4 * 1024 * 1024,
};

struct channel {
    char name[NAME_BYTES];
    int *readers, count, room;
};

struct reader {
    struct channel *channel;
    int place; /* among the channel's readers */
    char *waiting;
    size_t waiting_bytes;
};

static struct channel channels[NAMES];
static struct reader readers[FILES];
static int poller, store, listener, timer, highest;
static char from_store[READ_BYTES], frames[2 * READ_BYTES];
static size_t from_store_bytes;

static const char HEAD[] = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-store\r\n\r\n";

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void watch(int file, uint32_t what, int how) {
    struct epoll_event event = {.events = what, .data.fd = file};
    if (epoll_ctl(poller, how, file, &event) < 0)
        fail("epoll_ctl");
}

static struct channel *channel_of(const char *name, size_t length) {
    uint32_t hash = 2166136261u;
    for (size_t each = 0; each < length; each++)
        hash = (hash ^ (uint8_t)name[each]) * 16777619u;
    for (;; hash++) {
        struct channel *channel = &channels[hash % NAMES];
        if (!channel->name[0])
            memcpy(channel->name, name, length);
        if (strncmp(channel->name, name, length) == 0 && !channel->name[length])
            return channel;
    }
}

static void leave(int file) {
    struct reader *reader = &readers[file];
    if (reader->channel) {
        int last = reader->channel->readers[--reader->channel->count];
        reader->channel->readers[reader->place] = last;
        readers[last].place = reader->place;
    }
    free(reader->waiting);
    *reader = (struct reader){0};
    close(file);
}

static void keep(int file, const char *data, size_t length) {
    struct reader *reader = &readers[file];
    if (reader->waiting_bytes + length > WAITING_BYTES) {
        shutdown(file, SHUT_RDWR); /* the poller tells, and then it is left */
        return;
    }
    reader->waiting = realloc(reader->waiting, reader->waiting_bytes + length);
    memcpy(reader->waiting + reader->waiting_bytes, data, length);
    reader->waiting_bytes += length;
    watch(file, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
}

static void tell(int file, const char *data, size_t length) {
    if (readers[file].waiting_bytes) {
        keep(file, data, length);
        return;
    }
    ssize_t sent = send(file, data, length, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN)
        return;
    if (sent < (ssize_t)length)
        keep(file, data + (sent < 0 ? 0 : sent), length - (size_t)(sent < 0 ? 0 : sent));
}

static void tell_on(int file) {
    struct reader *reader = &readers[file];
    char *waiting = reader->waiting;
    size_t length = reader->waiting_bytes;
    reader->waiting = NULL;
    reader->waiting_bytes = 0;
    watch(file, EPOLLIN, EPOLL_CTL_MOD);
    tell(file, waiting, length);
    free(waiting);
}

static void subscribe(struct channel *channel) {
    char command[128];
    int length = snprintf(command, sizeof command, "*2\r\n$9\r\nSUBSCRIBE\r\n$%zu\r\n%s\r\n", strlen(channel->name),
                          channel->name);
    if (send(store, command, (size_t)length, MSG_NOSIGNAL) != length)
        fail("the store");
}

static void take_request(int file) {
    char request[8192];
    ssize_t got = recv(file, request, sizeof request - 1, 0);
    if (got <= 0) {
        if (got == 0 || errno != EAGAIN)
            leave(file);
        return;
    }
    request[got] = 0;
    char *name = strstr(request, "?id="), *name_end = name ? strchr(name, ' ') : NULL;
    if (readers[file].channel || !name_end || name_end - name - 4 >= NAME_BYTES)
        return;
    struct channel *channel = channel_of(name + 4, (size_t)(name_end - name - 4));
    if (channel->count == channel->room) {
        channel->room = channel->room ? 2 * channel->room : 1;
        channel->readers = realloc(channel->readers, (size_t)channel->room * sizeof *channel->readers);
        if (channel->room == 1)
            subscribe(channel);
    }
    readers[file] = (struct reader){.channel = channel, .place = channel->count};
    channel->readers[channel->count++] = file;
    tell(file, HEAD, sizeof HEAD - 1);
}

static void take_reader(void) {
    int file;
    while ((file = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        int on = 1;
        setsockopt(file, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (file >= FILES)
            fail("too many files");
        highest = file > highest ? file : highest;
        watch(file, EPOLLIN, EPOLL_CTL_ADD);
    }
}

/* The bulk string or number at the place, which moves behind it; false where it has not come whole. */
static bool take_item(char **place, char *stop, char **item, size_t *length) {
    char *line_end = memchr(*place, '\n', (size_t)(stop - *place));
    if (!line_end)
        return false;
    if (**place == ':') {
        *place = line_end + 1;
        return true;
    }
    *length = (size_t)atol(*place + 1);
    *item = line_end + 1;
    if (*item + *length + 2 > stop)
        return false;
    *place = *item + *length + 2;
    return true;
}

static void tell_all(struct channel *channel, size_t length) {
    for (int each = 0; channel && each < channel->count; each++)
        tell(channel->readers[each], frames, length);
}

/* All that came; messages of a channel that follow each other become one write. */
static void take_messages(void) {
    ssize_t got = recv(store, from_store + from_store_bytes, READ_BYTES - from_store_bytes, 0);
    if (got <= 0)
        fail("the store");
    char *place = from_store, *stop = from_store + from_store_bytes + got;
    struct channel *channel = NULL;
    size_t framed = 0;
    for (;;) {
        char *begin = place, *head = memchr(place, '\n', (size_t)(stop - place)), *what, *name = NULL, *data = NULL;
        size_t what_bytes = 0, name_bytes = 0, data_bytes = 0;
        place = head ? head + 1 : place;
        if (!head || !take_item(&place, stop, &what, &what_bytes) || !take_item(&place, stop, &name, &name_bytes) ||
            !take_item(&place, stop, &data, &data_bytes)) {
            place = begin;
            break;
        }
        if (what_bytes != 7)
            continue; /* it confirms a subscription */
        struct channel *its = channel_of(name, name_bytes);
        if (its != channel || framed + data_bytes + 8 > sizeof frames) {
            tell_all(channel, framed);
            channel = its;
            framed = 0;
        }
        framed = (size_t)(mempcpy(mempcpy(mempcpy(frames + framed, "data: ", 6), data, data_bytes), "\n\n", 2) - (void *)frames);
    }
    tell_all(channel, framed);
    from_store_bytes = (size_t)(stop - place);
    memmove(from_store, place, from_store_bytes);
}

static void ping(void) {
    static int tick;
    uint64_t times;
    if (read(timer, &times, sizeof times) < 0)
        return;
    tick = (tick + 1) % TICKS;
    for (int file = tick; file <= highest; file += TICKS)
        if (readers[file].channel)
            tell(file, ": ping\n\n", 8);
}

static void open_all(const char *port, const char *path) {
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    poller = epoll_create1(0);
    struct sockaddr_un place = {.sun_family = AF_UNIX};
    strncpy(place.sun_path, path, sizeof place.sun_path - 1);
    store = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(store, (struct sockaddr *)&place, sizeof place) < 0)
        fail(path);
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    inet_pton(AF_INET, "127.0.0.1", &here.sin_addr);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&here, sizeof here) < 0 || listen(listener, 2048) < 0)
        fail("listen");
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    struct timespec each = {.tv_nsec = PING_SECONDS * 1000000000l / TICKS};
    timerfd_settime(timer, 0, &(struct itimerspec){each, each}, NULL);
    watch(store, EPOLLIN, EPOLL_CTL_ADD);
    watch(listener, EPOLLIN, EPOLL_CTL_ADD);
    watch(timer, EPOLLIN, EPOLL_CTL_ADD);
}

int main(int count, char **arguments) {
    if (count != 3) {
        fprintf(stderr, "epoll PORT SOCKET\n");
        return 2;
    }
    open_all(arguments[1], arguments[2]);
    struct epoll_event events[512];
    for (;;) {
        int ready = epoll_wait(poller, events, 512, -1);
        for (int each = 0; each < ready; each++) {
            int file = events[each].data.fd;
            if (file == store)
                take_messages();
            else if (file == listener)
                take_reader();
            else if (file == timer)
                ping();
            else if (events[each].events & EPOLLOUT)
                tell_on(file);
            else
                take_request(file);
        }
    }
}
