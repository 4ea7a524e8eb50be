// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// The statistics of one call, in f64. Every score is formed: that is what makes
// their range exact, and a profile is made offline.

#include "polyattn/Runtime/Record.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <thread>

using namespace polyattn::profile;

namespace {

/// Keys whose scores are formed together; d of these fit a second level cache.
constexpr int64_t keyBlock = 256;

/// One query head of one batch entry.
struct Head {
  const double *query, *key, *value, *weights;
};

/// Sums over the keys that a row sees, block by block.
struct RowSums {
  double weight = 0, sum = 0, squares = 0;
  double least = std::numeric_limits<double>::infinity();
  double largest = -std::numeric_limits<double>::infinity();
};

/// Statistics of a head that are not yet merged over the batch.
class HeadRecorder {
public:
  HeadRecorder(const RecordedCall &call, const Head &head)
      : call(call), head(head), mean(call.d, 0.0) {}
  HeadStatistics run();

private:
  double largestNorm(const double *rows, int64_t count,
                     const double *less) const;
  void computeMean();
  void scoreBlock(int64_t from, int64_t to, std::vector<RowSums> &rows);
  void addBlock(RowSums &row, const double *scores, int64_t from, int64_t to,
                double shift) const;
  void addRow(HeadStatistics &result, const RowSums &row, int64_t i) const;

  const RecordedCall &call;
  const Head &head;
  std::vector<double> mean;
};

} // namespace

/// The largest norm of `count` rows of d entries, each less `less`.
double HeadRecorder::largestNorm(const double *rows, int64_t count,
                                 const double *less) const {
  double most = 0;
  for (int64_t i = 0; i < count; ++i) {
    double squares = 0;
    for (int64_t a = 0; a < call.d; ++a) {
      double x = rows[i * call.d + a] - (less ? less[a] : 0);
      squares += x * x;
    }
    // Not std::max: NaN must stay.
    if (!(squares <= most))
      most = squares;
    if (std::isnan(most))
      break;
  }
  return std::sqrt(most);
}

/// The mean of keys by weight; 0 where all weights are 0.
void HeadRecorder::computeMean() {
  double total = 0;
  for (int64_t j = 0; j < call.m; ++j) {
    double w = head.weights[j];
    if (w == 0)
      continue; // Such a key may hold anything.
    total += w;
    for (int64_t a = 0; a < call.d; ++a)
      mean[a] += w * head.key[j * call.d + a];
  }
  for (double &x : mean)
    x = total > 0 ? x / total : 0;
}

/// scores[j] = sum_a q[a] keys[a][j] over a block of keys, four terms at a time
/// so that scores are loaded and stored less often.
static void multiply(const double *q, int64_t d, const double *keys,
                     int64_t count, double *scores) {
  std::fill(scores, scores + count, 0.0);
  int64_t a = 0;
  for (; a + 4 <= d; a += 4) {
    const double *k = keys + a * keyBlock;
    for (int64_t j = 0; j < count; ++j)
      scores[j] +=
          (q[a] * k[j] + q[a + 1] * k[j + keyBlock]) +
          (q[a + 2] * k[j + 2 * keyBlock] + q[a + 3] * k[j + 3 * keyBlock]);
  }
  for (; a < d; ++a)
    for (int64_t j = 0; j < count; ++j)
      scores[j] += q[a] * keys[a * keyBlock + j];
}

void HeadRecorder::addBlock(RowSums &row, const double *scores, int64_t from,
                            int64_t to, double shift) const {
  for (int64_t j = from; j < to; ++j) {
    double w = head.weights[j];
    if (w == 0)
      continue;
    double score = scores[j], centred = score - shift;
    row.least = std::min(row.least, score);
    row.largest = std::max(row.largest, score);
    row.weight += w;
    row.sum += w * centred;
    row.squares += w * centred * centred;
  }
}

/// The part that keys [from, to) have in the sums of every row.
void HeadRecorder::scoreBlock(int64_t from, int64_t to,
                              std::vector<RowSums> &rows) {
  int64_t d = call.d, count = to - from;
  std::vector<double> keys(d * keyBlock), scores(keyBlock), scaled(d);
  for (int64_t j = 0; j < count; ++j)
    for (int64_t a = 0; a < d; ++a)
      keys[a * keyBlock + j] = head.key[(from + j) * d + a];
  for (int64_t i = 0; i < call.n; ++i) {
    int64_t begin = std::max(from, call.ranges[2 * i]);
    int64_t end = std::min(to, call.ranges[2 * i + 1]);
    if (begin >= end)
      continue;
    double shift = 0;
    for (int64_t a = 0; a < d; ++a) {
      scaled[a] = call.scale * head.query[i * d + a];
      shift += scaled[a] * mean[a];
    }
    multiply(scaled.data(), d, keys.data(), count, scores.data());
    addBlock(rows[i], scores.data() - from, begin, end, shift);
  }
}

void HeadRecorder::addRow(HeadStatistics &result, const RowSums &row,
                          int64_t i) const {
  if (!(row.weight > 0))
    return;
  result.leastScore = std::min(result.leastScore, row.least);
  result.largestScore = std::max(result.largestScore, row.largest);
  int64_t seen = call.ranges[2 * i + 1] - call.ranges[2 * i];
  bool isShort = call.startsAtZero && seen < longRow;
  (isShort ? result.shortRows : result.longRows)
      .merge({1, row.squares / row.weight, row.sum / row.weight,
              row.largest - row.least});
}

HeadStatistics HeadRecorder::run() {
  HeadStatistics result;
  computeMean();
  result.maxQuery = largestNorm(head.query, call.n, nullptr);
  result.maxKey = largestNorm(head.key, call.m, nullptr);
  result.maxCentredKey = largestNorm(head.key, call.m, mean.data());
  double scale = std::fabs(call.scale);
  result.bound = scale * result.maxQuery * result.maxKey;
  result.centredBound = scale * result.maxQuery * result.maxCentredKey;
  for (int64_t i = 0; i < call.m * call.e; ++i) {
    double x = std::fabs(head.value[i]);
    if (!(x <= result.maxValue))
      result.maxValue = x;
    if (std::isnan(x))
      break;
  }
  std::vector<RowSums> rows(call.n);
  for (int64_t from = 0; from < call.m; from += keyBlock)
    scoreBlock(from, std::min(from + keyBlock, call.m), rows);
  for (int64_t i = 0; i < call.n; ++i)
    addRow(result, rows[i], i);
  return result;
}

/// Why these statistics cannot be used; empty if they can.
static std::string whyUseless(const HeadStatistics &s, const double *weights,
                              int64_t m) {
  for (int64_t j = 0; j < m; ++j)
    if (!(weights[j] >= 0) || std::isinf(weights[j]))
      return "key_weights holds a negative number, NaN or infinity";
  for (auto [name, most] :
       {std::pair<const char *, double>{"query", s.maxQuery},
        {"key", s.maxKey},
        {"value", s.maxValue}})
    if (!std::isfinite(most))
      return std::string(name) +
             " holds NaN, infinity, or numbers too large to square";
  return {};
}

/// Runs work(0), ..., work(count - 1) on as many threads as there are cores.
template <typename Work>
static void parallel(int64_t count, bool isLong, Work work) {
  std::atomic<int64_t> next{0};
  auto runSome = [&] {
    for (int64_t i; (i = next++) < count;)
      work(i);
  };
  std::vector<std::thread> threads;
  int64_t cores = isLong ? int64_t(std::thread::hardware_concurrency()) : 1;
  for (int64_t i = 1; i < std::min(cores, count); ++i)
    threads.emplace_back(runSome);
  runSome();
  for (std::thread &thread : threads)
    thread.join();
}

OpStatistics polyattn::profile::computeStatistics(const RecordedCall &call,
                                                  std::string &problem) {
  int64_t count = call.batch * call.heads;
  int64_t group = call.keyHeads ? call.heads / call.keyHeads : 1;
  std::vector<HeadStatistics> parts(count);
  std::vector<std::string> problems(count);
  bool isLong = double(count) * call.n * call.m * call.d > 1e6;
  parallel(count, isLong, [&](int64_t i) {
    int64_t b = i / call.heads, h = i % call.heads;
    int64_t at = (b * call.keyHeads + h / group) * call.m;
    Head head{call.query + i * call.n * call.d, call.key + at * call.d,
              call.value + at * call.e, call.weights + at};
    parts[i] = HeadRecorder(call, head).run();
    problems[i] = whyUseless(parts[i], head.weights, call.m);
  });
  OpStatistics result;
  result.calls = 1;
  result.keys = call.batch * call.m;
  result.longest = call.m;
  result.heads.resize(call.heads);
  for (int64_t i = 0; i < count; ++i) {
    result.heads[i % call.heads].merge(parts[i]);
    if (problem.empty() && !problems[i].empty())
      problem = "head " + std::to_string(i % call.heads) + ": " + problems[i];
  }
  return result;
}
