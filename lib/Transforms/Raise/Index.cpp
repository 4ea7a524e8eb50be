// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "Index.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace polyattn::attn;

Index polyattn::attn::scaled(Index index, int64_t c) {
  index.offset *= c;
  for (Digit &digit : index.digits)
    digit.stride *= c;
  return index;
}

Index polyattn::attn::sum(Index left, const Index &right) {
  left.offset += right.offset;
  llvm::append_range(left.digits, right.digits);
  return left;
}

Atom Atoms::add(int64_t extent) {
  entries.push_back({extent});
  return entries.size() - 1;
}

SmallVector<Atom> Atoms::parts(Atom atom) const {
  if (!entries[atom].isCut())
    return {atom};
  SmallVector<Atom> result = parts(entries[atom].high);
  llvm::append_range(result, parts(entries[atom].low));
  return result;
}

Index Atoms::resolve(const Index &index) const {
  Index result;
  result.offset = index.offset;
  for (Digit digit : index.digits) {
    int64_t stride = digit.stride;
    for (Atom part : llvm::reverse(parts(digit.atom))) {
      if (entries[part].extent == 1)
        continue;
      auto *same = llvm::find_if(
          result.digits, [&](const Digit &d) { return d.atom == part; });
      if (same != result.digits.end())
        same->stride += stride;
      else
        result.digits.push_back({part, stride});
      stride *= entries[part].extent;
    }
  }
  llvm::erase_if(result.digits, [](const Digit &d) { return d.stride == 0; });
  llvm::stable_sort(result.digits, [](const Digit &a, const Digit &b) {
    return a.stride > b.stride;
  });
  return result;
}

/// Only the outermost part may be of unknown extent, so strides are numbers.
bool Atoms::cutAt(Atom atom, int64_t lowExtent) {
  int64_t extent = entries[atom].extent;
  bool dynamic = ShapedType::isDynamic(extent);
  if (entries[atom].isCut() || lowExtent <= 1 ||
      (!dynamic && (extent % lowExtent || extent == lowExtent)))
    return false;
  Atom high = add(dynamic ? extent : extent / lowExtent);
  Atom low = add(lowExtent);
  entries[atom].high = high;
  entries[atom].low = low;
  return true;
}

std::optional<Indices> Atoms::delinearize(const Index &index,
                                          ArrayRef<int64_t> sizes) {
  Indices result(sizes.size());
  Index rest = resolve(index);
  for (size_t d = sizes.size(); d-- > 1;) {
    int64_t size = sizes[d];
    // Nothing is in a dimension of size 0, and its position means nothing.
    if (ShapedType::isDynamic(size) || size == 0 || rest.offset < 0)
      return std::nullopt;
    bool again = false;
    int64_t largest = rest.offset % size;
    Index low, high;
    low.offset = largest;
    high.offset = rest.offset / size;
    for (const Digit &digit : rest.digits) {
      int64_t extent = entries[digit.atom].extent;
      bool isStatic = !ShapedType::isDynamic(extent);
      if (digit.stride < 0)
        return std::nullopt;
      if (digit.stride % size == 0) {
        high.digits.push_back({digit.atom, digit.stride / size});
      } else if (isStatic && digit.stride * extent <= size) {
        largest += digit.stride * (extent - 1);
        low.digits.push_back(digit);
      } else if (size % digit.stride == 0 &&
                 cutAt(digit.atom, size / digit.stride)) {
        again = true;
      } else {
        return std::nullopt;
      }
    }
    if (again) {
      rest = resolve(rest);
      ++d;
      continue;
    }
    if (largest >= size)
      return std::nullopt;
    result[d] = low;
    rest = high;
  }
  if (!sizes.empty())
    result[0] = rest;
  return result;
}

std::optional<Index> Atoms::linearize(ArrayRef<Index> indices,
                                      ArrayRef<int64_t> sizes) const {
  Index result;
  int64_t stride = 1;
  for (size_t d = sizes.size(); d-- > 0;) {
    result = sum(result, scaled(indices[d], stride));
    if (d && ShapedType::isDynamic(sizes[d]))
      return std::nullopt;
    stride *= sizes[d];
  }
  return result;
}

bool Atoms::unify(const Index &leftIndex, const Index &rightIndex,
                  ArrayRef<Atom> free, Binding &binding, bool &cut) {
  Index left = resolve(leftIndex), right = resolve(rightIndex);
  if (left.offset != right.offset)
    return false;
  auto isFree = [&](Atom atom) {
    return llvm::any_of(
        free, [&](Atom f) { return llvm::is_contained(parts(f), atom); });
  };
  size_t l = left.digits.size(), r = right.digits.size();
  while (l && r) {
    Digit a = left.digits[--l], b = right.digits[--r];
    if (a.stride != b.stride)
      return false;
    if (a.atom == b.atom)
      continue;
    if (!isFree(b.atom))
      return false;
    int64_t left = entries[a.atom].extent, right = entries[b.atom].extent;
    if (left != right) {
      bool leftIsLarger = !ShapedType::isDynamic(right) &&
                          (ShapedType::isDynamic(left) || left > right);
      cut = leftIsLarger ? cutAt(a.atom, right) : cutAt(b.atom, left);
      return false;
    }
    auto [known, isNew] = binding.try_emplace(b.atom, a.atom);
    if (!isNew && known->second != a.atom)
      return false;
    if (isNew && llvm::count_if(binding, [&](const auto &pair) {
                   return pair.second == a.atom;
                 }) > 1)
      return false;
  }
  return !l && !r;
}

bool Atoms::areBeside(Atom high, Atom low, ArrayRef<Index> uses) const {
  for (const Index &use : uses) {
    auto find = [&](Atom atom) {
      return llvm::find_if(use.digits,
                           [&](const Digit &d) { return d.atom == atom; });
    };
    const Digit *h = find(high), *l = find(low), *end = use.digits.end();
    if (h == end && l == end)
      continue;
    if (h == end || l == end || h->stride != l->stride * extent(low))
      return false;
  }
  return true;
}

/// Whether two sequences may become one is a matter of the last atom of the
/// first and the first atom of the second.
SmallVector<SmallVector<Atom>> Atoms::axes(ArrayRef<Atom> atoms,
                                           ArrayRef<Index> uses) const {
  SmallVector<Index> resolved =
      llvm::map_to_vector(uses, [&](const Index &use) { return resolve(use); });
  SmallVector<SmallVector<Atom>> result;
  for (Atom atom : atoms)
    if (extent(atom) != 1)
      result.push_back({atom});
  auto lastPart = [&](Atom atom) { return parts(atom).back(); };
  for (const Entry &entry : entries) {
    if (!entry.isCut())
      continue;
    Atom high = lastPart(entry.high), low = parts(entry.low).front();
    auto find = [&](auto matches) { return llvm::find_if(result, matches); };
    auto *first = find([&](ArrayRef<Atom> s) { return s.back() == high; });
    auto *second = find([&](ArrayRef<Atom> s) { return s.front() == low; });
    if (first == result.end() || second == result.end() || first == second ||
        !areBeside(high, low, resolved))
      continue;
    first->append(*second);
    result.erase(second);
  }
  return result;
}
