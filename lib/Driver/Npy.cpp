// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// A .npy file is: the magic "\x93NUMPY", two version bytes, the length of the
// header (2 bytes, from version 2 on 4), the header, the elements. The header
// is a Python dictionary:
//   {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }

#include "polyattn/Driver/Npy.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

#include <cstring>

using namespace llvm;
using namespace polyattn::driver;

static constexpr StringLiteral magic = "\x93NUMPY";
// Numpy refuses to parse headers longer than this too.
static constexpr size_t maxHeader = 10000;

namespace {
struct Header {
  DType type;
  SmallVector<int64_t, 4> shape;
};

/// Reads the header's dictionary. Every method returns false, with `problem`
/// set, on text that it does not expect.
class HeaderParser {
public:
  explicit HeaderParser(StringRef text) : text(text) {}
  bool parse(Header &header);
  std::string problem;

private:
  bool fail(const Twine &what) {
    if (problem.empty())
      problem = what.str();
    return false;
  }
  bool accept(StringRef token) {
    text = text.ltrim();
    return text.consume_front(token);
  }
  bool expect(StringRef token) {
    return accept(token) ||
           fail("expected '" + token + "' in the header, found '" +
                printable(text.take_front(20)) + "'");
  }
  static std::string printable(StringRef raw) {
    std::string shown;
    raw_string_ostream os(shown);
    printEscapedString(raw, os);
    return shown;
  }
  bool parseString(StringRef &value);
  bool parseType(DType &type);
  bool parseOrder();
  bool parseShape(SmallVectorImpl<int64_t> &shape);
  bool parseEntry(Header &header);

  StringRef text;
  SmallVector<StringRef, 3> seen;
};
} // namespace

bool HeaderParser::parseString(StringRef &value) {
  StringRef quote = accept("\"") ? "\"" : "'";
  if (quote == "'" && !expect("'"))
    return false;
  size_t end = text.find(quote);
  if (end == StringRef::npos)
    return fail("the header ends within a string");
  value = text.take_front(end);
  text = text.drop_front(end + 1);
  return true;
}

bool HeaderParser::parseType(DType &type) {
  StringRef descr;
  if (accept("["))
    return fail("structured elements are not supported");
  if (!parseString(descr))
    return false;
  if (descr.starts_with(">"))
    return fail("big-endian elements ('" + printable(descr) +
                "') are not supported; save array.astype('<" +
                printable(descr.drop_front()) + "')");
  if (descr.contains('O'))
    return fail("Python objects are not supported; save an array of numbers");
  StringRef name = descr.ltrim("<|=");
  auto *known = find_if(allDTypes(), [&](auto &d) { return d.npy == name; });
  if (known == allDTypes().end())
    return fail("elements of type '" + printable(descr) +
                "' are not supported; expected f2, f4, f8, i1 to i8, u1 to u8, "
                "b1, or V2 for bf16");
  type = known->type;
  return true;
}

bool HeaderParser::parseOrder() {
  if (accept("False"))
    return true;
  if (accept("True"))
    return fail("the array is in Fortran order; save "
                "numpy.ascontiguousarray(array)");
  return fail("expected True or False for 'fortran_order'");
}

bool HeaderParser::parseShape(SmallVectorImpl<int64_t> &shape) {
  if (!expect("("))
    return false;
  while (!accept(")")) {
    int64_t size;
    text = text.ltrim();
    if (text.consumeInteger(10, size) || size < 0)
      return fail("expected a nonnegative number in 'shape'");
    shape.push_back(size);
    if (!accept(",")) {
      if (!expect(")"))
        return false;
      break;
    }
  }
  return true;
}

bool HeaderParser::parseEntry(Header &header) {
  StringRef key;
  if (!parseString(key) || !expect(":"))
    return false;
  if (is_contained(seen, key))
    return fail("key '" + printable(key) + "' appears twice in the header");
  seen.push_back(key);
  if (key == "descr")
    return parseType(header.type);
  if (key == "fortran_order")
    return parseOrder();
  if (key == "shape")
    return parseShape(header.shape);
  return fail("unknown key '" + printable(key) + "' in the header");
}

bool HeaderParser::parse(Header &header) {
  if (!expect("{"))
    return false;
  while (!accept("}")) {
    if (!parseEntry(header))
      return false;
    if (!accept(",") && !text.ltrim().starts_with("}"))
      return expect("}");
  }
  if (!text.trim().empty())
    return fail("text after the header's dictionary");
  return seen.size() == 3 ||
         fail("the header lacks 'descr', 'fortran_order' or 'shape'");
}

static Error fileError(StringRef path, const Twine &what) {
  return createStringError("'" + path + "': " + what);
}

/// Splits the file into header text and elements.
static Error splitFile(StringRef path, StringRef file, StringRef &header,
                       StringRef &elements) {
  if (!file.starts_with(magic))
    return fileError(path,
                     "not a .npy file: it does not start with \\x93NUMPY");
  if (file.size() < 12)
    return fileError(path, "damaged .npy file: it ends within the header");
  unsigned version = static_cast<unsigned char>(file[6]);
  if (version < 1 || version > 3)
    return fileError(path, "version " + Twine(version) +
                               " of the .npy format is not supported; expected "
                               "1, 2 or 3");
  const char *length = file.data() + 8;
  size_t begin = version == 1 ? 10 : 12;
  size_t size = version == 1 ? support::endian::read16le(length)
                             : support::endian::read32le(length);
  if (size > maxHeader)
    return fileError(path, "damaged .npy file: its header claims " +
                               Twine(size) + " bytes");
  if (file.size() < begin + size)
    return fileError(path, "damaged .npy file: it ends within the header");
  header = file.substr(begin, size);
  elements = file.drop_front(begin + size);
  return Error::success();
}

Expected<Array> polyattn::driver::readNpy(StringRef path) {
  auto file = MemoryBuffer::getFile(path, /*IsText=*/false,
                                    /*RequiresNullTerminator=*/false);
  if (!file)
    return fileError(path, "cannot read: " + file.getError().message());
  return parseNpy(path, (*file)->getBuffer());
}

Expected<Array> polyattn::driver::parseNpy(StringRef path, StringRef contents) {
  StringRef text, elements;
  if (Error error = splitFile(path, contents, text, elements))
    return error;
  Header header;
  HeaderParser parser(text);
  if (!parser.parse(header))
    return fileError(path, parser.problem);

  const DTypeInfo &type = info(header.type);
  std::optional<int64_t> count = countElements(header.shape, type.bytes);
  std::string shape = shapeText(header.shape, type.name);
  if (!count)
    return fileError(path,
                     "damaged .npy file: shape " + shape + " is too large");
  if (elements.size() != size_t(*count) * type.bytes)
    return fileError(path, "damaged .npy file: " + shape + " takes " +
                               Twine(*count * type.bytes) +
                               " bytes, the file holds " +
                               Twine(elements.size()));
  Array array(header.type, header.shape);
  std::memcpy(array.data(), elements.data(), elements.size());
  return array;
}

Error polyattn::driver::writeNpy(StringRef path, const ArrayView &array) {
  const DTypeInfo &type = info(array.type);
  std::string header = "{'descr': '";
  header += (type.bytes == 1 ? "|" : "<") + type.npy.str();
  header += "', 'fortran_order': False, 'shape': (";
  for (int64_t size : array.shape)
    header += std::to_string(size) + ",";
  header += "), }";
  // Elements start at a multiple of 64, after a line end.
  size_t begin = magic.size() + 4;
  header.resize(alignTo(begin + header.size() + 1, 64) - begin - 1, ' ');
  header += '\n';

  std::error_code code;
  raw_fd_ostream file(path, code);
  if (code)
    return fileError(path, "cannot write: " + code.message());
  char length[2];
  support::endian::write16le(length, header.size());
  file << magic << '\x01' << '\x00' << StringRef(length, 2) << header;
  file.write(static_cast<const char *>(array.data), array.numBytes());
  file.close();
  if (file.has_error()) {
    code = file.error();
    file.clear_error();
    return fileError(path, "cannot write: " + code.message());
  }
  return Error::success();
}
