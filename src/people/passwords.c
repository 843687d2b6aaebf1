/* people/passwords.c -- which passwords are refused: short ones, those built on the login, and those everybody tries first. */
#include "people/passwords.h"
#include "base/text.h"
#include <ctype.h>

enum { PASSWORD_LEAST = 10, PASSWORD_MOST = 200, DIFFERENT_LEAST = 5, ROOM = 256 };

/* Tried with any tail of digits and signs ("Password-2026!"). */
static const char *const common[] = {"password", "passw0rd",  "p@ssword", "p@ssw0rd", "qwerty",  "qwertyuiop",    "asdfghjkl",
                                     "letmein",  "welcome",   "iloveyou", "changeme", "admin",   "admini",        "root",
                                     "test",     "user",      "guest",    "secret",   "woaini",  "woaiwojia",     "mima",
                                     "yiwang",   "pingshan",  "shenzhen", "abc",      "abcd",    "abcdef",        "abcdefg",
                                     "qazwsx",   "qazwsxedc", "zxcvbnm",  "aa",       "a",       "administrator", "onenetwork",
                                     "monkey",   "dragon",    "sunshine", "football", "superman"};
/* Rows of keys, walked in either direction. */
static const char *const rows[] = {"01234567890123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm",
                                   "1q2w3e4r5t6y7u8i9o0p", "1qaz2wsx3edc4rfv5tgb6yhn"};

static void lower(const char *text, char out[ROOM])
{
        const size_t n = strnlen(text, ROOM - 1);
        for (size_t i = 0; i < n; i++)
                out[i] = (char)tolower((unsigned char)text[i]);
        out[n] = '\0';
}

static bool is_common(const char *password)
{
        char word[ROOM];
        (void)memcpy(word, password, strlen(password) + 1);
        size_t n = strlen(word);
        while (n > 0 && !isalpha((unsigned char)word[n - 1]) && (unsigned char)word[n - 1] < 0x80)
                word[--n] = '\0';
        for (size_t i = 0; n > 0 && i < COUNT_OF(common); i++)
                if (text_is(word, common[i]))
                        return true;
        return n == 0; /* nothing but digits and signs */
}

static bool is_row(const char *password)
{
        char back[ROOM];
        const size_t n = strlen(password);
        for (size_t i = 0; i < n; i++)
                back[i] = password[n - 1 - i];
        back[n] = '\0';
        for (size_t i = 0; i < COUNT_OF(rows); i++)
                if (strstr(rows[i], password) || strstr(rows[i], back))
                        return true;
        return false;
}

static int different(const char *password)
{
        bool seen[256] = {false};
        int n = 0;
        for (const char *c = password; *c; c++) {
                n += !seen[(unsigned char)*c];
                seen[(unsigned char)*c] = true;
        }
        return n;
}

bool password_allowed(const char *login, const char *password, struct err *e)
{
        char small[ROOM], name[ROOM];
        const size_t n = text_characters(password);
        if (n < PASSWORD_LEAST || n > PASSWORD_MOST)
                return err_both(e, ERR_INVALID, "password", "a password has %d to %d characters", "密码应为%d至%d个字符",
                                (int)PASSWORD_LEAST, (int)PASSWORD_MOST);
        lower(password, small);
        lower(login ? login : "", name);
        if (strlen(name) >= 3 && strstr(small, name))
                return err_both(e, ERR_INVALID, "password", "the password must not have the login in it", "密码不能包含登录名");
        return (!is_common(small) && !is_row(small) && different(small) >= DIFFERENT_LEAST)
               || err_both(e, ERR_INVALID, "password",
                           "this password is among the first that anybody would try: take some words that do not belong together",
                           "此密码过于常见，请使用几个互不相关的词语组合");
}
