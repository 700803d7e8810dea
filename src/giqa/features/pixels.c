/* The numbers of `resize`, `statistics`, `nss` and `detail` in one pass over a picture, bit for bit as NumPy and Pillow
 * compute them: every float is rounded where they round it, and a row is summed in the order of NumPy's pairwise sum.
 * No fused multiply-add (the build says -ffp-contract=off). `compiled.py` next to this file is its one caller. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__) && defined(__GLIBC__)
#define CLONED __attribute__((target_clones("avx2", "default")))
#else
#define CLONED
#endif
#define INLINE static inline __attribute__((always_inline))

int giqa_pixels(void) { return 1; } /* VERSION of compiled.py: raised when a call changes */

typedef float float4 __attribute__((vector_size(16)));
typedef float float8 __attribute__((vector_size(32)));
typedef double double4 __attribute__((vector_size(32)));

/* ---- sums as NumPy takes them: eight running sums in blocks of up to 128, blocks in pairs ---- */

/* One sum of each of ROWS rows, `apart` floats apart: several at a time, since each alone waits for its last addition. */
#define SUMS_OF(ROWS)                                                                                                  \
    INLINE void block_of_##ROWS(const float *a, long apart, long n, float *sums) {                                     \
        float8 r[ROWS];                                                                                                \
        long i = 8;                                                                                                    \
        for (int k = 0; k < ROWS; k++) memcpy(&r[k], a + k * apart, 32);                                               \
        for (; i < n - n % 8; i += 8)                                                                                  \
            for (int k = 0; k < ROWS; k++) {                                                                           \
                float8 more;                                                                                           \
                memcpy(&more, a + k * apart + i, 32);                                                                  \
                r[k] += more;                                                                                          \
            }                                                                                                          \
        for (int k = 0; k < ROWS; k++) {                                                                               \
            const float *rest = a + k * apart;                                                                         \
            float sum = ((r[k][0] + r[k][1]) + (r[k][2] + r[k][3])) + ((r[k][4] + r[k][5]) + (r[k][6] + r[k][7]));     \
            for (long j = i; j < n; j++) sum += rest[j];                                                               \
            sums[k] = sum;                                                                                             \
        }                                                                                                              \
    }                                                                                                                  \
    CLONED static void sums_of_##ROWS(const float *a, long apart, long n, float *sums) {                               \
        if (n < 8) {                                                                                                   \
            for (int k = 0; k < ROWS; k++) {                                                                           \
                sums[k] = 0;                                                                                           \
                for (long i = 0; i < n; i++) sums[k] += a[k * apart + i];                                              \
            }                                                                                                          \
        } else if (n <= 128) {                                                                                         \
            block_of_##ROWS(a, apart, n, sums);                                                                        \
        } else {                                                                                                       \
            float right[ROWS];                                                                                         \
            long half = n / 2;                                                                                         \
            half -= half % 8;                                                                                          \
            sums_of_##ROWS(a, apart, half, sums);                                                                      \
            sums_of_##ROWS(a + half, apart, n - half, right);                                                          \
            for (int k = 0; k < ROWS; k++) sums[k] += right[k];                                                        \
        }                                                                                                              \
    }

SUMS_OF(6)
SUMS_OF(7)

/* The sum of sums of rows, `apart` floats apart, in double. */
static double total(const float *a, long apart, long n) {
    double r[8], sum = 0;
    long i = 0;
    if (n > 128) {
        long half = n / 2;
        half -= half % 8;
        return total(a, apart, half) + total(a + half * apart, apart, n - half);
    }
    if (n >= 8) {
        for (int j = 0; j < 8; j++) r[j] = a[j * apart];
        for (i = 8; i < n - n % 8; i += 8)
            for (int j = 0; j < 8; j++) r[j] += a[(i + j) * apart];
        sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
    }
    for (; i < n; i++) sum += a[i * apart];
    return sum;
}

/* ---- resize: Pillow's resampling of float planes, which sums in double ---- */

/* What Pillow's passes take: of each new place the first old one, how many, and most weights. */
typedef struct {
    const int32_t *first, *count;
    const double *weights;
    long most;
} Taps;

/* One row of float4 pixels at another width. */
INLINE void pass_across(const float *from, Taps taps, long width, float *made) {
    for (long x = 0; x < width; x++) {
        const double *weight = taps.weights + x * taps.most;
        const float *start = from + 4 * taps.first[x];
        double4 sum = {0, 0, 0, 0};
        for (int k = 0; k < taps.count[x]; k++) {
            float4 value;
            memcpy(&value, start + 4 * k, 16);
            sum += __builtin_convertvector(value, double4) * weight[k];
        }
        float4 rounded = __builtin_convertvector(sum, float4);
        memcpy(made + 4 * x, &rounded, 16);
    }
}

INLINE void wide_row(const uint8_t *p, long w, float *to) {
    for (long x = 0; x < w; x++) to[4 * x] = p[3 * x], to[4 * x + 1] = p[3 * x + 1], to[4 * x + 2] = p[3 * x + 2];
}

INLINE void narrow_row(const float *from, long width, float *made) {
    for (long x = 0; x < width; x++)
        for (int c = 0; c < 3; c++) made[3 * x + c] = from[4 * x + c];
}

/* One picture (h, w, 3) to float32 (height, width, 3), first across and then down, or the other way round. */
CLONED int giqa_resize(const uint8_t *pixels, long h, long w, long height, long width, int down_first,
                       const int32_t *across_first, const int32_t *across_count, const double *across, long across_most,
                       const int32_t *first, const int32_t *count, const double *down, long down_most, float *made) {
    const Taps taps = {across_first, across_count, across, across_most};
    const long most = w > width ? w : width;
    float *row = calloc((size_t)most * 4, 4), *made_row = malloc((size_t)width * 16);
    float *narrow = malloc(down_first ? 1 : (size_t)h * width * 16);
    double *sums = malloc((size_t)most * 32);
    const int failed = !row || !made_row || !narrow || !sums;
    for (long y = 0; y < h && !down_first && !failed; y++) {
        wide_row(pixels + y * w * 3, w, w == width ? narrow + y * width * 4 : row);
        if (w != width) pass_across(row, taps, width, narrow + y * width * 4);
    }
    for (long y = 0; y < height && !failed; y++) {
        const double *weight = down + y * down_most;
        if (h == height) {
            narrow_row(narrow + y * width * 4, width, made + y * width * 3);
        } else if (down_first) {
            memset(sums, 0, (size_t)w * 24);
            for (int k = 0; k < count[y]; k++) {
                const uint8_t *from = pixels + (first[y] + k) * w * 3;
                for (long i = 0; i < 3 * w; i++) sums[i] += from[i] * weight[k];
            }
            for (long x = 0; x < w; x++)
                for (int c = 0; c < 3; c++) row[4 * x + c] = (float)sums[3 * x + c];
            pass_across(row, taps, width, made_row);
            narrow_row(made_row, width, made + y * width * 3);
        } else {
            memset(sums, 0, (size_t)width * 32);
            for (int k = 0; k < count[y]; k++) {
                const float *from = narrow + (first[y] + k) * width * 4;
                for (long i = 0; i < 4 * width; i++) sums[i] += from[i] * weight[k];
            }
            for (long i = 0; i < 4 * width; i++) made_row[i] = (float)sums[i];
            narrow_row(made_row, width, made + y * width * 3);
        }
    }
    free(row), free(made_row), free(narrow), free(sums);
    return -failed;
}

/* ---- statistics: mean absolute differences ---- */

INLINE float absolute(float x) { return x < 0 ? -x : x; }

/* |near[x + dx] - here[x]| as a row of w, with 0 where there is no such x. */
INLINE void differences(const float *restrict near, const float *restrict here, long w, int dx, float *restrict row) {
    const long from = dx < 0 ? -dx : 0, to = dx > 0 ? w - dx : w;
    for (long x = 0; x < from; x++) row[x] = 0;
    for (long x = from; x < to; x++) row[x] = absolute(near[x + dx] - here[x]);
    for (long x = to; x < w; x++) row[x] = 0;
}

INLINE void laplacian(const float *restrict above, const float *restrict here, const float *restrict below, long w,
                      float *restrict row) {
    row[0] = row[w - 1] = 0;
    for (long x = 1; x < w - 1; x++)
        row[x] = absolute((((here[x - 1] + here[x + 1]) + above[x]) + below[x]) * 0.25f - here[x]);
}

INLINE void three_rows(const uint8_t *restrict p, long w, float *restrict red, float *restrict green,
                       float *restrict blue) {
    for (long x = 0; x < w; x++) red[x] = p[3 * x], green[x] = p[3 * x + 1], blue[x] = p[3 * x + 2];
}

/* Grey, red - grey, blue - grey. */
INLINE void colours(const float *restrict rgb, long w, float *restrict made) {
    const float *red = rgb, *green = rgb + w, *blue = green + w;
    for (long x = 0; x < w; x++) {
        float mean = ((red[x] + green[x]) + blue[x]) / 3.0f;
        made[x] = mean, made[w + x] = red[x] - mean, made[2 * w + x] = blue[x] - mean;
    }
}

INLINE void halve_row(const float *restrict even, const float *restrict odd, long half_w, float *restrict made) {
    for (long x = 0; x < half_w; x++)
        made[x] = (((even[2 * x] + odd[2 * x]) + even[2 * x + 1]) + odd[2 * x + 1]) / 4.0f;
}

/* Totals of one scale, six for each of grey, red - grey, blue - grey. The picture is bytes, or float planes r, g, b. */
CLONED static int texture_scale(const uint8_t *bytes, const float *planes, long h, long w, float *halved,
                                double *totals) {
    float *rgb = malloc((size_t)w * 6 * 4), *ring = calloc((size_t)w * 9, 4), *rows = malloc((size_t)w * 6 * 4);
    float *sums = malloc((size_t)h * 18 * 4);
    const int failed = !rgb || !ring || !rows || !sums;
    const long half_w = w / 2, half_h = h / 2;
    for (long y = 0; y < h && !failed; y++) {
        float *now_rgb = rgb + y % 2 * 3 * w;
        if (bytes) three_rows(bytes + y * w * 3, w, now_rgb, now_rgb + w, now_rgb + 2 * w);
        for (int c = 0; c < 3 && !bytes; c++) memcpy(now_rgb + c * w, planes + (c * h + y) * w, (size_t)w * 4);
        colours(now_rgb, w, ring + y % 3 * 3 * w);
        for (int c = 0; c < 3 && halved && y % 2; c++)
            halve_row(rgb + c * w, rgb + (3 + c) * w, half_w, halved + (c * half_h + y / 2) * half_w);
        for (int plane = 0; plane < 3; plane++) { /* of rows above the picture, which are 0 here, nothing is used */
            const float *now = ring + (y % 3 * 3 + plane) * w, *before = ring + ((y + 2) % 3 * 3 + plane) * w;
            differences(now, now, w, 1, rows);
            differences(now, before, w, 0, rows + w);
            differences(now, before, w, 1, rows + 2 * w);
            differences(now, before, w, -1, rows + 3 * w);
            differences(now, now, w, 2, rows + 4 * w);
            laplacian(ring + ((y + 1) % 3 * 3 + plane) * w, before, now, w, rows + 5 * w);
            sums_of_6(rows, w, w, sums + 18 * y + 6 * plane);
        }
    }
    static const int above[6] = {0, 1, 1, 1, 0, 2};
    for (int i = 0; i < 18 && !failed; i++) totals[i] = total(sums + 18 * above[i % 6] + i, 18, h - above[i % 6]);
    free(rgb), free(ring), free(rows), free(sums);
    return -failed;
}

/* (scales, 18) totals of one picture and its successive halves. */
int giqa_texture(const uint8_t *pixels, long h, long w, int scales, double *totals) {
    float *planes = NULL;
    int failed = 0;
    for (int scale = 0; scale < scales && !failed; scale++, h /= 2, w /= 2) {
        float *halved = scale + 1 < scales ? malloc((size_t)(h / 2) * (w / 2) * 12) : NULL;
        failed = scale + 1 < scales && !halved;
        if (!failed) failed = texture_scale(scale ? NULL : pixels, planes, h, w, halved, totals + 18 * scale);
        free(planes);
        planes = halved;
    }
    free(planes);
    return failed;
}

/* ---- nss: natural scene statistics ---- */

/* Seven taps with weights of the middle and one side, over pointers one step apart. */
INLINE float seven(float a, float b, float c, float d, float e, float f, float g, const float *weight) {
    return ((d * weight[0] + (c + e) * weight[1]) + (b + f) * weight[2]) + (a + g) * weight[3];
}

/* A row of one smoothed plane: seven padded rows, (w + 6) each, to w. */
INLINE void smooth(float *const *rows, long w, const float *weight, float *restrict down, float *restrict made) {
    const float *a = rows[0], *b = rows[1], *c = rows[2], *d = rows[3], *e = rows[4], *f = rows[5], *g = rows[6];
    for (long x = 0; x < w + 6; x++) down[x] = seven(a[x], b[x], c[x], d[x], e[x], f[x], g[x], weight);
    for (long x = 0; x < w; x++)
        made[x] = seven(down[x], down[x + 1], down[x + 2], down[x + 3], down[x + 4], down[x + 5], down[x + 6], weight);
}

/* (middle - mean) / (deviation + 1), 0 where that is rounding. */
INLINE void normalise(const float *restrict middle, const float *restrict mean, const float *restrict square, long w,
                      float dead, float *restrict made) {
    for (long x = 0; x < w; x++) {
        float apart = middle[x] - mean[x], deviation = __builtin_sqrtf(absolute(square[x] - mean[x] * mean[x]));
        made[x] = (absolute(apart) >= dead ? apart : 0.0f) / (deviation + 1.0f);
    }
}

/* |p|, p^2 and p^2 below 0 of the products p = near[x + dx] * here[x], void columns and all; and both counts. */
INLINE void products(const float *restrict near, const float *restrict here, long width, int dx, float *restrict rows,
                     int64_t *counts) {
    const long from = dx < 0 ? -dx : 0, to = dx > 0 ? width - dx : width;
    float *absolutes = rows, *squares = rows + width, *below = squares + width;
    int32_t less = 0, more = 0;
    absolutes[0] = squares[0] = below[0] = absolutes[width - 1] = squares[width - 1] = below[width - 1] = 0;
    for (long x = from; x < to; x++) {
        float p = near[x + dx] * here[x], square = p * p;
        absolutes[x] = absolute(p), squares[x] = square, below[x] = p < 0 ? square : 0.0f;
        less += p < 0, more += p > 0;
    }
    counts[0] += less, counts[1] += more;
}

/* Totals of one luminance plane: |c|, c^2, then for each neighbour |p|, p^2, p^2 below 0; and counts of both signs. */
CLONED static int nss_scale(const float *grey, long h, long w, const float *weight, float dead, double *totals,
                            int64_t *counts) {
    const long width = w + 6;
    float *memory = calloc((size_t)width * 33, 4), *sums = malloc((size_t)h * 14 * 4);
    const int failed = !memory || !sums;
    float *ring = memory, *squared = ring + 7 * width, *down = squared + 7 * width, *mean = down + width;
    float *square = mean + width, *two = square + width, *made = two + 2 * width;
    float *rows[7], *square_rows[7];
    memset(counts, 0, 8 * sizeof *counts);
    for (long padded = 0; padded < h + 6 && !failed; padded++) {
        const long y = padded - 6, from = padded < 3 ? 0 : padded - 3 >= h ? h - 1 : padded - 3;
        float *to = ring + padded % 7 * width, *to_square = squared + padded % 7 * width;
        for (long x = 0; x < w; x++) to[x + 3] = grey[from * w + x] - 128.0f;
        for (int x = 0; x < 3; x++) to[x] = to[3], to[w + 3 + x] = to[w + 2];
        for (long x = 0; x < width; x++) to_square[x] = to[x] * to[x];
        if (y < 0) continue;
        for (int k = 0; k < 7; k++) rows[k] = ring + (y + k) % 7 * width, square_rows[k] = squared + (y + k) % 7 * width;
        smooth(rows, w, weight, down, mean);
        smooth(square_rows, w, weight, down, square);
        float *now = two + y % 2 * width, *before = two + (y + 1) % 2 * width; /* before the first row: 0 */
        normalise(rows[3] + 3, mean, square, w, dead, now);
        for (long x = 0; x < width; x++) made[x] = absolute(now[x]), made[width + x] = now[x] * now[x];
        products(now, now, width, 1, made + 2 * width, counts);
        products(now, before, width, 0, made + 5 * width, counts + 2);
        products(now, before, width, 1, made + 8 * width, counts + 4);
        products(now, before, width, -1, made + 11 * width, counts + 6);
        sums_of_7(made, width, width, sums + 14 * y);
        sums_of_7(made + 7 * width, width, width, sums + 14 * y + 7);
    }
    for (int i = 0; i < 14 && !failed; i++) totals[i] = total(sums + 14 * (i >= 5) + i, 14, h - (i >= 5));
    free(memory), free(sums);
    return -failed;
}

INLINE long mirrored(long i, long n) { return i < 0 ? -1 - i : i >= n ? 2 * n - 1 - i : i; }

/* Half the size, rounded up, by bicubic interpolation with antialias; mirrored at the border. */
CLONED static int halve_plane(const float *plane, long h, long w, const float *weight, float *made) {
    float *memory = malloc((size_t)(w + 8) * 4), *down = memory + 3;
    if (!memory) return -1;
    const long half_w = (w + 1) / 2;
    for (long y = 0; y < (h + 1) / 2; y++) {
        const float *a[4], *b[4];
        for (int k = 0; k < 4; k++) a[k] = plane + mirrored(2 * y - k, h) * w, b[k] = plane + mirrored(2 * y + 1 + k, h) * w;
        for (long x = 0; x < w; x++)
            down[x] = ((weight[0] * (a[0][x] + b[0][x]) + weight[1] * (a[1][x] + b[1][x])) +
                       weight[2] * (a[2][x] + b[2][x])) +
                      weight[3] * (a[3][x] + b[3][x]);
        for (int k = 1; k <= 3; k++) down[-k] = down[k - 1];
        for (int k = 0; k < 4; k++) down[w + k] = down[w - 1 - k];
        float *to = made + y * half_w;
        for (long x = 0; x < half_w; x++) {
            const float *d = down + 2 * x;
            to[x] = ((weight[0] * (d[0] + d[1]) + weight[1] * (d[-1] + d[2])) + weight[2] * (d[-2] + d[3])) +
                    weight[3] * (d[-3] + d[4]);
        }
    }
    free(memory);
    return 0;
}

CLONED static void luminance(const uint8_t *pixels, long n, const float *weight, float *grey) {
    for (long i = 0; i < n; i++)
        grey[i] = (pixels[3 * i] * weight[0] + pixels[3 * i + 1] * weight[1]) + pixels[3 * i + 2] * weight[2];
}

/* (scales, 14) totals and (scales, 8) counts; weights: 3 of luminance, 4 of the window, 4 of the halving, and dead. */
int giqa_nss(const uint8_t *pixels, long h, long w, int scales, const float *weights, double *totals, int64_t *counts) {
    float *grey = malloc((size_t)h * w * 4);
    int failed = !grey;
    if (!failed) luminance(pixels, h * w, weights, grey);
    for (int scale = 0; scale < scales && !failed; scale++) {
        failed = nss_scale(grey, h, w, weights + 3, weights[11], totals + 14 * scale, counts + 8 * scale);
        if (failed || scale + 1 == scales) break;
        float *halved = malloc((size_t)((h + 1) / 2) * ((w + 1) / 2) * 4);
        failed = !halved || halve_plane(grey, h, w, weights + 7, halved);
        free(grey);
        grey = halved;
        h = (h + 1) / 2, w = (w + 1) / 2;
    }
    free(grey);
    return failed;
}

/* ---- detail: squares of gradients inside blocks of 8 x 8 ---- */

/* The `place`-th smallest square, from 0; h and w are multiples of 8. */
CLONED int giqa_gradient(const uint8_t *pixels, long h, long w, long stride, long place, int64_t *found) {
    int16_t *luma = malloc((size_t)8 * w * 2);
    int32_t *squares = malloc((size_t)h * w * 4);
    int64_t *bins = calloc(2 * 8192, sizeof *bins);
    if (!luma || !squares || !bins) {
        free(luma), free(squares), free(bins);
        return -1;
    }
    int32_t *end = squares;
    for (long top = 0; top < h; top += 8) {
        for (long y = 0; y < 8; y++) {
            const uint8_t *p = pixels + (top + y) * stride;
            for (long x = 0; x < w; x++)
                luma[y * w + x] = (int16_t)((uint32_t)(77 * p[3 * x] + 150 * p[3 * x + 1] + 29 * p[3 * x + 2]) >> 4);
        }
        for (long y = 1; y < 7; y++)
            for (long left = 0; left < w; left += 8, end += 6) {
                const int16_t *l = luma + y * w + left;
                for (int x = 1; x < 7; x++) {
                    int32_t across = l[x + 1] - l[x - 1], down = l[x + w] - l[x - w];
                    end[x - 1] = across * across + down * down;
                }
            }
    }
    int64_t *fine = bins + 8192, left = place, high = 0, low = 0;
    for (const int32_t *s = squares; s < end; s++) bins[*s >> 13]++;
    for (; left >= bins[high]; high++) left -= bins[high];
    for (const int32_t *s = squares; s < end; s++)
        if (*s >> 13 == high) fine[*s & 8191]++;
    for (; left >= fine[low]; low++) left -= fine[low];
    *found = high << 13 | low;
    free(luma), free(squares), free(bins);
    return 0;
}
