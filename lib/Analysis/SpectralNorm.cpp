// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Sums of products are computed in plain double arithmetic and then enlarged by
// the usual bound of their rounding errors: n u / (1 - n u) times the sum of
// absolute values, u = 2^-53. docs/bounds.md has the derivation.

#include "polyattn/Analysis/SpectralNorm.h"

#include <cmath>

using namespace polyattn;
using namespace polyattn::attn;

static constexpr double infinity = std::numeric_limits<double>::infinity();

/// Bounds the relative error of a sum of `terms` products.
static double summationError(double terms) {
  const double chain = (terms + 2) * 0x1p-53;
  return nextUp(chain / (1 - chain));
}

/// Enlarges a computed sum of `terms` products of numbers that are not
/// negative; the second term stands for underflow.
static double enlarge(double sum, double terms) {
  return nextUp(nextUp(sum * (1 + 2 * summationError(terms))) +
                terms * std::numeric_limits<double>::min());
}

static double sqrtUp(double x) { return nextUp(std::sqrt(x)); }

double polyattn::attn::frobeniusBound(const Matrix &w, int64_t from,
                                      int64_t count) {
  double sum = 0;
  for (int64_t i = 0; i < w.rows; ++i)
    for (int64_t j = from; j < from + count; ++j)
      sum += w.at(i, j) * w.at(i, j);
  double bound = sqrtUp(enlarge(sum, double(w.rows) * double(count)));
  return bound == bound ? bound : infinity;
}

/// sqrt(largest column sum * largest row sum) of absolute values.
static double sumsBound(const Matrix &w, int64_t from, int64_t count) {
  std::vector<double> columns(count, 0);
  double mostRow = 0, mostColumn = 0;
  for (int64_t i = 0; i < w.rows; ++i) {
    double row = 0;
    for (int64_t j = 0; j < count; ++j) {
      double entry = std::fabs(w.at(i, from + j));
      row += entry;
      columns[j] += entry;
    }
    mostRow = std::max(mostRow, row);
  }
  for (double column : columns)
    mostColumn = std::max(mostColumn, column);
  return sqrtUp(nextUp(enlarge(mostRow, double(count)) *
                       enlarge(mostColumn, double(w.rows))));
}

/// Frobenius norm of a square matrix, rounded up.
static double frobenius(const std::vector<double> &a) {
  double sum = 0;
  for (double entry : a)
    sum += entry * entry;
  return sqrtUp(enlarge(sum, double(a.size())));
}

/// W^T W or W W^T of the columns, whichever is smaller; of size n x n.
static std::vector<double> gram(const Matrix &w, int64_t from, int64_t count,
                                int64_t n) {
  std::vector<double> g(n * n, 0);
  bool overColumns = n == count;
  int64_t inner = overColumns ? w.rows : count;
  for (int64_t k = 0; k < inner; ++k)
    for (int64_t i = 0; i < n; ++i) {
      double a = overColumns ? w.at(k, from + i) : w.at(i, from + k);
      for (int64_t j = 0; j < n; ++j)
        g[i * n + j] +=
            a * (overColumns ? w.at(k, from + j) : w.at(j, from + k));
    }
  return g;
}

/// a * a for a matrix that is symmetric up to rounding.
static std::vector<double> squared(const std::vector<double> &a, int64_t n) {
  std::vector<double> result(n * n, 0);
  for (int64_t i = 0; i < n; ++i)
    for (int64_t k = 0; k < n; ++k) {
      double factor = a[i * n + k];
      for (int64_t j = 0; j < n; ++j)
        result[i * n + j] += factor * a[k * n + j];
    }
  return result;
}

/// Divides by a power of two that brings the norm near 1: exact, unless an
/// entry underflows, which the returned bound of the change accounts for.
static double normalise(std::vector<double> &a, int &exponent) {
  double norm = frobenius(a);
  std::frexp(norm, &exponent);
  for (double &entry : a)
    entry = std::ldexp(entry, -exponent);
  return double(a.size()) * std::numeric_limits<double>::min();
}

/// At least the spectral norm of the symmetric matrix that `a` approximates
/// with an error of at most `error` in spectral norm: |A|^2 = |A^2| <= |fl(A
/// A)|
/// + rounding, `depth` times over, then the Frobenius norm.
static double powerBound(std::vector<double> a, int64_t n, double error,
                         int depth) {
  int exponent;
  double norm = frobenius(a);
  if (!(norm > 0x1p-500 && norm < 0x1p500))
    return nextUp(norm + error);
  double lost = normalise(a, exponent);
  double bound = frobenius(a);
  if (depth > 0) {
    double rounding = nextUp(summationError(double(n)) * nextUp(bound * bound));
    rounding = nextUp(rounding + double(n) * double(n) *
                                     std::numeric_limits<double>::min());
    double square = powerBound(squared(a, n), n, rounding, depth - 1);
    bound = std::min(bound, sqrtUp(square));
  }
  bound = std::ldexp(nextUp(bound + lost), exponent);
  return nextUp(bound + error);
}

double polyattn::attn::spectralNormBound(const Matrix &w, int64_t from,
                                         int64_t count) {
  double whole = frobeniusBound(w, from, count);
  double best = std::min(whole, sumsBound(w, from, count));
  if (!(best < infinity))
    return infinity;
  int64_t n = std::min(w.rows, count);
  double gramCost = double(n) * double(w.rows) * double(count);
  double squareCost = double(n) * double(n) * double(n);
  constexpr double affordable = 1e9;
  if (n == 0 || gramCost > affordable)
    return best;
  int depth = int(std::min(7.0, (affordable - gramCost) / squareCost));
  // |computed - exact|_2 <= |.|_F <= error * (|W|^T |W|)_F <= error * |W|_F^2.
  double terms = double(std::max(w.rows, count));
  double error = nextUp(summationError(terms) * nextUp(whole * whole));
  error = nextUp(error + double(n) * double(n) * terms *
                             std::numeric_limits<double>::min());
  double power = powerBound(gram(w, from, count, n), n, error, depth);
  return std::min(best, sqrtUp(power));
}

double polyattn::attn::blockNorm(const LinearImage &image, int64_t from,
                                 int64_t count) {
  double factor =
      nextUp(spectralNormBound(*image.weights, from, count) +
             nextUp(image.error * frobeniusBound(*image.weights, from, count)));
  double bias = 0;
  if (!image.bias.empty())
    for (int64_t j = from; j < from + count; ++j)
      bias = nextUp(bias + nextUp(image.bias[j] * image.bias[j]));
  double slack = nextUp(nextUp(std::sqrt(double(count))) * image.slack);
  return nextUp(nextUp(nextUp(image.radius * factor) + sqrtUp(bias)) + slack);
}

std::shared_ptr<const LinearImage>
polyattn::attn::slicedImage(const LinearImage &image, int64_t from,
                            int64_t count) {
  auto result = std::make_shared<LinearImage>(image);
  auto part = std::make_shared<Matrix>();
  part->rows = image.weights->rows;
  part->cols = count;
  for (int64_t i = 0; i < part->rows; ++i)
    for (int64_t j = from; j < from + count; ++j)
      part->entries.push_back(image.weights->at(i, j));
  result->weights = part;
  if (!image.bias.empty())
    result->bias.assign(image.bias.begin() + from,
                        image.bias.begin() + from + count);
  return result;
}
