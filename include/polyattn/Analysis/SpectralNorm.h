// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Proved upper bounds of the spectral norm of constant matrices.

#ifndef POLYATTN_ANALYSIS_SPECTRALNORM_H
#define POLYATTN_ANALYSIS_SPECTRALNORM_H

#include "polyattn/Analysis/BoundFact.h"

namespace polyattn::attn {

/// At least the largest singular value of columns [from, from + count): the
/// least of the Frobenius norm, sqrt(|W|_1 |W|_inf) and, where it costs at most
/// some 10^9 operations, |(W^T W)^(2^k)|_F^(1/2^(k+1)), all rounded upwards.
/// Infinity if an entry is not finite.
double spectralNormBound(const Matrix &weights, int64_t from, int64_t count);

/// At least the Frobenius norm of columns [from, from + count).
double frobeniusBound(const Matrix &weights, int64_t from, int64_t count);

/// At least the l2 norm of outputs [from, from + count) of the image.
double blockNorm(const LinearImage &image, int64_t from, int64_t count);

/// Outputs [from, from + count) of the image.
std::shared_ptr<const LinearImage> slicedImage(const LinearImage &image,
                                               int64_t from, int64_t count);

} // namespace polyattn::attn

#endif // POLYATTN_ANALYSIS_SPECTRALNORM_H
