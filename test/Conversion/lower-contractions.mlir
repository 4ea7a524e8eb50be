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

// -----

// A second product whose sums start from the first one's result: both are formed
// in the same registers, a loop over k and a loop over r.
// REMARK: remark: [Analysis] Blocks | {{.*}}register blocks: panels made first, a second product is added to it
// REMARK-NOT: remark:
// CHECK-LABEL: func.func @pair
// CHECK: memref<3x384x64xf32>
// CHECK: memref<3x16x64xf32>
// CHECK: %[[FIRST:.*]]:24 = scf.for
// CHECK-COUNT-24: vector.fma
// CHECK: scf.yield
// CHECK: scf.for {{.*}} = %[[FIRST]]#0
// CHECK-COUNT-24: vector.fma
// CHECK-NOT: linalg.matmul
func.func @pair(%a: tensor<256x384xf32>, %b: tensor<384x192xf32>, %c: tensor<256x16xf32>, %d: tensor<16x192xf32>) -> tensor<256x192xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<256x192xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<256x192xf32>) -> tensor<256x192xf32>
  %m = linalg.matmul ins(%a, %b : tensor<256x384xf32>, tensor<384x192xf32>) outs(%f : tensor<256x192xf32>) -> tensor<256x192xf32>
  %n = linalg.matmul ins(%c, %d : tensor<256x16xf32>, tensor<16x192xf32>) outs(%m : tensor<256x192xf32>) -> tensor<256x192xf32>
  return %n : tensor<256x192xf32>
}

// -----

// Of three the first two are formed together, and the third adds to memory. What
// others use, too, is formed alone.
// REMARK: remark: [Analysis] Blocks | {{.*}}register blocks: panels made first, a second product is added to it
// REMARK: remark: [Analysis] Blocks | {{.*}}register blocks: panels made first"
// REMARK: remark: [Analysis] Blocks | {{.*}}register blocks: panels made first"
// REMARK: remark: [Analysis] Blocks | {{.*}}register blocks: panels made first"
// REMARK-NOT: remark:
// CHECK-LABEL: func.func @chains
// CHECK-NOT: linalg.matmul
func.func @chains(%a: tensor<64x64xf32>, %start: tensor<64x64xf32>) -> (tensor<64x64xf32>, tensor<64x64xf32>, tensor<64x64xf32>) {
  %1 = linalg.matmul ins(%a, %a : tensor<64x64xf32>, tensor<64x64xf32>) outs(%start : tensor<64x64xf32>) -> tensor<64x64xf32>
  %2 = linalg.matmul ins(%a, %a : tensor<64x64xf32>, tensor<64x64xf32>) outs(%1 : tensor<64x64xf32>) -> tensor<64x64xf32>
  %3 = linalg.matmul ins(%a, %a : tensor<64x64xf32>, tensor<64x64xf32>) outs(%2 : tensor<64x64xf32>) -> tensor<64x64xf32>
  %4 = linalg.matmul ins(%a, %a : tensor<64x64xf32>, tensor<64x64xf32>) outs(%start : tensor<64x64xf32>) -> tensor<64x64xf32>
  %5 = linalg.matmul ins(%a, %a : tensor<64x64xf32>, tensor<64x64xf32>) outs(%4 : tensor<64x64xf32>) -> tensor<64x64xf32>
  return %3, %4, %5 : tensor<64x64xf32>, tensor<64x64xf32>, tensor<64x64xf32>
}

// -----

// Rows that choose one of several matrices are sorted by their choice; a task
// goes through the runs of rows that chose the same.
// REMARK: remark: [Analysis] Blocks | {{.*}}register blocks: panels made first"
// CHECK-LABEL: func.func @rows_choose
// CHECK-SAME: %[[CHOICES:[a-z0-9]*]]: tensor<100xi32>
// CHECK: %[[ORDER:.*]] = memref.alloc() : memref<100xindex>
// CHECK: tensor.extract %[[CHOICES]]
// CHECK: memref.store {{.*}}, %[[ORDER]]
// CHECK: memref.alloc() {{.*}} : memref<3x1x384x64xf32>
// CHECK: vector.fma
// CHECK-NOT: linalg.generic
func.func @rows_choose(%a: tensor<100x384xf32>, %b: tensor<3x384x64xf32>, %choices: tensor<100xi32>) -> tensor<100x64xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<100x64xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<100x64xf32>) -> tensor<100x64xf32>
  %m = linalg.generic {indexing_maps = [affine_map<(i, j, k, l) -> (i, k)>, affine_map<(i, j, k, l) -> (l, k, j)>, affine_map<(i, j, k, l) -> (i)>, affine_map<(i, j, k, l) -> (i, j)>],
                       iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
      ins(%a, %b, %choices : tensor<100x384xf32>, tensor<3x384x64xf32>, tensor<100xi32>) outs(%f : tensor<100x64xf32>) {
  ^bb0(%x: f32, %y: f32, %i: i32, %o: f32):
    %l = linalg.index 3 : index
    %which = arith.index_cast %i : i32 to index
    %same = arith.cmpi eq, %l, %which : index
    %p = arith.mulf %x, %y : f32
    %s = arith.addf %o, %p : f32
    %r = arith.select %same, %s, %o : f32
    linalg.yield %r : f32
  } -> tensor<100x64xf32>
  return %m : tensor<100x64xf32>
}
