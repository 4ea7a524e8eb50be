// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// An .npz file is a zip archive of .npy files, stored or deflated. Its end
// record says where the directory is, the directory where the entries are.

#include "polyattn/Driver/Npy.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CRC.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MemoryBuffer.h"

#include <zlib.h>

using namespace llvm;
using namespace polyattn::driver;

static constexpr StringLiteral endMagic("PK\x05\x06"), entryMagic("PK\x01\x02"),
    localMagic("PK\x03\x04");
static constexpr size_t endSize = 22, entrySize = 46, localSize = 30;

static uint32_t read16(StringRef bytes, size_t at) {
  return support::endian::read16le(bytes.data() + at);
}
static uint32_t read32(StringRef bytes, size_t at) {
  return support::endian::read32le(bytes.data() + at);
}

namespace {
struct Entry {
  StringRef name;
  uint32_t flags, method, crc, packedSize, size, offset;
};

class Archive {
public:
  Archive(StringRef path, StringRef bytes) : path(path), bytes(bytes) {}
  Expected<std::vector<NamedArray>> read();

private:
  Error fail(const Twine &what) const {
    return createStringError("'" + path + "': " + what);
  }
  Expected<std::vector<Entry>> readDirectory() const;
  Expected<StringRef> packedBytes(const Entry &entry) const;
  Expected<Array> readEntry(const Entry &entry) const;

  StringRef path, bytes;
};
} // namespace

Expected<std::vector<Entry>> Archive::readDirectory() const {
  size_t end = bytes.rfind(endMagic);
  if (end == StringRef::npos || bytes.size() - end < endSize)
    return fail("not an .npz file: no zip archive, or a damaged one");
  size_t count = read16(bytes, end + 10), at = read32(bytes, end + 16);
  if (count == 0xffff || at == 0xffffffff)
    return fail("archives of more than 4 GiB are not supported");
  std::vector<Entry> entries;
  for (size_t i = 0; i < count; ++i) {
    if (at > bytes.size() || bytes.size() - at < entrySize ||
        !bytes.substr(at).starts_with(entryMagic))
      return fail("damaged .npz file: its directory has no entry " + Twine(i));
    size_t nameSize = read16(bytes, at + 28);
    entries.push_back({bytes.substr(at + entrySize, nameSize),
                       read16(bytes, at + 8), read16(bytes, at + 10),
                       read32(bytes, at + 16), read32(bytes, at + 20),
                       read32(bytes, at + 24), read32(bytes, at + 42)});
    at +=
        entrySize + nameSize + read16(bytes, at + 30) + read16(bytes, at + 32);
  }
  return entries;
}

Expected<StringRef> Archive::packedBytes(const Entry &entry) const {
  if (entry.size == 0xffffffff || entry.packedSize == 0xffffffff ||
      entry.offset == 0xffffffff)
    return fail("'" + entry.name +
                "': arrays of more than 4 GiB are not "
                "supported; save them as .npy");
  StringRef local = bytes.substr(entry.offset);
  if (local.size() < localSize || !local.starts_with(localMagic))
    return fail("damaged .npz file: no '" + entry.name +
                "' where the "
                "directory says");
  size_t begin = localSize + read16(local, 26) + read16(local, 28);
  if (local.size() < begin || local.size() - begin < entry.packedSize)
    return fail("damaged .npz file: it ends within '" + entry.name + "'");
  return local.substr(begin, entry.packedSize);
}

/// Deflated bytes as they were; false if they are damaged.
static bool inflateBytes(StringRef packed, MutableArrayRef<char> bytes) {
  z_stream stream = {};
  // Negative: no header around the data.
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
    return false;
  stream.next_in = reinterpret_cast<Bytef *>(const_cast<char *>(packed.data()));
  stream.avail_in = packed.size();
  stream.next_out = reinterpret_cast<Bytef *>(bytes.data());
  stream.avail_out = bytes.size();
  int code = inflate(&stream, Z_FINISH);
  inflateEnd(&stream);
  return code == Z_STREAM_END && stream.avail_out == 0;
}

Expected<Array> Archive::readEntry(const Entry &entry) const {
  constexpr uint32_t stored = 0, deflated = 8;
  if (entry.flags & 1)
    return fail("'" + entry.name + "' is encrypted");
  if (entry.method != stored && entry.method != deflated)
    return fail("'" + entry.name + "' is compressed by method " +
                Twine(entry.method) + "; save it by numpy.savez");
  Expected<StringRef> packed = packedBytes(entry);
  if (!packed)
    return packed.takeError();
  StringRef contents = *packed;
  // Deflate shrinks by 1032 at most: a size beyond that is a lie.
  if (entry.method == deflated && entry.size / 1100 > contents.size())
    return fail("damaged .npz file: '" + entry.name + "' claims " +
                Twine(entry.size) + " bytes");
  std::vector<char> buffer;
  bool good = true;
  if (entry.method == deflated) {
    buffer.resize(entry.size);
    good = inflateBytes(contents, buffer);
    contents = StringRef(buffer.data(), buffer.size());
  }
  if (!good || contents.size() != entry.size ||
      llvm::crc32(arrayRefFromStringRef(contents)) != entry.crc)
    return fail("damaged .npz file: the contents of '" + entry.name +
                "' are not what was written");
  return parseNpy((path + "(" + entry.name + ")").str(), contents);
}

Expected<std::vector<NamedArray>> Archive::read() {
  auto entries = readDirectory();
  if (!entries)
    return entries.takeError();
  std::vector<NamedArray> arrays;
  for (const Entry &entry : *entries) {
    auto array = readEntry(entry);
    if (!array)
      return array.takeError();
    StringRef name = entry.name;
    name.consume_back(".npy");
    arrays.push_back({name.str(), std::move(*array)});
  }
  return arrays;
}

Expected<std::vector<NamedArray>> polyattn::driver::readNpz(StringRef path) {
  auto file = MemoryBuffer::getFile(path, /*IsText=*/false,
                                    /*RequiresNullTerminator=*/false);
  if (!file)
    return createStringError("'" + path +
                             "': cannot read: " + file.getError().message());
  return Archive(path, (*file)->getBuffer()).read();
}
