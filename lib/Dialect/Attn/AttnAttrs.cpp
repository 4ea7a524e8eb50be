// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// Attribute storage, parsing and verification. What a mask or kernel means is
// in AttnMasks.cpp and AttnKernels.cpp.

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "polyattn/Dialect/Attn/Attn.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;
using namespace polyattn::attn;

/// `[c0, c1, ...]`. DenseF64ArrayAttr's own printer keeps six digits only, and
/// certificates are about the coefficients to the last bit.
static ParseResult parseCoefficients(AsmParser &parser,
                                     DenseF64ArrayAttr &coefficients) {
  SmallVector<double> values;
  auto parseOne = [&] { return parser.parseFloat(values.emplace_back()); };
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, parseOne))
    return failure();
  coefficients = DenseF64ArrayAttr::get(parser.getContext(), values);
  return success();
}
static void printCoefficients(AsmPrinter &printer,
                              DenseF64ArrayAttr coefficients) {
  printer << '[';
  llvm::interleaveComma(coefficients.asArrayRef(), printer,
                        [&](double c) { printer << c; });
  printer << ']';
}

/// Far more tokens than memory holds; sums of positions cannot overflow.
static constexpr int64_t mostTokens = int64_t(1) << 48;

/// `2x3` is 6 tokens.
static ParseResult parseScale(AsmParser &parser, int64_t &tokens) {
  SMLoc loc = parser.getCurrentLocation();
  SmallVector<int64_t> grid;
  if (parser.parseDimensionList(grid, /*allowDynamic=*/false,
                                /*withTrailingX=*/false))
    return failure();
  tokens = 1;
  for (int64_t size : grid) {
    if (size > mostTokens || (size && tokens > mostTokens / size))
      return parser.emitError(loc) << "a scale of more than 2^48 tokens";
    tokens *= size;
  }
  return success();
}

/// `[1x1, 2x2, 9]`
static ParseResult parseScales(AsmParser &parser,
                               SmallVector<int64_t> &scales) {
  return parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, [&] {
    return parseScale(parser, scales.emplace_back());
  });
}
static void printScales(AsmPrinter &printer, ArrayRef<int64_t> scales) {
  printer << '[';
  llvm::interleaveComma(scales, printer);
  printer << ']';
}

#include "polyattn/Dialect/Attn/AttnEnums.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "polyattn/Dialect/Attn/AttnAttrs.cpp.inc"

#include "polyattn/Dialect/Attn/AttnAttrInterfaces.cpp.inc"

Attribute polyattn::attn::parsePlainAttr(AsmParser &parser) {
  Attribute attr;
  if (succeeded(parser.parseOptionalLParen())) {
    if (parser.parseAttribute(attr) || parser.parseRParen())
      return {};
    return attr;
  }
  SMLoc loc = parser.getCurrentLocation();
  StringRef mnemonic;
  OptionalParseResult result =
      generatedAttributeParser(parser, &mnemonic, Type(), attr);
  if (result.has_value())
    return succeeded(*result) ? attr : Attribute();
  parser.emitError(loc) << "'" << mnemonic
                        << "' is no attribute of the attn dialect";
  return {};
}

void polyattn::attn::printPlainAttr(AsmPrinter &printer, Attribute attr) {
  if (failed(generatedAttributePrinter(attr, printer)))
    printer << "(" << attr << ")";
}

void AttnDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "polyattn/Dialect/Attn/AttnAttrs.cpp.inc"
      >();
}

LogicalResult
PolyKernelAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                       DenseF64ArrayAttr attr) {
  ArrayRef<double> coefficients = attr.asArrayRef();
  if (coefficients.size() < 2)
    return emitError() << "needs at least two coefficients (degree 1), found "
                       << coefficients.size();
  for (double c : coefficients)
    if (!std::isfinite(c))
      return emitError() << "coefficients must be finite";
  if (coefficients.back() == 0.0)
    return emitError() << "the last coefficient is 0: drop it, so that the "
                          "degree says what the kernel costs";
  return success();
}

LogicalResult
SlidingWindowMaskAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                              int64_t left, int64_t right, Align) {
  if (left < 0 || right < 0)
    return emitError() << "window reaches " << left << " keys left and "
                       << right << " right; both must be at least 0";
  return success();
}

LogicalResult
PrefixMaskAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                       int64_t length, Align) {
  if (length < 0)
    return emitError() << "prefix length " << length << " is negative";
  return success();
}

LogicalResult
BlockCausalMaskAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                            ArrayRef<int64_t> scales, Align) {
  if (scales.empty())
    return emitError() << "needs the number of tokens of at least one scale, "
                          "as in scales = [1, 4, 9]";
  int64_t total = 0;
  for (auto [i, tokens] : llvm::enumerate(scales)) {
    if (tokens < 1)
      return emitError() << "scale " << i << " has " << tokens
                         << " tokens; leave it out, or give it at least one";
    if (tokens > mostTokens - total)
      return emitError() << "scales have more than 2^48 tokens together";
    total += tokens;
  }
  return success();
}

/// Every number finite and at least 0.
static LogicalResult verifyNumbers(function_ref<InFlightDiagnostic()> emitError,
                                   StringRef what, ArrayRef<double> numbers) {
  for (double number : numbers)
    if (!std::isfinite(number) || number < 0)
      return emitError() << what << " must be finite and at least 0, found "
                         << number;
  return success();
}

LogicalResult MomentsAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                  Real centredBound, Real secondMoment) {
  return verifyNumbers(emitError, "moments", {centredBound, secondMoment});
}

LogicalResult BoundAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                Real value, BoundSource source,
                                MomentsAttr moments) {
  if (moments && source == BoundSource::Proved)
    return emitError() << "moments are seen on inputs or declared; a proved "
                          "bound has none";
  return verifyNumbers(emitError, "score bound", double(value));
}

LogicalResult
MomentClaimAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                        Real secondMoment, Real mean, Real quadratic) {
  return verifyNumbers(emitError, "certificate numbers",
                       {secondMoment, mean, quadratic});
}

LogicalResult
CertificateAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                        Real scoreBound, Real kernelError, Real weightChange,
                        Real roundingError, Real outputError, int64_t maxKeys,
                        Assumption assumption, MomentClaimAttr moments) {
  if (failed(verifyNumbers(
          emitError, "certificate numbers",
          {scoreBound, kernelError, weightChange, roundingError, outputError})))
    return failure();
  if (maxKeys < 1)
    return emitError() << "max_keys must be at least 1, found " << maxKeys;
  if (moments && assumption == Assumption::Proved)
    return emitError() << "nothing proves the moments of rows before the run; "
                          "the assumption must be guarded or trusted";
  return success();
}
