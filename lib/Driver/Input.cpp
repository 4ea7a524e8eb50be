// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "polyattn/Driver/Input.h"
#include "polyattn/Driver/Npy.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/STLExtras.h"

#include <cmath>
#include <cstring>
#include <random>

using namespace llvm;
using namespace polyattn::driver;

namespace {
struct RandomSpec {
  uint64_t seed;
  SmallVector<int64_t, 4> shape;
  DType type;
  double scale = 1;
};
} // namespace

/// The standard library's distributions differ between machines; this does not.
static double uniform(std::mt19937_64 &engine) {
  return (engine() >> 11) * 0x1p-53;
}

static double normal(std::mt19937_64 &engine) {
  double radius = std::sqrt(-2 * std::log1p(-uniform(engine)));
  return radius * std::cos(6.283185307179586 * uniform(engine));
}

static void store(const ArrayView &array, int64_t index, double number) {
  char *to = static_cast<char *>(array.data) + index * info(array.type).bytes;
  auto put = [&](auto element) { std::memcpy(to, &element, sizeof(element)); };
  auto putHalf = [&](const fltSemantics &semantics) {
    APFloat half(number);
    bool exact;
    half.convert(semantics, APFloat::rmNearestTiesToEven, &exact);
    put(uint16_t(half.bitcastToAPInt().getZExtValue()));
  };
  switch (array.type) {
  case DType::F16:
    return putHalf(APFloat::IEEEhalf());
  case DType::BF16:
    return putHalf(APFloat::BFloat());
  case DType::F32:
    return put(float(number));
  case DType::F64:
    return put(number);
  default:
    // Little-endian, so the low bytes are the narrower integer.
    uint64_t integer = uint64_t(int64_t(number));
    std::memcpy(to, &integer, info(array.type).bytes);
  }
}

static double largestInteger(DType type) {
  if (type == DType::Bool)
    return 1;
  bool isSigned = type < DType::U8;
  return std::ldexp(1.0, std::min(53u, info(type).bytes * 8 - isSigned)) - 1;
}

static Array makeRandom(const RandomSpec &spec) {
  Array array(spec.type, spec.shape);
  std::mt19937_64 engine(spec.seed);
  bool isFloat = spec.type < DType::Bool;
  for (int64_t i = 0, e = array.view().numElements(); i < e; ++i)
    store(array.view(), i,
          isFloat ? spec.scale * normal(engine)
                  : std::floor((spec.scale + 1) * uniform(engine)));
  return array;
}

static Error specError(StringRef spec, const Twine &what) {
  return createStringError("input '" + spec + "': " + what +
                           "; expected random:SEED:SHAPE:DTYPE[:SCALE] such as "
                           "random:1:2x8x64:f32:0.5");
}

static Expected<Array> parseRandom(StringRef text) {
  SmallVector<StringRef> parts, sizes;
  text.split(parts, ':');
  if (parts.size() != 4 && parts.size() != 5)
    return specError(text, "wrong number of parts");
  RandomSpec spec;
  if (parts[1].getAsInteger(10, spec.seed))
    return specError(text, "'" + parts[1] + "' is not a seed");
  parts[2].split(sizes, 'x', -1, /*KeepEmpty=*/!parts[2].empty());
  for (StringRef size : sizes)
    if (size.getAsInteger(10, spec.shape.emplace_back()) ||
        spec.shape.back() < 0)
      return specError(text, "'" + parts[2] + "' is not a shape");
  auto *type =
      find_if(allDTypes(), [&](auto &d) { return d.name == parts[3]; });
  if (type == allDTypes().end())
    return specError(text, "'" + parts[3] + "' is not an element type");
  spec.type = type->type;
  if (parts.size() == 5 && (parts[4].getAsDouble(spec.scale) ||
                            !std::isfinite(spec.scale) || spec.scale < 0))
    return specError(text, "'" + parts[4] + "' is not a scale");
  if (spec.type >= DType::Bool && spec.scale > largestInteger(spec.type))
    return specError(text,
                     "scale " + parts[4] + " is too large for " + parts[3]);
  // 2^40 bytes: a slip of the keyboard, not an experiment.
  std::optional<int64_t> count = countElements(spec.shape, type->bytes);
  if (!count || *count * type->bytes > int64_t(1) << 40)
    return specError(text, "'" + parts[2] + "' is too large");
  return makeRandom(spec);
}

Expected<Array> polyattn::driver::makeInput(StringRef spec) {
  return spec.starts_with("random:") ? parseRandom(spec) : readNpy(spec);
}
