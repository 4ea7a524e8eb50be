// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Certificates in words.

#ifndef POLYATTN_LIB_TRANSFORMS_CERTIFICATETEXT_H
#define POLYATTN_LIB_TRANSFORMS_CERTIFICATETEXT_H

#include "polyattn/Dialect/Attn/Attn.h"

#include <string>

namespace polyattn::attn {

/// Four significant digits of a nonnegative number, rounded up, or down: an
/// error or a limit that is printed must not say more than is proved.
std::string roundedUp(double number);
std::string roundedDown(double number);

/// "attention in @main: 8 heads, 16384 queries, ? keys, d = 64, f32".
std::string describeOp(ApproximableOpInterface op);

/// What a certificate says, a sentence each.
struct CertificateText {
  std::string promises, assumes, keptBy;
};

/// `op` must have a certificate.
CertificateText describeCertificate(ApproximableOpInterface op);

} // namespace polyattn::attn

#endif // POLYATTN_LIB_TRANSFORMS_CERTIFICATETEXT_H
