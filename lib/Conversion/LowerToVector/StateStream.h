// Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
//
// States as values, [e + 1][r]: keys that enter them and queries that read
// them, in the order of tokens. Lanes are features: a row of the state, for one
// value column, is added to and read where it lies; the sum of weights is one
// row more. Tokens come in blocks. Registers hold a few rows of a few vectors
// of features while all tokens of a block pass by, so that a state is read and
// written once for a block and a query sees exactly the keys up to its own.

#ifndef POLYATTN_CONVERSION_LOWERTOVECTOR_STATESTREAM_H
#define POLYATTN_CONVERSION_LOWERTOVECTOR_STATESTREAM_H

#include "Emitter.h"
#include "polyattn/Approximation/Monomials.h"

namespace polyattn::attn {

class StreamEmitter {
  using Value = mlir::Value;
  using Values = Emitter::Values;

public:
  /// One set of keys. `state` and `updated` are memrefs [key heads, e + 1, r];
  /// `key`, `value` and `weights` memrefs [key heads, n, dim] and [key heads,
  /// n], null where no keys come, as `updated` then is; weights may be null.
  /// `updated` may be `state` itself.
  struct Set {
    Value state, key, value, weights, updated;
  };
  /// The queries, memrefs [query heads, n, dim], and what they ask for.
  struct Readers {
    Value query, output;
    llvm::ArrayRef<double> coefficients;
    double scale;
    bool unnormalised;
  };

  /// `op` is where constant tables go.
  StreamEmitter(Emitter &e, const TargetDescription &target,
                mlir::Operation *op, unsigned headDim, unsigned degree,
                llvm::ArrayRef<Set> sets);

  /// Keys enter the states. With readers, of one query for each key, every one
  /// reads them with the keys up to its own in them; where no keys come, the
  /// states as they are.
  void emit(const Readers *readers);

private:
  /// Tokens [first, first + count) of one key head, and what they bring.
  struct Block {
    Value head, first, count;
    /// Rows of features of keys of each set, [T][rowLength], and of queries
    /// times their weights, [T * group][rowLength].
    Values keyFeatures;
    Value queryFeatures;
    /// [T][e + 1] values times weights, then the weight, of each set.
    Values values;
    /// [T * group][columns][lanes]: sums over features so far.
    Value outputs;
    /// [key heads, e + 1, r] where states are read.
    Values sources;
    /// Which share of the values' columns, and which they are.
    Value share, firstColumn, columns;
    /// [key heads, parts, r] the sums of weights of each set, where shares have
    /// their own; else none.
    Values weightRows;
  };
  /// Rows [first, first + count) of a state.
  struct Rows {
    Value first;
    int64_t count;
    bool ofWeights = false;
  };
  struct Place {
    Value memory, head, row;
  };
  /// Features [first, ..) that registers hold: all lanes of so many vectors but
  /// of the last one, which has only `rest`.
  struct Strip {
    Value first;
    int64_t vectors, rest;
  };

  void layOutFeatures();
  void chooseParts(const TargetDescription &target);
  void chooseBlocking(const TargetDescription &target);
  void openReaders(const Readers &readers);
  Value flops(Value count, bool writes);
  Value rowsBuffer(Value rows, llvm::ArrayRef<int64_t> shape, mlir::Type type);
  Block allocateBlock(Value most, const Readers *readers);
  void emitBlock(Block &block, const Readers *readers);
  void packRow(Value source, Value head, Value token, Value weight,
               Value target, Value row);
  void multiplyRuns(Value target, Value row);
  void packKeys(Block &block);
  void packValues(Block &block, size_t set, Value i, Value token, Value weight);
  void packQueries(Block &block, const Readers &readers);
  void clearOutputs(Block &block);
  void forStrips(llvm::function_ref<void(const Strip &)> body);
  void chooseSources(Block &block, bool writes);
  void openWeightRows(Block &shared);
  void closeWeightRows(Block &shared);
  void copyRow(const Place &from, const Place &to);
  void forColumnsOf(Block &block,
                    llvm::function_ref<void(Value, int64_t)> body);
  void forRows(Block &block, llvm::function_ref<void(const Rows &)> body);
  Place placeOf(Block &block, size_t set, const Rows &rows, int64_t row,
                bool toWrite);
  void askForNext(Block &block, const Strip &strip, const Rows &rows);
  void addRows(Block &block, const Strip &strip, const Rows &rows, bool reads);
  Values addKeys(Block &block, const Strip &strip, Value i, Value row,
                 int64_t rows, mlir::ValueRange sums);
  void readRows(Block &block, const Strip &strip, Value i, Value row,
                int64_t rows, mlir::ValueRange sums);
  void closeBlock(Block &block, const Readers &readers);

  // Numbers in the type of the states.
  mlir::VectorType wideType() const;
  Value zero();
  Value wide(Value x);
  Value loadFeatures(Value buffer, Value row, const Strip &strip, int64_t v);
  Value loadState(const Place &place, const Strip &strip, int64_t v);
  void storeState(Value x, const Place &place, const Strip &strip, int64_t v);

  Emitter &e;
  mlir::Operation *op;
  MonomialSpace space;
  llvm::SmallVector<Set, 2> sets;
  mlir::FloatType element;
  /// Of the values and one more; parts that the values' columns are cut into.
  int64_t columns, parts;
  /// Query heads that share a key head.
  Value keyHeads, group;
  /// Tokens of a block; vectors of features and rows of a state in registers.
  int64_t blockTokens, stripVectors, stripRows;
  /// Where a row has the features, after those of lower degrees, and how long
  /// it is.
  int64_t featuresAt, rowLength;
  /// In threes: the product of the entry at the first index with a vector of
  /// entries from the second index on goes to the third.
  llvm::SmallVector<int32_t> runs;
  /// [r] f32, of the readers' kernel.
  Value featureWeights;
};

} // namespace polyattn::attn

#endif // POLYATTN_CONVERSION_LOWERTOVECTOR_STATESTREAM_H
