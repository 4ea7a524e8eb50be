// RUN: polyattn-opt %s -split-input-file -pass-pipeline='builtin.module(attn-lower-contractions{target=avx512},canonicalize)' | FileCheck %s
// RUN: polyattn-opt %s -split-input-file -pass-pipeline='builtin.module(attn-lower-contractions{target=avx2},canonicalize)' | FileCheck %s --check-prefix=AVX2
// RUN: polyattn-opt %s -split-input-file -attn-lower-contractions -remarks-filter=polyattn 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK
// RUN: not polyattn-opt %s -split-input-file -pass-pipeline='builtin.module(attn-lower-contractions{target=z80})' 2>&1 | FileCheck %s --check-prefix=TARGET

// TARGET: error: unknown target 'z80'

// Panels of 64 columns, made by a loop of their own; 6 x 4 registers of C. AVX2
// has panels of 16 columns and 6 x 2 registers.
// REMARK: [Analysis] Blocks | {{.*}}register blocks: panels made first
// CHECK-LABEL: func.func @panels
// CHECK: memref.alloc() {alignment = 64 : i64} : memref<256x192xf32>
// CHECK: %[[PANELS:.*]] = memref.alloc() {alignment = 64 : i64} : memref<3x384x64xf32>
// CHECK: scf.for
// CHECK: vector.store {{.*}}, %[[PANELS]]
// CHECK: scf.parallel
// CHECK: scf.for {{.*}}iter_args
// CHECK-COUNT-24: vector.fma {{.*}} vector<16xf32>
// CHECK: scf.yield
// CHECK-NOT: linalg.matmul
// AVX2-LABEL: func.func @panels
// AVX2: memref<12x384x16xf32>
// AVX2-COUNT-12: vector.fma {{.*}} vector<8xf32>
func.func @panels(%a: tensor<256x384xf32>, %b: tensor<384x192xf32>) -> tensor<256x192xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<256x192xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<256x192xf32>) -> tensor<256x192xf32>
  %m = linalg.matmul ins(%a, %b : tensor<256x384xf32>, tensor<384x192xf32>) outs(%f : tensor<256x192xf32>) -> tensor<256x192xf32>
  return %m : tensor<256x192xf32>
}

// -----

// A constant is put into panels now: no loop does it. Its transposition is part
// of that: the first row of the panel is the first column, 1 and 3, and zeros.
// REMARK: [Analysis] Blocks | {{.*}}register blocks: constant panels
// CHECK-LABEL: func.func @constant
// CHECK: arith.constant dense_resource<panels> : tensor<1x16x64xf32>
// CHECK: vector.fma
// CHECK: panels: "0x400000000000803F0000404000000000
func.func @constant(%a: tensor<20x2xf32>) -> tensor<20x2xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %e = tensor.empty() : tensor<20x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<20x2xf32>) -> tensor<20x2xf32>
  %m = linalg.generic {indexing_maps = [affine_map<(i, j, k) -> (i, k)>, affine_map<(i, j, k) -> (j, k)>, affine_map<(i, j, k) -> (i, j)>], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %w : tensor<20x2xf32>, tensor<2x2xf32>) outs(%f : tensor<20x2xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %x = arith.mulf %p, %q : f32
    %s = arith.addf %o, %x : f32
    linalg.yield %s : f32
  } -> tensor<20x2xf32>
  return %m : tensor<20x2xf32>
}

// -----

// Few rows: weights are read where they lie, rows or columns of them.
// REMARK: [Analysis] Blocks | {{.*}}register blocks: rows as they are
// CHECK-LABEL: func.func @few_rows
// CHECK-COUNT-1: memref.alloc()
// CHECK-NOT: memref.alloc()
// CHECK-COUNT-4: vector.fma
func.func @few_rows(%a: tensor<1x100xf32>, %b: tensor<100x64xf32>, %init: tensor<1x64xf32>) -> tensor<1x64xf32> {
  %zero = arith.constant 0.0 : f32
  %f = linalg.fill ins(%zero : f32) outs(%init : tensor<1x64xf32>) -> tensor<1x64xf32>
  %m = linalg.matmul ins(%a, %b : tensor<1x100xf32>, tensor<100x64xf32>) outs(%f : tensor<1x64xf32>) -> tensor<1x64xf32>
  return %m : tensor<1x64xf32>
}

// REMARK: [Analysis] Blocks | {{.*}}register blocks: dot products
// CHECK-LABEL: func.func @few_rows_transposed
// CHECK-COUNT-16: vector.fma
// CHECK: vector.shuffle
func.func @few_rows_transposed(%a: tensor<1x96xf32>, %b: tensor<64x96xf32>, %init: tensor<1x64xf32>) -> tensor<1x64xf32> {
  %zero = arith.constant 0.0 : f32
  %f = linalg.fill ins(%zero : f32) outs(%init : tensor<1x64xf32>) -> tensor<1x64xf32>
  %m = linalg.generic {indexing_maps = [affine_map<(i, j, k) -> (i, k)>, affine_map<(i, j, k) -> (j, k)>, affine_map<(i, j, k) -> (i, j)>], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<1x96xf32>, tensor<64x96xf32>) outs(%f : tensor<1x64xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %x = arith.mulf %p, %q : f32
    %s = arith.addf %o, %x : f32
    linalg.yield %s : f32
  } -> tensor<1x64xf32>
  return %m : tensor<1x64xf32>
}

// -----

// The op that follows is part of the tile's loop: nothing but the last result is
// stored.
// REMARK: [Analysis] Blocks | {{.*}}register blocks: panels made first, the op that follows is part of it
// CHECK-LABEL: func.func @epilogue
// CHECK: memref<40x64xf32>
// CHECK: vector.fma
// CHECK: scf.for
// CHECK: arith.addf {{.*}} : vector<16xf32>
// CHECK: arith.maximumf {{.*}} : vector<16xf32>
// CHECK-NOT: linalg.generic
func.func @epilogue(%a: tensor<40x8xf32>, %b: tensor<8x64xf32>, %bias: tensor<64xf32>) -> tensor<40x64xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<40x64xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<40x64xf32>) -> tensor<40x64xf32>
  %m = linalg.matmul ins(%a, %b : tensor<40x8xf32>, tensor<8x64xf32>) outs(%f : tensor<40x64xf32>) -> tensor<40x64xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%m, %bias : tensor<40x64xf32>, tensor<64xf32>) outs(%e : tensor<40x64xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %s = arith.addf %p, %q : f32
    %x = arith.maximumf %s, %zero : f32
    linalg.yield %x : f32
  } -> tensor<40x64xf32>
  return %r : tensor<40x64xf32>
}
