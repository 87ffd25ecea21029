/* upgrade: the server's side of the WebSocket handshake (RFC 6455, 4.2). */
#include "http/hub.h"
#include "http/server_internal.h"

#include <openssl/evp.h>
#include <string.h>
#include <strings.h>

#define KEY_LEN 24 /* 16 bytes in base64 */
#define ACCEPT_SIZE 32

/* Is token an element of a comma-separated header value? */
static bool has_token(const char *list, const char *token)
{
    size_t n = strlen(token);
    while (list && *list) {
        list += strspn(list, " \t,");
        size_t len = strcspn(list, " \t,");
        if (len == n && strncasecmp(list, token, n) == 0) return true;
        list += len;
    }
    return false;
}

static bool key_valid(const char *key)
{
    static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    return key && strlen(key) == KEY_LEN && strspn(key, base64) == KEY_LEN - 2 && strcmp(key + KEY_LEN - 2, "==") == 0;
}

static bool handshake_valid(const struct http_req *r)
{
    const char *version = http_header(r, MHD_HTTP_HEADER_SEC_WEBSOCKET_VERSION);
    return strcmp(r->method, "GET") == 0 && has_token(http_header(r, "Upgrade"), "websocket") &&
           has_token(http_header(r, "Connection"), "upgrade") && version && strcmp(version, "13") == 0 &&
           key_valid(http_header(r, "Sec-WebSocket-Key"));
}

static bool accept_value(const char *key, char out[ACCEPT_SIZE])
{
    char text[KEY_LEN + 37];
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    memcpy(text, key, KEY_LEN);
    memcpy(text + KEY_LEN, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", 37);
    if (EVP_Digest(text, KEY_LEN + 36, digest, &n, EVP_sha1(), NULL) != 1) return false;
    EVP_EncodeBlock((unsigned char *)out, digest, (int)n);
    return true;
}

static void close_socket(void *urh) { MHD_upgrade_action(urh, MHD_UPGRADE_ACTION_CLOSE); }

/* The 101 is on the wire: the socket is ours until close_socket. */
static void upgraded(void *cls, struct MHD_Connection *conn, void *con_cls, const char *extra, size_t extra_len,
                     MHD_socket fd, struct MHD_UpgradeResponseHandle *urh)
{
    (void)cls;
    (void)conn;
    struct exchange *x = con_cls;
    struct ws_client *c = x->req.upgrade;
    x->req.upgrade = NULL;
    ws_client_adopt(c, fd, extra, extra_len, close_socket, urh);
    exchange_end(x); /* the client may stay for hours: nothing of the request does */
}

static enum MHD_Result refuse(struct exchange *x)
{
    ws_client_drop(x->req.upgrade);
    x->req.upgrade = NULL;
    answer_error(&x->req, MHD_HTTP_UPGRADE_REQUIRED, "Upgrade Required");
    http_set_header(&x->req, "Upgrade", "websocket");
    http_set_header(&x->req, "Sec-WebSocket-Version", "13");
    return answer_send(x);
}

enum MHD_Result upgrade_send(struct exchange *x)
{
    char accept[ACCEPT_SIZE];
    if (!handshake_valid(&x->req) || !accept_value(http_header(&x->req, "Sec-WebSocket-Key"), accept)) return refuse(x);
    struct MHD_Response *resp = MHD_create_response_for_upgrade(upgraded, NULL);
    if (resp == NULL) return MHD_NO;
    MHD_add_response_header(resp, "Upgrade", "websocket");
    MHD_add_response_header(resp, "Sec-WebSocket-Accept", accept);
    x->req.status = MHD_HTTP_SWITCHING_PROTOCOLS;
    enum MHD_Result ok = MHD_queue_response(x->req.connection, MHD_HTTP_SWITCHING_PROTOCOLS, resp);
    MHD_destroy_response(resp);
    return ok;
}
