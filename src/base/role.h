/* base/role.h -- who somebody is: bits, so that a route or a move can name several. */
#ifndef BASE_ROLE_H
#define BASE_ROLE_H

/* A route with ROLE_PUBLIC serves everybody. */
enum role {
        ROLE_PUBLIC = 1, ROLE_CITIZEN = 2, ROLE_CHANNEL = 4, ROLE_CLERK = 8, ROLE_DISPATCHER = 16,
        ROLE_UNIT = 32, ROLE_SUPERVISOR = 64, ROLE_ADMIN = 128,
        ROLE_STAFF = ROLE_CLERK | ROLE_DISPATCHER | ROLE_UNIT | ROLE_SUPERVISOR | ROLE_ADMIN,
        ROLE_ALL = ROLE_PUBLIC | ROLE_CITIZEN | ROLE_CHANNEL | ROLE_STAFF
};
#endif
