/*
 * Keccak-256 in C: one message, or many at once.
 *
 * Written from the Keccak reference, version 3.0, and FIPS 202: the permutation Keccak-f[1600], a rate of 136
 * bytes, the padding of the original submission (a byte 0x01, zeros, and 0x80 in the last byte of the block).
 *
 * Many messages go through the permutation four at a time, one to each 64-bit part of an AVX2 register, where
 * the processor has AVX2 (see choose_permutation). When one of the four ends, the next message takes its place,
 * so messages of different lengths mix without loss. Everywhere else they are hashed one by one.
 */

#ifndef CHAINSTACK_KECCAK_H
#define CHAINSTACK_KECCAK_H

#include <stdint.h>
#include <string.h>

#if !defined(__GNUC__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "written for gcc or clang, and for little-endian processors"
#endif

#if defined(__x86_64__)
#define HAS_X86 1
#else
#define HAS_X86 0
#endif

#define LANES 25
#define RATE 136
#define RATE_LANES (RATE / 8)
#define DIGEST 32
#define DIGEST_LANES (DIGEST / 8)
#define ROUNDS 24

/* The permutation. Lane A[x, y] of the specification is a[x + 5 * y]. */

static const uint64_t ROUND_CONSTANTS[ROUNDS] = {
    0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000, 0x000000000000808b,
    0x0000000080000001, 0x8000000080008081, 0x8000000000008009, 0x000000000000008a, 0x0000000000000088,
    0x0000000080008009, 0x000000008000000a, 0x000000008000808b, 0x800000000000008b, 0x8000000000008089,
    0x8000000000008003, 0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
    0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
};

#define ROTATE(lane, by) ((lane) << (by) | (lane) >> (64 - (by)))

/* Theta's column parities, and what it adds to every lane of a column. */
#define PARITY(a, x) (a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20])
#define THETA(a)                                                                                             \
    c0 = PARITY(a, 0), c1 = PARITY(a, 1), c2 = PARITY(a, 2), c3 = PARITY(a, 3), c4 = PARITY(a, 4);           \
    d[0] = c4 ^ ROTATE(c1, 1), d[1] = c0 ^ ROTATE(c2, 1), d[2] = c1 ^ ROTATE(c3, 1);                         \
    d[3] = c2 ^ ROTATE(c4, 1), d[4] = c3 ^ ROTATE(c0, 1);

/* The rest of a round for one row of e: rho and pi bring five lanes of a there, chi mixes them. */
#define MOVED(a, from, by) ROTATE(a[from] ^ d[(from) % 5], by)
#define CHI(e, to, iota)                                                                                     \
    e[to] = b0 ^ (~b1 & b2) ^ (iota), e[to + 1] = b1 ^ (~b2 & b3), e[to + 2] = b2 ^ (~b3 & b4);              \
    e[to + 3] = b3 ^ (~b4 & b0), e[to + 4] = b4 ^ (~b0 & b1);
#define ROW(e, to, a, f0, r0, f1, r1, f2, r2, f3, r3, f4, r4)                                                \
    b0 = MOVED(a, f0, r0), b1 = MOVED(a, f1, r1), b2 = MOVED(a, f2, r2), b3 = MOVED(a, f3, r3);              \
    b4 = MOVED(a, f4, r4);                                                                                   \
    CHI(e, to, 0)
#define ROUND(e, a, constant)                                                                                \
    THETA(a)                                                                                                 \
    b0 = a[0] ^ d[0], b1 = MOVED(a, 6, 44), b2 = MOVED(a, 12, 43), b3 = MOVED(a, 18, 21);                    \
    b4 = MOVED(a, 24, 14);                                                                                   \
    CHI(e, 0, constant)                                                                                      \
    ROW(e, 5, a, 3, 28, 9, 20, 10, 3, 16, 45, 22, 61)                                                        \
    ROW(e, 10, a, 1, 1, 7, 6, 13, 25, 19, 8, 20, 18)                                                         \
    ROW(e, 15, a, 4, 27, 5, 36, 11, 10, 17, 15, 23, 56)                                                      \
    ROW(e, 20, a, 2, 62, 8, 55, 14, 39, 15, 41, 21, 2)

/* The same lines serve 64-bit integers and vectors of four of them. */
#define PERMUTATION(name, lane, attributes)                                                                  \
    attributes static void name(lane *state)                                                                 \
    {                                                                                                        \
        lane a[LANES], e[LANES], d[5], b0, b1, b2, b3, b4, c0, c1, c2, c3, c4;                               \
        for (int i = 0; i < LANES; i++)                                                                      \
            a[i] = state[i];                                                                                 \
        for (int round = 0; round < ROUNDS; round += 2) {                                                    \
            ROUND(e, a, ROUND_CONSTANTS[round])                                                              \
            ROUND(a, e, ROUND_CONSTANTS[round + 1])                                                          \
        }                                                                                                    \
        for (int i = 0; i < LANES; i++)                                                                      \
            state[i] = a[i];                                                                                 \
    }

PERMUTATION(permute_portable, uint64_t, )
static void (*permute)(uint64_t *) = permute_portable;

#if HAS_X86
typedef uint64_t four __attribute__((vector_size(32)));
PERMUTATION(permute_bmi, uint64_t, __attribute__((target("bmi,bmi2"))))
PERMUTATION(permute_four, four, __attribute__((target("avx2"))))
#endif
static int four_at_once = 0;

/* Messages: what they begin with in common, then the bytes of each. */

typedef struct {
    const uint8_t *at; /* the next byte to take */
    size_t left;       /* bytes from there on */
    uint8_t *digest;   /* where the result goes, 32 bytes */
} Message;

typedef struct {
    const uint8_t *bytes;
    size_t size; /* below RATE */
} Prefix;

/* Return the next block of a message, in its own bytes where a whole one is left. Says whether it is the last. */
static inline const uint8_t *next_block(Message *message, const Prefix *lead, uint8_t *buffer, int *last)
{
    size_t used = lead ? lead->size : 0;
    *last = 0;
    if (!used && message->left >= RATE) {
        const uint8_t *block = message->at;
        message->at += RATE;
        message->left -= RATE;
        return block;
    }
    if (used)
        memcpy(buffer, lead->bytes, used);
    size_t taken = message->left < RATE - used ? message->left : RATE - used;
    memcpy(buffer + used, message->at, taken);
    message->at += taken;
    message->left -= taken;
    used += taken;
    if (used < RATE) {
        memset(buffer + used, 0, RATE - used);
        buffer[used] = 0x01;
        buffer[RATE - 1] |= 0x80;
        *last = 1;
    }
    return buffer;
}

static inline uint64_t load(const uint8_t *bytes)
{
    uint64_t lane;
    memcpy(&lane, bytes, sizeof lane);
    return lane;
}

/* Absorb what is left of a message into a state, and write the digest. */
static void finish(uint64_t *state, Message *message, const Prefix *lead)
{
    uint8_t buffer[RATE];
    int last;
    do {
        const uint8_t *block = next_block(message, lead, buffer, &last);
        lead = NULL;
        for (int i = 0; i < RATE_LANES; i++)
            state[i] ^= load(block + 8 * i);
        permute(state);
    } while (!last);
    memcpy(message->digest, state, DIGEST);
}

static void hash_each(Message *messages, size_t count, const Prefix *prefix)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t state[LANES] = {0};
        finish(state, &messages[i], prefix);
    }
}

#if HAS_X86
/* Do the same, four at once: each of four places takes the next message when it is done with one. */
__attribute__((target("avx2"))) static void hash_by_fours(Message *messages, size_t count, const Prefix *prefix)
{
    static const uint8_t nothing[RATE];
    four state[LANES] = {{0}};
    Message *current[4] = {NULL, NULL, NULL, NULL};
    int fresh[4], last[4], active = 0;
    size_t next = 0;
    uint8_t buffers[4][RATE];

    for (int place = 0; place < 4 && next < count; place++, active++) {
        current[place] = &messages[next++];
        fresh[place] = 1;
    }
    while (active > 1) {
        const uint8_t *block[4] = {nothing, nothing, nothing, nothing};
        four keep = {~0ull, ~0ull, ~0ull, ~0ull};
        for (int place = 0; place < 4; place++) {
            if (!current[place])
                continue;
            const Prefix *lead = fresh[place] ? prefix : NULL;
            block[place] = next_block(current[place], lead, buffers[place], &last[place]);
            if (fresh[place])
                keep[place] = 0;
            fresh[place] = 0;
        }
        for (int i = 0; i < RATE_LANES; i++) {
            four word = {load(block[0] + 8 * i), load(block[1] + 8 * i), load(block[2] + 8 * i),
                         load(block[3] + 8 * i)};
            state[i] = (state[i] & keep) ^ word;
        }
        for (int i = RATE_LANES; i < LANES; i++)
            state[i] &= keep;
        permute_four(state);
        for (int place = 0; place < 4; place++) {
            if (!current[place] || !last[place])
                continue;
            for (int i = 0; i < DIGEST_LANES; i++) {
                uint64_t lane = state[i][place];
                memcpy(current[place]->digest + 8 * i, &lane, sizeof lane);
            }
            current[place] = next < count ? &messages[next++] : NULL;
            fresh[place] = 1;
            active -= !current[place];
        }
    }
    for (int place = 0; place < 4; place++) {
        if (!current[place])
            continue;
        uint64_t alone[LANES] = {0};
        if (!fresh[place])
            for (int i = 0; i < LANES; i++)
                alone[i] = state[i][place];
        finish(alone, current[place], fresh[place] ? prefix : NULL);
    }
}
#endif

static inline void hash_messages(Message *messages, size_t count, const Prefix *prefix)
{
#if HAS_X86
    if (four_at_once && count > 1) {
        hash_by_fours(messages, count, prefix);
        return;
    }
#endif
    hash_each(messages, count, prefix);
}

/* Ask the processor what it can do; to be called once, before anything is hashed. */
static inline void choose_permutation(void)
{
#if HAS_X86
    __builtin_cpu_init();
    if (__builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2"))
        permute = permute_bmi;
    four_at_once = __builtin_cpu_supports("avx2") != 0;
#endif
}

#endif
