// The inner loops as machine code. Products consist of multiply-adds, loads,
// broadcasts and loop control, with nothing from or to the stack: a register
// block of 6 x 4 vectors takes 4 loads and 6 broadcasts for 24 multiply-adds,
// four times as many where it is unrolled.

// RUN: split-file %s %t
// DEFINE: %{code} = mlir-translate --mlir-to-llvmir | llc -O3 -mtriple=x86_64-unknown-linux-gnu
// RUN: polyattn-opt %t/direct.mlir -pass-pipeline='builtin.module(attn-to-llvm{target=avx512})' | %{code} -mcpu=skylake-avx512 -o - \
// RUN:   | %python %S/../Inputs/inner_loops.py | FileCheck %s --check-prefix=DIRECT
// RUN: polyattn-opt %t/state.mlir -pass-pipeline='builtin.module(attn-to-llvm{target=avx512})' | %{code} -mcpu=skylake-avx512 -o - \
// RUN:   | %python %S/../Inputs/inner_loops.py | FileCheck %s --check-prefix=STATE
// RUN: polyattn-opt %t/linear.mlir -pass-pipeline='builtin.module(attn-to-llvm{target=avx512})' | %{code} -mcpu=skylake-avx512 -o - \
// RUN:   | %python %S/../Inputs/inner_loops.py | FileCheck %s --check-prefix=LINEAR
// RUN: polyattn-opt %t/tiles.mlir -pass-pipeline='builtin.module(attn-to-llvm{target=amx})' | %{code} -mcpu=sapphirerapids -o %t/tiles.s
// RUN: FileCheck %s --check-prefix=TILES < %t/tiles.s

// Scores; weights, most of whose constants are in memory; values, and their
// last 4 columns.
// DIRECT: inner loop: 96 multiply-add, 16 load, 24 broadcast{{$}}
// DIRECT-NEXT: inner loop: 20 multiply-add, 9 broadcast, {{[0-9]+}} other
// DIRECT-NEXT: inner loop: 24 multiply-add, 4 load, 6 broadcast{{$}}
// DIRECT-NEXT: inner loop: 16 multiply-add, 4 load, 4 broadcast{{$}}
// DIRECT-NOT: inner loop

// Update; apply, its last columns with the denominator.
// STATE: inner loop: 96 multiply-add, 16 load, 24 broadcast{{$}}
// STATE-NEXT: inner loop: 24 multiply-add, 4 load, 6 broadcast{{$}}
// STATE-NEXT: inner loop: 20 multiply-add, 4 load, 5 broadcast{{$}}
// STATE-NOT: stack

// The same two for degree 1, in blocks of 6 rows; update's last block has 5, the
// values themselves among them, and a partial block of keys is not unrolled.
// LINEAR-NOT: stack
// LINEAR: inner loop: 96 multiply-add, 16 load, 24 broadcast{{$}}
// LINEAR-NOT: stack

// Accumulators of tiles stay in registers.
// TILES: tdpbf16ps
// TILES-NOT: tilestored{{.*}}Spill

//--- direct.mlir
func.func @main(%q: tensor<4x4096x64xf32>, %k: tensor<4x4096x64xf32>, %v: tensor<4x4096x64xf32>) -> tensor<4x4096x64xf32> {
  %o = attn.attention %q, %k, %v scale 0.125 : tensor<4x4096x64xf32>, tensor<4x4096x64xf32>, tensor<4x4096x64xf32> -> tensor<4x4096x64xf32>
  return %o : tensor<4x4096x64xf32>
}
//--- state.mlir
func.func @main(%q: tensor<4x4096x64xf32>, %k: tensor<4x4096x64xf32>, %v: tensor<4x4096x64xf32>) -> tensor<4x4096x64xf32> {
  %o = attn.attention %q, %k, %v scale 0.125 kernel poly<[1.0, 1.0, 0.5]> evaluate state
     : tensor<4x4096x64xf32>, tensor<4x4096x64xf32>, tensor<4x4096x64xf32> -> tensor<4x4096x64xf32>
  return %o : tensor<4x4096x64xf32>
}
//--- linear.mlir
func.func @main(%q: tensor<4x4096x64xf32>, %k: tensor<4x4096x64xf32>, %v: tensor<4x4096x64xf32>) -> tensor<4x4096x64xf32> {
  %o = attn.attention %q, %k, %v scale 0.125 kernel poly<[1.0, 1.0]> evaluate state
     : tensor<4x4096x64xf32>, tensor<4x4096x64xf32>, tensor<4x4096x64xf32> -> tensor<4x4096x64xf32>
  return %o : tensor<4x4096x64xf32>
}
//--- tiles.mlir
func.func @main(%q: tensor<4x4096x64xbf16>, %k: tensor<4x4096x64xbf16>, %v: tensor<4x4096x64xbf16>) -> tensor<4x4096x64xbf16> {
  %o = attn.attention %q, %k, %v scale 0.125 : tensor<4x4096x64xbf16>, tensor<4x4096x64xbf16>, tensor<4x4096x64xbf16> -> tensor<4x4096x64xbf16>
  return %o : tensor<4x4096x64xbf16>
}
