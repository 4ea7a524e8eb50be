// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

#include "polyattn/Runtime/ProfileFile.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>

using namespace llvm;
using namespace polyattn::profile;

static constexpr StringLiteral formatName = "polyattn-profile";

namespace {
/// A number of the file and where it lives. Signed ones may be negative.
template <typename T> struct Field {
  StringLiteral name;
  double T::*member;
  bool isSigned = false;
};
template <typename T> struct Count {
  StringLiteral name;
  int64_t T::*member;
};
} // namespace

static constexpr Count<OpStatistics> opCounts[] = {
    {"calls", &OpStatistics::calls},
    {"keys", &OpStatistics::keys},
    {"longest", &OpStatistics::longest},
};
static constexpr Field<HeadStatistics> headFields[] = {
    {"max_query", &HeadStatistics::maxQuery},
    {"max_key", &HeadStatistics::maxKey},
    {"max_centred_key", &HeadStatistics::maxCentredKey},
    {"max_value", &HeadStatistics::maxValue},
    {"bound", &HeadStatistics::bound},
    {"centred_bound", &HeadStatistics::centredBound},
};
/// Only where some row saw a key.
static constexpr Field<HeadStatistics> scoreFields[] = {
    {"least_score", &HeadStatistics::leastScore, true},
    {"largest_score", &HeadStatistics::largestScore, true},
};
static constexpr Count<RowStatistics> rowCounts[] = {
    {"rows", &RowStatistics::rows},
};
static constexpr Field<RowStatistics> rowFields[] = {
    {"second_moment", &RowStatistics::secondMoment},
    {"least_mean", &RowStatistics::leastMean, true},
    {"score_range", &RowStatistics::scoreRange},
};

static bool sawRows(const HeadStatistics &head) {
  return head.longRows.rows || head.shortRows.rows;
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

template <typename T>
static void write(json::OStream &json, ArrayRef<Field<T>> fields, const T &of) {
  for (const Field<T> &field : fields)
    json.attribute(field.name, of.*field.member);
}
template <typename T>
static void write(json::OStream &json, ArrayRef<Count<T>> counts, const T &of) {
  for (const Count<T> &count : counts)
    json.attribute(count.name, of.*count.member);
}

static void writeRows(json::OStream &json, StringRef name,
                      const RowStatistics &rows) {
  if (!rows.rows)
    return;
  json.attributeObject(name, [&] {
    write<RowStatistics>(json, rowCounts, rows);
    write<RowStatistics>(json, rowFields, rows);
  });
}

static void writeHead(json::OStream &json, const HeadStatistics &head) {
  json.object([&] {
    write<HeadStatistics>(json, headFields, head);
    if (sawRows(head))
      write<HeadStatistics>(json, scoreFields, head);
    writeRows(json, "long_rows", head.longRows);
    writeRows(json, "short_rows", head.shortRows);
  });
}

std::string polyattn::profile::toJson(const Profile &profile) {
  std::string text;
  raw_string_ostream os(text);
  json::OStream json(os, 1);
  json.object([&] {
    json.attribute("format", formatName);
    json.attribute("version", formatVersion);
    json.attributeObject("ops", [&] {
      for (const auto &[key, op] : profile)
        json.attributeObject(key, [&, &op = op] {
          write<OpStatistics>(json, opCounts, op);
          json.attributeArray("heads", [&] {
            for (const HeadStatistics &head : op.heads)
              writeHead(json, head);
          });
        });
    });
  });
  os << "\n";
  return text;
}

static Error fileError(StringRef path, const Twine &what) {
  return createStringError("'" + path + "': " + what);
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

namespace {
/// Reads a file's objects. After the first problem everything returns false.
class Reader {
public:
  std::string problem;

  bool readProfile(const json::Value &root, Profile &profile);

private:
  bool fail(const Twine &where, const Twine &what) {
    if (problem.empty())
      problem = (where + ": " + what).str();
    return false;
  }
  /// The object itself, or null after saying that there should be one.
  const json::Object *object(const json::Value *value, const Twine &where) {
    const json::Object *result = value ? value->getAsObject() : nullptr;
    if (!result)
      fail(where, "expected an object");
    return result;
  }
  template <typename T>
  bool read(const json::Object &from, const Twine &where,
            ArrayRef<Field<T>> fields, T &to);
  template <typename T>
  bool read(const json::Object &from, const Twine &where,
            ArrayRef<Count<T>> counts, T &to);
  bool readRows(const json::Object &head, const std::string &where,
                StringRef name, RowStatistics &rows);
  bool readHead(const json::Value &value, const std::string &where,
                HeadStatistics &head);
  bool readOp(const json::Value &value, const std::string &where,
              OpStatistics &op);
};
} // namespace

template <typename T>
bool Reader::read(const json::Object &from, const Twine &where,
                  ArrayRef<Field<T>> fields, T &to) {
  for (const Field<T> &field : fields) {
    std::optional<double> number = from.getNumber(field.name);
    if (!number || !std::isfinite(*number) || (*number < 0 && !field.isSigned))
      return fail(where, "'" + field.name + "' must be a finite number" +
                             (field.isSigned ? "" : ", at least 0"));
    to.*field.member = *number;
  }
  return true;
}

template <typename T>
bool Reader::read(const json::Object &from, const Twine &where,
                  ArrayRef<Count<T>> counts, T &to) {
  for (const Count<T> &count : counts) {
    std::optional<int64_t> number = from.getInteger(count.name);
    if (!number || *number < 0)
      return fail(where, "'" + count.name + "' must be an integer, at least 0");
    to.*count.member = *number;
  }
  return true;
}

bool Reader::readRows(const json::Object &head, const std::string &where,
                      StringRef name, RowStatistics &rows) {
  const json::Value *value = head.get(name);
  if (!value)
    return true;
  std::string inside = where + ", " + name.str();
  const json::Object *fields = object(value, inside);
  return fields && read<RowStatistics>(*fields, inside, rowCounts, rows) &&
         read<RowStatistics>(*fields, inside, rowFields, rows);
}

bool Reader::readHead(const json::Value &value, const std::string &where,
                      HeadStatistics &head) {
  const json::Object *fields = object(&value, where);
  return fields && read<HeadStatistics>(*fields, where, headFields, head) &&
         readRows(*fields, where, "long_rows", head.longRows) &&
         readRows(*fields, where, "short_rows", head.shortRows) &&
         (!sawRows(head) ||
          read<HeadStatistics>(*fields, where, scoreFields, head));
}

bool Reader::readOp(const json::Value &value, const std::string &where,
                    OpStatistics &op) {
  const json::Object *fields = object(&value, where);
  if (!fields || !read<OpStatistics>(*fields, where, opCounts, op))
    return false;
  const json::Array *heads = fields->getArray("heads");
  if (!heads)
    return fail(where, "'heads' must be an array");
  for (const json::Value &head : *heads) {
    std::string name = where + ", head " + std::to_string(op.heads.size());
    if (!readHead(head, name, op.heads.emplace_back()))
      return false;
  }
  return true;
}

bool Reader::readProfile(const json::Value &root, Profile &profile) {
  const json::Object *fields = root.getAsObject();
  if (!fields || fields->getString("format") != StringRef(formatName))
    return fail("not a profile",
                "expected an object with \"format\": \"" + formatName + "\"");
  std::optional<int64_t> version = fields->getInteger("version");
  if (version != formatVersion)
    return fail("unknown version " +
                    (version ? Twine(*version) : Twine("(none)")),
                "expected " + Twine(formatVersion) + "; profile again");
  const json::Object *ops = object(fields->get("ops"), "'ops'");
  if (!ops)
    return false;
  for (const auto &[key, value] : *ops)
    if (!readOp(value, "op '" + key.str() + "'", profile[key.str()]))
      return false;
  return true;
}

/// The parser recurses, and a profile is a few levels deep. Brackets in keys
/// count too, which only makes more of them.
static bool isDeeplyNested(StringRef text) {
  constexpr int mostLevels = 64;
  int levels = 0;
  for (char c : text) {
    levels += (c == '[' || c == '{') - (c == ']' || c == '}');
    if (levels > mostLevels)
      return true;
  }
  return false;
}

Expected<Profile> polyattn::profile::readProfile(StringRef path) {
  auto file = MemoryBuffer::getFile(path);
  if (!file)
    return fileError(path, "cannot read: " + file.getError().message());
  if (isDeeplyNested((*file)->getBuffer()))
    return fileError(path, "not a profile: nested too deeply");
  Expected<json::Value> root = json::parse((*file)->getBuffer());
  if (!root)
    return fileError(path, "not a profile: " + toString(root.takeError()));
  Profile profile;
  Reader reader;
  if (!reader.readProfile(*root, profile))
    return fileError(path, reader.problem);
  return profile;
}

//===----------------------------------------------------------------------===//
// Merging
//===----------------------------------------------------------------------===//

Error polyattn::profile::mergeProfile(Profile &into, const Profile &from) {
  for (const auto &[key, op] : from) {
    auto [entry, isNew] = into.emplace(key, op);
    if (!isNew && !entry->second.merge(op))
      return createStringError("op '" + key + "' has " +
                               Twine(op.heads.size()) + " heads in one and " +
                               Twine(entry->second.heads.size()) +
                               " in the other");
  }
  return Error::success();
}

Error polyattn::profile::writeProfile(StringRef path, Profile profile,
                                      bool merge) {
  if (merge && sys::fs::exists(path)) {
    Expected<Profile> before = readProfile(path);
    if (!before)
      return before.takeError();
    if (Error error = mergeProfile(profile, *before))
      return fileError(path, "cannot merge: " + toString(std::move(error)));
  }
  Error error = writeToOutput(path, [&](raw_ostream &os) {
    os << toJson(profile);
    return Error::success();
  });
  if (error)
    return fileError(path, "cannot write: " + toString(std::move(error)));
  return Error::success();
}
