// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// How tensor attention's states follow sliding windows (TensorWindows.cpp):
// what the code needs to know, and the cost model.

#ifndef POLYATTN_ANALYSIS_WINDOWTILING_H
#define POLYATTN_ANALYSIS_WINDOWTILING_H

#include <algorithm>
#include <cstdint>

namespace polyattn {

/// Steps of a chunk of queries, each as many queries as there are lanes at
/// most; every step of a window has a state.
constexpr int64_t stepsOfWindowChunk = 8;

/// States of blocks of keys that one window may hold. Where memory is short,
/// blocks become longer.
constexpr int64_t leastWindowBlocks = 8, mostWindowBlocks = 64;

/// For `windows` sliding sets, within `bytes` where that allows for it.
inline int64_t blocksOfWindow(double bytesPerState, int64_t windows,
                              int64_t bytes) {
  double states = double(bytes) / bytesPerState / double(windows);
  return std::clamp(int64_t(states) - stepsOfWindowChunk, leastWindowBlocks,
                    mostWindowBlocks);
}

} // namespace polyattn

#endif // POLYATTN_ANALYSIS_WINDOWTILING_H
