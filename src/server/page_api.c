/* server/page_api.c -- the console and the public page: files embedded in the binary. */
#include "base/text.h"
#include "http/web_assets.h"
#include "server/serve.h"

static bool get_page(struct request *rq, struct reply *rp, struct err *e)
{
        const char *path = request_param(rq, "path");
        /* A program that mistypes an address of the API must not be answered with a page. */
        if (text_starts(path, "/api/"))
                return err_both(e, ERR_NOT_FOUND, NULL, "there is nothing at this address; see /api/openapi.json",
                                "此地址不存在，请见 /api/openapi.json");
        return reply_asset(rq, rp, &web_assets, path, e);
}

static const struct route table[] = {
        {.method = "GET", .path = "/{path*}", .roles = ROLE_ALL, .uncounted = true, .run = get_page, .about = "The pages."},
        {0},
};
const struct route *const page_routes = table;
