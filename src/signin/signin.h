/* signin/signin.h -- the routes by which people sign in and out, see and end their sessions, change their password, set up a second
 * factor; and by which an administrator ends others' and gives out API keys. */
#ifndef SIGNIN_SIGNIN_H
#define SIGNIN_SIGNIN_H
struct route;

extern const struct route *const signin_routes;
extern const struct route *const api_key_routes;
extern const struct route *const standing_routes;
extern const struct route *const shift_routes;          /* hours on duty */
#endif
