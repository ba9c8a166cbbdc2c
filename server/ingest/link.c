/* SPDX-License-Identifier: Apache-2.0 */
/* link.c -- Paho's asynchronous client with a keeper thread of our own.
 *
 *   DOWN --> CONNECTING --> SUBSCRIBING --> UP      any failure: --> DOWN, next try after the back-off
 *
 * Paho's own reconnect is off: it does not subscribe again after a clean start and does not tell failures apart.
 */
#include "server/ingest/link.h"

#include "common/err.h"
#include "proto/topics.h"
#include "server/clock.h"
#include "server/host.h"
#include "server/ingest/outbox.h"
#include "server/log.h"
#include "server/metrics.h"

#include <MQTTAsync.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum link_state { DOWN, CONNECTING, SUBSCRIBING, UP };

enum { KEEP_ALIVE_S = 20, STEP_MAX_MS = 15000, BACKOFF_MIN_MS = 500, BACKOFF_MAX_MS = 30000, UNDER_WAY_MAX = 20000 };

struct link {
    const struct config *cfg;
    struct link_handler handler;
    MQTTAsync client;
    struct outbox *outbox;
    char uri[300];
    pthread_t keeper;
    pthread_mutex_t lock; /* guards what follows; never held while Paho is called */
    pthread_cond_t changed;
    enum link_state state;
    int64_t since_ms; /* monotonic, of the state */
    int64_t try_at_ms;
    int backoff_ms;
    bool started, stopping, paused, disconnected;
};

static void wait_changed(struct link *l, int ms)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += (long)(ms % 1000) * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    pthread_cond_timedwait(&l->changed, &l->lock, &t);
}

static void go(struct link *l, enum link_state state)
{
    l->state = state;
    l->since_ms = clock_mono_ms();
    metrics_set(METRIC_MQTT_UP, state == UP);
    pthread_cond_broadcast(&l->changed);
}

static void fall(struct link *l, const char *why, int code)
{
    pthread_mutex_lock(&l->lock);
    if (l->state != DOWN && !l->stopping) {
        l->backoff_ms = l->state == UP ? BACKOFF_MIN_MS : l->backoff_ms * 2;
        if (l->backoff_ms > BACKOFF_MAX_MS)
            l->backoff_ms = BACKOFF_MAX_MS;
        l->try_at_ms = clock_mono_ms() + l->backoff_ms / 2 + rand() % l->backoff_ms;
        if (l->state != UP)
            metrics_add(METRIC_CONNECTS_FAILED, 1);
        log_warn("mqtt", why, "broker=%s code=%d next_try_ms=%d", l->uri, code, (int)(l->try_at_ms - clock_mono_ms()));
        go(l, DOWN);
    }
    pthread_mutex_unlock(&l->lock);
}

static void on_lost(void *ctx, char *cause)
{
    (void)cause;
    fall(ctx, "connection lost", 0);
}

static void on_subscribe_failed(void *ctx, MQTTAsync_failureData5 *data)
{
    fall(ctx, "subscription failed", data ? data->code : 0);
}

static void come_up(struct link *l)
{
    pthread_mutex_lock(&l->lock);
    l->backoff_ms = BACKOFF_MIN_MS;
    go(l, UP);
    pthread_mutex_unlock(&l->lock);
    metrics_add(METRIC_CONNECTS, 1);
    log_info("mqtt", "connected", "broker=%s", l->uri);
}

static void on_subscribed(void *ctx, MQTTAsync_successData5 *data)
{
    struct link *l = ctx;
    bool refused = data->alt.sub.reasonCodeCount <= 1 && data->reasonCode >= MQTTREASONCODE_UNSPECIFIED_ERROR;

    for (int i = 0; data->alt.sub.reasonCodeCount > 1 && i < data->alt.sub.reasonCodeCount; i++)
        refused |= data->alt.sub.reasonCodes[i] >= MQTTREASONCODE_UNSPECIFIED_ERROR;
    if (refused) {
        fall(l, "broker refused a subscription", data->reasonCode);
        return;
    }
    come_up(l);
}

static void on_connect_failed(void *ctx, MQTTAsync_failureData5 *data)
{
    log_warn("mqtt", "cannot connect", "reason='%s'", data && data->message ? data->message : "");
    fall(ctx, "connection failed", data ? data->code : 0);
}

static void on_connected(void *ctx, MQTTAsync_successData5 *data)
{
    struct link *l = ctx;
    MQTTAsync_callOptions opts = MQTTAsync_callOptions_initializer;
    char *topics[2];
    int qos[2] = { 1, 1 }, n = 0;
    MQTTSubscribe_options each[2] = { MQTTSubscribe_options_initializer, MQTTSubscribe_options_initializer };

    (void)data;
    if ((l->cfg->role & ROLE_INGEST) && !l->cfg->lane)
        topics[n++] = TOPIC_SHARED_UP;
    if (l->cfg->role & ROLE_API)
        topics[n++] = TOPIC_ALL_STATES;
    pthread_mutex_lock(&l->lock);
    go(l, SUBSCRIBING);
    pthread_mutex_unlock(&l->lock);
    if (n == 0) {
        come_up(l); /* an ingest with a lane only publishes here */
        return;
    }
    opts.onSuccess5 = on_subscribed;
    opts.onFailure5 = on_subscribe_failed;
    opts.context = l;
    opts.subscribeOptionsCount = n;
    opts.subscribeOptionsList = each;
    int rc = MQTTAsync_subscribeMany(l->client, n, topics, qos, &opts);

    if (rc != MQTTASYNC_SUCCESS)
        fall(l, "cannot subscribe", rc);
}

static int on_arrived(void *ctx, char *topic, int topic_len, MQTTAsync_message *message)
{
    struct link *l = ctx;

    pthread_mutex_lock(&l->lock);
    bool paused = l->paused;

    pthread_mutex_unlock(&l->lock);
    if (!paused)
        l->handler.on_message(l->handler.ctx, topic, topic_len > 0 ? (size_t)topic_len : strlen(topic), message->payload,
                              message->payloadlen > 0 ? (size_t)message->payloadlen : 0);
    MQTTAsync_freeMessage(&message);
    MQTTAsync_free(topic);
    return 1; /* Paho sends the PUBACK whatever we say */
}

/* On the outbox's thread: may wait while Paho delivers. What fails is sent again by those who asked. */
static void send_now(void *ctx, const char *topic, const uint8_t *bytes, size_t size)
{
    struct link *l = ctx;
    MQTTAsync_responseOptions opts = MQTTAsync_responseOptions_initializer;
    int rc = link_is_up(l) ? MQTTAsync_send(l->client, topic, (int)size, bytes, 1, 0, &opts) : MQTTASYNC_DISCONNECTED;

    if (rc != MQTTASYNC_SUCCESS)
        log_debug("mqtt", "not sent", "topic=%s code=%d", topic, rc);
}

/* Why TLS failed, in OpenSSL's words. A wrong name in the certificate gives no line here, only "TCP/TLS connect failure". */
static int on_tls_error(const char *text, size_t size, void *ctx)
{
    const struct link *l = ctx;

    log_warn("mqtt", "TLS", "broker=%s error='%.*s'", l->uri, (int)size, text);
    return 1;
}

static void connect_now(struct link *l)
{
    MQTTAsync_connectOptions opts = MQTTAsync_connectOptions_initializer5;
    MQTTAsync_SSLOptions tls = MQTTAsync_SSLOptions_initializer;
    MQTTProperties props = MQTTProperties_initializer;
    MQTTProperty receive_max = { .identifier = MQTTPROPERTY_CODE_RECEIVE_MAXIMUM };

    receive_max.value.integer2 = (unsigned short)l->cfg->receive_max;
    MQTTProperties_add(&props, &receive_max);
    tls.trustStore = l->cfg->ca;
    tls.keyStore = l->cfg->cert;
    tls.privateKey = l->cfg->key;
    tls.enableServerCertAuth = 1;
    tls.verify = 1;
    tls.disableDefaultTrustStore = 1;
    tls.ssl_error_cb = on_tls_error;
    tls.ssl_error_context = l;
    tls.sslVersion = MQTT_SSL_VERSION_TLS_1_2;
    opts.cleanstart = 1;
    opts.keepAliveInterval = KEEP_ALIVE_S;
    opts.connectTimeout = STEP_MAX_MS / 1000 - 5;
    opts.maxInflight = 1000;
    opts.connectProperties = &props;
    opts.ssl = &tls;
    opts.onSuccess5 = on_connected;
    opts.onFailure5 = on_connect_failed;
    opts.context = l;
    int rc = MQTTAsync_connect(l->client, &opts);

    MQTTProperties_free(&props);
    if (rc != MQTTASYNC_SUCCESS)
        fall(l, "cannot start to connect", rc);
}

/* What the keeper has to do now, decided under the lock. */
static enum { REST, CONNECT, LOOK, GIVE_UP } duty(struct link *l)
{
    int64_t now = clock_mono_ms();

    if (l->state == DOWN)
        return now >= l->try_at_ms ? CONNECT : REST;
    if (l->state == UP)
        return LOOK;
    return now - l->since_ms > STEP_MAX_MS ? GIVE_UP : REST;
}

static void *keep(void *ctx)
{
    struct link *l = ctx;

    pthread_mutex_lock(&l->lock);
    while (!l->stopping) {
        int what = duty(l);

        if (what == CONNECT)
            go(l, CONNECTING);
        pthread_mutex_unlock(&l->lock);
        if (what == CONNECT)
            connect_now(l);
        else if (what == LOOK && !MQTTAsync_isConnected(l->client))
            fall(l, "connection gone", 0);
        else if (what == GIVE_UP)
            fall(l, "no answer in time", 0);
        if (what != LOOK)
            outbox_clear(l->outbox);
        pthread_mutex_lock(&l->lock);
        if (!l->stopping)
            wait_changed(l, 250);
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

/* The name to connect to is the name to check; --broker only says where it must lead. */
static int make_uri(struct link *l)
{
    char host[200];
    int port = host_split(l->cfg->broker, host, sizeof host);

    if (port <= 0) {
        log_error("mqtt", "--broker is not HOST:PORT", "broker=%s", l->cfg->broker);
        return BMS_ERR_RANGE;
    }
    if (!host_is_same(host, l->cfg->server_name)) {
        log_error("mqtt", "--server-name must be a name of the broker's host, because we connect to the name we check", "broker=%s name=%s",
                  host, l->cfg->server_name);
        return BMS_ERR_RANGE;
    }
    snprintf(l->uri, sizeof l->uri, "ssl://%.200s:%d", l->cfg->server_name, port);
    return 0;
}

static int make_client(struct link *l)
{
    MQTTAsync_init_options init = MQTTAsync_init_options_initializer;
    MQTTAsync_createOptions opts = MQTTAsync_createOptions_initializer5;
    char id[64];

    init.do_openssl_init = 1;
    MQTTAsync_global_init(&init);
    MQTTAsync_setTraceLevel(MQTTASYNC_TRACE_ERROR); /* else Paho prints every packet into a trace that nobody reads */
    snprintf(id, sizeof id, "cellwarden-server-%ld", (long)getpid());
    opts.maxBufferedMessages = UNDER_WAY_MAX;
    opts.sendWhileDisconnected = 0;
    if (MQTTAsync_createWithOptions(&l->client, l->uri, *l->cfg->client_id ? l->cfg->client_id : id, MQTTCLIENT_PERSISTENCE_NONE, NULL,
                                    &opts) != MQTTASYNC_SUCCESS)
        return BMS_ERR_NOSPACE;
    MQTTAsync_setCallbacks(l->client, l, on_lost, on_arrived, NULL);
    return 0;
}

struct link *link_create(const struct config *cfg, const struct link_handler *handler)
{
    struct link *l = calloc(1, sizeof *l);
    pthread_condattr_t attr;

    if (!l)
        return NULL;
    l->cfg = cfg;
    l->handler = *handler;
    l->backoff_ms = BACKOFF_MIN_MS;
    if (make_uri(l) != 0 || make_client(l) != 0) {
        free(l);
        return NULL;
    }
    pthread_mutex_init(&l->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&l->changed, &attr);
    pthread_condattr_destroy(&attr);
    l->outbox = outbox_create(UNDER_WAY_MAX, send_now, l);
    if (l->outbox)
        return l;
    link_destroy(l, 0);
    return NULL;
}

int link_start(struct link *l)
{
    if (pthread_create(&l->keeper, NULL, keep, l) != 0)
        return BMS_ERR_NOSPACE;
    l->started = true;
    return 0;
}

void link_pause(struct link *l)
{
    pthread_mutex_lock(&l->lock);
    l->paused = true;
    pthread_mutex_unlock(&l->lock);
}

static void on_disconnected(void *ctx, MQTTAsync_successData5 *data)
{
    struct link *l = ctx;

    (void)data;
    pthread_mutex_lock(&l->lock);
    l->disconnected = true;
    pthread_cond_broadcast(&l->changed);
    pthread_mutex_unlock(&l->lock);
}

static void disconnect(struct link *l, int wait_ms)
{
    MQTTAsync_disconnectOptions opts = MQTTAsync_disconnectOptions_initializer5;
    int64_t until = clock_mono_ms() + wait_ms + 200;

    opts.timeout = wait_ms;
    opts.onSuccess5 = on_disconnected;
    opts.context = l;
    if (MQTTAsync_disconnect(l->client, &opts) != MQTTASYNC_SUCCESS)
        return;
    pthread_mutex_lock(&l->lock);
    while (!l->disconnected && clock_mono_ms() < until)
        wait_changed(l, 50);
    pthread_mutex_unlock(&l->lock);
}

void link_destroy(struct link *l, int wait_ms)
{
    if (!l)
        return;
    pthread_mutex_lock(&l->lock);
    l->stopping = true;
    bool up = l->state == UP;

    pthread_cond_broadcast(&l->changed);
    pthread_mutex_unlock(&l->lock);
    if (l->started)
        pthread_join(l->keeper, NULL);
    if (up) {
        outbox_drain(l->outbox, wait_ms / 2);
        disconnect(l, wait_ms / 2);
    }
    outbox_destroy(l->outbox);
    MQTTAsync_destroy(&l->client);
    pthread_cond_destroy(&l->changed);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

int link_publish(struct link *l, const char *topic, const uint8_t *bytes, size_t size)
{
    return link_is_up(l) ? outbox_put(l->outbox, topic, bytes, size) : BMS_ERR_STATE;
}

bool link_is_up(struct link *l)
{
    pthread_mutex_lock(&l->lock);
    bool up = l->state == UP;

    pthread_mutex_unlock(&l->lock);
    return up;
}
